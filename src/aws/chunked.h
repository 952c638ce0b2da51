#pragma once

// aws-chunked bodies, re-signed while they pass: every form of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and -trailers.html.
//
//   <hex size>;chunk-signature=<signature>CRLF <bytes>CRLF ... 0;chunk-signature=...CRLF
//   [x-amz-checksum-crc32c:...CRLF x-amz-trailer-signature:...CRLF] CRLF
//
// A signed chunk is checked against the client's signature before any byte of it is handed on, and
// carries our signature when it is: so it is held whole, and its size is bounded. Each chunk is
// hashed once and signed twice. Sizes do not change, so neither does Content-Length. In
// STREAMING-UNSIGNED-PAYLOAD-TRAILER nothing is signed: bytes pass at once, only framing is
// checked. The messages of an event stream (aws/event_stream.h) pass through the same door.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.h"
#include "base/result.h"

namespace remit::aws {

inline constexpr std::size_t kMaxSignedChunk = std::size_t{16} << 20;

struct ReframeInput {
  Payload payload = Payload::StreamingHmac;  // is_aws_chunked() of it holds, or StreamingEvents
  Seed inbound;                              // not used for StreamingUnsignedTrailer
  Seed outbound;                             // the same algorithm as inbound
  std::uint64_t decoded_length = 0;          // X-Amz-Decoded-Content-Length
  std::string_view trailers;  // X-Amz-Trailer: names allowed, and required, in the trailer
  std::size_t max_chunk = kMaxSignedChunk;
};

enum class ReframeState : std::uint8_t {
  NeedMore,
  Done,  // the terminating line or message has been read: the body must end here
};

class Reframer {
 public:
  static Result<Reframer> make(const ReframeInput& input);
  Reframer(Reframer&&) noexcept;
  Reframer& operator=(Reframer&&) noexcept;
  ~Reframer();

  // Takes the next bytes of the client's body, in pieces of any size, and appends to `out` what may
  // now be sent. After an error nothing more may be sent: close the upstream connection. Errors:
  // Denied (a signature does not match), InvalidInput (framing, lengths, trailers, bytes after the
  // end), LimitExceeded (a signed chunk larger than the cap).
  Result<ReframeState> feed(std::string_view bytes, std::string& out);

  // At the end of the client's body: an error unless Done was reached.
  Result<> finish() const;

  std::uint64_t decoded_bytes() const;  // of payload seen and checked so far

 private:
  struct State;
  explicit Reframer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace remit::aws
