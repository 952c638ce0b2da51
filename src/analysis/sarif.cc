#include "analysis/sarif.h"

#include <fmt/format.h>

#include <algorithm>

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

std::vector<std::string_view> codes_in(std::span<const FileFindings> files) {
  std::vector<std::string_view> codes;
  for (const FileFindings& file : files) {
    for (const Finding& finding : file.findings) codes.push_back(finding.code);
  }
  std::ranges::sort(codes);
  const auto rest = std::ranges::unique(codes);
  codes.erase(rest.begin(), rest.end());
  return codes;
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
  w.key("artifactLocation").begin_object().key("uri").string(file).end_object();
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
  const auto codes = codes_in(files);
  json::Writer w;
  w.begin_object();
  w.key("$schema").string("https://json.schemastore.org/sarif-2.1.0.json");
  w.key("version").string("2.1.0");
  w.key("runs").begin_array().begin_object();
  w.key("tool").begin_object().key("driver").begin_object();
  w.key("name").string("remit lint");
  w.key("version").string(version);
  w.key("rules").begin_array();
  for (const std::string_view code : codes) {
    w.begin_object().key("id").string(code).end_object();
  }
  w.end_array().end_object().end_object();
  w.key("results").begin_array();
  for (const auto& [file, findings] : files) {
    for (const Finding& finding : findings) {
      const auto rule = std::ranges::lower_bound(codes, finding.code) - codes.begin();
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
