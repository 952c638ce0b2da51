#pragma once

// What an agent is told about how its call was decided: the receipt in `_meta` of the result, and
// the sentences about AWS requests that were refused. Never a secret.

#include <string>
#include <string_view>
#include <vector>

#include "gateway/call.h"

namespace remit::gateway {

// {"call", "decision", "remit", "role", "session", "refused", "aws": [request ids]}
std::string receipt(const Call& call);
// Of a call of which nothing was forwarded: it was denied, or it was allowed (as its ledger record
// says) and got no session or no lane.
enum class Verdict { Denied, Allowed };
std::string receipt_of_unforwarded(std::string_view call_id, Verdict verdict,
                                   std::string_view remit);

// One text for each different refusal, at most `kMaxSentences`, then how many more there were.
std::vector<std::string> sentences_for_result(const Call& call);

}  // namespace remit::gateway
