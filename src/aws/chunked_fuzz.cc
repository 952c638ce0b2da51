// aws-chunked framing: any bytes, cut anywhere, give the same outcome; what passes has the size
// that came in and holds what X-Amz-Decoded-Content-Length said.

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/chunked.h"
#include "aws/sigv4_key.h"
#include "base/check.h"

namespace {

using namespace remit;
using namespace remit::aws;

struct Outcome {
  bool passed = false;
  std::string out;
  std::uint64_t decoded = 0;
};

Outcome run(const ReframeInput& input, std::string_view body, std::size_t piece) {
  Outcome outcome;
  auto reframer = Reframer::make(input);
  if (!reframer) return outcome;
  while (!body.empty()) {
    const std::size_t take = std::min(piece, body.size());
    std::string out;
    if (!reframer->feed(body.substr(0, take), out)) return outcome;
    outcome.out += out;
    body.remove_prefix(take);
  }
  outcome.passed = reframer->finish().has_value();
  outcome.decoded = reframer->decoded_bytes();
  return outcome;
}

Seed seed(std::string_view secret) {
  return {Algorithm::HmacSha256, derive_hmac_key(Secret(secret), "20261121", "us-east-1", "s3"),
          "20261121T150405Z", "20261121/us-east-1/s3/aws4_request", std::string(64, 'a')};
}

}  // namespace

// First byte: the form; second: the cut; then the decoded length in two bytes, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  constexpr Payload kForms[] = {Payload::StreamingUnsignedTrailer, Payload::StreamingHmac,
                                Payload::StreamingHmacTrailer};
  static const Seed kInbound = seed("client");
  static const Seed kOutbound = seed("ours");
  ReframeInput input;
  input.payload = kForms[data[0] % 3];
  input.inbound = kInbound;
  input.outbound = kOutbound;
  input.decoded_length = static_cast<std::uint64_t>(data[2] * 256 + data[3]);
  input.trailers = "x-amz-checksum-crc32c";
  const std::string_view body(reinterpret_cast<const char*>(data + 4), size - 4);
  const Outcome whole = run(input, body, body.size() + 1);
  const Outcome cut = run(input, body, static_cast<std::size_t>(data[1] % 16) + 1);
  REMIT_CHECK(whole.passed == cut.passed);
  if (!whole.passed) return 0;
  REMIT_CHECK(whole.out == cut.out);
  REMIT_CHECK(whole.out.size() == body.size());
  REMIT_CHECK(whole.decoded == input.decoded_length);
  if (input.payload == Payload::StreamingUnsignedTrailer) REMIT_CHECK(whole.out == body);
  return 0;
}
