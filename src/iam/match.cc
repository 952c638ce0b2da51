#include "iam/match.h"

#include "iam/bytes.h"
#include "iam/expand.h"
#include "iam/wildcard.h"

namespace remit::iam {
namespace {

bool same_role(const CompiledPolicy& policy, const PrincipalEntry& entry, const Query& query) {
  const auto& caller = *query.principal;
  if (query.principal_arn_stated) return policy.text(entry.text) == query.principal_arn;
  // A session's ARN tells its role's name, which is unique in the account, but not its path.
  return policy.text(entry.account) == caller.account() &&
         policy.text(entry.partition) == caller.partition() &&
         policy.text(entry.name) == caller.name();
}

bool same_account(const CompiledPolicy& policy, const PrincipalEntry& entry, const Query& query) {
  const auto& caller = *query.principal;
  if (caller.account().empty() || caller.kind() == PrincipalKind::Provider) return false;
  const auto partition = policy.text(entry.partition);
  return policy.text(entry.account) == caller.account() &&
         (partition.empty() || partition == caller.partition());
}

// aws:userid begins with the identifier of the user or role.
Truth same_unique_id(const CompiledPolicy& policy, const PrincipalEntry& entry,
                     const Query& query) {
  if (query.request.context == nullptr) return Truth::No;
  const auto found = query.request.context->find("aws:userid");
  if (found.state == Context::State::Unknown) return Truth::Maybe;
  if (found.state == Context::State::Absent) return Truth::No;
  const auto id = found.values.front();
  return truth_of(id.substr(0, id.find(':')) == policy.text(entry.text));
}

bool is_role(PrincipalKind kind) {
  return kind == PrincipalKind::Role || kind == PrincipalKind::RoleSession;
}

void match_user(const CompiledPolicy& policy, const PrincipalEntry& entry, const Query& query,
                PrincipalMatch& out) {
  const auto kind = query.principal->kind();
  const auto text = policy.text(entry.text);
  if (kind == PrincipalKind::User) {
    out.direct = either(out.direct, truth_of(text == query.principal->text()));
  } else if (kind == PrincipalKind::FederatedUser) {
    // Of a federated session the user behind it is named; the session's ARN does not tell who.
    if (policy.text(entry.account) != query.principal->account()) return;
    const auto by = query.request.facts.federated_by;
    out.role = either(out.role, by.empty() ? Truth::Maybe : truth_of(text == by));
  }
}

void match_entry(const CompiledPolicy& policy, const PrincipalEntry& entry, const Query& query,
                 PrincipalMatch& out) {
  const auto& caller = *query.principal;
  const auto kind = caller.kind();
  const auto text = policy.text(entry.text);
  const auto direct = [&](bool value) { out.direct = either(out.direct, truth_of(value)); };
  switch (entry.form) {
    case PrincipalForm::Everyone:
      direct(true);
      break;
    case PrincipalForm::Account:
      if (!same_account(policy, entry, query)) break;
      // The root user is the account itself.
      if (kind == PrincipalKind::Root) direct(true);
      out.account = Truth::Yes;
      break;
    case PrincipalForm::User:
      match_user(policy, entry, query, out);
      break;
    case PrincipalForm::Role:
      if (is_role(kind) && same_role(policy, entry, query)) out.role = Truth::Yes;
      break;
    case PrincipalForm::Session:
      direct(kind == PrincipalKind::RoleSession && text == caller.text());
      break;
    case PrincipalForm::FederatedUser:
      direct(kind == PrincipalKind::FederatedUser && text == caller.text());
      break;
    case PrincipalForm::UniqueId:
      if (kind == PrincipalKind::User) {
        out.direct = either(out.direct, same_unique_id(policy, entry, query));
      } else if (is_role(kind)) {
        out.role = either(out.role, same_unique_id(policy, entry, query));
      }
      break;
    case PrincipalForm::Service:
      direct(kind == PrincipalKind::Service && text == caller.name());
      break;
    case PrincipalForm::AnyService:
      direct(kind == PrincipalKind::Service);
      break;
    case PrincipalForm::Provider:
      direct(kind == PrincipalKind::Provider && (text == caller.text() || text == caller.name()));
      break;
    case PrincipalForm::AnyProvider:
      direct(kind == PrincipalKind::Provider);
      break;
    case PrincipalForm::Canonical:
      if (!caller.account().empty()) out.account = either(out.account, Truth::Maybe);
      break;
    case PrincipalForm::Nobody:
      break;
  }
}

PrincipalMatch match_listed(const CompiledPolicy& policy, const Statement& statement,
                            const Query& query) {
  PrincipalMatch out;
  for (const auto& entry : policy.slice(policy.principals, statement.principals)) {
    if (query.principal != nullptr) {
      match_entry(policy, entry, query, out);
    } else {
      out.direct =
          either(out.direct, entry.form == PrincipalForm::Everyone ? Truth::Yes : Truth::Maybe);
    }
  }
  return out;
}

bool lists_everyone(const CompiledPolicy& policy, const Statement& statement) {
  for (const auto& entry : policy.slice(policy.principals, statement.principals)) {
    if (entry.form == PrincipalForm::Everyone) return true;
  }
  return false;
}

// Whether Deny with NotPrincipal reaches the caller. AWS wants a caller who is to be spared listed
// with all its ARNs: account, role and session, and says that it "might" deny otherwise.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
Truth match_not_principal(const CompiledPolicy& policy, const Statement& statement,
                          const Query& query) {
  if (lists_everyone(policy, statement)) return Truth::No;
  if (query.principal == nullptr) return Truth::Maybe;
  const auto kind = query.principal->kind();
  const auto listed = match_listed(policy, statement, query);
  const bool account = listed.account == Truth::Yes;
  Truth denied = Truth::Yes;
  switch (kind) {
    case PrincipalKind::RoleSession:
      if (listed.direct == Truth::Yes || (listed.role == Truth::Yes && account)) {
        denied = Truth::Maybe;
      }
      if (listed.direct == Truth::Yes && listed.role == Truth::Yes && account) denied = Truth::No;
      break;
    case PrincipalKind::Role:
      if (listed.role == Truth::Yes) denied = account ? Truth::No : Truth::Maybe;
      break;
    case PrincipalKind::User:
    case PrincipalKind::FederatedUser:
      if (listed.direct == Truth::Yes) denied = account ? Truth::No : Truth::Maybe;
      break;
    default:
      denied = opposite(listed.any());
      break;
  }
  if (denied == Truth::Yes && listed.any() == Truth::Maybe) denied = Truth::Maybe;
  // A caller with a permission boundary is denied whatever the element lists.
  const bool bounded = kind == PrincipalKind::User || is_role(kind);
  return bounded ? either(denied, query.boundary_attached) : denied;
}

void trace_principal(const Statement& statement, const Query& query, Truth matched, Trace* trace) {
  if (trace == nullptr || matched == Truth::Yes) return;
  const std::string element = statement.not_principal ? "NotPrincipal" : "Principal";
  const std::string who(query.principal == nullptr ? "the caller" : query.principal->text());
  if (matched == Truth::No) {
    trace->failed = element + (statement.not_principal ? ": spares " : ": does not name ") + who;
  } else {
    trace->unknown.push_back(element + ": whether it covers " + who);
  }
}

// Every field by itself: what no reading of the documentation disputes.
bool matches_by_field(std::string_view pattern, const ArnView& arn) {
  for (std::size_t field = 0; field < 5; ++field) {
    const auto colon = pattern.find(':');
    if (colon == pattern.npos) return false;
    if (!matches(pattern.substr(0, colon), arn.field[field])) return false;
    pattern.remove_prefix(colon + 1);
  }
  return matches(pattern, arn.field[5]);
}

Truth match_text(std::string_view pattern, bool inner_wildcard, const Query& query) {
  if (!matches(pattern, *query.resource_text)) return Truth::No;
  if (!inner_wildcard || matches_by_field(pattern, query.resource)) return Truth::Yes;
  return Truth::Maybe;
}

Truth match_template(const CompiledPolicy& policy, const Pattern& pattern, const Query& query,
                     Trace* trace) {
  const Expansion expanded(policy, pattern, query, trace);
  if (expanded.state() == Expansion::State::Missing) return Truth::No;
  if (expanded.state() == Expansion::State::TooLong) return Truth::No;
  const Truth matched = match_text(expanded.text(), pattern.inner_wildcard, query);
  const bool sure = expanded.state() == Expansion::State::Known && !pattern.early_variable;
  if (matched == Truth::Yes && pattern.early_variable && trace != nullptr) {
    trace->unknown.emplace_back("whether AWS replaces a variable before an ARN's fifth colon");
  }
  return sure ? matched : both(matched, Truth::Maybe);
}

// Patterns with wildcards inside, or variables.
Truth match_hard_resource(const CompiledPolicy& policy, const Pattern& pattern, const Query& query,
                          Trace* trace) {
  if (pattern.form == PatternForm::Template) return match_template(policy, pattern, query, trace);
  const auto text = policy.text(pattern.text);
  const Truth matched = match_text(text, pattern.inner_wildcard, query);
  if (matched != Truth::No || pattern.completed == 0) return matched;
  const auto written = text.substr(0, text.size() - std::size_t{2} * pattern.completed);
  return matches(written, *query.resource_text) ? Truth::Maybe : Truth::No;
}

inline Truth match_resource(const CompiledPolicy& policy, const Pattern& pattern,
                            const Query& query, Trace* trace) {
  if (pattern.form == PatternForm::Any) return Truth::Yes;
  if (!query.resource_text) return Truth::Maybe;
  const auto asked = *query.resource_text;
  const auto text = policy.text(pattern.text);
  if (pattern.form == PatternForm::Literal) return truth_of(same_text(text, asked));
  if (pattern.form == PatternForm::Prefix) return truth_of(begins_with(asked, text));
  return match_hard_resource(policy, pattern, query, trace);
}

}  // namespace

bool matches_action(const CompiledPolicy& policy, const ActionPattern& pattern,
                    const Query& query) {
  if (query.action.empty()) return false;
  if (pattern.any) return true;
  const auto service = policy.text(pattern.service);
  const bool same_service =
      pattern.wild_service ? matches(service, query.service) : same_text(service, query.service);
  if (!same_service) return false;
  const auto name = policy.text(pattern.name);
  return pattern.wild_name ? matches(name, query.name) : name == query.name;
}

bool matches_actions(const CompiledPolicy& policy, const Statement& statement, const Query& query) {
  if (query.action.empty()) return false;
  for (const auto& pattern : policy.slice(policy.actions, statement.actions)) {
    if (matches_action(policy, pattern, query)) return !statement.not_action;
  }
  return statement.not_action;
}

PrincipalMatch match_principals(const CompiledPolicy& policy, const Statement& statement,
                                const Query& query, Trace* trace) {
  PrincipalMatch out;
  if (!statement.has_principal) {
    out.direct = Truth::Yes;
  } else if (statement.not_principal) {
    out.direct = match_not_principal(policy, statement, query);
    trace_principal(statement, query, out.direct, trace);
  } else {
    out = match_listed(policy, statement, query);
    trace_principal(statement, query, out.any(), trace);
  }
  return out;
}

Truth match_resources(const CompiledPolicy& policy, const Statement& statement, const Query& query,
                      Trace* trace) {
  if (!statement.has_resource) return Truth::Yes;
  Truth any = Truth::No;
  for (const auto& pattern : policy.slice(policy.patterns, statement.resources)) {
    any = either(any, match_resource(policy, pattern, query, trace));
    if (any == Truth::Yes) break;
  }
  const Truth matched = statement.not_resource ? opposite(any) : any;
  if (trace == nullptr || matched == Truth::Yes) return matched;
  const std::string element = statement.not_resource ? "NotResource" : "Resource";
  const std::string asked(query.resource_text.value_or("the resource"));
  if (matched == Truth::No) {
    const std::string why = trace->failed.empty() ? std::string{} : " (" + trace->failed + ")";
    trace->failed =
        element + (statement.not_resource ? ": excludes " : ": does not cover ") + asked + why;
  } else if (!query.resource_text) {
    trace->unknown.emplace_back("resource");
  } else if (trace->unknown.empty()) {
    trace->unknown.push_back(element + ": whether a wildcard crosses a colon inside " + asked);
  }
  return matched;
}

}  // namespace remit::iam
