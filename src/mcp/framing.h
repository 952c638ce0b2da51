#pragma once

// The stdio transport: one message a line, ended by LF (a CR before it is dropped).
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace remit::mcp {

inline constexpr std::size_t kMaxLine = std::size_t{32} << 20;

struct Line {
  std::string text;       // empty when too long
  bool too_long = false;  // it was longer than the reader's cap; its bytes are gone
};

// Cuts a stream of bytes into lines. Holds at most `max_line` bytes and what the last feed() gave;
// of a longer line nothing is kept. Empty lines are skipped.
class LineReader {
 public:
  explicit LineReader(std::size_t max_line = kMaxLine) : max_line_(max_line) {}

  void feed(std::string_view bytes);
  std::optional<Line> next();
  std::size_t held() const { return buffer_.size() - start_; }

 private:
  std::size_t max_line_;
  std::string buffer_;
  std::size_t start_ = 0;    // of what was not handed out yet
  std::size_t scanned_ = 0;  // no LF before this
  bool skipping_ = false;    // in the rest of a line that was too long
};

// A JSON text as one line: LF and CR can only be white space between tokens there, so each becomes
// a blank.
std::string one_line(std::string_view json);

}  // namespace remit::mcp
