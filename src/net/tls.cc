#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <list>
#include <map>
#include <utility>

namespace remit::net {
namespace {

namespace asio = boost::asio;

template <auto Free>
struct Freed {
  void operator()(auto* pointer) const { Free(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Bytes = std::unique_ptr<BIO, Freed<BIO_free_all>>;

constexpr std::size_t kMaxLeaves = 512;
constexpr std::chrono::hours kCaLife(24 * 365);
constexpr std::chrono::hours kLeafLife(24 * 30);
constexpr std::chrono::hours kClockSlack(24);

std::unexpected<Error> tls_failed(std::string_view doing) {
  char reason[128] = "";
  ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
  return fail(ErrorCode::Internal, fmt::format("{}: {}", doing, reason));
}

Key make_key() { return Key(EVP_EC_gen("P-256")); }

bool set_validity(X509* certificate, TimePoint now, std::chrono::hours life) {
  const auto seconds = [](TimePoint t) {
    return static_cast<time_t>(
        std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count());
  };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(now - kClockSlack)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(now + life)) != nullptr;
}

bool set_random_serial(X509* certificate) {
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

bool set_name(X509_NAME* name, const std::string& common) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common.data()),
                                    static_cast<int>(common.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

Result<Certificate> make_ca(EVP_PKEY* key, TimePoint now) {
  Certificate ca(X509_new());
  X509* const raw = ca.get();
  const bool made = ca && X509_set_version(raw, X509_VERSION_3) == 1 && set_random_serial(raw) &&
                    set_validity(raw, now, kCaLife) &&
                    set_name(X509_get_subject_name(raw), "Remit private authority") &&
                    X509_set_issuer_name(raw, X509_get_subject_name(raw)) == 1 &&
                    X509_set_pubkey(raw, key) == 1 &&
                    add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(raw, raw, NID_subject_key_identifier, "hash") &&
                    X509_sign(raw, key, EVP_sha256()) > 0;
  if (!made) return tls_failed("making the private authority");
  return ca;
}

std::string subject_alternative(std::string_view host) {
  boost::system::error_code is_name;
  asio::ip::make_address(std::string(host), is_name);
  return fmt::format("{}:{}", is_name ? "DNS" : "IP", host);
}

// The host goes into OpenSSL's little extension language: nothing of it may be syntax there.
bool is_plain_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                       c == '_' || c == ':';
    if (!plain) return false;
  }
  return true;
}

Result<std::string> to_pem(X509* certificate) {
  const Bytes out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_X509(out.get(), certificate) != 1) return tls_failed("writing PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

using Context = std::shared_ptr<asio::ssl::context>;

}  // namespace

Result<Context> make_client_tls(const std::string& ca_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  boost::system::error_code ec;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_default_verify_paths(ec);
  if (!ec && !ca_file.empty()) context->load_verify_file(ca_file, ec);
  if (ec) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("{}: cannot read certificates: {}",
                            ca_file.empty() ? "system certificates" : ca_file, ec.message()));
  }
  context->set_verify_mode(asio::ssl::verify_peer, ec);
  return context;
}

Result<> check_ca_file(const std::string& ca_file) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  boost::system::error_code ec;
  context.load_verify_file(ca_file, ec);
  if (!ec) return {};
  return fail(ErrorCode::InvalidInput,
              fmt::format("{}: cannot read certificates: {}", ca_file, ec.message()));
}

namespace {

int select_protocol(std::string_view offered, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned int in_size) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size,
                                          reinterpret_cast<const unsigned char*>(offered.data()),
                                          static_cast<unsigned int>(offered.size()), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                  unsigned int in_size, void*) {
  return select_protocol("\x08http/1.1", out, out_size, in, in_size);
}

int select_http2(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                 unsigned int in_size, void*) {
  return select_protocol("\x02h2\x08http/1.1", out, out_size, in, in_size);
}

}  // namespace

