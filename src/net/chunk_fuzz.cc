// The result does not depend on how the bytes are cut, and content goes through unchanged when it
// is written in chunks and read again.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/chunk.h"

namespace {

using namespace remit::net;

struct InPieces {
  bool ok = true;
  bool done = false;
  std::string content;
  std::size_t consumed = 0;
  bool operator==(const InPieces&) const = default;
};

InPieces decode_in_pieces(std::string_view bytes, std::size_t piece) {
  ChunkDecoder decoder;
  InPieces read;
  while (read.consumed < bytes.size() && !decoder.done()) {
    const auto step = decoder.step(bytes.substr(read.consumed, piece));
    if (!step) {
      // Where in the piece it failed is not told, so only that it failed is compared.
      return InPieces{false, false, {}, 0};
    }
    read.content.append(step->content);
    read.consumed += step->consumed;
  }
  read.done = decoder.done();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const InPieces whole = decode_in_pieces(bytes, size == 0 ? 1 : size);
  REMIT_CHECK(decode_in_pieces(bytes, 1) == whole);
  REMIT_CHECK(decode_in_pieces(bytes, 3) == whole);

  std::string written;
  for (std::size_t at = 0, piece = 1; at < size; at += piece, piece = piece * 2 + 1) {
    const std::string_view now = bytes.substr(at, piece);
    append_chunk_size(written, now.size());
    written.append(now).append("\r\n");
  }
  written.append("0\r\n\r\n");
  const InPieces back = decode_in_pieces(written, 5);
  REMIT_CHECK(back.ok && back.done && back.content == bytes && back.consumed == written.size());
  return 0;
}
