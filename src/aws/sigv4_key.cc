// The low-level SHA-256 functions are deprecated in OpenSSL 3, not gone: EVP_MD_CTX_copy_ex, the
// only other way to start from a midstate, allocates at each copy.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "aws/sigv4_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/encoding.h"

namespace remit::aws {

namespace {

static_assert(sizeof(SHA256_CTX) == 112);
SHA256_CTX* context_of(std::byte* bytes) { return reinterpret_cast<SHA256_CTX*>(bytes); }

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, Freer<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freer<EC_POINT_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;

// By arithmetic, not by a table: so the compiler does sixteen at once.
char hex_digit(unsigned char value) {
  return static_cast<char>(value + (value < 10 ? '0' : 'a' - 10));
}

template <std::size_t Size>
void to_hex(std::span<const std::byte, Size> bytes, char* out) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<unsigned char>(bytes[i]);
    out[2 * i] = hex_digit(byte >> 4);
    out[2 * i + 1] = hex_digit(byte & 15);
  }
}

// In a time that depends on the sizes only, as CRYPTO_memcmp(), but by eight bytes. The compiler
// is not told what `different` is, so that it cannot end the loop early.
bool same_bytes(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  std::uint64_t different = 0;
  std::size_t i = 0;
  for (; a.size() - i >= sizeof different; i += sizeof different) {
    std::uint64_t left, right;
    std::memcpy(&left, a.data() + i, sizeof left);
    std::memcpy(&right, b.data() + i, sizeof right);
    different |= left ^ right;
    asm volatile("" : "+r"(different));
  }
  for (; i < a.size(); ++i) {
    different |= static_cast<unsigned char>(a[i] ^ b[i]);
    asm volatile("" : "+r"(different));
  }
  return different == 0;
}

constexpr std::size_t kBlock = 64;
using Midstate = std::array<std::uint32_t, 8>;
constexpr Midstate kStart = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                             0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

void set_state(SHA256_CTX& context, const Midstate& state) {
  static_assert(sizeof context.h == sizeof state);
  std::memcpy(context.h, state.data(), sizeof context.h);
}

void put_digest(const SHA256_CTX& context, std::span<std::byte, 32> out) {
  for (std::size_t i = 0; i < std::size(context.h); ++i) {
    const std::uint32_t word = __builtin_bswap32(context.h[i]);
    std::memcpy(out.data() + i * sizeof word, &word, sizeof word);
  }
}

// The hash of a message of which `from` has taken in `before` bytes, whole blocks, and `rest` is
// what follows. Padded here: SHA256_Final() wipes its buffer each time, and none is used here.
void hash_rest(const Midstate& from, std::size_t before, std::string_view rest,
               std::span<std::byte, 32> out) {
  SHA256_CTX context{};
  set_state(context, from);
  const std::size_t whole = rest.size() / kBlock * kBlock;
  if (whole != 0) SHA256_Update(&context, rest.data(), whole);
  std::array<unsigned char, 2 * kBlock> last{};
  const std::size_t left = rest.size() - whole;
  if (left != 0) std::memcpy(last.data(), rest.data() + whole, left);
  last[left] = 0x80;
  const std::size_t end = left + 1 + sizeof(std::uint64_t) <= kBlock ? kBlock : 2 * kBlock;
  const std::uint64_t bits = __builtin_bswap64((before + rest.size()) * 8);
  std::memcpy(last.data() + end - sizeof bits, &bits, sizeof bits);
  if (end == kBlock) {
    SHA256_Transform(&context, last.data());
  } else {
    SHA256_Update(&context, last.data(), end);  // two blocks at once are cheaper on some machines
  }
  put_digest(context, out);
}

class HmacSigner final : public StringSigner {
 public:
  explicit HmacSigner(std::string_view key) : key_(key) {}

  void sign(std::string_view string_to_sign, SignatureText& out) const override {
    std::array<std::byte, 32> digest;
    key_.sign(string_to_sign, digest);
    to_hex(std::span<const std::byte, 32>(digest), out.bytes);
    out.size = kHmacSignatureHex;
  }

  bool verify(std::string_view string_to_sign, std::string_view signature) const override {
    SignatureText right;
    sign(string_to_sign, right);
    return same_bytes(signature, right.view());
  }

 private:
  mutable HmacKey key_;  // what it keeps of the last string changes no signature
};

class EcdsaSigner final : public StringSigner {
 public:
  explicit EcdsaSigner(Pkey key) : key_(std::move(key)) {}

  void sign(std::string_view string_to_sign, SignatureText& out) const override {
    const MdContext context(EVP_MD_CTX_new());
    std::array<unsigned char, kMaxSignatureHex / 2> der;
    std::size_t size = der.size();
    REMIT_CHECK(context &&
                EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1);
    REMIT_CHECK(EVP_DigestSign(context.get(), der.data(), &size,
                               reinterpret_cast<const unsigned char*>(string_to_sign.data()),
                               string_to_sign.size()) == 1);
    to_hex(std::as_bytes(std::span(der).first(size)), out.bytes);
    out.size = size * 2;
  }

