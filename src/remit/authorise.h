#pragma once

// Which remit covers a tool call. Asked for each call, and for each tool of a list that an agent is
// shown: the list is the check. No remit, no call.

#include <string_view>

#include "base/result.h"
#include "remit/config.h"

namespace remit::rules {

// The one remit that covers `tool` (the upstream's own name of it) of `upstream`, or null. Never
// two: a configuration in which two remits cover one tool does not load.
const Remit* find_remit(const Config& config, std::string_view upstream, std::string_view tool);

// The same as a Result for a call: Denied, with words that an agent can act on.
Result<const Remit*> authorise(const Config& config, std::string_view upstream,
                               std::string_view tool);

}  // namespace remit::rules
