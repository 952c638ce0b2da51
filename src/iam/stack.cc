#include "iam/stack.h"

#include "iam/services.h"

namespace remit::iam {
namespace {

bool has_identity_side(const Query& query) {
  if (query.principal == nullptr) return true;
  switch (query.principal->kind()) {
    case PrincipalKind::Anonymous:
    case PrincipalKind::Service:
    case PrincipalKind::Provider:
      return false;
    default:
      return true;
  }
}

Truth applies_unless(const Fact& fact) { return truth_of(!fact.value_or(false)); }

// Adds one level: its denies count at once, its allow joins the others by intersection.
void add_level(const Layer& level, const Query& query, Verdict& all, Truth& allow) {
  if (!level.known) return;
  const auto found = scan(level, query);
  if (found.deny > all.deny) {
    all.deny = found.deny;
    all.denied_by = found.denied_by;
  }
  allow = both(allow, found.allow);
}

// A layer that may not apply denies at most perhaps, and withholds at most perhaps.
void weaken(Truth applies, Verdict& verdict, Truth& allow) {
  if (applies == Truth::Yes) return;
  verdict.deny = both(verdict.deny, applies);
  allow = either(allow, opposite(applies));
}

// At a gateway endpoint an account as principal means its root user only.
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
Truth endpoint_allow(const Query& query, const Verdict& verdict) {
  const auto& granted = verdict.granted;
  const Truth named = either(granted.direct, granted.role);
  const bool may_be_gateway = query.service == "s3" || query.service == "dynamodb";
  if (!may_be_gateway || query.request.facts.endpoint_is_gateway == false) {
    return either(named, granted.account);
  }
  const bool sure = query.request.facts.endpoint_is_gateway.has_value();
  return either(named, sure ? Truth::No : both(granted.account, Truth::Maybe));
}

}  // namespace

Truth service_linked(const Query& query) {
  if (const auto fact = query.request.facts.principal_is_service_linked_role) {
    return truth_of(*fact);
  }
  if (query.principal == nullptr) return Truth::No;
  const auto kind = query.principal->kind();
  if (kind != PrincipalKind::Role && kind != PrincipalKind::RoleSession) return Truth::No;
  if (query.principal->path().starts_with("/aws-service-role/")) return Truth::Yes;
  const bool stated = query.principal_arn_stated && kind == PrincipalKind::RoleSession;
  if (stated && query.principal_arn.find(":role/aws-service-role/") != std::string_view::npos) {
    return Truth::Yes;
  }
  // The path is what tells; a session's ARN does not hold it.
  const bool named_so = query.principal->name().starts_with("AWSServiceRoleFor");
  return named_so && !query.principal_arn_stated ? Truth::Maybe : Truth::No;
}

// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
Applies scp_applies(const Query& query) {
  if (!has_identity_side(query)) return {Truth::No, "the caller is no principal of an account"};
  if (query.request.facts.principal_in_management_account == true) {
    return {Truth::No, "the caller is in the management account"};
  }
  switch (service_linked(query)) {
    case Truth::Yes:
      return {Truth::No, "the caller is a service-linked role"};
    case Truth::Maybe:
      return {Truth::Maybe, "the caller may be a service-linked role"};
    case Truth::No:
      break;
  }
  return {};
}

// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
Applies rcp_applies(const Query& query) {
  const auto& facts = query.request.facts;
  if (!rcp_reaches(query.service)) {
    return {Truth::No, "resource control policies do not reach this service"};
  }
  if (query.action == "kms:retiregrant") {
    return {Truth::No, "resource control policies do not reach kms:RetireGrant"};
  }
  if (applies_unless(facts.resource_in_management_account) == Truth::No) {
    return {Truth::No, "the resource is in the management account"};
  }
  if (query.service == "kms" && (applies_unless(facts.resource_is_aws_managed_key) == Truth::No ||
                                 query.resource.field[5].starts_with("alias/aws/"))) {
    return {Truth::No, "the key is managed by AWS"};
  }
  switch (service_linked(query)) {
    case Truth::Yes:
      return {Truth::No, "the caller is a service-linked role"};
    case Truth::Maybe:
      return {Truth::Maybe, "the caller may be a service-linked role"};
    case Truth::No:
      break;
  }
  return {};
}

Truth same_account(const Query& query) {
  if (!has_identity_side(query)) return Truth::Yes;
  if (query.principal == nullptr) return Truth::Maybe;
  const auto owner = query.resource_account();
  if (!owner.empty()) return truth_of(owner == query.principal->account());
  if (!query.resource_text) return Truth::Maybe;
  if (*query.resource_text == "*") return Truth::Yes;  // no resource: the caller's account
  if (!query.resource.whole) return Truth::Maybe;
  // A bucket's ARN does not tell its owner. Other ARNs without an account are AWS's own or the
  // caller's, and have no policy that another account could write.
  return query.resource.field[2] == "s3" ? Truth::Maybe : Truth::Yes;
}

std::optional<Rule> rule_for(const Query& query) {
  if (query.action.empty()) return Rule{Outcome::ImplicitDeny, "the action is no service:name"};
  if (query.principal == nullptr) return std::nullopt;
  const auto kind = query.principal->kind();
  const auto partition = query.principal->partition();
  const auto other = query.resource.field[1];
  if (!partition.empty() && !other.empty() && partition != other) {
    return Rule{Outcome::ImplicitDeny, "caller and resource are in different partitions of AWS"};
  }
  if (query.is_trust() && query.action == "sts:assumerole") {
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    if (kind == PrincipalKind::Root) {
      return Rule{Outcome::ImplicitDeny, "the root user cannot assume a role"};
    }
    if (kind == PrincipalKind::Anonymous) {
      return Rule{Outcome::ImplicitDeny, "sts:AssumeRole must be signed"};
    }
  }
  return std::nullopt;
}

Verdicts evaluate(const Stack& stack, const Query& query) {
  Verdicts out;
  const bool identity_side = has_identity_side(query);
  const bool root = query.principal != nullptr && query.principal->kind() == PrincipalKind::Root;
  if (identity_side && !root) {
    if (stack.identity.known) out.identity = scan(stack.identity, query);
    if (stack.boundary.known) out.boundary = scan(stack.boundary, query);
  }
  if (identity_side && stack.session.known) out.session = scan(stack.session, query);
  if (stack.resource.known) out.resource = scan(stack.resource, query);
  if (stack.endpoint.attached()) {
    out.endpoint = scan(stack.endpoint, query);
    out.endpoint_allow = endpoint_allow(query, out.endpoint);
  }
  if (stack.scp_known && !stack.scp.empty()) {
    for (const auto& level : stack.scp) add_level(level, query, out.scp, out.scp_allow);
    weaken(scp_applies(query).truth, out.scp, out.scp_allow);
  }
  if (stack.rcp_known && !stack.rcp.empty()) {
    // RCPFullAWSAccess is attached everywhere and cannot be detached: only denies matter.
    Truth ignored = Truth::Yes;
    for (const auto& level : stack.rcp) add_level(level, query, out.rcp, ignored);
    weaken(rcp_applies(query).truth, out.rcp, ignored);
  }
  return out;
}

Sides sides(const Stack& stack, const Query& query, const Verdicts& verdicts) {
  Sides out;
  const auto kind =
      query.principal == nullptr ? PrincipalKind::RoleSession : query.principal->kind();
  out.needs_identity = has_identity_side(query);
  out.explicit_resource = query.is_trust() || query.is_kms_key();
  out.resource = verdicts.resource.granted;
  if (!stack.resource.known) out.resource = {Truth::No, Truth::No, Truth::Yes};
  const bool root = kind == PrincipalKind::Root;
  out.identity = root || !stack.identity.known ? Truth::Yes : verdicts.identity.allow;
  if (stack.boundary.attached() && !root) out.boundary = verdicts.boundary.allow;
  if (stack.session.attached()) {
    out.session = verdicts.session.allow;
  } else if (stack.session.known && kind == PrincipalKind::FederatedUser) {
    out.session = Truth::No;  // GetFederationToken without a session policy grants nothing
  }
  return out;
}

Grant grant(const Stack& stack, const Query& query, const Verdicts& verdicts, bool same) {
  const auto s = sides(stack, query, verdicts);
  const auto withheld = [](LayerName layer, Truth truth) { return Grant{truth, layer}; };
  if (!s.needs_identity) {
    const Truth resource = stack.resource.known ? s.resource.direct : Truth::Yes;
    return withheld(LayerName::Resource, resource);
  }
  const Truth limits = both(s.boundary, s.session);
  Truth granted = Truth::No;
  if (same) {
    const Truth delegated = s.explicit_resource ? both(s.identity, s.resource.account) : s.identity;
    granted = either(s.resource.direct, both(limits, either(s.resource.role, delegated)));
  } else {
    granted = both(both(limits, s.identity), s.resource.any());
  }
  if (granted == Truth::Yes) {
    const bool by_resource = same && (s.resource.direct == Truth::Yes || s.identity != Truth::Yes);
    if (by_resource) return withheld(LayerName::Resource, granted);
    const bool identity_known = stack.identity.known && s.identity == Truth::Yes;
    if (identity_known || !stack.session.attached()) return withheld(LayerName::Identity, granted);
    return withheld(LayerName::Session, granted);
  }
  // The first side that withholds.
  const Truth resource_side =
      same && !s.explicit_resource ? Truth::Yes : either(s.resource.any(), Truth::No);
  if (s.identity <= granted && (!same || s.resource.role <= granted)) {
    return withheld(LayerName::Identity, granted);
  }
  if (s.boundary <= granted) return withheld(LayerName::Boundary, granted);
  if (s.session <= granted) return withheld(LayerName::Session, granted);
  if (resource_side <= granted) return withheld(LayerName::Resource, granted);
  return withheld(LayerName::Identity, granted);
}

}  // namespace remit::iam
