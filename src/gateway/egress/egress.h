#pragma once

// Egress: where the AWS requests of lanes arrive. Each is verified against the placeholder of its
// lane, identified, decided under the session policy of the call in force, recorded, rebuilt,
// re-signed with that call's session and streamed; or refused in the protocol's own error form,
// with a reason, which is also reported to the call. A request for credentials is answered with a
// placeholder for them, or refused (hand_out.h).
//
// Two ways in, one listener: as an endpoint (AWS_ENDPOINT_URL=http://127.0.0.1:port) and as a proxy
// (HTTPS_PROXY=http://<placeholder id>:<token>@127.0.0.1:port, with a private authority).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/catalogue.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "gateway/egress/unsafe.h"
#include "gateway/lane.h"
#include "gateway/metadata_door.h"
#include "ledger/ledger.h"
#include "net/channel.h"
#include "net/client.h"
#include "net/task.h"

namespace remit::gateway {

// All of them must outlive the Egress.
struct EgressParts {
  net::Loop& loop;
  const Clock& clock;
  Random& random;
  Log& log;
  const LaneTable& lanes;
  const aws::Catalogue& catalogue;
  ledger::Ledger& ledger;
  // For requests whose answer carries credentials; null: those are refused.
  aws::StsClient* sts = nullptr;
  net::HttpClient* http = nullptr;
};

struct EgressOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  // Custom endpoints by full host, service, signing name or "*" (rules::AwsConfig::endpoints).
  std::vector<std::pair<std::string, std::string>> endpoints;
  net::ClientOptions client;
  net::Timeouts timeouts;
  std::chrono::milliseconds answer_limit{960'000};  // until AWS begins, or goes on with, an answer
  std::chrono::milliseconds tick{250};              // how coarse the timeouts are
  std::size_t max_connections = 4096;
  // A body that must be read before it can be decided on, or hashed before it can be signed.
  std::size_t max_held_body = std::size_t{64} << 20;
  std::size_t max_held_bytes = std::size_t{256} << 20;  // of all such bodies together
  // Records of decisions tell the condition keys of the request too: what `remit learn` reads.
  bool observe = false;
  std::optional<UnsafeDecisionOff> unsafe_decision_off;
};

class Egress {
 public:
  // Starts to listen. InvalidInput: an endpoint that is no URL, an unreadable CA bundle.
  static Result<std::unique_ptr<Egress>> start(EgressParts parts, EgressOptions options);
  virtual ~Egress() = default;

  virtual std::uint16_t port() const = 0;
  // What children must trust, PEM: the private authority of CONNECT.
  virtual const std::string& ca_pem() const = 0;
  // The lane's own instance metadata, for `credentials: imds`.
  virtual Result<std::unique_ptr<MetadataDoor>> open_metadata(std::shared_ptr<Lane> lane,
                                                              MayAsk may_ask) = 0;
  // Ends credentials that calls asked for and that act as what fits (derived.h). How many.
  virtual std::size_t end_derived(const std::function<bool(const CallFacts& facts)>& fits) = 0;
  // Closes the listener and cuts all connections.
  virtual void stop() = 0;
};

}  // namespace remit::gateway
