#include "base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <iterator>
#include <memory>

#include "base/utf8.h"

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

// Controls (C0, DEL, C1), line and paragraph separators, marks of writing direction.
bool is_unsafe(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

// Of a well-formed sequence.
char32_t code_point(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first;
  char32_t code = first & (0x7FU >> sequence.size());
  for (const char c : sequence.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

spdlog::logger& stderr_logger() {
  static spdlog::logger logger("remit", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return logger;
}

}  // namespace

void append_log_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      fmt::format_to(std::back_inserter(out), "\\\\x{:02x}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    const auto sequence = text.substr(0, length);
    const auto code = code_point(sequence);
    if (is_unsafe(code)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(code));
    } else {
      if (code == '"' || code == '\\') out += '\\';
      out += sequence;
    }
    text.remove_prefix(length);
  }
  out += '"';
}

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
  std::string line;
  fmt::format_to(std::back_inserter(line),
                 R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","level":"{}","event":)",
                 fmt::gmtime(std::chrono::system_clock::to_time_t(now)), millis, name_of(level));
  append_log_text(line, event);
  for (const LogField& field : fields) {
    line += ',';
    append_log_text(line, field.name);
    line += ':';
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      fmt::format_to(std::back_inserter(line), "{}", *number);
    } else {
      append_log_text(line, std::get<std::string_view>(field.value));
    }
  }
  line += '}';
  stderr_logger().info("{}", line);
}

}  // namespace remit
