#include "iam/layers.h"

#include <algorithm>

#include "iam/bytes.h"

namespace remit::iam {
namespace {

class Scan {
 public:
  Scan(Verdict& verdict, const Query& query) : verdict_(verdict), query_(query) {}

  void policy(const Policy& policy) {
    const auto& compiled = policy.compiled();
    const bool concerned = (compiled.service_mask & service_bit(query_.service_hash)) != 0;
    if (!concerned && compiled.general.empty()) return;
    if (!compiled.has_deny && settled()) return;
    source_.policy = &policy;
    compiled_ = &compiled;
    for (const auto index : compiled.general) {
      const auto& statement = compiled.statements[index];
      if (!matters(statement)) continue;
      if (matches_actions(compiled, statement, query_)) evaluate(index);
    }
    if (!concerned) return;
    if (const ServiceEntry* service = find_service(compiled)) {
      exact(*service);
      wild(*service);
    }
  }

 private:
  // No allow can add to what was found.
  bool settled() const { return verdict_.granted.direct == Truth::Yes; }

  bool matters(const Statement& statement) const {
    return statement.deny ? verdict_.deny != Truth::Yes : !settled();
  }

  const ServiceEntry* find_service(const CompiledPolicy& compiled) const {
    // Most policies name a handful of services: walking them beats halving.
    constexpr std::size_t kFew = 8;
    const auto& all = compiled.services;
    auto at = all.begin();
    if (all.size() > kFew) {
      at = std::ranges::lower_bound(all, query_.service_hash, {}, &ServiceEntry::hash);
    } else {
      while (at != all.end() && at->hash != query_.service_hash) ++at;
    }
    return at != all.end() && at->hash == query_.service_hash ? &*at : nullptr;
  }

  void exact(const ServiceEntry& service) {
    if (service.exact.count == 0) return;
    constexpr std::size_t kFew = 8;
    const auto entries = compiled_->slice(compiled_->exact, service.exact);
    auto at = entries.begin();
    if (entries.size() > kFew) {
      at = std::ranges::lower_bound(entries, query_.action_hash, {}, &ExactAction::hash);
    } else {
      while (at != entries.end() && at->hash < query_.action_hash) ++at;
    }
    for (; at != entries.end() && at->hash == query_.action_hash; ++at) {
      if (!matters(compiled_->statements[at->statement])) continue;
      if (same_text(compiled_->text(compiled_->actions[at->action].full), query_.action)) {
        evaluate(at->statement);
      }
    }
  }

  void wild(const ServiceEntry& service) {
    for (const auto& group : compiled_->slice(compiled_->wild, service.wild)) {
      if (!matters(compiled_->statements[group.statement])) continue;
      for (const auto action : compiled_->slice(compiled_->wild_actions, group.actions)) {
        if (!matches_action(*compiled_, compiled_->actions[action], query_)) continue;
        evaluate(group.statement);
        break;
      }
    }
  }

  void evaluate(std::uint32_t index) {
    const auto& statement = compiled_->statements[index];
    const auto found = match_statement(*compiled_, statement, query_, nullptr);
    if (found.matched == Truth::No) return;
    source_.statement = index;
    if (statement.deny) {
      note(verdict_.deny, verdict_.denied_by, found.matched);
      return;
    }
    note(verdict_.allow, verdict_.allowed_by, found.matched);
    auto& granted = verdict_.granted;
    granted.direct = either(granted.direct, found.principal.direct);
    granted.role = either(granted.role, found.principal.role);
    granted.account = either(granted.account, found.principal.account);
  }

  void note(Truth& truth, Source& by, Truth matched) {
    const bool earlier =
        matched == truth && by.policy == source_.policy && source_.statement < by.statement;
    if (matched > truth || earlier) by = source_;
    truth = either(truth, matched);
  }

  Verdict& verdict_;
  const Query& query_;
  const CompiledPolicy* compiled_ = nullptr;
  Source source_;
};

}  // namespace

StatementMatch match_statement(const CompiledPolicy& policy, const Statement& statement,
                               const Query& query, Trace* trace) {
  StatementMatch out;
  if (!statement.has_principal) {
    const Truth resource = match_resources(policy, statement, query, trace);
    if (resource == Truth::No) return out;
    out.matched = both(resource, match_conditions(policy, statement, query, trace));
    out.principal.direct = out.matched;
    return out;
  }
  const auto principal = match_principals(policy, statement, query, trace);
  if (principal.any() == Truth::No) return out;
  const Truth resource = match_resources(policy, statement, query, trace);
  if (resource == Truth::No) return out;
  const Truth rest = both(resource, match_conditions(policy, statement, query, trace));
  out.principal.direct = both(principal.direct, rest);
  out.principal.role = both(principal.role, rest);
  out.principal.account = both(principal.account, rest);
  out.matched = out.principal.any();
  return out;
}

Verdict scan(std::span<const Policy* const> policies, const Query& query) {
  Verdict out;
  if (query.action.empty()) return out;
  Scan walk(out, query);
  for (const Policy* policy : policies) walk.policy(*policy);
  return out;
}

}  // namespace remit::iam
