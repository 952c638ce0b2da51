#pragma once

// How the layers' verdicts become one answer: AWS's evaluation logic, in one account and across
// accounts. Shared by decide() and explain().

#include <optional>
#include <string_view>

#include "iam/layers.h"

namespace remit::iam {

// Whether a layer bears on the request at all.
struct Applies {
  Truth truth = Truth::Yes;
  std::string_view why;  // when it does not, or may not
};

Applies scp_applies(const Query& query);
Applies rcp_applies(const Query& query);
Truth service_linked(const Query& query);

// Whether caller and resource belong to one account. Maybe: the owner is not known.
Truth same_account(const Query& query);

// A rule of AWS beyond any policy that settles the request.
struct Rule {
  Outcome outcome = Outcome::ImplicitDeny;
  std::string_view why;
};
std::optional<Rule> rule_for(const Query& query);

// The verdicts of a whole stack.
struct Verdicts {
  Verdict identity, boundary, session, resource, endpoint;
  Truth endpoint_allow = Truth::Yes;
  Verdict scp;  // deny of any level
  Verdict rcp;
  Truth scp_allow = Truth::Yes;  // of every level
};
Verdicts evaluate(const Stack& stack, const Query& query);

// What each layer contributes to an allow. `resource_*` and `identity` are sides of which one or
// both are needed.
struct Grant {
  Truth granted = Truth::No;
  LayerName layer = LayerName::None;  // that gave it, or that withheld it
};
// `same`: as if caller and resource were in one account.
Grant grant(const Stack& stack, const Query& query, const Verdicts& verdicts, bool same);

// The parts of the formula, for explanations.
struct Sides {
  Truth identity = Truth::No;  // identity policies, or the root user's standing allow
  Truth boundary = Truth::Yes;
  Truth session = Truth::Yes;
  PrincipalMatch resource;         // what the resource policy grants, by how it names the caller
  bool explicit_resource = false;  // the resource's policy must allow: trust policies, KMS keys
  bool needs_identity = true;      // false: callers without identity policies of their own
};
Sides sides(const Stack& stack, const Query& query, const Verdicts& verdicts);

}  // namespace remit::iam
