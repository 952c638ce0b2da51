#pragma once

// What the verbs that read a remit.yaml have in common.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/writer.h"
#include "remit/config.h"

namespace remit::cli {

inline std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

inline std::string home_directory() { return environment("HOME").value_or(""); }

inline Result<rules::LoadedConfig> load_configuration(const std::string& path) {
  REMIT_TRY(const std::string text, rules::read_config_file(path));
  return rules::load_config(text, {.home = home_directory()});
}

inline void write_problems(json::Writer& writer, const std::vector<rules::Problem>& problems) {
  writer.begin_array();
  for (const rules::Problem& problem : problems) {
    const bool error = problem.severity == rules::Problem::Severity::Error;
    writer.begin_object();
    writer.key("severity").string(error ? "error" : "warning");
    writer.key("line").integer(static_cast<std::int64_t>(problem.position.line));
    writer.key("column").integer(static_cast<std::int64_t>(problem.position.column));
    writer.key("path").string(problem.path);
    writer.key("message").string(problem.message);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace remit::cli
