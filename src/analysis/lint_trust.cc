// Trust policies: who may assume a role, and by which way. GitHub's and others' OpenID Connect,
// Roles Anywhere, services, sessions.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
// https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/lint_model.h"
#include "base/encoding.h"

namespace remit::analysis {
namespace {

using enum FindingType;

constexpr std::string_view kGitHub = "token.actions.githubusercontent.com";

// The texts of one kind of principal, with their places.
struct Named {
  std::string_view text;
  std::size_t offset = 0;
};
std::vector<Named> named(const StatementView& s, std::string_view kind) {
  std::vector<Named> out;
  if (!s.principal || !s.principal->is(json::Kind::Object)) return out;
  const auto list = s.principal->find(kind);
  if (!list) return out;
  const auto add = [&out](json::Value value) {
    if (const auto text = value.as_string()) out.push_back({*text, value.offset()});
  };
  if (list->is(json::Kind::Array)) {
    for (const json::Value value : list->elements()) add(value);
  } else {
    add(*list);
  }
  return out;
}

// "token.actions.githubusercontent.com" of its provider's ARN or of the plain name; empty for SAML.
std::string issuer_of(std::string_view provider) {
  constexpr std::string_view kArn = ":oidc-provider/";
  if (const auto at = provider.find(kArn); at != provider.npos) {
    return lower_ascii(provider.substr(at + kArn.size()));
  }
  return provider.starts_with("arn:") || provider == "*" ? std::string{} : lower_ascii(provider);
}

// A condition that keeps others out: not Null, not negated.
bool narrows(const ConditionEntry& entry) {
  return entry.op && !entry.op->negated && entry.op->compare != iam::Compare::Null;
}

const ConditionEntry* claim(const StatementView& s, std::string_view issuer,
                            std::string_view name) {
  const std::string key = std::string(issuer) + ":" + std::string(name);
  const auto found = std::ranges::find_if(s.conditions, [&](const ConditionEntry& entry) {
    return entry.lower_key == key && narrows(entry);
  });
  return found == s.conditions.end() ? nullptr : &*found;
}

void check_github(Pass& pass, const StatementView& s, std::string_view issuer,
                  const Named& provider) {
  const ConditionEntry* sub = claim(s, issuer, "sub");
  if (sub == nullptr) {
    pass.report(
        SecurityWarning, "MISSING_GITHUB_REPO_CONDITION_KEY", s.path + ".Principal",
        provider.offset, "any repository of GitHub may assume the role",
        fmt::format("add a condition on {}:sub with the repository and the branch", kGitHub));
    return;
  }
  for (const Item& item : sub->items) {
    if (item.text.find('*') == item.text.npos) continue;
    pass.report(Warning, "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", condition_path(s, *sub),
                item.offset,
                fmt::format("{} lets more than one repository or branch in", item.text),
                "name the repository and the branch: repo:ORG/REPO:ref:refs/heads/BRANCH");
    return;
  }
}

void check_oidc(Pass& pass, const StatementView& s) {
  if (!s.allow || !acts_on(s, "sts:assumerolewithwebidentity")) return;
  for (const Named& provider : named(s, "Federated")) {
    const std::string issuer = issuer_of(provider.text);
    if (issuer.empty()) continue;
    const bool any = std::ranges::any_of(s.conditions, [&](const ConditionEntry& entry) {
      return entry.lower_key.starts_with(issuer + ":") && narrows(entry);
    });
    if (!any) {
      pass.report(SecurityWarning, "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL",
                  s.path + ".Principal", provider.offset,
                  fmt::format("whoever has a token of {} may assume the role", issuer),
                  fmt::format("add conditions on {0}:aud and {0}:sub", issuer));
    } else if (claim(s, issuer, "aud") == nullptr && claim(s, issuer, "app_id") == nullptr) {
      pass.report(Practice, "OIDC_WITHOUT_AUDIENCE", s.path + ".Principal", provider.offset,
                  fmt::format("a token that {} made for another audience will do", issuer),
                  fmt::format("add a condition on {}:aud", issuer));
    }
    if (issuer == kGitHub || issuer.starts_with(std::string(kGitHub) + "/")) {
      check_github(pass, s, issuer, provider);
    }
    for (const ConditionEntry& entry : s.conditions) {
      const bool audience = entry.lower_key == issuer + ":aud";
      if (!audience || !entry.op || entry.op->qualifier == iam::Qualifier::None) continue;
      pass.report(Suggestion, "CONFIRM_AUDIENCE_CLAIM_TYPE", condition_path(s, entry), entry.offset,
                  "the audience of a token is one value or several",
                  "use the qualifier only if this provider's tokens hold several audiences");
    }
  }
}

constexpr std::array<std::string_view, 3> kRolesAnywhere{"sts:assumerole", "sts:setsourceidentity",
                                                         "sts:tagsession"};

// The service needs three actions, in one statement or several.
void check_roles_anywhere(Pass& pass) {
  const StatementView* first = nullptr;
  std::size_t offset = 0;
  std::array<bool, kRolesAnywhere.size()> granted{};
  bool narrowed = true;
  for (const StatementView& s : pass.statements) {
    if (!s.allow) continue;
    for (const Named& service : named(s, "Service")) {
      if (service.text != "rolesanywhere.amazonaws.com") continue;
      if (first == nullptr) {
        first = &s;
        offset = service.offset;
      }
      for (std::size_t i = 0; i < kRolesAnywhere.size(); ++i) {
        granted[i] = granted[i] || acts_on(s, kRolesAnywhere[i]);
      }
      if (!acts_on(s, kRolesAnywhere[0])) continue;
      narrowed = narrowed && std::ranges::any_of(s.conditions, [](const ConditionEntry& entry) {
                   return narrows(entry) && (entry.lower_key == "aws:sourcearn" ||
                                             entry.lower_key.starts_with("aws:principaltag/x509"));
                 });
    }
  }
  if (first == nullptr) return;
  if (!std::ranges::all_of(granted, std::identity{})) {
    pass.report(Error, "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", first->path + ".Action",
                offset, "Roles Anywhere needs three actions to assume a role",
                "allow sts:AssumeRole, sts:SetSourceIdentity and sts:TagSession");
  }
  if (!narrowed) {
    pass.report(Practice, "ROLES_ANYWHERE_TAKES_ANY_CERTIFICATE", first->path + ".Principal",
                offset, "any certificate of any trust anchor in the account may assume the role",
                "add conditions on aws:SourceArn (the trust anchor) and aws:PrincipalTag/x509…");
  }
}

// Setting a source identity or tags is an action of its own: a condition on them alone never holds.
void check_paired_actions(Pass& pass, const StatementView& s) {
  if (!s.allow) return;
  for (const ConditionEntry& entry : s.conditions) {
    if (!narrows(entry)) continue;
    const std::string_view key = entry.lower_key;
    std::string_view action;
    if (key == "sts:sourceidentity") action = "sts:SetSourceIdentity";
    if (key.starts_with("aws:requesttag/") || key == "aws:tagkeys" ||
        key == "sts:transitivetagkeys") {
      action = "sts:TagSession";
    }
    if (action.empty() || acts_on(s, lower_ascii(action))) continue;
    pass.report(Error, "MISSING_ACTION_FOR_CONDITION_KEY", condition_path(s, entry), entry.offset,
                fmt::format("{} can be set only by {}, which the statement does not allow",
                            entry.key, action),
                fmt::format("add {} to Action", action));
  }
}

void check_trust_actions(Pass& pass, const StatementView& s) {
  constexpr std::array<std::string_view, 6> kActions{
      "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity",
      "sts:setcontext", "sts:setsourceidentity",  "sts:tagsession"};
  for (const Item& item : s.actions) {
    const bool fits = std::ranges::any_of(
        kActions, [&](std::string_view action) { return covers(item, action); });
    if (fits) continue;
    pass.report(Error, "UNSUPPORTED_ACTION_IN_POLICY", item_path(s, "Action", item), item.offset,
                fmt::format("{} has no meaning in a role trust policy", item.text),
                "write sts:AssumeRole or one of its kin");
  }
}

// "arn:aws:sts::111122223333:assumed-role/App/session" beside "arn:aws:iam::111122223333:role/App"
void check_redundant_sessions(Pass& pass, const StatementView& s) {
  constexpr std::string_view kSession = ":assumed-role/";
  const auto principals = named(s, "AWS");
  for (const Named& session : principals) {
    const auto at = session.text.find(kSession);
    if (at == session.text.npos || at < 12) continue;
    const auto account = session.text.substr(at - 12, 12);
    const auto rest = session.text.substr(at + kSession.size());
    const auto role = rest.substr(0, rest.find('/'));
    for (const Named& other : principals) {
      const auto name = other.text.substr(other.text.rfind('/') + 1);
      if (name != role || other.text.find(fmt::format("::{}:role/", account)) == other.text.npos) {
        continue;
      }
      pass.report(Suggestion, "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", s.path + ".Principal.AWS",
                  session.offset, fmt::format("{} covers its session {}", other.text, session.text),
                  "remove the session");
    }
  }
}

void check_anyone(Pass& pass, const StatementView& s) {
  if (!s.allow || !s.conditions.empty() || !s.principal) return;
  const bool bare = s.principal->as_string() == "*";
  const auto aws = named(s, "AWS");
  const auto star = std::ranges::find(aws, "*", &Named::text);
  if (!bare && star == aws.end()) return;
  pass.report(Practice, "ROLE_TRUSTS_ANYONE", s.path + ".Principal",
              bare ? s.principal->offset() : star->offset,
              "whoever has any AWS account may assume the role",
              "name who may, or add a condition such as aws:PrincipalOrgID");
}

}  // namespace

void check_trust(Pass& pass) {
  if (pass.kind != iam::PolicyKind::Trust) return;
  for (const StatementView& s : pass.statements) {
    check_trust_actions(pass, s);
    check_oidc(pass, s);
    check_paired_actions(pass, s);
    check_redundant_sessions(pass, s);
    check_anyone(pass, s);
  }
  check_roles_anywhere(pass);
}

}  // namespace remit::analysis
