#pragma once

// AWS's answer to a request, from compiled policies: allowed, denied, or undetermined because a
// fact is missing that would decide. Pure, and allocates nothing; explain() (iam/explain.h) tells
// why.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "iam/policy.h"
#include "iam/policy_set.h"
#include "iam/request.h"

namespace remit::iam {

// The policies of one layer. By default nothing is attached. `not_known()` is a layer that may hold
// anything and that AWS decides by itself: it is left out of the answer, which then holds for the
// known layers only, and is named among the assumptions.
struct Layer {
  std::span<const Policy* const> policies;
  bool known = true;
  const SetIndex* index = nullptr;  // over `policies`, where they are a PolicySet

  static Layer of(std::span<const Policy* const> policies) { return {policies}; }
  // The set must outlive the layer. Pays from about three policies on.
  static Layer of(const PolicySet& set) { return {set.policies(), true, &set.index()}; }
  static Layer not_known() { return {{}, false}; }
  bool attached() const { return known && !policies.empty(); }
};

// All policies that bear on a request.
struct Stack {
  Layer identity;
  Layer boundary;  // AWS attaches at most one; several would be a union
  Layer session;
  Layer resource;  // a Resource policy, or, for sts:AssumeRole and its kin, the role's Trust policy
  Layer endpoint;
  // From root to account; inside a level the policies are a union, between levels an intersection.
  // No level: the account is in no organization.
  std::span<const Layer> scp;
  std::span<const Layer> rcp;
  bool scp_known = true;  // false: as Layer::not_known()
  bool rcp_known = true;

  // What a gateway knows: the session policy; AWS decides the rest.
  static Stack session_only(std::span<const Policy* const> session);
};

enum class Outcome : std::uint8_t { Allowed, ExplicitDeny, ImplicitDeny, Undetermined };
std::string_view name_of(Outcome outcome);  // "allowed", "explicitDeny", ...

enum class LayerName : std::uint8_t {
  None,
  Identity,
  Boundary,
  Session,
  Resource,
  Scp,
  Rcp,
  Endpoint,
  Rule,  // no policy but a rule of AWS: the root user, partitions, sts:GetCallerIdentity
};
std::string_view name_of(LayerName layer);  // "identity policy", "service control policy", ...

struct Decision {
  static constexpr std::uint32_t kNoStatement = ~std::uint32_t{0};

  Outcome outcome = Outcome::ImplicitDeny;
  LayerName layer = LayerName::None;  // which denied, left undetermined, or gave the allow
  const Policy* policy = nullptr;     // and the policy and statement, where one did; lives as long
  std::uint32_t statement = kNoStatement;  // as the Stack's policies

  bool allowed() const { return outcome == Outcome::Allowed; }
};

Decision decide(const Stack& stack, const Request& request);

}  // namespace remit::iam
