#pragma once

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

}  // namespace detail

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
  std::uint64_t rest = 0;
  std::memcpy(&rest, text.data(), text.size());
  mix(rest);
  return hash;
}

// The hash of a whole action: 63 bits, so that an index has one to spare.
inline std::uint64_t action_hash(std::string_view action) {
  return hash_ignoring_case(action) >> 1U;
}

}  // namespace remit::iam
