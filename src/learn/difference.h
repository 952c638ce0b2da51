#pragma once

// What changes when a remit's session becomes the learnt one, in sentences.

#include <string>
#include <vector>

#include "learn/learn.h"
#include "remit/config.h"

namespace remit::learn {

struct Change {
  enum class Kind : std::uint8_t { Unused, Narrower, Added, Same, Kept };
  Kind kind = Kind::Same;
  std::string text;
};
char sign_of(Change::Kind kind);              // '-', '~', '+', '=', '!'
std::string_view name_of(Change::Kind kind);  // "unused", "narrower", "added", "same", "kept"

// `uses` are all tools that the remit covers, `learnt` what was learnt of them, in one order.
std::vector<Change> difference(const rules::Remit& remit, const std::vector<const ToolUse*>& uses,
                               const std::vector<const Learnt*>& learnt);

}  // namespace remit::learn
