#pragma once

// What all connections of egress share. Internal to src/gateway/egress.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "gateway/egress/answers.h"
#include "gateway/egress/credential_endpoint.h"
#include "gateway/egress/derived.h"
#include "gateway/egress/egress.h"
#include "gateway/egress/endpoints.h"
#include "net/pool.h"
#include "net/tls.h"

namespace remit::gateway {

struct EgressService : std::enable_shared_from_this<EgressService> {
  EgressService(EgressParts its_parts, EgressOptions its_options, Endpoints its_endpoints,
                std::unique_ptr<net::ClientPool> its_pool, net::PrivateCa its_ca)
      : parts(its_parts),
        options(std::move(its_options)),
        endpoints(std::move(its_endpoints)),
        pool(std::move(its_pool)),
        ca(std::move(its_ca)),
        answers(parts.loop, parts.ledger, parts.clock, parts.log) {}

  EgressParts parts;
  EgressOptions options;
  Endpoints endpoints;
  std::unique_ptr<net::ClientPool> pool;
  net::PrivateCa ca;
  Answers answers;
  std::string own_authority;  // "127.0.0.1:port"
  std::shared_ptr<DerivedTable> derived = std::make_shared<DerivedTable>();
  CredentialEndpoint credentials;
  aws::Verifier verifier;
  aws::Signer signer;
  Sha256 sha;                  // for whole bodies; never across an await
  std::size_t held_bytes = 0;  // of all bodies that are being held

  bool unsafe() const { return options.unsafe_decision_off.has_value(); }
  // "REMIT-" and 26 base-32 characters: for answers that AWS never saw.
  std::string new_request_id() { return "REMIT-" + parts.random.base32(26); }
};

// Appends to the ledger and waits until the record is durable.
net::Task<Result<ledger::Appended>> append_and_wait(EgressService& service, ledger::Kind kind,
                                                    std::string call, std::string body,
                                                    ledger::Record::Parts parts = {});
// The same without waiting; a failure is logged.
void append(EgressService& service, ledger::Kind kind, std::string call, std::string body);

}  // namespace remit::gateway
