#pragma once

// Requests whose answer carries credentials that Remit can own: what Remit asks AWS in their place.
// Internal to src/gateway/egress.
//
//   AssumeRole           asked with the call's session (role chaining). Session name and source
//                        identity are Remit's; the session policy that goes along is the remit's.
//   GetSessionToken      AWS refuses both to sessions, so Remit answers itself: a placeholder for
//   GetFederationToken   the call's own session, narrowed by the policy that was passed
//   s3:CreateSession     asked with the call's session; the credentials are of one bucket
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/identify.h"
#include "aws/sts.h"
#include "base/result.h"
#include "gateway/call.h"
#include "net/http.h"

namespace remit::gateway {

struct HandOut {
  enum class Kind : std::uint8_t { AssumeRole, SessionToken, FederationToken, ExpressSession };
  Kind kind = Kind::AssumeRole;
  aws::AssumeRoleRequest role;  // AssumeRole: as Remit sends it
  std::string name;             // FederationToken
  std::chrono::seconds duration{0};
  std::string asked_session_name;              // the caller's wish: for the ledger
  std::shared_ptr<const iam::Policy> narrows;  // the policy that the caller passed; null: none
  bool read_only = false;                      // ExpressSession
};

// nullopt: no such request, or one whose credentials Remit cannot own.
std::optional<HandOut::Kind> hand_out_kind(const aws::Identified& identified);

// `content` is the request's body. Denied: what Remit does not let the caller say; InvalidInput:
// what AWS would not take either.
Result<HandOut> plan_hand_out(HandOut::Kind kind, const http::RequestHead& head,
                              std::string_view content, const CallFacts& facts);

// Why the answer of an operation that returns credentials is not given.
std::string why_not_handed_out(const aws::Identified& identified);

// The facts of a call that acts with what was handed out.
CallFacts derived_facts(const CallFacts& parent, const HandOut& asked);

}  // namespace remit::gateway
