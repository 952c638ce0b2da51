#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace remit {

using Digest = std::array<std::byte, 32>;

// SHA-256 over pieces. One OpenSSL context, fetched once and reused: reset() starts anew without
// allocating. Not for use by two threads at once.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view bytes);
  Digest finish();  // and starts anew

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);

// HMAC-SHA-256 (RFC 2104) of one message. `key` may be any length.
Digest hmac_sha256(std::span<const std::byte> key, std::string_view message);
Digest hmac_sha256(std::string_view key, std::string_view message);

}  // namespace remit
