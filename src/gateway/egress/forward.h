#pragma once

// Sends a request on to its destination and the answer back, streaming both. Internal to
// src/gateway/egress.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/chunked.h"
#include "gateway/egress/endpoints.h"
#include "gateway/egress/records.h"
#include "gateway/egress/service.h"
#include "net/channel.h"

namespace remit::gateway {

// What is sent. It and everything it refers to live in the awaiting caller.
struct Outgoing {
  const http::RequestHead* head = nullptr;  // signed; without framing fields
  net::Framing framing;
  // A body that was read before deciding. Otherwise it streams from the client.
  std::optional<std::string_view> held_body;
  // Of a streamed body: what the client said its SHA-256 is (hex). Another one: the upload is cut
  // before its end, so that nobody takes it for whole.
  std::string_view sha256;
  aws::Reframer* reframer = nullptr;  // of an aws-chunked body, or of an event stream
  bool both_ways = false;             // the answer comes while the body is being sent
  std::string queue_base;             // of the URLs of queues in the answer; empty: as they are
};

struct Forwarded {
  int status = 0;                 // 0: no answer came
  std::string request_id;         // AWS's own
  std::string error;              // why the exchange is not whole; empty when it is
  bool client_fault = false;      // the error is the client's: its body was not what it signed
  bool session_rejected = false;  // AWS said that the session is expired or unknown
  bool answer_started = false;    // bytes of an answer went to the client
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

// What the ledger is told of it. The texts are those of `forwarded`.
Done done_of(const ledger::Appended& decided, const Forwarded& forwarded,
             std::chrono::steady_clock::duration took);

// Both connections are closed when this was cut short in the middle of an answer. `answer` is where
// the answer's head is read to: its memory is kept from request to request.
net::Task<> forward(EgressService& service, net::ServerConnection& client,
                    const Destination& destination, const Outgoing& outgoing, Call* call,
                    http::ResponseHead& answer, Forwarded& done);

// A share of the memory that bodies which must be held may take together.
class HeldBytes {
 public:
  explicit HeldBytes(EgressService& service) : service_(service) {}
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  ~HeldBytes() { service_.held_bytes -= held_; }

  bool take(std::size_t bytes) {
    if (service_.held_bytes + bytes > service_.options.max_held_bytes) return false;
    service_.held_bytes += bytes;
    held_ += bytes;
    return true;
  }

 private:
  EgressService& service_;
  std::size_t held_ = 0;
};

// Reads the whole of the client's body. LimitExceeded beyond `limit`; Unavailable when too much is
// held already.
net::Task<Result<>> read_whole(net::ServerConnection& client, std::size_t limit, HeldBytes& held,
                               std::string& into);

// Fields that belong to one connection, not to the message (RFC 9110, 7.6.1), and what our own
// framing replaces.
void strip_connection_fields(http::Fields& fields, bool keep_length);

}  // namespace remit::gateway
