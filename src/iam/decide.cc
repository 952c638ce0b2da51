#include "iam/decide.h"

#include "iam/services.h"
#include "iam/stack.h"

namespace remit::iam {
namespace {

struct Denial {
  Truth truth = Truth::No;
  LayerName layer = LayerName::None;
  Source by;
};

Denial strongest_denial(const Verdicts& v) {
  Denial out;
  const auto consider = [&out](LayerName layer, const Verdict& verdict) {
    if (verdict.deny > out.truth) out = {verdict.deny, layer, verdict.denied_by};
  };
  consider(LayerName::Scp, v.scp);
  consider(LayerName::Rcp, v.rcp);
  consider(LayerName::Endpoint, v.endpoint);
  consider(LayerName::Resource, v.resource);
  consider(LayerName::Identity, v.identity);
  consider(LayerName::Boundary, v.boundary);
  consider(LayerName::Session, v.session);
  return out;
}

const Verdict* verdict_of(const Verdicts& v, LayerName layer) {
  switch (layer) {
    case LayerName::Identity:
      return &v.identity;
    case LayerName::Boundary:
      return &v.boundary;
    case LayerName::Session:
      return &v.session;
    case LayerName::Resource:
      return &v.resource;
    case LayerName::Endpoint:
      return &v.endpoint;
    default:
      return nullptr;
  }
}

Decision decision(Outcome outcome, LayerName layer, Source by = {}) {
  return {outcome, layer, by.policy, by.statement};
}

// The answer when nothing denies for certain: who allows, or who withholds.
Grant allowance(const Stack& stack, const Query& query, const Verdicts& v) {
  if (v.scp_allow == Truth::No) return {Truth::No, LayerName::Scp};
  if (v.endpoint_allow == Truth::No) return {Truth::No, LayerName::Endpoint};
  const Truth same = same_account(query);
  Grant out = grant(stack, query, v, same != Truth::No);
  if (same == Truth::Maybe) {
    const Grant across = grant(stack, query, v, false);
    if (across.granted != out.granted) out = {Truth::Maybe, LayerName::Resource};
  }
  if (out.granted == Truth::No) return out;
  if (v.scp_allow == Truth::Maybe) return {Truth::Maybe, LayerName::Scp};
  if (v.endpoint_allow == Truth::Maybe) return {Truth::Maybe, LayerName::Endpoint};
  return out;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permission is
// needed, and a deny does not take it away. A VPC endpoint's policy is another matter.
std::optional<Decision> without_permission(const Query& query, const Verdicts& v) {
  if (!needs_no_permission(query.action)) return std::nullopt;
  const bool signed_in =
      query.principal == nullptr || query.principal->kind() != PrincipalKind::Anonymous;
  if (!signed_in) return std::nullopt;
  const bool open = v.endpoint_allow == Truth::Yes && v.endpoint.deny == Truth::No;
  return decision(open ? Outcome::Allowed : Outcome::Undetermined,
                  open ? LayerName::Rule : LayerName::Endpoint);
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Allowed:
      return "allowed";
    case Outcome::ExplicitDeny:
      return "explicitDeny";
    case Outcome::ImplicitDeny:
      return "implicitDeny";
    case Outcome::Undetermined:
      return "undetermined";
  }
  return "undetermined";
}

std::string_view name_of(LayerName layer) {
  switch (layer) {
    case LayerName::None:
      return "no policy";
    case LayerName::Identity:
      return "identity policy";
    case LayerName::Boundary:
      return "permission boundary";
    case LayerName::Session:
      return "session policy";
    case LayerName::Resource:
      return "resource policy";
    case LayerName::Scp:
      return "service control policy";
    case LayerName::Rcp:
      return "resource control policy";
    case LayerName::Endpoint:
      return "endpoint policy";
    case LayerName::Rule:
      return "rule of AWS";
  }
  return "no policy";
}

Stack Stack::session_only(std::span<const Policy* const> session) {
  Stack out;
  out.identity = Layer::not_known();
  out.boundary = Layer::not_known();
  out.resource = Layer::not_known();
  out.endpoint = Layer::not_known();
  out.session = Layer::of(session);
  out.scp_known = false;
  out.rcp_known = false;
  return out;
}

Decision decide(const Stack& stack, const Request& request) {
  const Query query(stack, request);
  const Verdicts verdicts = evaluate(stack, query);
  if (const auto free = without_permission(query, verdicts)) return *free;
  const Denial denial = strongest_denial(verdicts);
  if (denial.truth == Truth::Yes) {
    return decision(Outcome::ExplicitDeny, denial.layer, denial.by);
  }
  Grant given{Truth::No, LayerName::Rule};
  if (!rule_for(query)) given = allowance(stack, query, verdicts);
  if (denial.truth == Truth::Maybe) {
    return decision(Outcome::Undetermined, denial.layer, denial.by);
  }
  const Verdict* by = verdict_of(verdicts, given.layer);
  switch (given.granted) {
    case Truth::Yes:
      return decision(Outcome::Allowed, given.layer, by != nullptr ? by->allowed_by : Source{});
    case Truth::Maybe:
      return decision(Outcome::Undetermined, given.layer,
                      by != nullptr ? by->allowed_by : Source{});
    case Truth::No:
      break;
  }
  return decision(Outcome::ImplicitDeny, given.layer);
}

}  // namespace remit::iam