struct PrivateCa::State {
  const Clock* clock;
  Key ca_key;
  Certificate ca;
  std::string pem;
  Key leaf_key;  // one for all leaves: they end in the same process, and keys cost time
  std::list<std::string> recent;  // hosts, the latest first
  struct Leaf {
    Context context;
    std::list<std::string>::iterator place;
    TimePoint renew;
  };
  std::map<std::string, Leaf, std::less<>> leaves;

  Result<Context> mint(std::string_view host, Spoken spoken) const;
};

PrivateCa::PrivateCa(std::unique_ptr<State> state) : state_(std::move(state)) {}
PrivateCa::PrivateCa(PrivateCa&&) noexcept = default;
PrivateCa& PrivateCa::operator=(PrivateCa&&) noexcept = default;
PrivateCa::~PrivateCa() = default;

Result<PrivateCa> PrivateCa::make(const Clock& clock) {
  auto state = std::make_unique<State>();
  state->clock = &clock;
  state->ca_key = make_key();
  state->leaf_key = make_key();
  if (!state->ca_key || !state->leaf_key) return tls_failed("making keys");
  REMIT_TRY(state->ca, make_ca(state->ca_key.get(), clock.now()));
  REMIT_TRY(state->pem, to_pem(state->ca.get()));
  return PrivateCa(std::move(state));
}

const std::string& PrivateCa::ca_pem() const { return state_->pem; }

Result<Context> PrivateCa::State::mint(std::string_view host, Spoken spoken) const {
  if (!is_plain_host(host)) return fail(ErrorCode::InvalidInput, "not a host name");
  const Certificate leaf(X509_new());
  X509* const raw = leaf.get();
  // A common name holds at most 64 bytes; clients look at the alternative name only.
  const std::string common(host.substr(0, 64));
  const bool made = leaf && X509_set_version(raw, X509_VERSION_3) == 1 && set_random_serial(raw) &&
                    set_validity(raw, clock->now(), kLeafLife) &&
                    set_name(X509_get_subject_name(raw), common) &&
                    X509_set_issuer_name(raw, X509_get_subject_name(ca.get())) == 1 &&
                    X509_set_pubkey(raw, leaf_key.get()) == 1 &&
                    add_extension(raw, ca.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(raw, ca.get(), NID_key_usage, "critical,digitalSignature") &&
                    add_extension(raw, ca.get(), NID_ext_key_usage, "serverAuth") &&
                    add_extension(raw, ca.get(), NID_authority_key_identifier, "keyid") &&
                    add_extension(raw, ca.get(), NID_subject_alt_name, subject_alternative(host)) &&
                    X509_sign(raw, ca_key.get(), EVP_sha256()) > 0;
  if (!made) return tls_failed("making a certificate");
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_alpn_select_cb(native, spoken == Spoken::Http2Too ? select_http2 : select_http11,
                             nullptr);
  if (SSL_CTX_use_certificate(native, raw) != 1 ||
      SSL_CTX_use_PrivateKey(native, leaf_key.get()) != 1) {
    return tls_failed("using a certificate");
  }
  return context;
}

Result<Context> PrivateCa::context_for(std::string_view host, Spoken spoken) {
  const auto found = state_->leaves.find(host);
  if (found != state_->leaves.end() && found->second.renew > state_->clock->now()) {
    state_->recent.splice(state_->recent.begin(), state_->recent, found->second.place);
    return found->second.context;
  }
  if (found != state_->leaves.end()) {
    state_->recent.erase(found->second.place);
    state_->leaves.erase(found);
  }
  REMIT_TRY(auto context, state_->mint(host, spoken));
  if (state_->leaves.size() >= kMaxLeaves) {
    state_->leaves.erase(state_->recent.back());
    state_->recent.pop_back();
  }
  state_->recent.emplace_front(host);
  state_->leaves.emplace(std::string(host), State::Leaf{context, state_->recent.begin(),
                                                        state_->clock->now() + kLeafLife / 2});
  return context;
}

}  // namespace remit::net
