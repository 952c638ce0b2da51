#include "base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <memory>

namespace remit {

namespace {

std::string_view name_of(Log::Level level) {
  switch (level) {
    case Log::Level::Debug:
      return "debug";
    case Log::Level::Info:
      return "info";
    case Log::Level::Warning:
      return "warning";
    case Log::Level::Error:
      return "error";
  }
  return "error";
}

// The least that JSON asks for; whatever else is not printable ASCII is escaped, so that a peer's
// bytes can neither forge a second line nor move a terminal's cursor.
void append_json(fmt::memory_buffer& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(fmt::appender(out), "\\u{:04x}", byte);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

spdlog::logger& stderr_logger() {
  static spdlog::logger logger("remit", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return logger;
}

}  // namespace

StderrLog::StderrLog(Level least) : least_(least) {
  stderr_logger().set_pattern("%v");
  stderr_logger().flush_on(spdlog::level::trace);
}

StderrLog::~StderrLog() = default;

void StderrLog::write(Level level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < least_) return;
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto millis = now.time_since_epoch().count() % 1000;
  fmt::memory_buffer line;
  fmt::format_to(fmt::appender(line),
                 R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","level":"{}","event":)",
                 fmt::gmtime(std::chrono::system_clock::to_time_t(now)), millis, name_of(level));
  append_json(line, event);
  for (const LogField& field : fields) {
    line.push_back(',');
    append_json(line, field.name);
    line.push_back(':');
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      fmt::format_to(fmt::appender(line), "{}", *number);
    } else {
      append_json(line, std::get<std::string_view>(field.value));
    }
  }
  line.push_back('}');
  stderr_logger().info(std::string_view(line.data(), line.size()));
}

}  // namespace remit
