#include "net/chunk.h"

#include <gtest/gtest.h>

namespace remit::net {
namespace {

struct Decoded {
  std::string content;
  std::string rest;
  bool done = false;
  http::Fields trailers;
};

Result<Decoded> decode(std::string_view bytes, std::size_t piece) {
  ChunkDecoder decoder;
  Decoded out;
  while (!bytes.empty() && !decoder.done()) {
    std::string_view now = bytes.substr(0, piece);
    REMIT_TRY(const auto step, decoder.step(now));
    out.content.append(step.content);
    bytes.remove_prefix(step.consumed);
  }
  out.rest = bytes;
  out.done = decoder.done();
  out.trailers = decoder.trailers();
  return out;
}

TEST(ChunkDecoder, GivesTheSameHoweverTheBytesAreCut) {
  const std::string body =
      "5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\nA\r\n0123456789\r\n0\r\nX-T: 1 "
      "\r\n\r\nnext";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const auto decoded = decode(body, piece);
    ASSERT_TRUE(decoded) << piece << ": " << decoded.error().message;
    EXPECT_EQ(decoded->content, "helloabcdefghijklmnopqrstuvwxyz0123456789");
    EXPECT_TRUE(decoded->done);
    EXPECT_EQ(decoded->rest, "next");
    ASSERT_EQ(decoded->trailers.size(), 1u);
    EXPECT_EQ(decoded->trailers[0].value, "1");
  }
}

TEST(ChunkDecoder, RefusesWhatIsNotExactlyOneReading) {
  for (const std::string_view body : {"5;ext=1\r\nhello\r\n0\r\n\r\n",
                                      "05\r\nhello\r\n0\r\n\r\n",
                                      "00\r\n\r\n",
                                      "0x5\r\nhello\r\n0\r\n\r\n",
                                      "+5\r\nhello\r\n0\r\n\r\n",
                                      "5 \r\nhello\r\n0\r\n\r\n",
                                      " 5\r\nhello\r\n0\r\n\r\n",
                                      "5\nhello\r\n0\r\n\r\n",
                                      "5\r\nhello\n0\r\n\r\n",
                                      "5\r\nhello!\r\n0\r\n\r\n",
                                      "\r\n",
                                      "-1\r\n",
                                      "ffffffffffffffff1\r\n",
                                      "0\r\nX: 1\n\r\n",
                                      "0\r\n\n",
                                      "0\r\nContent-Length: 3\r\n\r\n",
                                      "0\r\nHost: a\r\n\r\n",
                                      "0\r\nno colon\r\n\r\n",
                                      "0\r\nX : 1\r\n\r\n",
                                      "0\r\n X: 1\r\n\r\n"}) {
    EXPECT_FALSE(decode(body, body.size())) << body;
    EXPECT_FALSE(decode(body, 1)) << body;
  }
}

TEST(ChunkDecoder, BoundsTrailers) {
  EXPECT_FALSE(decode("0\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 100));
}

TEST(ChunkDecoder, IsNotDoneBeforeTheLastLine) {
  const auto decoded = decode("5\r\nhello\r\n0\r\n", 100);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->done);
}

}  // namespace
}  // namespace remit::net
