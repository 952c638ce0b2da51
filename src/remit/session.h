#pragma once

// From a remit and a call's arguments to the one STS session that the call acts as: everything that
// AssumeRole is asked for, checked against STS's limits before the call, and a key over everything
// that changes privilege. Pure and deterministic: the same inputs give the same bytes.
//
//   Planner planner(config);
//   REMIT_TRY(auto plan, planner.plan(remit, arguments));   // bind, choose the role, plan, compile
//   sessions.acquire(plan->...); lane: plan->compiled
//
// Limits: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/json.h"
#include "remit/bind.h"
#include "remit/canonical.h"
#include "remit/config.h"

namespace remit::rules {

// Plain text of the inline policy and the managed policies together, by STS.
inline constexpr std::size_t kMaxPolicyCharacters = 2048;

struct SessionPlan {
  std::string remit;                     // name; "startup:<upstream>" for a startup remit
  std::string role;                      // ARN
  std::string account;                   // of the role, twelve digits
  std::string session_name;              // Remit's own: agent, remit and a short hash; 2..64
  std::string policy;                    // canonical, minified JSON; never empty
  std::vector<std::string> policy_arns;  // sorted; of an offloaded plan those of `offload` too
  // `policy` is too long for STS: only `policy_arns` go there, and what they allow beyond it is
  // refused by Remit alone.
  bool offloaded = false;
  std::vector<Tag> tags;                // sorted by key
  std::vector<std::string> transitive;  // sorted
  std::optional<std::string> source_identity;
  std::optional<std::string> external_id;
  std::chrono::seconds duration{900};
  std::string region;  // whose STS endpoint is asked
  BoundArguments bound;
  BoundArguments in_policy;  // of `bound`, those whose values stand in `policy`
  // SHA-256 (hex) over everything that changes privilege or attribution: all that AssumeRole is
  // asked for but `session_name` (which is made from it), the agent, the remit and the source of
  // the base credentials. Two calls with the same key may share a session.
  std::string key;
  int packed_percent_estimate = 0;  // a model, not a fact: see remit/packed.h
  // `policy` for egress to decide with, without the statement that tells AWS of pinned accounts.
  std::shared_ptr<const iam::Policy> compiled;
  // By the index of a statement in `policy` (Decision::statement): where it stands in remit.yaml.
  std::vector<std::vector<StatementOrigin>> origins;
};

// Plans and remembers: at most 1,024 plans, the least recently used goes first. Remembered by remit
// and bound values, so a plan costs a map lookup after the first. Not for use by two threads.
class Planner {
 public:
  explicit Planner(std::shared_ptr<const Config> config);

  // Binds and plans. `remit` must be of the configuration (or a startup remit of it).
  Result<std::shared_ptr<const SessionPlan>> plan(const Remit& remit,
                                                  std::optional<json::Value> arguments);

 private:
  struct Entry {
    std::string id;
    std::shared_ptr<const SessionPlan> plan;
  };
  std::shared_ptr<const Config> config_;
  std::list<Entry> recent_;  // most recently used first
  std::map<std::string, std::list<Entry>::iterator, std::less<>> by_id_;
};

// What counts against kMaxPolicyCharacters.
std::size_t plan_characters(const SessionPlan& plan);

// The same without memory.
Result<SessionPlan> plan_session(const Config& config, const Remit& remit, BoundArguments bound);

}  // namespace remit::rules
