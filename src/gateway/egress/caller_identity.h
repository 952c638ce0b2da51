#pragma once

// sts:GetCallerIdentity, answered by Remit: what the caller is told is the session of its call, and
// AWS need not be asked.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

#include <string>
#include <string_view>

#include "gateway/call.h"
#include "gateway/session.h"

namespace remit::gateway {

struct CallerIdentity {
  std::string arn;
  std::string user_id;
  std::string account;
};

// `credentials` may be null: then the names are made from the call's facts.
CallerIdentity caller_identity(const CallFacts& facts, const SessionCredentials* credentials);

// The body of the answer in STS's own protocol (query, XML).
std::string caller_identity_xml(const CallerIdentity& identity, std::string_view request_id);

}  // namespace remit::gateway
