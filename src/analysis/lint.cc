#include "analysis/lint.h"

#include <algorithm>
#include <tuple>

#include "analysis/lint_model.h"

namespace remit::analysis {
namespace {

std::size_t offset_of(std::string_view text, json::Position position) {
  std::size_t offset = 0;
  for (std::size_t line = 1; line < position.line; ++line) offset = text.find('\n', offset) + 1;
  return offset + position.column - 1;
}

// What the engine refuses and no check above has a code for: lint must not be silent about it.
void check_engine(Pass& pass, const std::vector<Finding>& findings, const PolicyText& policy) {
  const bool told = std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.type == FindingType::Error; });
  if (told) return;
  const auto compiled = iam::compile(policy.root(), pass.kind, "");
  if (compiled) return;
  const iam::PolicyError& error = compiled.error().front();
  pass.report(FindingType::Practice, "ENGINE_REFUSES_POLICY", error.path,
              offset_of(policy.text(), error.position), error.message,
              "mend it: Remit does not decide with this policy");
}

}  // namespace

std::string_view name_of(FindingType type) {
  switch (type) {
    case FindingType::Error:
      return "ERROR";
    case FindingType::SecurityWarning:
      return "SECURITY_WARNING";
    case FindingType::Warning:
      return "WARNING";
    case FindingType::Suggestion:
      return "SUGGESTION";
    case FindingType::AgentAccess:
      return "AGENT_ACCESS";
    case FindingType::Practice:
      return "PRACTICE";
  }
  return "ERROR";
}

iam::PolicyKind guess_kind(json::Value document) {
  const auto statement = document.find("Statement");
  if (!statement) return iam::PolicyKind::Identity;
  bool principals = false;
  bool resources = false;
  bool assumes = true;
  const auto look = [&](json::Value s) {
    principals = principals || s.find("Principal") || s.find("NotPrincipal");
    resources = resources || s.find("Resource") || s.find("NotResource");
    const auto action = s.find("Action");
    assumes = assumes && action && action->raw().find("sts:") != std::string_view::npos;
  };
  if (statement->is(json::Kind::Array)) {
    for (const json::Value element : statement->elements()) look(element);
  } else {
    look(*statement);
  }
  if (!principals) return iam::PolicyKind::Identity;
  return assumes && !resources ? iam::PolicyKind::Trust : iam::PolicyKind::Resource;
}

std::vector<Finding> lint(const PolicyText& policy, std::optional<iam::PolicyKind> kind,
                          const ServiceData& data) {
  std::vector<Finding> findings;
  Pass pass(data, kind ? *kind : guess_kind(policy.root()), findings);
  read_document(pass, policy.root());
  for (StatementView& s : pass.statements) {
    for (ConditionEntry& entry : s.conditions) entry.known = data.condition_key(entry.key);
    check_actions(pass, s);
    check_resources(pass, s);
    check_conditions(pass, s);
    check_variables(pass, s);
    if (pass.has_principals()) check_principals(pass, s);
  }
  check_trust(pass);
  check_agent_access(pass);
  check_practice(pass);
  check_engine(pass, findings, policy);

  std::ranges::sort(findings, {}, [](const Finding& finding) {
    return std::tie(finding.offset, finding.type, finding.code, finding.path);
  });
  std::vector<std::size_t> offsets;
  offsets.reserve(findings.size());
  for (const Finding& finding : findings) offsets.push_back(finding.offset);
  const auto positions = policy.positions(offsets);
  for (std::size_t i = 0; i < findings.size(); ++i) findings[i].position = positions[i];
  return findings;
}

std::vector<Finding> lint(std::string text, TextForm form, std::optional<iam::PolicyKind> kind,
                          const ServiceData& data) {
  const auto policy = PolicyText::read(text, form);
  if (policy) return lint(*policy, kind, data);
  const json::ParseError& error = policy.error();
  return {{FindingType::Error, "JSON_SYNTAX_ERROR", "", error.offset,
           in_characters(text, error.position), error.message,
           form == TextForm::Json ? "write valid JSON" : "write plain YAML"}};
}

}  // namespace remit::analysis
