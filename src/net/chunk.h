#pragma once

// The chunked transfer coding (RFC 9112, 7.1), strictly: no extensions, no padding zeros in
// sizes, no bare line feeds, trailers kept apart from the head's fields. Pure: no sockets.
//
// The `aws-chunked` *content* coding that AWS SDKs put inside is content here (aws/chunked.h).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace remit::net {

class ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::string_view content;  // part of the input; may be empty although input was consumed
  };

  // Consumes some of `in`: at most up to the end of the content of one chunk, and never a byte
  // behind the body's end. The result does not depend on how the bytes were cut into calls.
  // Errors are InvalidInput; the decoder must not be used after one.
  Result<Step> step(std::string_view in);

  bool done() const { return state_ == State::Done; }
  const http::Fields& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t { Size, SizeLf, Content, ContentCr, ContentLf, Trailer, Done };

  Result<> size_byte(char c);
  Result<> trailer_byte(char c);
  Result<> take_trailer_line();

  State state_ = State::Size;
  std::uint64_t left_ = 0;
  unsigned digits_ = 0;
  std::string line_;
  std::size_t trailer_bytes_ = 0;
  http::Fields trailers_;
};

// Appends `size` in the form of a chunk's first line.
void append_chunk_size(std::string& out, std::uint64_t size);

}  // namespace remit::net
