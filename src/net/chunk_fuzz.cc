// The result does not depend on how the bytes are cut, and content goes through unchanged when it
// is written in chunks and read again.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/chunk.h"

namespace {

using namespace remit::net;

struct Seen {
  bool ok = true;
  bool done = false;
  std::string content;
  std::size_t consumed = 0;
  bool operator==(const Seen&) const = default;
};

Seen decode(std::string_view bytes, std::size_t piece) {
  ChunkDecoder decoder;
  Seen seen;
  while (seen.consumed < bytes.size() && !decoder.done()) {
    const auto step = decoder.step(bytes.substr(seen.consumed, piece));
    if (!step) {
      // Where in the piece it failed is not told, so only that it failed is compared.
      return Seen{false, false, {}, 0};
    }
    seen.content.append(step->content);
    seen.consumed += step->consumed;
  }
  seen.done = decoder.done();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Seen whole = decode(bytes, size == 0 ? 1 : size);
  REMIT_CHECK(decode(bytes, 1) == whole);
  REMIT_CHECK(decode(bytes, 3) == whole);

  std::string written;
  for (std::size_t at = 0, piece = 1; at < size; at += piece, piece = piece * 2 + 1) {
    const std::string_view now = bytes.substr(at, piece);
    append_chunk_size(written, now.size());
    written.append(now).append("\r\n");
  }
  written.append("0\r\n\r\n");
  const Seen back = decode(written, 5);
  REMIT_CHECK(back.ok && back.done && back.content == bytes && back.consumed == written.size());
  return 0;
}
