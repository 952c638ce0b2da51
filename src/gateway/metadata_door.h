#pragma once

// A lane's own instance metadata: a listener on 127.0.0.1 whose port names the lane, because SDKs
// for JavaScript and Go use nothing but host and port of AWS_EC2_METADATA_SERVICE_ENDPOINT. Ports
// are no secret, so it answers only processes that the lane started (process_tree.h); what it gives
// are placeholders (egress/credential_endpoint.h). docs/credential-endpoints.md.

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "gateway/lane.h"
#include "net/peer_socket.h"

namespace remit::gateway {

// Listens as long as it lives; connections end with it.
class MetadataDoor {
 public:
  virtual ~MetadataDoor() = default;
  virtual std::uint16_t port() const = 0;
};

// Whether who is at the other end may ask. Called once for each connection.
using MayAsk = std::function<bool(const net::PeerSocket& peer)>;
using OpenMetadata = std::function<Result<std::unique_ptr<MetadataDoor>>(std::shared_ptr<Lane> lane,
                                                                         MayAsk may_ask)>;

}  // namespace remit::gateway
