#pragma once

// The signed messages of an event-stream request (application/vnd.amazon.eventstream, after a head
// that says STREAMING-AWS4-HMAC-SHA256-EVENTS), re-signed while they pass: bidirectional calls of
// Bedrock, Lex, Polly, Q Business, Transcribe.
//
//   total length, length of headers, CRC-32 of both | headers | payload | CRC-32 of all before
//
// Each message of the request wraps the service's own message as its payload and has two headers,
// `:date` and `:chunk-signature`; a signature covers the one before it, first that of the head. The
// last message wraps nothing. What is wrapped is not looked into. Form and signature:
// https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "base/result.h"

namespace remit::aws {

// The largest message that is held: it must be checked before any of it is sent on.
inline constexpr std::size_t kMaxSignedEvent = std::size_t{16} << 20;

class EventResigner {
 public:
  // Both seeds of a head whose payload form is StreamingEvents.
  EventResigner(Seed inbound, Seed outbound, std::size_t max_message = kMaxSignedEvent);

  // Takes the next bytes, in pieces of any size, and appends to `out` the messages that may now be
  // sent; they are as long as they were. After an error nothing more may be sent. Denied: a
  // signature does not match. InvalidInput: malformed. LimitExceeded: a message over the cap.
  Result<> feed(std::string_view bytes, std::string& out);
  // The message that wraps nothing has come.
  bool done() const { return done_; }
  std::uint64_t wrapped_bytes() const { return wrapped_bytes_; }

 private:
  Result<> on_message(std::string& message);

  Seed inbound_;  // .signature is the last one of the chain
  Seed outbound_;
  std::size_t max_message_;
  std::string pending_;  // the message that is being read
  std::size_t wanted_;   // how long it must become before anything can be done
  bool done_ = false;
  std::uint64_t wrapped_bytes_ = 0;
};

}  // namespace remit::aws
