#pragma once

// A session policy in its fewest bytes: the one text that is sent to STS, compiled for egress and
// hashed into the session's key. What is done keeps the meaning exactly; the tests compare the
// engine's decisions before and after:
//
//   - no white space, no Sid, no Id; elements and lists sorted; a list of one is its element
//   - a value that stands twice, or that another pattern of the same list covers, is dropped
//   - statements that differ in nothing but their Action list, or their Resource list, become one
//
// Nothing is ever widened to save a byte.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace remit::rules {

struct PlainCondition {
  std::string op;
  std::string key;
  std::vector<std::string> values;
  auto operator<=>(const PlainCondition&) const = default;
};

// Where a statement of the canonical text came from: several when statements were merged.
struct StatementOrigin {
  std::string sid;          // may be empty
  json::Position position;  // in remit.yaml
};

struct PlainStatement {
  bool deny = false;
  bool not_action = false;
  std::vector<std::string> actions;
  bool not_resource = false;
  std::vector<std::string> resources;
  std::vector<PlainCondition> conditions;
  std::vector<StatementOrigin> origins;
};

struct PolicyText {
  std::string json;
  // By the index of the statement in `json`.
  std::vector<std::vector<StatementOrigin>> origins;
};

PolicyText write_canonical(std::vector<PlainStatement> statements);

// Whether everything that `inner` matches is matched by `outer` (`*` and `?` in both). Sound, not
// complete: false may mean that it could not tell. Never true where a policy variable is involved.
bool pattern_covers(std::string_view outer, std::string_view inner);

}  // namespace remit::rules
