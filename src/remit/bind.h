#pragma once

// From a call's arguments to typed values. Each argument of the remit is taken by its JSON pointer,
// checked against its grammar and never changed. What an agent sends becomes policy text in this
// way only.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/json.h"
#include "remit/config.h"

namespace remit::rules {

struct BoundArgument {
  std::string name;
  std::string value;
  bool operator==(const BoundArgument&) const = default;
};
using BoundArguments = std::vector<BoundArgument>;  // sorted by name

// `arguments` is `params.arguments` of tools/call, or nullopt when the call has none. An argument
// that the remit's session or role uses must be there; one that nothing uses may be absent. Denied
// with the pointer and the reason otherwise.
Result<BoundArguments> bind_arguments(const Remit& remit, std::optional<json::Value> arguments);

// The role that a call acts as. Denied when the bound value is not in the map.
Result<std::string> choose_role(const Remit& remit, const BoundArguments& bound);

}  // namespace remit::rules
