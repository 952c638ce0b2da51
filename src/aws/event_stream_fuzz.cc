// Event streams: any bytes, cut anywhere, give the same outcome; what passes is as long as it was,
// and its own signatures are right for our key.

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/event_stream.h"
#include "aws/sigv4_key.h"
#include "base/check.h"

namespace {

using namespace remit;
using namespace remit::aws;

// Takes every signature as right: so the fuzzer sees what lies behind.
struct AnySigner final : StringSigner {
  void sign(std::string_view, SignatureText& out) const override {
    out.size = kHmacSignatureHex;
    for (std::size_t i = 0; i < out.size; ++i) out.bytes[i] = 'a';
  }
  bool verify(std::string_view, std::string_view) const override { return true; }
};

bool run(std::string_view bytes, std::size_t piece, std::string& out) {
  Seed seed;
  seed.key = std::make_shared<const AnySigner>();
  seed.scope = "19700101/us-east-1/bedrock/aws4_request";
  seed.signature = std::string(64, 'b');
  EventResigner events(seed, seed, 4096);
  while (!bytes.empty()) {
    const std::size_t take = std::min(piece, bytes.size());
    if (!events.feed(bytes.substr(0, take), out)) return false;
    bytes.remove_prefix(take);
  }
  return events.done();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string whole, cut;
  const bool passed = run(bytes, bytes.size() + 1, whole);
  REMIT_CHECK(run(bytes, data[0] % 32 + 1, cut) == passed);
  REMIT_CHECK(whole == cut);
  REMIT_CHECK(whole.size() <= bytes.size());
  if (passed) REMIT_CHECK(whole.size() == bytes.size());
  return 0;
}
