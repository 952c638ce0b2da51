#include "base/random.h"

#include <openssl/rand.h>

#include <vector>

#include "base/check.h"

namespace remit {

std::string Random::base32(std::size_t length) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::vector<std::byte> bytes(length);
  fill(bytes);
  std::string text(length, 'A');
  for (std::size_t i = 0; i < length; ++i) {
    text[i] = kAlphabet[std::to_integer<std::size_t>(bytes[i]) & 31U];
  }
  return text;
}

void SystemRandom::fill(std::span<std::byte> out) {
  REMIT_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) == 1);
}

}  // namespace remit
