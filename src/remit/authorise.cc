#include "remit/authorise.h"

#include <fmt/format.h>

#include <algorithm>

namespace remit::rules {

const Remit* find_remit(const Config& config, std::string_view upstream, std::string_view tool) {
  const auto covers = [&](const Remit& remit) {
    return std::ranges::any_of(remit.tools,
                               [&](const ToolPattern& p) { return p.matches(upstream, tool); });
  };
  const auto found = std::ranges::find_if(config.remits, covers);
  return found == config.remits.end() ? nullptr : &*found;
}

Result<const Remit*> authorise(const Config& config, std::string_view upstream,
                               std::string_view tool) {
  if (const Remit* remit = find_remit(config, upstream, tool)) return remit;
  return fail(
      ErrorCode::Denied,
      fmt::format("no remit covers the tool {}/{}; whoever runs this gateway can add one to "
                  "its configuration",
                  upstream, tool));
}

}  // namespace remit::rules
