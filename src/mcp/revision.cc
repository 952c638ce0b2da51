#include "mcp/revision.h"

#include <array>
#include <utility>

namespace remit::mcp {
namespace {

constexpr std::array<std::pair<Revision, std::string_view>, 4> kNames{{
    {Revision::R2024_11_05, "2024-11-05"},
    {Revision::R2025_03_26, "2025-03-26"},
    {Revision::R2025_06_18, "2025-06-18"},
    {Revision::R2025_11_25, "2025-11-25"},
}};

}  // namespace

std::string_view name_of(Revision revision) {
  return kNames[static_cast<std::size_t>(revision)].second;
}

std::optional<Revision> parse_revision(std::string_view name) {
  for (const auto& [revision, text] : kNames) {
    if (text == name) return revision;
  }
  return std::nullopt;
}

Revision negotiate(std::string_view asked) { return parse_revision(asked).value_or(kNewest); }

}  // namespace remit::mcp
