#include "analysis/sarif.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "json/writer.h"

namespace remit::analysis {
namespace {

std::string_view level_of(FindingType type) {
  switch (type) {
    case FindingType::Error:
      return "error";
    case FindingType::SecurityWarning:
    case FindingType::Warning:
    case FindingType::AgentAccess:
      return "warning";
    case FindingType::Suggestion:
    case FindingType::Practice:
      return "note";
  }
  return "warning";
}

struct Rule {
  std::string_view code;
  FindingType type;
  auto operator<=>(const Rule&) const = default;
};

std::vector<Rule> rules_in(std::span<const FileFindings> files) {
  std::vector<Rule> rules;
  for (const FileFindings& file : files) {
    for (const Finding& finding : file.findings) rules.push_back({finding.code, finding.type});
  }
  std::ranges::sort(rules);
  const auto rest = std::ranges::unique(rules, {}, &Rule::code);
  rules.erase(rest.begin(), rest.end());
  return rules;
}

// Where AWS tells of a check of its own: its page has an anchor for each code.
std::string help_of(const Rule& rule) {
  std::string_view kind;
  switch (rule.type) {
    case FindingType::Error:
      kind = "error";
      break;
    case FindingType::SecurityWarning:
      kind = "security-warning";
      break;
    case FindingType::Warning:
      kind = "general-warning";
      break;
    case FindingType::Suggestion:
      kind = "suggestion";
      break;
    default:
      return {};
  }
  if (rule.code == "SESSION_POLICY_TOO_LONG") return {};  // our own
  std::string out = fmt::format(
      "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
      "access-analyzer-reference-policy-checks.html"
      "#access-analyzer-reference-policy-checks-{}-",
      kind);
  for (const char c : lower_ascii(rule.code)) out += c == '_' ? '-' : c;
  return out;
}

// A file's name as a relative reference of RFC 3986.
std::string uri_of(std::string_view file) {
  std::string out;
  for (const char c : file) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

void write_result(json::Writer& w, const std::string& file, const Finding& finding,
                  std::size_t rule) {
  w.begin_object();
  w.key("ruleId").string(finding.code);
  w.key("ruleIndex").integer(static_cast<std::int64_t>(rule));
  w.key("level").string(level_of(finding.type));
  w.key("message").begin_object();
  w.key("text").string(finding.message + "; " + finding.mend);
  w.end_object();
  w.key("locations").begin_array().begin_object();
  w.key("physicalLocation").begin_object();
  w.key("artifactLocation").begin_object().key("uri").string(uri_of(file)).end_object();
  w.key("region").begin_object();
  w.key("startLine").integer(static_cast<std::int64_t>(finding.position.line));
  w.key("startColumn").integer(static_cast<std::int64_t>(finding.position.column));
  w.end_object().end_object();
  w.key("logicalLocations").begin_array().begin_object();
  w.key("fullyQualifiedName").string(finding.path);
  w.end_object().end_array();
  w.end_object().end_array();
  w.key("properties").begin_object();
  w.key("findingType").string(name_of(finding.type));
  w.end_object();
  w.end_object();
}

}  // namespace

std::string to_sarif(std::span<const FileFindings> files, std::string_view version) {
  const auto rules = rules_in(files);
  json::Writer w;
  w.begin_object();
  w.key("$schema").string("https://json.schemastore.org/sarif-2.1.0.json");
  w.key("version").string("2.1.0");
  w.key("runs").begin_array().begin_object();
  w.key("tool").begin_object().key("driver").begin_object();
  w.key("name").string("remit lint");
  w.key("version").string(version);
  w.key("rules").begin_array();
  for (const Rule& rule : rules) {
    w.begin_object().key("id").string(rule.code);
    if (const std::string help = help_of(rule); !help.empty()) w.key("helpUri").string(help);
    w.end_object();
  }
  w.end_array().end_object().end_object();
  w.key("columnKind").string("unicodeCodePoints");
  w.key("results").begin_array();
  for (const auto& [file, findings] : files) {
    for (const Finding& finding : findings) {
      const auto rule =
          std::ranges::lower_bound(rules, finding.code, {}, &Rule::code) - rules.begin();
      write_result(w, file, finding, static_cast<std::size_t>(rule));
    }
  }
  w.end_array().end_object().end_array().end_object();
  return std::move(w).take();
}

std::string to_json(std::span<const FileFindings> files) {
  json::Writer w;
  w.begin_array();
  for (const auto& [file, findings] : files) {
    for (const Finding& finding : findings) {
      w.begin_object();
      w.key("findingType").string(name_of(finding.type));
      w.key("issueCode").string(finding.code);
      w.key("file").string(file);
      w.key("line").integer(static_cast<std::int64_t>(finding.position.line));
      w.key("column").integer(static_cast<std::int64_t>(finding.position.column));
      w.key("path").string(finding.path);
      w.key("message").string(finding.message);
      w.key("mend").string(finding.mend);
      w.end_object();
    }
  }
  w.end_array();
  return std::move(w).take();
}

std::string to_text(std::span<const FileFindings> files) {
  std::string text;
  for (const auto& [file, findings] : files) {
    for (const Finding& finding : findings) {
      text +=
          fmt::format("{}:{}:{}: {} {}: {}\n    {}{}{}\n", file, finding.position.line,
                      finding.position.column, name_of(finding.type), finding.code, finding.message,
                      finding.path, finding.path.empty() ? "" : ": ", finding.mend);
    }
  }
  return text;
}

}  // namespace remit::analysis
