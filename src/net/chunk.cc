#include "net/chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/encoding.h"
#include "net/head.h"

namespace remit::net {
namespace {

constexpr unsigned kMaxSizeDigits = 15;
constexpr std::size_t kMaxTrailerBytes = 8 << 10;
constexpr std::size_t kMaxTrailers = 64;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Fields that would change how the message is framed, routed or authenticated (RFC 9110, 6.5.1).
bool allowed_in_trailer(std::string_view name) {
  constexpr std::array<std::string_view, 9> kRefused = {
      "content-length",   "transfer-encoding", "host",
      "authorization",    "connection",        "content-type",
      "content-encoding", "trailer",           "te"};
  return std::ranges::none_of(
      kRefused, [&](std::string_view r) { return equals_ignoring_ascii_case(name, r); });
}

}  // namespace

Result<ChunkDecoder::Step> ChunkDecoder::step(std::string_view in) {
  Step step;
  while (step.consumed < in.size() && state_ != State::Done) {
    const char c = in[step.consumed];
    switch (state_) {
      case State::Size:
        REMIT_CHECKED(size_byte(c));
        break;
      case State::SizeLf:
        if (c != '\n') return fail(ErrorCode::InvalidInput, "chunk size line without line feed");
        state_ = left_ == 0 ? State::Trailer : State::Content;
        break;
      case State::Content: {
        const std::size_t size =
            static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - step.consumed));
        step.content = in.substr(step.consumed, size);
        step.consumed += size;
        left_ -= size;
        if (left_ == 0) state_ = State::ContentCr;
        return step;
      }
      case State::ContentCr:
        if (c != '\r') return fail(ErrorCode::InvalidInput, "chunk longer than its size");
        state_ = State::ContentLf;
        break;
      case State::ContentLf:
        if (c != '\n') return fail(ErrorCode::InvalidInput, "chunk end without line feed");
        state_ = State::Size;
        digits_ = 0;
        break;
      case State::Trailer:
        REMIT_CHECKED(trailer_byte(c));
        break;
      case State::Done:
        break;
    }
    ++step.consumed;
  }
  return step;
}

Result<> ChunkDecoder::size_byte(char c) {
  if (c == '\r' && digits_ > 0) {
    state_ = State::SizeLf;
    return {};
  }
  const int value = hex_value(c);
  if (value < 0) {
    return fail(ErrorCode::InvalidInput, c == ';' ? "chunk extension" : "malformed chunk size");
  }
  if (digits_ > 0 && left_ == 0) return fail(ErrorCode::InvalidInput, "zero-padded chunk size");
  if (++digits_ > kMaxSizeDigits) return fail(ErrorCode::InvalidInput, "chunk size too large");
  left_ = (digits_ == 1 ? 0 : left_ * 16) + static_cast<std::uint64_t>(value);
  return {};
}

Result<> ChunkDecoder::trailer_byte(char c) {
  if (++trailer_bytes_ > kMaxTrailerBytes) {
    return fail(ErrorCode::LimitExceeded, "trailers larger than 8 KiB");
  }
  line_.push_back(c);
  if (c != '\n') return {};
  return take_trailer_line();
}

Result<> ChunkDecoder::take_trailer_line() {
  if (!line_.ends_with("\r\n")) {
    return fail(ErrorCode::InvalidInput, "line feed without carriage return in the trailers");
  }
  const std::string_view line = std::string_view(line_).substr(0, line_.size() - 2);
  if (line.empty()) {
    state_ = State::Done;
    return {};
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos || trailers_.size() == kMaxTrailers) {
    return fail(ErrorCode::InvalidInput, "malformed trailer");
  }
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  if (!is_token(name) || !is_field_value(value) || !allowed_in_trailer(name)) {
    return fail(ErrorCode::InvalidInput, "trailer that HTTP does not allow");
  }
  trailers_.push_back(http::Field{std::string(name), std::string(value)});
  line_.clear();
  return {};
}

void append_chunk_size(std::string& out, std::uint64_t size) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", size);
}

}  // namespace remit::net
