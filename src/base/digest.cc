#include "base/digest.h"

#include <openssl/evp.h>

#include <cstring>

#include "base/check.h"
#include "base/encoding.h"
#include "base/secret.h"

namespace remit {

namespace {

constexpr std::size_t kBlock = 64;

// Fetched once: implicit fetching takes locks on every use (knowledge: OpenSSL 3 under threads).
const EVP_MD* sha256_method() {
  static const EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  REMIT_CHECK(kMethod != nullptr);
  return kMethod;
}

Sha256& thread_hasher() {
  thread_local Sha256 hasher;
  return hasher;
}

std::string_view view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() { REMIT_CHECK(md != nullptr); }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  REMIT_CHECK(EVP_DigestInit_ex2(context_->md, sha256_method(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  REMIT_CHECK(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest digest;
  REMIT_CHECK(EVP_DigestFinal_ex(context_->md, reinterpret_cast<unsigned char*>(digest.data()),
                                 nullptr) == 1);
  REMIT_CHECK(EVP_DigestInit_ex2(context_->md, nullptr, nullptr) == 1);
  return digest;
}

Digest sha256(std::string_view bytes) {
  Sha256& hasher = thread_hasher();
  hasher.update(bytes);
  return hasher.finish();
}

std::string sha256_hex(std::string_view bytes) { return hex(sha256(bytes)); }

Digest hmac_sha256(std::span<const std::byte> key, std::string_view message) {
  std::array<unsigned char, kBlock> inner{};
  if (key.size() > kBlock) {
    const Digest hashed = sha256(view(key));
    std::memcpy(inner.data(), hashed.data(), hashed.size());
  } else if (!key.empty()) {
    std::memcpy(inner.data(), key.data(), key.size());
  }
  std::array<unsigned char, kBlock> outer = inner;
  for (auto& byte : inner) byte ^= 0x36U;
  for (auto& byte : outer) byte ^= 0x5cU;

  Sha256& hasher = thread_hasher();
  hasher.update({reinterpret_cast<const char*>(inner.data()), inner.size()});
  hasher.update(message);
  const Digest first = hasher.finish();
  hasher.update({reinterpret_cast<const char*>(outer.data()), outer.size()});
  hasher.update(view(first));
  wipe(inner.data(), inner.size());
  wipe(outer.data(), outer.size());
  return hasher.finish();
}

Digest hmac_sha256(std::string_view key, std::string_view message) {
  return hmac_sha256(std::as_bytes(std::span(key.data(), key.size())), message);
}

}  // namespace remit
