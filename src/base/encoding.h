#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace remit {

std::string hex(std::span<const std::byte> bytes);           // lower case
std::optional<std::string> unhex(std::string_view text);     // either case; nullopt when malformed
std::string base64(std::string_view bytes);                  // RFC 4648, padded
std::optional<std::string> unbase64(std::string_view text);  // strict: padded, no white space

// Percent-encodes every byte but A-Z a-z 0-9 - . _ ~ (and '/' where `keep_slash`), with upper-case
// digits: the form that SigV4 wants.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
enum class Slash : bool { Encode, Keep };
void append_uri_encoded(std::string& out, std::string_view text, Slash slash);
std::string uri_encode(std::string_view text, Slash slash);

// nullopt on a '%' that two hex digits do not follow. '+' stays '+'.
std::optional<std::string> uri_decode(std::string_view text);
// The same for application/x-www-form-urlencoded, where '+' is a blank.
std::optional<std::string> form_decode(std::string_view text);

std::string lower_ascii(std::string_view text);
void append_lower_ascii(std::string& out, std::string_view text);
namespace detail {

bool same_folded(const char* a, const char* b, std::size_t size);

// Eight bytes at once. The high bit of each byte of a term tells whether that byte, without its own
// high bit, is at or beyond a bound; no sum reaches into the next byte.
constexpr std::uint64_t lower_eight(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  const std::uint64_t low = eight & ~kHigh;
  const std::uint64_t from_a = low + kOnes * (0x80 - 'A');
  const std::uint64_t beyond_z = low + kOnes * (0x7F - 'Z');
  const std::uint64_t upper = (from_a ^ beyond_z) & ~eight & kHigh;
  return eight | (upper >> 2);
}

}  // namespace detail

// Inline for what nearly always differs: field names are compared with many others.
inline bool equals_ignoring_ascii_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.empty()) return true;
  // Letters that differ in case differ in this bit alone.
  constexpr int kCaseBit = 0x20;
  if (((a.front() ^ b.front()) & ~kCaseBit) != 0) return false;
  return detail::same_folded(a.data(), b.data(), a.size());
}
std::string_view trim_ascii(std::string_view text);

}  // namespace remit
