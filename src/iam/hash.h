#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace remit::iam {

namespace detail {

// Lower-cases the ASCII letters among eight bytes at once.
constexpr std::uint64_t lower_eight(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  const std::uint64_t low_bits = bytes & (kOnes * 0x7F);
  const std::uint64_t from_a = low_bits + kOnes * (0x80 - 'A');        // high bit: >= 'A'
  const std::uint64_t beyond_z = low_bits + kOnes * (0x80 - 'Z' - 1);  // high bit: > 'Z'
  const std::uint64_t letters = from_a & ~beyond_z & ~bytes & (kOnes * 0x80);
  return bytes | (letters >> 2U);
}

// Fewer than eight bytes as the number they are with zeros after them.
inline std::uint64_t few_bytes(const char* bytes, std::size_t size) {
  if (size == 0) return 0;
  if (size >= 4) {  // what both halves hold stands in the same place in both
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, bytes, 4);
    std::memcpy(&last, bytes + size - 4, 4);
    return first | std::uint64_t{last} << (8 * (size - 4));
  }
  const auto at = [&](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  };
  return at(0) | at(size / 2) | at(size - 1);
}

}  // namespace detail

// Writes `text` with its ASCII letters in lower case to `to`.
inline void lower_into(char* to, std::string_view text) {
  std::size_t i = 0;
  for (; text.size() - i >= 8; i += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + i, 8);
    bytes = detail::lower_eight(bytes);
    std::memcpy(to + i, &bytes, 8);
  }
  for (; i < text.size(); ++i)
    to[i] = static_cast<char>(detail::lower_eight(static_cast<unsigned char>(text[i])));
}

// A hash that ignores ASCII case. It only sorts and finds: equal hashes are always followed by a
// comparison of the text.
inline std::uint64_t hash_ignoring_case(std::string_view text) {
  std::uint64_t hash = 0x9E3779B97F4A7C15U ^ text.size();
  const auto mix = [&hash](std::uint64_t bytes) {
    hash = (hash ^ detail::lower_eight(bytes)) * 0xD6E8FEB86659FD93U;
    hash ^= hash >> 32U;
  };
  while (text.size() >= 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), 8);
    mix(bytes);
    text.remove_prefix(8);
  }
  mix(detail::few_bytes(text.data(), text.size()));
  return hash;
}

// The hash of a whole action: 63 bits, so that an index has one to spare.
inline std::uint64_t action_hash(std::string_view action) {
  return hash_ignoring_case(action) >> 1U;
}

}  // namespace remit::iam
