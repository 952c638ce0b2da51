#pragma once

// Whether one statement concerns a request: its principal, its resource, its conditions. The action
// is matched by the index (iam/layers.h) or by matches_action.

#include "iam/query.h"

namespace remit::iam {

// How a resource policy names the caller decides what it bypasses.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
struct PrincipalMatch {
  Truth direct = Truth::No;   // the user, the session, the service, or everyone
  Truth role = Truth::No;     // a session's role, a federated session's user
  Truth account = Truth::No;  // its account: delegates to the identity side
  Truth any() const { return either(direct, either(role, account)); }
};

bool matches_action(const CompiledPolicy& policy, const ActionPattern& pattern, const Query& query);
// Of a whole statement, NotAction included.
bool matches_actions(const CompiledPolicy& policy, const Statement& statement, const Query& query);

PrincipalMatch match_principals(const CompiledPolicy& policy, const Statement& statement,
                                const Query& query, Trace* trace);
Truth match_resources(const CompiledPolicy& policy, const Statement& statement, const Query& query,
                      Trace* trace);
Truth match_conditions(const CompiledPolicy& policy, const Statement& statement, const Query& query,
                       Trace* trace);

}  // namespace remit::iam
