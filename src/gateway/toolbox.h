#pragma once

// The tools that may be called: those of the upstreams for which a remit exists. What is listed and
// what can be called is one decision, made here: find() knows exactly what page() shows.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "json/json.h"
#include "remit/config.h"

namespace remit::gateway {

struct Tool {
  std::string exposed;  // "<tool>", or "<upstream>__<tool>" when there are several upstreams
  std::string upstream;
  std::string name;                              // the upstream's own
  std::string definition;                        // JSON as the upstream wrote it, but for the name
  std::shared_ptr<const json::Document> parsed;  // of `definition`
  const rules::Remit* remit = nullptr;           // of the toolbox's configuration

  std::optional<json::Value> input_schema() const { return parsed->root().find("inputSchema"); }
};

class Toolbox {
 public:
  Toolbox(std::shared_ptr<const rules::Config> config, Log& log)
      : config_(std::move(config)), log_(log) {}

  // Replaces the tools of an upstream by what its tools/list gave, one JSON object each. Tools
  // without a usable name are left out. True when what may be called has changed.
  bool set(std::string_view upstream, const std::vector<std::string>& definitions);
  std::shared_ptr<const Tool> find(std::string_view exposed) const;

  // The result of tools/list, in the order of the names. `cursor` is what an earlier page gave;
  // InvalidInput for any other, also after the list has changed.
  Result<std::string> page(std::optional<std::string_view> cursor) const;

  static constexpr std::size_t kPage = 250;

 private:
  std::shared_ptr<const rules::Config> config_;
  Log& log_;
  std::map<std::string, std::shared_ptr<const Tool>, std::less<>> tools_;
  std::uint64_t generation_ = 1;
};

}  // namespace remit::gateway
