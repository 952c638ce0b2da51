#pragma once

// Keys of SigV4 and SigV4A, derived once and ready to sign many strings.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/secret.h"

namespace remit::aws {

// An ECDSA P-256 signature in DER has at most 72 bytes.
inline constexpr std::size_t kMaxSignatureHex = 144;
inline constexpr std::size_t kHmacSignatureHex = 64;

// SHA-256 in one plain struct: copied, not duplicated on the heap as EVP's contexts are. That
// halves the cost of a signature.
class PlainSha256 {
 public:
  PlainSha256();
  void update(std::string_view bytes);
  void finish(std::span<std::byte, 32> out);  // and starts anew

  // Of a message that is there as a whole: cheaper.
  static void of(std::string_view message, std::span<std::byte, 32> out);

 private:
  alignas(8) std::byte context_[112];
};

// HMAC-SHA-256 with one key, kept as the states after the inner and the outer padding, each of
// one block. For one thread at a time: the state after a message's first block is kept too, since
// strings to sign of one second and scope begin alike.
class HmacKey {
 public:
  explicit HmacKey(std::string_view key);
  ~HmacKey();
  HmacKey(const HmacKey&) = delete;
  HmacKey& operator=(const HmacKey&) = delete;
  void sign(std::string_view message, std::span<std::byte, 32> out);

 private:
  using State = std::array<std::uint32_t, 8>;

  void take_first(std::string_view message);

  State inner_;
  State outer_;
  std::array<char, 64> first_{};  // block of the last message that had a whole one
  State after_first_{};
  bool has_first_ = false;
};

// A signature in hex, in place.
struct SignatureText {
  char bytes[kMaxSignatureHex];
  std::size_t size = 0;
  std::string_view view() const { return {bytes, size}; }
};

// For one thread at a time, like the Verifier or the Signer that it comes from.
struct StringSigner {
  virtual ~StringSigner() = default;
  virtual void sign(std::string_view string_to_sign, SignatureText& out) const = 0;
  // Constant time in the signature, for HMAC. `signature` is lower-case hex without padding.
  virtual bool verify(std::string_view string_to_sign, std::string_view signature) const = 0;
};

std::shared_ptr<const StringSigner> derive_hmac_key(const Secret& secret, std::string_view date,
                                                    std::string_view region,
                                                    std::string_view service);
// NIST SP 800-108 counter mode from the secret and the key id; no date, region or service.
std::shared_ptr<const StringSigner> derive_ecdsa_key(std::string_view access_key_id,
                                                     const Secret& secret);
// Verifies only: from the coordinates, 32 bytes each. Null when they are not on the curve.
std::shared_ptr<const StringSigner> ecdsa_public_key(std::string_view x, std::string_view y);

// What a key is for. `credential` is all of it in one text, as it stands in a request:
// "AKID/20261121/us-east-1/s3/aws4_request", without the region for SigV4A.
struct KeyScope {
  std::string_view credential, access_key_id, date, region, service;
};

// Derived keys by key id and scope, at most `max_keys`, the least used go first. A key id that
// comes with another secret gets a key of its own.
class KeyCache {
 public:
  explicit KeyCache(std::size_t max_keys) : half_(max_keys / 2 + 1) {}
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;

  const std::shared_ptr<const StringSigner>& get(Algorithm algorithm, const KeyScope& scope,
                                                 const Secret& secret);
  std::size_t size() const { return young_.size() + old_.size(); }

 private:
  struct Entry {
    Secret secret;  // that the key was derived from: an access key id alone proves nothing
    std::shared_ptr<const StringSigner> key;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;  // views are looked up without a string made of them
  };
  using Map = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  const Map::value_type& find_or_derive(Algorithm algorithm, std::string_view name,
                                        const KeyScope& scope, const Secret& secret);

  std::size_t half_;
  Map young_;
  Map old_;                                // what was young when young_ was last full
  const Map::value_type* last_ = nullptr;  // of young_: mostly it is asked for again
};

void append_hex(std::string& out, std::span<const std::byte, 32> digest);

}  // namespace remit::aws
