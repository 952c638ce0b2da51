#pragma once

// A call in force: what egress must know of the tool call on whose behalf a lane sends AWS
// requests, and what egress reports back to it. One thread: the gateway's event loop.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace remit::iam {
class Policy;
}
namespace remit::rules {
struct Pins;
struct SessionPlan;
}  // namespace remit::rules

namespace remit::gateway {

class Session;

// Tool: a tools/call of an agent. Startup: what an upstream's process may ask of AWS before its
// first call (its `startup` remit).
enum class CallKind : std::uint8_t { Tool, Startup };

// Facts that do not change while the call lives.
struct CallFacts {
  std::string id;  // unique, printed in the ledger and in the receipt
  CallKind kind = CallKind::Tool;
  std::string agent;
  std::string upstream;
  std::string tool;   // empty for Startup
  std::string remit;  // name of the remit; "startup of <upstream>" for Startup

  std::string partition = "aws";
  std::string account;       // of the role; empty when the call has no session
  std::string role_arn;      // empty when the call has no session
  std::string session_name;  // RoleSessionName, Remit's own
  std::string source_identity;
  std::map<std::string, std::string> tags;  // session tags: aws:PrincipalTag/<key>
  std::vector<std::string> transitive;      // keys of those that roles assumed from here inherit
  std::string region;                       // default region of the configuration

  // The bound session policy, compiled. Null: nothing is allowed but what Remit answers itself
  // (sts:GetCallerIdentity of the default startup remit).
  std::shared_ptr<const iam::Policy> session_policy;
  // Each of these must allow a request too: what the caller itself passed to STS for credentials
  // that it asked for within the call (egress/derived.h).
  std::vector<std::shared_ptr<const iam::Policy>> narrowed_by;
  // What `session` was minted from; null when the call has none, or in tests.
  std::shared_ptr<const rules::SessionPlan> plan;
  // Requests that need a human, compiled as Deny statements (rules::Remit::approve): refuse a
  // request on which it says ExplicitDeny or Undetermined. Null: none.
  std::shared_ptr<const iam::Policy> approve;
  // The regions and accounts that a request may be for; null: any (egress/pins.h).
  std::shared_ptr<const rules::Pins> pins;
  // Unsigned reads of these hosts may pass (lower case).
  std::vector<std::string> public_hosts;
};

// Something egress refused on behalf of the call, in words for a person.
struct Refusal {
  std::string action;     // "s3:PutObject"; empty when the request could not be identified
  std::string resource;   // ARN; empty when unknown
  std::string layer;      // "session policy", "credential-returning operation", "foreign host", ...
  std::string statement;  // sid or number of the statement that denied; empty for an implicit deny
  std::string message;    // one sentence with the missing permission; never a secret
};

// An AWS request that egress sent on and saw answered.
struct AwsAnswer {
  std::string action;
  int status = 0;
  std::string request_id;  // x-amzn-RequestId, x-amz-request-id: joins CloudTrail
};

class Call {
 public:
  // `session` may be null: then nothing can be signed.
  Call(CallFacts facts, std::shared_ptr<Session> session)
      : facts_(std::move(facts)), session_(std::move(session)) {}
  // What acts with credentials that were derived within `parent`: over when that is, counted
  // there, and told to it.
  Call(CallFacts facts, std::shared_ptr<Session> session, std::shared_ptr<Call> parent)
      : facts_(std::move(facts)), session_(std::move(session)), parent_(std::move(parent)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const CallFacts& facts() const { return facts_; }
  const std::shared_ptr<Session>& session() const { return session_; }

  // Egress tells.
  void refused(Refusal refusal);
  void answered(std::string_view action, int status, std::string_view request_id);
  // A sentence that whoever reads the call's result should know too; each is told once.
  void remark(std::string sentence);
  // Counts one AWS request that changes something against the remit's `writes` limit. An error of
  // code LimitExceeded means: refuse the request.
  Result<> admit_write() {
    if (parent_) return parent_->admit_write();
    return admit_write_ ? admit_write_() : Result<>{};
  }

  // A call that is over (answered, cancelled, timed out, revoked) authorises nothing more.
  // Requests in flight are to be cut: egress registers how for each, and takes it back when the
  // request is done.
  bool over() const { return parent_ ? parent_->over() : over_; }
  using Token = std::uint64_t;
  Token when_over(std::function<void()> cut);  // runs at once when the call is over already
  void forget(Token token);

  // The gateway asks.
  void end();  // runs every `cut` once
  void limit_writes(std::function<Result<>()> admit) { admit_write_ = std::move(admit); }
  const std::vector<Refusal>& refusals() const { return refusals_; }  // the first kMaxKept
  std::uint64_t refusal_count() const { return refusal_count_; }
  const std::vector<std::string>& remarks() const { return remarks_; }
  const std::vector<AwsAnswer>& answers() const { return answers_; }  // the first kMaxKept
  std::uint64_t answer_count() const { return answer_count_; }

  static constexpr std::size_t kMaxKept = 32;

 private:
  CallFacts facts_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<Call> parent_;
  std::function<Result<>()> admit_write_;
  std::vector<Refusal> refusals_;
  std::uint64_t refusal_count_ = 0;
  std::vector<std::string> remarks_;
  std::vector<AwsAnswer> answers_;
  std::uint64_t answer_count_ = 0;
  bool over_ = false;
  Token next_token_ = 1;
  // As many as requests are in flight: few, and the last to come is mostly the first to go.
  std::vector<std::pair<Token, std::function<void()>>> cuts_;
};

}  // namespace remit::gateway
