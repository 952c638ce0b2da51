#include "mcp/framing.h"

#include <algorithm>
#include <utility>

namespace remit::mcp {

void LineReader::feed(std::string_view bytes) {
  if (start_ > 0) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<Line> LineReader::next() {
  while (true) {
    const std::size_t end = buffer_.find('\n', scanned_);
    if (end == std::string::npos) {
      if (buffer_.size() - start_ > max_line_) skipping_ = true;
      if (skipping_) {
        buffer_.clear();
        buffer_.shrink_to_fit();
        start_ = 0;
      }
      scanned_ = buffer_.size();
      return std::nullopt;
    }
    std::string_view line(buffer_.data() + start_, end - start_);
    start_ = scanned_ = end + 1;
    if (std::exchange(skipping_, false) || line.size() > max_line_) {
      return Line{.text = {}, .too_long = true};
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return Line{.text = std::string(line)};
  }
}

std::string one_line(std::string_view json) {
  std::string line(json);
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::replace(line.begin(), line.end(), '\r', ' ');
  return line;
}

}  // namespace remit::mcp
