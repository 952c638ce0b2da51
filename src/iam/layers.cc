#include "iam/layers.h"

#include <algorithm>

#include "iam/bytes.h"
#include "iam/set_index.h"

namespace remit::iam {
namespace {

bool matches_wild(const CompiledPolicy& policy, const WildActions& group, const Query& query) {
  for (const auto action : policy.slice(policy.wild_actions, group.actions)) {
    if (matches_action(policy, policy.actions[action], query)) return true;
  }
  return false;
}

// What was found so far.
class Tally {
 public:
  Tally(Verdict& verdict, const Query& query) : verdict_(verdict), query_(query) {}

  // No allow can add to what was found.
  bool settled() const { return verdict_.granted.direct == Truth::Yes; }
  bool denied() const { return verdict_.deny == Truth::Yes; }
  bool matters(const Statement& statement) const { return statement.deny ? !denied() : !settled(); }
  const Query& query() const { return query_; }

  void evaluate(const Policy& policy, std::uint32_t index) {
    const auto& compiled = policy.compiled();
    const auto& statement = compiled.statements[index];
    const auto found = match_statement(compiled, statement, query_, nullptr);
    if (found.matched == Truth::No) return;
    const Source source{&policy, index};
    if (statement.deny) {
      note(verdict_.deny, verdict_.denied_by, found.matched, source);
      return;
    }
    note(verdict_.allow, verdict_.allowed_by, found.matched, source);
    auto& granted = verdict_.granted;
    granted.direct = either(granted.direct, found.principal.direct);
    granted.role = either(granted.role, found.principal.role);
    granted.account = either(granted.account, found.principal.account);
  }

 private:
  static void note(Truth& truth, Source& by, Truth matched, const Source& source) {
    const bool earlier =
        matched == truth && by.policy == source.policy && source.statement < by.statement;
    if (matched > truth || earlier) by = source;
    truth = either(truth, matched);
  }

  Verdict& verdict_;
  const Query& query_;
};

// One policy after another, each by its own index.
class Walk {
 public:
  explicit Walk(Tally& tally) : tally_(tally), query_(tally.query()) {}

  void policy(const Policy& policy) {
    const auto& compiled = policy.compiled();
    const bool concerned = (compiled.service_mask & service_bit(query_.service_hash)) != 0;
    if (!concerned && compiled.general.empty()) return;
    if (!compiled.has_deny && tally_.settled()) return;
    policy_ = &policy;
    compiled_ = &compiled;
    for (const auto index : compiled.general) {
      const auto& statement = compiled.statements[index];
      if (!tally_.matters(statement)) continue;
      if (matches_actions(compiled, statement, query_)) tally_.evaluate(policy, index);
    }
    if (!concerned) return;
    if (const ServiceEntry* service = find_service(compiled)) {
      exact(*service);
      wild(*service);
    }
  }

 private:
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
      if (!tally_.matters(compiled_->statements[at->statement])) continue;
      if (same_text(compiled_->text(compiled_->actions[at->action].full), query_.action)) {
        tally_.evaluate(*policy_, at->statement);
      }
    }
  }

  void wild(const ServiceEntry& service) {
    for (const auto& group : compiled_->slice(compiled_->wild, service.wild)) {
      if (!tally_.matters(compiled_->statements[group.statement])) continue;
      if (matches_wild(*compiled_, group, query_)) tally_.evaluate(*policy_, group.statement);
    }
  }

  Tally& tally_;
  const Query& query_;
  const Policy* policy_ = nullptr;
  const CompiledPolicy* compiled_ = nullptr;
};

// All policies of a set at once.
class SetWalk {
 public:
  SetWalk(const SetIndex& set, Tally& tally) : set_(set), tally_(tally), query_(tally.query()) {}

  void run() {
    group(set_.general, Kind::General);
    if ((set_.service_mask & service_bit(query_.service_hash)) == 0) return;
    const auto actions =
        std::ranges::equal_range(set_.actions, query_.action_hash, {}, &SetGroup::hash);
    for (const auto& found : actions) {
      if (same_text(set_.text(found.name), query_.action)) group(found, Kind::Named);
    }
    const auto services =
        std::ranges::equal_range(set_.services, query_.service_hash, {}, &SetGroup::hash);
    for (const auto& found : services) group(found, Kind::Wild);
  }

 private:
  enum class Kind : std::uint8_t { General, Named, Wild };

  void group(const SetGroup& found, Kind kind) {
    const auto denied = [this] { return tally_.denied(); };
    const auto settled = [this] { return tally_.settled(); };
    side(found.deny, kind, denied);
    side(found.allow, kind, settled);
  }

  // `done`: nothing more of this effect can matter.
  template <class Done>
  void side(const SetSide& found, Kind kind, Done done) {
    refs(found.always, kind, done);
    if (found.heads.count == 0 || done()) return;
    if (!query_.resource_text) {
      refs(found.headed, kind, done);
      return;
    }
    const auto asked = *query_.resource_text;
    auto at = set_.last_not_after(found, asked);
    while (at != ResourceHead::kNone) {
      const auto& head = set_.heads[at];
      if (begins_with(asked, set_.text(head.text))) {
        if (head.text.size == asked.size()) refs(head.whole, kind, done);
        refs(head.open, kind, done);
      }
      at = head.parent;
    }
  }

  template <class Done>
  void refs(Range range, Kind kind, Done done) {
    for (const auto& ref : set_.slice(set_.refs, range)) {
      if (done()) return;
      const auto& policy = *set_.policies[ref.policy];
      if (fits(policy.compiled(), ref, kind)) tally_.evaluate(policy, ref.statement);
    }
  }

  bool fits(const CompiledPolicy& policy, const StatementRef& ref, Kind kind) const {
    switch (kind) {
      case Kind::Named:
        return true;
      case Kind::Wild:
        return matches_wild(policy, policy.wild[ref.wild], query_);
      case Kind::General:
        break;
    }
    return matches_actions(policy, policy.statements[ref.statement], query_);
  }

  const SetIndex& set_;
  Tally& tally_;
  const Query& query_;
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

Verdict scan(const Layer& layer, const Query& query) {
  Verdict out;
  if (query.action.empty()) return out;
  Tally tally(out, query);
  if (layer.index != nullptr) {
    SetWalk(*layer.index, tally).run();
    return out;
  }
  Walk walk(tally);
  for (const Policy* policy : layer.policies) walk.policy(*policy);
  return out;
}

}  // namespace remit::iam
