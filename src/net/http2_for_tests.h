#pragma once

// Frames of HTTP/2 written by hand, for tests of what no decent client sends. RFC 9113, section 4.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace remit::net::frames {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum Type : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr std::uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4;

inline std::string number(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload) {
  std::string out = number(static_cast<std::uint32_t>(payload.size())).substr(1);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out + number(stream) + std::string(payload);
}

inline std::string settings() { return frame(kSettings, 0, 0, ""); }

// HPACK without a table: a literal field, never indexed, not compressed.
inline std::string text(std::string_view value) {
  std::string out;
  if (value.size() < 127) {
    out += static_cast<char>(value.size());
  } else {
    std::size_t rest = value.size() - 127;
    out += static_cast<char>(127);
    for (; rest >= 128; rest /= 128) out += static_cast<char>(128 + rest % 128);
    out += static_cast<char>(rest);
  }
  return out + std::string(value);
}

using Fields = std::vector<std::pair<std::string, std::string>>;
inline std::string block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += '\x10' + text(name) + text(value);
  return out;
}

inline Fields get(std::string path = "/") {
  return {{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}, {":path", std::move(path)}};
}
inline std::string request(std::uint32_t stream, const Fields& fields, bool ends = true) {
  return frame(kHeaders, static_cast<std::uint8_t>(kEndHeaders | (ends ? kEndStream : 0)), stream,
               block(fields));
}

struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

// The whole frames that `bytes` hold.
inline std::vector<Frame> parse(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  std::vector<Frame> all;
  while (bytes.size() >= 9) {
    const std::size_t size =
        static_cast<std::size_t>(at(0)) << 16 | static_cast<std::size_t>(at(1)) << 8 | at(2);
    if (bytes.size() < 9 + size) break;
    const auto stream = static_cast<std::uint32_t>(at(5)) << 24 |
                        static_cast<std::uint32_t>(at(6)) << 16 |
                        static_cast<std::uint32_t>(at(7)) << 8 | at(8);
    all.push_back({at(3), at(4), stream, std::string(bytes.substr(9, size))});
    bytes.remove_prefix(9 + size);
  }
  return all;
}

// The error code of the RST_STREAM or GOAWAY.
inline std::uint32_t error_of(const Frame& frame) {
  const std::size_t from = frame.type == kGoaway ? 4 : 0;
  std::uint32_t code = 0;
  for (std::size_t i = from; i < from + 4 && i < frame.payload.size(); ++i) {
    code = code << 8 | static_cast<std::uint8_t>(frame.payload[i]);
  }
  return code;
}

}  // namespace remit::net::frames
