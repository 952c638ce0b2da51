#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace remit {

// One fact of a log line. A Secret converts to none of these, so none can be logged.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;
  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, std::int64_t v) : name(n), value(v) {}
};

// Where a room tells what happened: an event name and facts. Passed in, never global.
class Log {
 public:
  enum class Level : std::uint8_t { Debug, Info, Warning, Error };
  virtual ~Log() = default;
  virtual void write(Level level, std::string_view event,
                     std::initializer_list<LogField> fields) = 0;

  void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(Level::Info, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(Level::Warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(Level::Error, event, fields);
  }
};

class NoLog final : public Log {
 public:
  void write(Level, std::string_view, std::initializer_list<LogField>) override {}
};

// A JSON string with its quotes. UTF-8 passes; what could forge a line, move a terminal's cursor or
// turn its writing direction is escaped, and a byte that belongs to no UTF-8 becomes the text \xNN.
void append_log_text(std::string& out, std::string_view text);

// Writes one JSON object a line to standard error through spdlog; lines below `least` are dropped.
class StderrLog final : public Log {
 public:
  explicit StderrLog(Level least);
  ~StderrLog() override;
  void write(Level level, std::string_view event, std::initializer_list<LogField> fields) override;

 private:
  Level least_;
};

}  // namespace remit
