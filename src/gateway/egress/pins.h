#pragma once

// Whether an identified request stays within the regions and accounts that its remit is pinned to,
// and within the partition of its session. Pure.
//
// What a request does not tell (whose a bucket is) is not found here: for that the session itself
// holds a statement, see remit/session.h.

#include <optional>
#include <string_view>

#include "aws/identify.h"
#include "gateway/call.h"

namespace remit::gateway {

// `region_set`: what a SigV4a signature is for, "us-east-1,us-west-*" or "*"; empty with SigV4.
// `identified` must hold the places (RequestFacts::places) when the call has pins. nullopt: it
// does.
std::optional<Refusal> leaves_pins(const CallFacts& facts, const aws::Identified& identified,
                                   std::string_view region_set);

}  // namespace remit::gateway
