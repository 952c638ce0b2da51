#pragma once

// Patterns over tool names: `*` is any run of characters (also none), `?` is any one character,
// everything else is itself. Matching is linear in pattern × name at worst, never exponential.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace remit::rules {

bool glob_matches(std::string_view pattern, std::string_view text);

// A text that both match, or nullopt when there is none. Exact: decided on the product of the two
// patterns.
std::optional<std::string> globs_overlap(std::string_view a, std::string_view b);

// "upstream/tool" of a remit; only the tool part is a pattern.
struct ToolPattern {
  std::string upstream;
  std::string tool;

  bool matches(std::string_view of_upstream, std::string_view tool_name) const {
    return upstream == of_upstream && glob_matches(tool, tool_name);
  }
  std::string text() const { return upstream + "/" + tool; }
};

// Refuses an empty part, a pattern in the upstream part and names longer than 128 bytes.
Result<ToolPattern> parse_tool_pattern(std::string_view text);

}  // namespace remit::rules
