#include "iam/explain.h"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>
#include <utility>

#include "iam/services.h"
#include "iam/stack.h"

namespace remit::iam {
namespace {

constexpr std::size_t kMaxStatements = 1000;  // reported of one layer; all are evaluated

void add_once(std::vector<std::string>& all, std::string text) {
  if (std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
}

std::string statement_name(const StatementReport& s) {
  std::string out = "statement ";
  if (s.sid.empty()) {
    out.append("[").append(std::to_string(s.index)).append("]");
  } else {
    out.append("\"").append(s.sid).append("\"");
  }
  out.append(" (line ").append(std::to_string(s.position.line)).append(") of ");
  return out.append(s.policy_name);
}

StatementReport report_statement(LayerName layer, const Policy& policy, std::size_t index,
                                 const Query& query, std::vector<std::string>& unknown) {
  const auto& compiled = policy.compiled();
  const auto& statement = compiled.statements[index];
  StatementReport out;
  out.layer = layer;
  out.policy = &policy;
  out.policy_name = policy.name();
  out.index = index;
  out.sid = compiled.text(statement.sid);
  out.position = statement.position;
  out.deny = statement.deny;
  if (!matches_actions(compiled, statement, query)) {
    out.failed = statement.not_action ? "NotAction: excludes " : "Action: does not include ";
    out.failed.append(query.request.action);
    return out;
  }
  Trace trace;
  out.matched = match_statement(compiled, statement, query, &trace).matched;
  if (out.matched == Truth::No) out.failed = std::move(trace.failed);
  if (out.matched == Truth::Maybe) {
    for (auto& fact : trace.unknown) {
      if (!out.failed.empty()) out.failed += ", ";
      out.failed += fact;
      add_once(unknown, std::move(fact));
    }
  }
  return out;
}

constexpr std::array<const Policy*, 1> kSomePolicy{};  // attached, and never looked at

// What a grant can be added to, in the order in which a suggestion names them.
struct Part {
  std::string_view name;
  void (*add)(Stack&, Verdicts&, const Query&);
  bool limits = false;  // not the caller's own to widen
};
constexpr std::array<Part, 6> kParts{{
    {"a service control policy of each level",
     [](Stack&, Verdicts& v, const Query&) { v.scp_allow = Truth::Yes; }, true},
    {"the endpoint policy",
     [](Stack&, Verdicts& v, const Query&) { v.endpoint_allow = Truth::Yes; }},
    {"an identity policy of the caller",
     [](Stack&, Verdicts& v, const Query&) { v.identity.allow = Truth::Yes; }},
    {"the permission boundary",
     [](Stack&, Verdicts& v, const Query&) { v.boundary.allow = Truth::Yes; }, true},
    {"the session policy",
     [](Stack& s, Verdicts& v, const Query&) {
       s.session = Layer::of(kSomePolicy);  // a federated user needs one
       v.session.allow = Truth::Yes;
     }},
    {"the resource's policy, for this caller",
     [](Stack& s, Verdicts& v, const Query& q) {
       s.resource = Layer::of(kSomePolicy);
       const bool role = q.principal != nullptr && q.principal->kind() == PrincipalKind::Role;
       (role ? v.resource.granted.role : v.resource.granted.direct) = Truth::Yes;
     }},
}};

class Explainer {
 public:
  Explainer(const Stack& stack, const Request& request)
      : stack_(stack), query_(stack, request), verdicts_(evaluate(stack, query_)) {
    out_.decision = decide(stack, request);
  }

  Explanation run() {
    identity_side();
    one(LayerName::Resource, stack_.resource, verdicts_.resource);
    levels(LayerName::Scp, stack_.scp, stack_.scp_known, scp_applies(query_));
    levels(LayerName::Rcp, stack_.rcp, stack_.rcp_known, rcp_applies(query_));
    if (stack_.endpoint.attached() || !stack_.endpoint.known) {
      one(LayerName::Endpoint, stack_.endpoint, verdicts_.endpoint);
    }
    assume_facts();
    if (out_.decision.outcome == Outcome::Undetermined) missing_facts();
    if (!out_.decision.allowed()) suggest();
    return std::move(out_);
  }

 private:
  void identity_side() {
    const bool none = !sides(stack_, query_, verdicts_).needs_identity;
    const bool root =
        query_.principal != nullptr && query_.principal->kind() == PrincipalKind::Root;
    if (none) return;
    if (root) {
      LayerReport report;
      report.layer = LayerName::Identity;
      report.verdict = "does not apply: the root user starts from allow";
      out_.layers.push_back(std::move(report));
    } else {
      one(LayerName::Identity, stack_.identity, verdicts_.identity);
      if (stack_.boundary.attached() || !stack_.boundary.known) {
        one(LayerName::Boundary, stack_.boundary, verdicts_.boundary);
      }
    }
    if (stack_.session.attached() || !stack_.session.known) {
      one(LayerName::Session, stack_.session, verdicts_.session);
    }
  }

  void one(LayerName layer, const Layer& policies, const Verdict& verdict) {
    LayerReport report;
    report.layer = layer;
    if (!policies.known) {
      report.verdict = "not known here; AWS decides";
      add_once(out_.assumed, std::string(name_of(layer)) + ": not known here; AWS decides");
    } else if (policies.policies.empty()) {
      report.verdict = "none attached";
    } else {
      report.verdict = verdict_text(verdict);
      statements(policies, report);
    }
    out_.layers.push_back(std::move(report));
  }

  static std::string verdict_text(const Verdict& verdict) {
    if (verdict.deny == Truth::Yes) return "denies";
    std::string out = verdict.allow == Truth::Yes     ? "allows"
                      : verdict.allow == Truth::Maybe ? "may allow"
                                                      : "does not allow";
    if (verdict.deny == Truth::Maybe) out += ", may deny";
    return out;
  }

  void levels(LayerName layer, std::span<const Layer> levels, bool known, const Applies& applies) {
    if (!known) {
      LayerReport report;
      report.layer = layer;
      report.verdict = "not known here; AWS decides";
      add_once(out_.assumed, std::string(name_of(layer)) + ": not known here; AWS decides");
      out_.layers.push_back(std::move(report));
      return;
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
      LayerReport report;
      report.layer = layer;
      report.level = i;
      if (applies.truth == Truth::No) {
        report.verdict = "does not apply: " + std::string(applies.why);
      } else {
        Verdict verdict = scan(levels[i], query_);
        if (layer == LayerName::Rcp) verdict.allow = Truth::Yes;  // RCPFullAWSAccess
        report.verdict = verdict_text(verdict);
        if (applies.truth == Truth::Maybe) report.verdict += ", if it applies";
        statements(levels[i], report);
      }
      out_.layers.push_back(std::move(report));
    }
  }

  void statements(const Layer& layer, LayerReport& report) {
    for (const Policy* policy : layer.policies) {
      for (std::size_t i = 0; i < policy->statements(); ++i) {
        if (report.statements.size() >= kMaxStatements) return;
        report.statements.push_back(report_statement(report.layer, *policy, i, query_, unknown_));
      }
    }
    // Those that decide first; the order of the document among equals.
    std::vector<std::size_t> order(report.statements.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::size_t i) {
      const auto& s = report.statements[i];
      return std::tuple(opposite(s.matched), !s.deny, i);
    });
    std::vector<StatementReport> sorted;
    sorted.reserve(order.size());
    for (const auto i : order) sorted.push_back(std::move(report.statements[i]));
    report.statements = std::move(sorted);
  }

  void assume_facts() {
    const auto& facts = query_.request.facts;
    if (stack_.scp_known && !stack_.scp.empty()) {
      if (!facts.principal_in_management_account) {
        add_once(out_.assumed, "the caller is not in the organization's management account");
      }
      if (!facts.principal_is_service_linked_role && service_linked(query_) == Truth::No) {
        add_once(out_.assumed, "the caller is no service-linked role");
      }
    }
    if (stack_.rcp_known && !stack_.rcp.empty() && rcp_reaches(query_.service)) {
      if (!facts.resource_in_management_account) {
        add_once(out_.assumed, "the resource is not in the organization's management account");
      }
      if (query_.service == "kms" && !facts.resource_is_aws_managed_key) {
        add_once(out_.assumed, "the key is not managed by AWS");
      }
    }
    assume_names();
  }

  void assume_names() {
    const auto s = sides(stack_, query_, verdicts_);
    if (s.needs_identity && query_.resource.whole && query_.resource_account().empty() &&
        same_account(query_) == Truth::Yes) {
      add_once(out_.assumed,
               "the resource, whose ARN names no account, needs no other account's "
               "consent");
    }
    const bool withheld = s.boundary != Truth::Yes || s.session != Truth::Yes;
    if (out_.decision.allowed() && out_.decision.layer == LayerName::Resource && withheld) {
      add_once(out_.assumed,
               "what a resource policy grants to the user, the session or everyone, "
               "boundary and session policy do not limit");
    }
    const bool anonymous =
        query_.principal != nullptr && query_.principal->kind() == PrincipalKind::Anonymous;
    if (anonymous && query_.service == "s3" && out_.decision.allowed()) {
      add_once(out_.assumed, "S3 Block Public Access is off for the bucket and its account");
    }
    if (query_.principal != nullptr && !query_.principal_arn_stated &&
        !query_.role_path_unknown() && uses_principal_arn()) {
      add_once(out_.assumed, "the session's role is " + std::string(query_.principal_arn));
    }
  }

  bool uses_principal_arn() const {
    const auto uses = [](const Layer& layer) {
      return std::ranges::any_of(layer.policies, [](const Policy* policy) {
        return std::ranges::any_of(policy->compiled().keys, [](const Key& key) {
          return key.derived == Derived::PrincipalArn;
        });
      });
    };
    return uses(stack_.identity) || uses(stack_.boundary) || uses(stack_.session) ||
           uses(stack_.resource) || uses(stack_.endpoint) ||
           std::ranges::any_of(stack_.scp, uses) || std::ranges::any_of(stack_.rcp, uses);
  }

  void missing_facts() {
    out_.would_decide = unknown_;
    if (same_account(query_) == Truth::Maybe && query_.principal != nullptr) {
      add_once(out_.would_decide, "the account that owns the resource");
    }
    if (service_linked(query_) == Truth::Maybe) {
      add_once(out_.would_decide, "whether the caller is a service-linked role");
    }
    if (stack_.endpoint.attached() && verdicts_.endpoint_allow == Truth::Maybe &&
        !query_.request.facts.endpoint_is_gateway) {
      add_once(out_.would_decide, "whether the endpoint is a gateway endpoint");
    }
  }

  std::string grant_text() const {
    std::string out = "Action " + std::string(query_.request.action) + " on Resource ";
    return out.append(query_.request.resource.value_or("*"));
  }

  void suggest() {
    Suggestion out;
    if (out_.decision.outcome == Outcome::ExplicitDeny) {
      out.text = "no grant can allow it: a statement of the " +
                 std::string(name_of(out_.decision.layer)) + " denies it";
    } else if (const auto rule = rule_for(query_)) {
      out.text = "no grant can allow it: " + std::string(rule->why);
    } else if (out_.decision.outcome == Outcome::Undetermined) {
      out.text = "tell the missing facts first";
    } else {
      suggest_grants(out);
    }
    out_.suggestion = std::move(out);
  }

  bool allowed_with(unsigned parts) const {
    Stack stack = stack_;
    Verdicts v = verdicts_;
    for (std::size_t i = 0; i < kParts.size(); ++i) {
      if ((parts >> i & 1U) != 0) kParts[i].add(stack, v, query_);
    }
    if (v.scp_allow != Truth::Yes || v.endpoint_allow != Truth::Yes) return false;
    const Truth same = same_account(query_);
    return grant(stack, query_, v, same != Truth::No).granted == Truth::Yes &&
           (same != Truth::Maybe || grant(stack, query_, v, false).granted == Truth::Yes);
  }

  // The fewest layers that have to grant. A resource's policy is one of them only where it has to
  // be: naming a session there would pass by its session policy and boundary.
  void suggest_grants(Suggestion& out) {
    constexpr unsigned kAll = 1U << kParts.size();
    constexpr unsigned kResource = kAll / 2;
    const unsigned end = resource_must_grant() ? kAll : kResource;
    unsigned fewest = 0;
    for (int count = 1; fewest == 0 && count <= static_cast<int>(kParts.size()); ++count) {
      for (unsigned parts = 1; fewest == 0 && parts < end; ++parts) {
        if (std::popcount(parts) == count && allowed_with(parts)) fewest = parts;
      }
    }
    if (fewest == 0) {
      out.text = "no grant can allow it";
      return;
    }
    std::vector<std::string_view> to;
    bool limited = false;
    for (std::size_t i = 0; i < kParts.size(); ++i) {
      if ((fewest >> i & 1U) == 0) continue;
      to.push_back(kParts[i].name);
      limited = limited || kParts[i].limits;
    }
    out.possible = !limited;
    if (limited) out.text = "no grant to the caller alone can allow it; ";
    out.text += "add " + grant_text() + " to ";
    for (std::size_t i = 0; i < to.size(); ++i) {
      if (i > 0) out.text += i + 1 == to.size() ? " and " : ", ";
      out.text += to[i];
    }
  }

  bool resource_must_grant() const {
    const auto s = sides(stack_, query_, verdicts_);
    return !s.needs_identity || s.explicit_resource || same_account(query_) != Truth::Yes;
  }

  const Stack& stack_;
  const Query query_;
  const Verdicts verdicts_;
  Explanation out_;
  std::vector<std::string> unknown_;
};

const StatementReport* find_statement(const Explanation& e) {
  for (const auto& layer : e.layers) {
    if (layer.layer != e.decision.layer) continue;
    for (const auto& s : layer.statements) {
      if (s.policy == e.decision.policy && s.index == e.decision.statement) return &s;
    }
  }
  return nullptr;
}

std::string first_reason(const Explanation& e) {
  if (e.decision.allowed() && e.decision.layer == LayerName::Rule) {
    return "allowed: AWS asks no permission for this action";
  }
  const StatementReport* statement = find_statement(e);
  const std::string layer(name_of(e.decision.layer));
  switch (e.decision.outcome) {
    case Outcome::ExplicitDeny:
      return "denied by " + (statement != nullptr ? statement_name(*statement) : layer);
    case Outcome::Allowed:
      return "allowed by " + (statement != nullptr ? statement_name(*statement) : layer);
    case Outcome::Undetermined:
      return "undetermined: depends on " +
             (statement != nullptr ? statement_name(*statement) : layer);
    case Outcome::ImplicitDeny:
      break;
  }
  return "not allowed by any " + layer;
}

}  // namespace

Explanation explain(const Stack& stack, const Request& request) {
  auto out = Explainer(stack, request).run();
  return out;
}

std::vector<std::string> Explanation::because() const {
  std::vector<std::string> out;
  if (decision.layer == LayerName::Rule && suggestion && decision.outcome != Outcome::Allowed) {
    out.push_back(suggestion->text);
  } else {
    out.push_back(first_reason(*this));
  }
  for (const auto& layer : layers) {
    for (const auto& s : layer.statements) {
      const bool near = s.matched == Truth::No && !s.failed.starts_with("Action") &&
                        !s.failed.starts_with("NotAction");
      const bool relevant = decision.outcome == Outcome::ImplicitDeny && !s.deny && near;
      if (relevant && out.size() < 8) out.push_back(statement_name(s) + ": " + s.failed);
    }
  }
  for (const auto& fact : would_decide) out.push_back("unknown: " + fact);
  for (const auto& fact : assumed) out.push_back("assumed: " + fact);
  return out;
}

}  // namespace remit::iam
