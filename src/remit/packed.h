#pragma once

// How much of STS's second, undisclosed limit a session will take. STS packs the session policy,
// the managed policies' ARNs and the tags into a binary form and answers its size in percent after
// the call; how is not documented. This is a model fitted to the few sizes that AWS was seen to
// report (docs/decisions/0007-packed-size.md): within 5 points on each of them, and no more than a
// warning. The truth is PackedPolicySize of the answer, which the ledger records.

#include <string>
#include <string_view>
#include <vector>

#include "remit/config.h"

namespace remit::rules {

// Percent of the limit, rounded; above 100 STS will probably refuse. `policy` is valid JSON.
int estimate_packed_percent(std::string_view policy, const std::vector<std::string>& policy_arns,
                            const std::vector<Tag>& tags);

}  // namespace remit::rules
