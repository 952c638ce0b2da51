#include "cli/explain_batch.h"

#include <cstddef>
#include <fstream>
#include <iostream>
#include <string>

#include "iam/batch.h"

namespace remit::cli {
namespace {

constexpr std::size_t kFlushAt = std::size_t{64} << 10;

// Reads a line of at most `limit` bytes; of a longer one the rest is skipped and `cut` is true.
class Lines {
 public:
  Lines(std::istream& in, std::size_t limit) : in_(in), limit_(limit) {}

  bool next(std::string& line, bool& cut) {
    line.clear();
    cut = false;
    bool any = false;
    while (fill()) {
      any = true;
      const auto rest = std::string_view(buffer_).substr(at_, end_ - at_);
      const auto newline = rest.find('\n');
      const auto piece = rest.substr(0, newline);
      const auto room = limit_ - line.size();
      cut = cut || piece.size() > room;
      line.append(piece.substr(0, room));
      at_ += piece.size() + (newline == rest.npos ? 0 : 1);
      if (newline != rest.npos) return true;
    }
    return any;
  }

 private:
  bool fill() {
    if (at_ < end_) return true;
    in_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    at_ = 0;
    end_ = static_cast<std::size_t>(in_.gcount());
    return end_ > 0;
  }

  std::istream& in_;
  std::size_t limit_;
  std::string buffer_ = std::string(std::size_t{256} << 10, '\0');
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

}  // namespace

Exit explain_batch(std::istream& in, std::ostream& out) {
  const iam::BatchLimits limits;
  iam::Batch batch(limits);
  Lines lines(in, limits.max_line_bytes);
  std::string line;
  std::string answers;
  bool cut = false;
  while (lines.next(line, cut)) {
    if (is_blank(line) && !cut) continue;
    if (cut) {
      batch.refuse_too_long(line, answers);
    } else {
      batch.answer(line, answers);
    }
    answers.push_back('\n');
    if (answers.size() < kFlushAt) continue;
    out << answers;
    answers.clear();
  }
  out << answers << std::flush;
  return out.good() && !in.bad() ? Exit::Done : Exit::Misuse;
}

Exit explain_batch(const std::string& file, std::ostream& out, std::ostream& complaints) {
  if (file == "-") return explain_batch(std::cin, out);
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    complaints << "remit: " << file << ": cannot be read\n";
    return Exit::Misuse;
  }
  return explain_batch(in, out);
}

}  // namespace remit::cli