  bool verify(std::string_view string_to_sign, std::string_view signature) const override {
    const auto der = unhex(signature);
    if (!der || signature.size() > kMaxSignatureHex) return false;
    const MdContext context(EVP_MD_CTX_new());
    REMIT_CHECK(context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                                key_.get()) == 1);
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(der->data()),
                            der->size(),
                            reinterpret_cast<const unsigned char*>(string_to_sign.data()),
                            string_to_sign.size()) == 1;
  }

 private:
  Pkey key_;
};

// `scalar` null: a public key only. Null when OpenSSL does not take the point.
Pkey make_ec_key(const BIGNUM* scalar, std::span<const unsigned char> point) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  REMIT_CHECK(builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                         "prime256v1", 0) == 1);
  REMIT_CHECK(OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                               point.size()) == 1);
  if (scalar != nullptr) {
    REMIT_CHECK(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1);
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  REMIT_CHECK(params && context && EVP_PKEY_fromdata_init(context.get()) == 1);
  const int selection = scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) return nullptr;
  return Pkey(key);
}

Number to_number(std::span<const std::byte> bytes) {
  Number number(BN_secure_new());
  REMIT_CHECK(number && BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                  static_cast<int>(bytes.size()), number.get()) != nullptr);
  return number;
}

// HMAC over: 1 as 4 bytes, the label, a zero byte, the key id, the counter, 256 bits as 4 bytes.
Number ecdsa_scalar(std::string_view access_key_id, const Secret& secret) {
  std::vector<char> key(5 + secret.size());
  std::memcpy(key.data(), "AWS4A", 5);
  std::memcpy(key.data() + 5, secret.expose().data(), secret.size());
  HmacKey hmac({key.data(), key.size()});
  wipe(key.data(), key.size());

  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  REMIT_CHECK(group);
  Number limit(BN_dup(EC_GROUP_get0_order(group.get())));
  REMIT_CHECK(limit && BN_sub_word(limit.get(), 2) == 1);
  for (unsigned counter = 1; counter <= 254; ++counter) {
    std::string input("\0\0\0\1", 4);
    input.append("AWS4-ECDSA-P256-SHA256").push_back('\0');
    input.append(access_key_id).push_back(static_cast<char>(counter));
    input.append("\0\0\1\0", 4);
    std::array<std::byte, 32> candidate;
    hmac.sign(input, candidate);
    Number scalar = to_number(candidate);
    wipe(candidate.data(), candidate.size());
    if (BN_cmp(scalar.get(), limit.get()) > 0) continue;
    REMIT_CHECK(BN_add_word(scalar.get(), 1) == 1);
    return scalar;
  }
  const bool found = false;  // the odds are 1 in 2^8128
  REMIT_CHECK(found);
  return nullptr;
}

}  // namespace

PlainSha256::PlainSha256() { SHA256_Init(context_of(context_)); }

void PlainSha256::update(std::string_view bytes) {
  SHA256_Update(context_of(context_), bytes.data(), bytes.size());
}

void PlainSha256::finish(std::span<std::byte, 32> out) {
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), context_of(context_));
  SHA256_Init(context_of(context_));
}

void PlainSha256::of(std::string_view message, std::span<std::byte, 32> out) {
  hash_rest(kStart, 0, message, out);
}

HmacKey::HmacKey(std::string_view key) {
  std::array<unsigned char, kBlock> block{};
  if (key.size() > block.size()) {
    PlainSha256::of(key, std::as_writable_bytes(std::span(block)).first<32>());
  } else {
    std::memcpy(block.data(), key.data(), key.size());
  }
  SHA256_CTX context{};
  const auto state_after = [&](unsigned char padding, Midstate& state) {
    for (unsigned char& byte : block) byte ^= padding;
    set_state(context, kStart);
    SHA256_Transform(&context, block.data());
    std::memcpy(state.data(), context.h, sizeof context.h);
  };
  state_after(0x36, inner_);
  state_after(0x36 ^ 0x5C, outer_);
  wipe(block.data(), block.size());
  wipe(&context, sizeof context);
}

HmacKey::~HmacKey() {
  wipe(inner_.data(), sizeof inner_);
  wipe(outer_.data(), sizeof outer_);
  wipe(after_first_.data(), sizeof after_first_);
}

void HmacKey::take_first(std::string_view message) {
  std::memcpy(first_.data(), message.data(), kBlock);
  SHA256_CTX context{};
  set_state(context, inner_);
  SHA256_Transform(&context, reinterpret_cast<const unsigned char*>(message.data()));
  std::memcpy(after_first_.data(), context.h, sizeof context.h);
  wipe(&context, sizeof context);
  has_first_ = true;
}

