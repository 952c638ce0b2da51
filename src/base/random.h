#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace remit {

// Randomness is passed in, never read: tests hand in a fixed sequence.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  // `length` characters of the RFC 4648 base-32 alphabet (A-Z, 2-7): 5 bits each.
  std::string base32(std::size_t length);
};

// The operating system's generator, through OpenSSL. Ends the process when it cannot deliver.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

}  // namespace remit
