// Principals of resource, trust, endpoint and resource control policies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
#include <fmt/format.h>

#include <algorithm>

#include "analysis/lint_model.h"

namespace remit::analysis {
namespace {

using enum FindingType;

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_unique_id(std::string_view text) {
  return text.size() >= 16 && text.size() <= 128 &&
         (text.starts_with("AIDA") || text.starts_with("AROA") || text.starts_with("AGPA")) &&
         std::ranges::all_of(
             text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

bool is_service_principal(std::string_view text) {
  const bool small = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  return small && (text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") ||
                   text.ends_with(".amazon.com"));
}

struct Place {
  const StatementView& statement;
  std::string path;
  json::Value value;
};

void check_aws_principal(Pass& pass, const Place& place, std::string_view text) {
  const bool arn = text.starts_with("arn:");
  if (text == "*" || (text.size() == 12 && all_digits(text))) return;
  if (is_unique_id(text)) {
    const bool role = text.starts_with("AROA");
    pass.report(
        Warning, role ? "INVALID_ROLE_REFERENCE" : "INVALID_USER_REFERENCE", place.path,
        place.value.offset(),
        fmt::format("{} is the identifier of a {} that may be gone", text, role ? "role" : "user"),
        "name its ARN");
    return;
  }
  if (arn && has_wildcard(text.substr(text.find(':', 4) + 1))) {
    pass.report(Error,
                pass.kind == iam::PolicyKind::Trust
                    ? "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL"
                    : "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
                place.path, place.value.offset(),
                fmt::format("a wildcard in the principal {} matches nothing", text),
                "name the principal, or use * with a condition on aws:PrincipalArn");
    return;
  }
  const bool iam_arn = arn && (text.find(":iam:") != text.npos || text.find(":sts:") != text.npos);
  if (iam_arn && std::ranges::count(text, ':') >= 5) return;
  pass.report(Error, "INVALID_PRINCIPAL_FORMAT", place.path, place.value.offset(),
              fmt::format("{} is no principal of AWS", text),
              "write an account of 12 digits, or the ARN of a user or role");
}

void check_service_principal(Pass& pass, const Place& place, std::string_view text) {
  if (!is_service_principal(text)) {
    pass.report(Error, "INVALID_SERVICE_PRINCIPAL_FORMAT", place.path, place.value.offset(),
                fmt::format("{} is no service", text),
                "write service.amazonaws.com in small letters");
    return;
  }
  const bool narrowed = std::ranges::any_of(
      place.statement.conditions,
      [](const ConditionEntry& entry) { return entry.lower_key.starts_with("aws:source"); });
  if (!place.statement.allow || narrowed || pass.kind != iam::PolicyKind::Resource) return;
  pass.report(SecurityWarning, "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", place.path,
              place.value.offset(),
              fmt::format("{} may be told by anyone to use this resource", text),
              "add a condition on aws:SourceArn, aws:SourceAccount or aws:SourceOrgID");
}

void check_principal(Pass& pass, const Place& place, std::string_view type, std::string_view text) {
  if (type == "AWS") check_aws_principal(pass, place, text);
  if (type == "Service") check_service_principal(pass, place, text);
  if (type == "Federated" && pass.kind == iam::PolicyKind::Resource) {
    pass.report(Error, "FEDERATED_PRINCIPAL_NOT_SUPPORTED", place.path, place.value.offset(),
                "only role trust policies name identity providers",
                "name the role that the provider's users assume");
  } else if (type == "Federated" && text == "*") {
    pass.report(Error, "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", place.path,
                place.value.offset(), "a federated principal must be named",
                "write the provider's name or ARN");
  }
}

void check_member(Pass& pass, const StatementView& s, const json::Member& member,
                  const std::string& element) {
  const std::string path = element + "." + std::string(member.key);
  const bool known = member.key == "AWS" || member.key == "Service" || member.key == "Federated" ||
                     member.key == "CanonicalUser";
  if (!known) {
    pass.report(Error, "INVALID_PRINCIPAL_KEY", path, member.key_offset,
                fmt::format("there is no kind of principal {}", member.key),
                "write AWS, Service, Federated or CanonicalUser");
    return;
  }
  const auto one = [&](json::Value value, std::string at) {
    if (const auto text = value.as_string()) {
      check_principal(pass, {s, std::move(at), value}, member.key, *text);
    } else {
      pass.report(Error, "DATA_TYPE_MISMATCH", std::move(at), value.offset(),
                  fmt::format("must be a string, not {}", json::name_of(value.kind())),
                  "write a string");
    }
  };
  if (!member.value.is(json::Kind::Array)) {
    one(member.value, path);
    return;
  }
  if (member.value.size() == 0) {
    pass.report(Suggestion, "EMPTY_ARRAY_PRINCIPAL", path, member.value.offset(),
                "the list of principals is empty", "name a principal or remove the list");
  }
  std::size_t index = 0;
  for (const json::Value value : member.value.elements()) {
    one(value, fmt::format("{}[{}]", path, index++));
  }
}

void check_element(Pass& pass, const StatementView& s, json::Value value, std::string_view name) {
  const std::string path = s.path + "." + std::string(name);
  if (value.is(json::Kind::Object)) {
    if (value.size() == 0) {
      pass.report(Suggestion, "EMPTY_OBJECT_PRINCIPAL", path, value.offset(),
                  "the principal is empty: nobody is meant", "name a principal");
    }
    for (const json::Member member : value.members()) check_member(pass, s, member, path);
  } else if (value.as_string() != "*") {
    pass.report(Error, "INVALID_PRINCIPAL_FORMAT", path, value.offset(),
                "a principal is * or an object such as {\"AWS\": \"111122223333\"}",
                "write the object");
  }
}

// Keys that speak of the caller's identity, which a service has none of.
void check_service_keys(Pass& pass, const StatementView& s) {
  const bool services = s.allow && s.principal && s.principal->is(json::Kind::Object) &&
                        s.principal->size() == 1 && s.principal->find("Service").has_value();
  if (!services) return;
  for (const ConditionEntry& entry : s.conditions) {
    const bool of_identity =
        entry.lower_key == "aws:principalorgid" || entry.lower_key == "aws:principalorgpaths" ||
        entry.lower_key.starts_with("aws:principaltag/") || entry.lower_key == "aws:username";
    if (!of_identity || !entry.op || entry.op->if_exists || entry.op->negated) continue;
    pass.report(Error, "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", condition_path(s, entry),
                entry.offset, fmt::format("a service's requests do not carry {}", entry.key),
                "use aws:SourceOrgID, aws:SourceAccount or aws:SourceArn");
  }
}

// Who may ask for credentials how: a service by AssumeRole, a provider by its own action.
void check_trust_principal(Pass& pass, const StatementView& s) {
  if (s.not_principal) {
    pass.report(Error, "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", s.path + ".NotPrincipal",
                s.not_principal->offset(), "a role trust policy has no NotPrincipal",
                "name who may assume the role");
  }
  if (!s.principal || !s.principal->is(json::Kind::Object)) return;
  const bool federated = s.principal->find("Federated").has_value();
  const bool by_provider = any_covers(s.actions, "sts:assumerolewithsaml") ||
                           any_covers(s.actions, "sts:assumerolewithwebidentity");
  if (federated && s.allow && !s.actions.empty() && !by_provider) {
    pass.report(Error, "MISMATCHED_ACTION_FOR_PRINCIPAL", s.path + ".Action", s.action->offset(),
                "a provider's users assume a role by AssumeRoleWithSAML or "
                "AssumeRoleWithWebIdentity",
                "write the action that the provider uses");
  }
}

}  // namespace

void check_principals(Pass& pass, const StatementView& s) {
  if (s.principal) check_element(pass, s, *s.principal, "Principal");
  if (s.not_principal) check_element(pass, s, *s.not_principal, "NotPrincipal");
  if (s.allow && s.not_principal && pass.kind != iam::PolicyKind::Trust) {
    pass.report(SecurityWarning, "ALLOW_WITH_NOT_PRINCIPAL", s.path + ".NotPrincipal",
                s.not_principal->offset(),
                "Allow with NotPrincipal allows everybody else, the anonymous included",
                "name those who are meant in Principal");
  }
  if (pass.kind == iam::PolicyKind::Trust) check_trust_principal(pass, s);
  check_service_keys(pass, s);
}

}  // namespace remit::analysis