void HmacKey::sign(std::string_view message, std::span<std::byte, 32> out) {
  std::size_t taken = 0;
  if (message.size() >= kBlock) {
    if (!has_first_ || std::memcmp(first_.data(), message.data(), kBlock) != 0) take_first(message);
    taken = kBlock;
  }
  // The outer hash is of the padded key and the inner digest, 96 bytes: this block is all that is
  // left of it.
  std::array<unsigned char, kBlock> last{};
  hash_rest(taken == 0 ? inner_ : after_first_, kBlock + taken, message.substr(taken),
            std::as_writable_bytes(std::span(last)).first<32>());
  constexpr std::size_t kBits = (kBlock + 32) * 8;
  last[32] = 0x80;
  last[kBlock - 2] = kBits >> 8;
  last[kBlock - 1] = kBits & 0xFF;
  SHA256_CTX context{};
  set_state(context, outer_);
  SHA256_Transform(&context, last.data());
  put_digest(context, out);
}

std::shared_ptr<const StringSigner> derive_hmac_key(const Secret& secret, std::string_view date,
                                                    std::string_view region,
                                                    std::string_view service) {
  std::vector<char> first(4 + secret.size());
  std::memcpy(first.data(), "AWS4", 4);
  if (!secret.empty()) std::memcpy(first.data() + 4, secret.expose().data(), secret.size());
  std::array<std::byte, 32> key;
  HmacKey({first.data(), first.size()}).sign(date, key);
  wipe(first.data(), first.size());
  const auto view = [&key] {
    return std::string_view(reinterpret_cast<const char*>(key.data()), key.size());
  };
  for (const std::string_view part : {region, service, std::string_view("aws4_request")}) {
    std::array<std::byte, 32> next;
    HmacKey(view()).sign(part, next);
    key = next;
    wipe(next.data(), next.size());
  }
  auto signer = std::make_shared<const HmacSigner>(view());
  wipe(key.data(), key.size());
  return signer;
}

std::shared_ptr<const StringSigner> derive_ecdsa_key(std::string_view access_key_id,
                                                     const Secret& secret) {
  const Number scalar = ecdsa_scalar(access_key_id, secret);
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Point point(EC_POINT_new(group.get()));
  std::array<unsigned char, 65> encoded;
  REMIT_CHECK(point &&
              EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1);
  REMIT_CHECK(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                                 encoded.data(), encoded.size(), nullptr) == encoded.size());
  Pkey key = make_ec_key(scalar.get(), encoded);
  REMIT_CHECK(key);
  return std::make_shared<const EcdsaSigner>(std::move(key));
}

std::shared_ptr<const StringSigner> ecdsa_public_key(std::string_view x, std::string_view y) {
  if (x.size() != 32 || y.size() != 32) return nullptr;
  std::array<unsigned char, 65> encoded;
  encoded[0] = 4;
  std::memcpy(&encoded[1], x.data(), 32);
  std::memcpy(&encoded[33], y.data(), 32);
  Pkey key = make_ec_key(nullptr, encoded);
  if (!key) return nullptr;
  return std::make_shared<const EcdsaSigner>(std::move(key));
}

const std::shared_ptr<const StringSigner>& KeyCache::get(Algorithm algorithm, const KeyScope& scope,
                                                         const Secret& secret) {
  // A key of SigV4A is good for every day and service.
  const std::string_view name =
      algorithm == Algorithm::HmacSha256 ? scope.credential : scope.access_key_id;
  if (last_ == nullptr || last_->first != name ||
      !same_bytes(last_->second.secret.expose(), secret.expose())) {
    last_ = nullptr;
    last_ = &find_or_derive(algorithm, name, scope, secret);
  }
  return last_->second.key;
}

const KeyCache::Map::value_type& KeyCache::find_or_derive(Algorithm algorithm,
                                                          std::string_view name,
                                                          const KeyScope& scope,
                                                          const Secret& secret) {
  const auto fits = [&secret](const Entry& entry) {
    return same_bytes(entry.secret.expose(), secret.expose());
  };
  if (const auto found = young_.find(name); found != young_.end()) {
    if (fits(found->second)) return *found;
    young_.erase(found);
  }
  Entry entry{secret.clone(), nullptr};
  if (const auto found = old_.find(name); found != old_.end() && fits(found->second)) {
    entry.key = found->second.key;
  } else {
    entry.key = algorithm == Algorithm::HmacSha256
                    ? derive_hmac_key(secret, scope.date, scope.region, scope.service)
                    : derive_ecdsa_key(scope.access_key_id, secret);
  }
  if (young_.size() >= half_) old_ = std::exchange(young_, {});
  return *young_.insert_or_assign(std::string(name), std::move(entry)).first;
}

void append_hex(std::string& out, std::span<const std::byte, 32> digest) {
  const std::size_t before = out.size();
  const std::size_t after = before + digest.size() * 2;
  out.resize_and_overwrite(after, [&](char* bytes, std::size_t) {
    to_hex(digest, bytes + before);
    return after;
  });
}

}  // namespace remit::aws
