#pragma once

// TLS, both sides: contexts that verify as a client, and a private certificate authority that
// lives in memory for as long as the gateway runs, for CONNECT.

#include <boost/asio/ssl/context.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace remit::net {

// TLS 1.2 or later, peer verified against the system's roots and `ca_file` (PEM; may be empty).
// The name is checked for each connection (net/stream.h).
Result<std::shared_ptr<boost::asio::ssl::context>> make_client_tls(const std::string& ca_file);

// Whether the file holds certificates; quicker than reading the system's with it.
Result<> check_ca_file(const std::string& ca_file);

// A certificate authority made anew at start: ECDSA P-256, its key never leaves memory. Children
// of the gateway are told to trust ca_pem(); nobody else ever should.
class PrivateCa {
 public:
  static Result<PrivateCa> make(const Clock& clock);
  PrivateCa(PrivateCa&&) noexcept;
  PrivateCa& operator=(PrivateCa&&) noexcept;
  ~PrivateCa();

  const std::string& ca_pem() const;

  // A server context with a leaf for `host` (DNS name or IP address), minted on first use and
  // kept; at most 512 are kept, the least recently used goes first. `host` must be lower case.
  // A client that asks by ALPN is told what is spoken there: always the same for a host.
  enum class Spoken : bool { Http11, Http2Too };
  Result<std::shared_ptr<boost::asio::ssl::context>> context_for(std::string_view host,
                                                                 Spoken spoken = Spoken::Http11);

 private:
  struct State;
  explicit PrivateCa(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace remit::net
