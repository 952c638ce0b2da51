#include "gateway/java_trust.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/encoding.h"

namespace remit::gateway {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

// As java.io.DataOutputStream writes numbers: big-endian.
void put(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

void put_text(std::string& out, std::string_view text) {
  put(out, text.size(), 2);
  out.append(text);
}

Result<std::vector<std::string>> certificates(std::string_view pem) {
  std::vector<std::string> found;
  while (true) {
    const auto begin = pem.find(kBegin);
    if (begin == pem.npos) break;
    const auto end = pem.find(kEnd, begin);
    if (end == pem.npos) return fail(ErrorCode::InvalidInput, "a certificate without its end");
    std::string base64;
    for (const char c : pem.substr(begin + kBegin.size(), end - begin - kBegin.size())) {
      if (c != '\n' && c != '\r') base64.push_back(c);
    }
    auto der = unbase64(base64);
    if (!der) return fail(ErrorCode::InvalidInput, "a certificate that is not base 64");
    found.push_back(*std::move(der));
    pem.remove_prefix(end + kEnd.size());
  }
  return found;
}

// The digest at the file's end, over the password in UTF-16, a constant, and the file.
Result<std::string> integrity(std::string_view store) {
  std::string text;
  for (const char c : kJavaTrustPassword) {
    text.push_back('\0');
    text.push_back(c);
  }
  text.append("Mighty Aphrodite").append(store);
  std::array<unsigned char, 20> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) {
    return fail(ErrorCode::Internal, "no SHA-1");
  }
  return std::string(digest.begin(), digest.end());
}

}  // namespace

// The form is that of sun.security.provider.JavaKeyStore, version 2, entries of kind 2.
Result<std::string> java_trust_store(std::string_view pem) {
  REMIT_TRY(const auto found, certificates(pem));
  std::string store;
  put(store, 0xFEEDFEED, 4);
  put(store, 2, 4);
  put(store, found.size(), 4);
  int number = 0;
  for (const std::string& der : found) {
    put(store, 2, 4);
    put_text(store, fmt::format("remit-{}", number++));
    put(store, 0, 8);  // made when: of no meaning here
    put_text(store, "X.509");
    put(store, der.size(), 4);
    store.append(der);
  }
  REMIT_TRY(const std::string digest, integrity(store));
  return store + digest;
}

}  // namespace remit::gateway
