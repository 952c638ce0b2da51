#include "base/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace remit {

namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<std::int8_t, 256> base64_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    values[static_cast<unsigned char>(kBase64[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr std::array<bool, 256> unreserved() {
  std::array<bool, 256> set{};
  for (unsigned c = 0; c < 256; ++c) {
    set[c] = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '.' || c == '_' || c == '~';
  }
  return set;
}

constexpr auto kBase64Values = base64_values();
constexpr auto kUnreserved = unreserved();

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  if (!text.contains('%') && !(plus_is_blank && text.contains('+'))) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr std::size_t kEight = sizeof(std::uint64_t);

std::uint64_t load_eight(const char* bytes) {
  std::uint64_t eight;
  std::memcpy(&eight, bytes, kEight);
  return eight;
}

// Whether eight bytes and eight others differ at most in the case of letters: only in one bit, and
// only where letters stand. Compare detail::lower_eight().
bool same_folded_eight(std::uint64_t left, std::uint64_t right) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = kOnes * 0x80;
  constexpr std::uint64_t kCaseBits = kOnes * 0x20;
  const std::uint64_t different = left ^ right;
  if ((different & ~kCaseBits) != 0) return false;
  const std::uint64_t low = (left | kCaseBits) & ~kHigh;
  const std::uint64_t from_a = low + kOnes * (0x80 - 'a');
  const std::uint64_t beyond_z = low + kOnes * (0x7F - 'z');
  const std::uint64_t letters = (from_a ^ beyond_z) & ~left & kHigh;
  return ((different << 2) & ~letters) == 0;
}

bool same_folded_at(const char* a, const char* b) {
  return same_folded_eight(load_eight(a), load_eight(b));
}

// Four to eight bytes as eight: the first four and the last, which may overlap.
std::uint64_t load_ends(const char* bytes, std::size_t size) {
  std::uint32_t first, last;
  std::memcpy(&first, bytes, sizeof first);
  std::memcpy(&last, bytes + size - sizeof last, sizeof last);
  return first | std::uint64_t{last} << 32;
}

}  // namespace

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    out.push_back(kLowerHex[std::to_integer<std::size_t>(b >> 4)]);
    out.push_back(kLowerHex[std::to_integer<std::size_t>(b & std::byte{15})]);
  }
  return out;
}

std::optional<std::string> unhex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8) | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    out.push_back(kBase64[(group >> 18) & 63U]);
    out.push_back(kBase64[(group >> 12) & 63U]);
    out.push_back(n > 1 ? kBase64[(group >> 6) & 63U] : '=');
    out.push_back(n > 2 ? kBase64[group & 63U] : '=');
  }
  return out;
}

std::optional<std::string> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const int padding =
        last ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=') : 0;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padded = k >= 4U - static_cast<unsigned>(padding);
      const int value = padded ? 0 : kBase64Values[static_cast<unsigned char>(text[i + k])];
      if (value < 0) return std::nullopt;
      group = (group << 6) | static_cast<std::uint32_t>(value);
    }
    out.push_back(static_cast<char>(group >> 16));
    if (padding < 2) out.push_back(static_cast<char>((group >> 8) & 255U));
    if (padding < 1) out.push_back(static_cast<char>(group & 255U));
    // Bits that no byte uses must be zero, or two texts would name the same bytes.
    if ((padding == 1 && (group & 255U) != 0) || (padding == 2 && (group & 65535U) != 0)) {
      return std::nullopt;
    }
  }
  return out;
}

void append_uri_encoded(std::string& out, std::string_view text, Slash slash) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved[byte] || (c == '/' && slash == Slash::Keep)) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kUpperHex[byte >> 4]);
      out.push_back(kUpperHex[byte & 15U]);
    }
  }
}

std::string uri_encode(std::string_view text, Slash slash) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  append_uri_encoded(out, text, slash);
  return out;
}

std::optional<std::string> uri_decode(std::string_view text) { return percent_decode(text, false); }
std::optional<std::string> form_decode(std::string_view text) { return percent_decode(text, true); }

void append_lower_ascii(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  // The size that the function is given may be the capacity (libstdc++ 12).
  out.resize_and_overwrite(before + text.size(), [&](char* bytes, std::size_t) {
    char* to = bytes + before;
    std::size_t i = 0;
    for (; text.size() - i >= kEight; i += kEight) {
      const std::uint64_t eight = detail::lower_eight(load_eight(text.data() + i));
      std::memcpy(to + i, &eight, kEight);
    }
    for (; i < text.size(); ++i) to[i] = lower(text[i]);
    return before + text.size();
  });
}

std::string lower_ascii(std::string_view text) {
  std::string out;
  append_lower_ascii(out, text);
  return out;
}

namespace detail {

bool same_folded(const char* a, const char* b, std::size_t size) {
  if (size < kEight / 2) {
    for (std::size_t i = 0; i < size; ++i) {
      if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
  }
  if (size < kEight) return same_folded_eight(load_ends(a, size), load_ends(b, size));
  // The last eight may overlap those before them.
  const std::size_t last = size - kEight;
  for (std::size_t i = 0; i < last; i += kEight) {
    if (!same_folded_at(a + i, b + i)) return false;
  }
  return same_folded_at(a + last, b + last);
}

}  // namespace detail

std::string_view trim_ascii(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace remit
