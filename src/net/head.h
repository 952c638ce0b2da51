#pragma once

// Reading and writing the heads of HTTP/1.1 messages, strictly: of what RFC 9112 lets a lenient
// reader take (sections 2.2, 3.2, 5, 6 and 11) nothing is taken, as two readers could disagree on
// it. Tests hold every head taken against Boost.Beast's reading of it (head_by_beast.h,
// docs/decisions/0018). Pure: no sockets.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace remit::net {

// Session tokens are large, and presigned URLs carry them in the target.
inline constexpr std::size_t kMaxHeadBytes = 64 << 10;
inline constexpr std::size_t kMaxFields = 256;

// How the end of a message's body is found.
struct Framing {
  enum class Kind : std::uint8_t { None, Length, Chunked, UntilClose };
  Kind kind = Kind::None;
  std::uint64_t length = 0;  // Kind::Length only
  bool operator==(const Framing&) const = default;
};

// The size of the head with its empty line, or nullopt when `bytes` does not hold all of it.
// `scanned` bytes are known not to contain its end (0 is always right).
std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t scanned);

// `bytes` is exactly one head, empty line included. Errors are InvalidInput, or LimitExceeded for
// one that is too large; `head` then holds parts of it.
Result<> parse_request_head(std::string_view bytes, http::RequestHead& head);
Result<> parse_response_head(std::string_view bytes, http::ResponseHead& head);

// Transfer-Encoding and Content-Length, refusing whatever has two meanings.
Result<Framing> request_framing(const http::RequestHead& head);
Result<Framing> response_framing(const http::ResponseHead& head, std::string_view request_method);

// Whether the sender of the head lets the connection live on (RFC 9112, 9.3).
bool keeps_alive(int version, std::span<const http::Field> fields);

// Appends the head with its empty line. InvalidInput when a part holds bytes that would end it
// early or change its meaning; `out` is then unchanged.
Result<> append_request_head(std::string& out, const http::RequestHead& head);
Result<> append_response_head(std::string& out, const http::ResponseHead& head);

// The words that usually go with a status of our own; empty: none do.
std::string_view reason_of(int status);

bool is_token(std::string_view text);        // RFC 9110, 5.6.2
bool is_field_value(std::string_view text);  // no control bytes but HTAB; no outer blanks
bool is_target(std::string_view text);       // visible ASCII only

}  // namespace remit::net
