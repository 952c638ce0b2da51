#include "net/head.h"

#include <gtest/gtest.h>

#include <random>

#include "net/head_by_beast.h"

namespace remit::net {
namespace {

Result<Framing> read_request(const std::string& bytes, http::RequestHead& head) {
  REMIT_CHECKED(parse_request_head(bytes, head));
  return request_framing(head);
}

struct Case {
  std::string_view why;
  std::string bytes;
};

TEST(RequestHead, RefusesWhateverTwoReadersCouldReadDifferently) {
  const std::string host = "Host: a\r\n";
  const Case kCases[] = {
      {"coding other than chunked",
       "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n"},
      {"two codings", "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, gzip\r\n\r\n"},
      {"unknown coding", "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n"},
      {"identity", "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n"},
      {"coding in capitals", "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: CHUNKED\r\n\r\n"},
      {"coding twice", "PUT / HTTP/1.1\r\n" + host +
                           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"coding in HTTP/1.0", "PUT / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n"},
      {"coding and length",
       "PUT / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"list of lengths", "PUT / HTTP/1.1\r\n" + host + "Content-Length: 3, 3\r\n\r\n"},
      {"equal lengths twice",
       "PUT / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"},
      {"different lengths",
       "PUT / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"},
      {"signed length", "PUT / HTTP/1.1\r\n" + host + "Content-Length: +3\r\n\r\n"},
      {"padded length", "PUT / HTTP/1.1\r\n" + host + "Content-Length: 03\r\n\r\n"},
      {"hexadecimal length", "PUT / HTTP/1.1\r\n" + host + "Content-Length: 0x3\r\n\r\n"},
      {"empty length", "PUT / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\n"},
      {"length beyond 64 bits",
       "PUT / HTTP/1.1\r\n" + host + "Content-Length: 18446744073709551617\r\n\r\n"},
      {"folded line", "GET / HTTP/1.1\r\n" + host + "X-A: b\r\n c\r\n\r\n"},
      {"folded first line", "GET / HTTP/1.1\r\n X-A: b\r\n" + host + "\r\n"},
      {"two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n"},
      {"no host", "GET / HTTP/1.1\r\n\r\n"},
      {"no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"},
      {"8-bit byte in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n"},
      {"control byte in the target", "GET /\x01 HTTP/1.1\r\n" + host + "\r\n"},
      {"blank in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n"},
      {"bare line feed", "GET / HTTP/1.1\n" + host + "\r\n"},
      {"bare line feed after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n\r\n"},
      {"bare carriage return", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"},
      {"blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
      {"field without a name", "GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n"},
      {"field without a colon", "GET / HTTP/1.1\r\n" + host + "abc\r\n\r\n"},
      {"NUL in a value", "GET / HTTP/1.1\r\n" + host + std::string("X: a\0b\r\n\r\n", 10)},
      {"control byte in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x02\r\n\r\n"},
      {"DEL in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x7f\r\n\r\n"},
      {"list of options that is none", "GET / HTTP/1.1\r\n" + host + "Connection: a b\r\n\r\n"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n"},
      {"HTTP/0.9", "GET /\r\n\r\n"},
      {"empty line first", "\r\nGET / HTTP/1.1\r\n" + host + "\r\n"},
      {"two blanks in the request line", "GET  / HTTP/1.1\r\n" + host + "\r\n"},
      {"two heads", "GET / HTTP/1.1\r\n" + host + "\r\nGET / HTTP/1.1\r\n" + host + "\r\n"},
  };
  for (const auto& [why, bytes] : kCases) {
    http::RequestHead head;
    EXPECT_FALSE(read_request(bytes, head)) << why;
  }
}

TEST(RequestHead, KeepsEveryByteAndTheOrderOfFields) {
  http::RequestHead head;
  ASSERT_TRUE(
      parse_request_head("GET /a%2Fb?x=%20 HTTP/1.1\r\nhOsT:a:80 \r\nX-A:  b\tc\r\nX-B:\r\n"
                         "x-a: \xc3\xa4\r\n\r\n",
                         head));
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a%2Fb?x=%20");
  ASSERT_EQ(head.fields.size(), 4u);
  EXPECT_EQ(head.fields[0].name, "hOsT");
  EXPECT_EQ(head.fields[0].value, "a:80");
  EXPECT_EQ(head.fields[1].value, "b\tc");
  EXPECT_EQ(head.fields[2].value, "");
  EXPECT_EQ(head.fields[3].value, "\xc3\xa4");
}

TEST(RequestHead, TakesConnectAsBotocoreSendsIt) {
  http::RequestHead head;
  ASSERT_TRUE(parse_request_head("CONNECT s3.amazonaws.com:443 HTTP/1.0\r\n\r\n", head));
  EXPECT_EQ(head.target, "s3.amazonaws.com:443");
  EXPECT_EQ(head.version, 10);
}

TEST(RequestHead, ReusedForAnotherRequestHoldsNothingOfTheFirst) {
  http::RequestHead head;
  ASSERT_TRUE(parse_request_head("GET /one HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\n\r\n", head));
  ASSERT_TRUE(parse_request_head("GET /two HTTP/1.1\r\nHost: b\r\n\r\n", head));
  ASSERT_EQ(head.fields.size(), 1u);
  EXPECT_EQ(head.fields[0].value, "b");
}

TEST(RequestHead, RefusesMoreThan256FieldsAndMoreThan64KiB) {
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 256; ++i) many += "X: 1\r\n";
  http::RequestHead head;
  EXPECT_FALSE(parse_request_head(many + "\r\n", head));
  const std::string large =
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kMaxHeadBytes, 'x') + "\r\n\r\n";
  EXPECT_EQ(parse_request_head(large, head).error().code, ErrorCode::LimitExceeded);
  const std::string token =
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40 << 10, 'x') + "\r\n\r\n";
  EXPECT_TRUE(parse_request_head(token, head));
}

TEST(ResponseHead, FindsTheBodysEnd) {
  struct Row {
    std::string_view fields, method;
    int status;
    Framing want;
  };
  using Kind = Framing::Kind;
  const Row kRows[] = {
      {"Content-Length: 5\r\n", "GET", 200, {Kind::Length, 5}},
      {"Content-Length: 5\r\n", "HEAD", 200, {}},
      {"Content-Length: 5\r\n", "GET", 304, {}},
      {"", "GET", 204, {}},
      {"", "GET", 200, {Kind::UntilClose, 0}},
      {"Transfer-Encoding: chunked\r\n", "GET", 200, {Kind::Chunked, 0}},
  };
  for (const auto& [fields, method, status, want] : kRows) {
    http::ResponseHead head;
    const std::string bytes =
        "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(fields) + "\r\n";
    ASSERT_TRUE(parse_response_head(bytes, head)) << bytes;
    const auto framing = response_framing(head, method);
    ASSERT_TRUE(framing);
    EXPECT_EQ(*framing, want) << bytes << " to " << method;
  }
}

// One byte of `head` changed, added or taken away; all of them, several times.
std::string damaged(std::string head, std::mt19937& random) {
  static constexpr std::string_view kBytes("\r\n \t:;,\"\\/aZ09-_\0\x7f\x80\xff", 20);
  const int changes = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < changes; ++i) {
    const std::size_t at = random() % head.size();
    const char byte = kBytes[random() % kBytes.size()];
    switch (random() % 4) {
      case 0:
        head[at] = byte;
        break;
      case 1:
        head.insert(at, 1, byte);
        break;
      case 2:
        head.erase(at, 1);
        break;
      default:
        head.insert(at, head.substr(random() % head.size(), 1 + random() % 12));
    }
  }
  return head;
}

bool read_alike(const http::Fields& a, const http::Fields& b) {
  return std::ranges::equal(a, b, [](const http::Field& x, const http::Field& y) {
    return x.name == y.name && x.value == y.value;
  });
}

TEST(RequestHead, ThatIsTakenIsReadByBeastAsTheSame) {
  const std::string whole =
      "PUT /b/k%20?x=1&y HTTP/1.1\r\nHost: a:80\r\nConnection: close, te\r\nContent-Length: 12\r\n"
      "x-amz-date:20261121T000000Z \r\nX: \tb c\r\nExpect: 100-continue\r\nY:\r\n\r\n";
  std::mt19937 random(1);
  int taken = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string bytes = damaged(whole, random);
    http::RequestHead head;
    if (!read_request(bytes, head)) continue;
    ++taken;
    const auto beast = BeastReading<true>::of(bytes);
    ASSERT_TRUE(beast) << bytes;
    EXPECT_EQ(beast->method, head.method) << bytes;
    EXPECT_EQ(beast->target, head.target) << bytes;
    EXPECT_EQ(beast->version, head.version) << bytes;
    EXPECT_TRUE(read_alike(beast->fields, head.fields)) << bytes;
  }
  EXPECT_GT(taken, 1000);
}

TEST(ResponseHead, ThatIsTakenIsReadByBeastAsTheSame) {
  const std::string whole =
      "HTTP/1.1 200 Very OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\nServer:  a "
      "b\r\nX:\r\n\r\n";
  std::mt19937 random(2);
  int taken = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string bytes = damaged(whole, random);
    http::ResponseHead head;
    if (!parse_response_head(bytes, head) || !response_framing(head, "GET")) continue;
    ++taken;
    const auto beast = BeastReading<false>::of(bytes);
    ASSERT_TRUE(beast) << bytes;
    EXPECT_EQ(beast->status, head.status) << bytes;
    EXPECT_EQ(beast->reason, head.reason) << bytes;
    EXPECT_EQ(beast->version, head.version) << bytes;
    EXPECT_TRUE(read_alike(beast->fields, head.fields)) << bytes;
  }
  EXPECT_GT(taken, 1000);
}

TEST(Token, IsWhatRfc9110ListsAtEveryPlace) {
  const std::string_view allowed =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        ASSERT_EQ(is_token(text), allowed.contains(static_cast<char>(byte))) << size << at << byte;
      }
    }
  }
  EXPECT_FALSE(is_token(""));
}

TEST(ResponseHead, NeedsTheBlankBehindItsStatusAndNoWords) {
  http::ResponseHead head;
  ASSERT_TRUE(parse_response_head("HTTP/1.1 200 \r\nX: a\r\n\r\n", head));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.reason, "");
  for (const std::string_view line :
       {"HTTP/1.1 200", "HTTP/1.1 2000", "HTTP/1.1 20 OK", "HTTP/1.1 -20 OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 600 X", "HTTP/2 200", "HTTP/1.1", "HTTP/1.1 200\tOK", "HTTP/1.1 200 O\x01K",
        "ICY 200 OK"}) {
    EXPECT_FALSE(parse_response_head(std::string(line) + "\r\nX: a\r\n\r\n", head)) << line;
  }
}

TEST(ResponseHead, RefusesAmbiguousFraming) {
  for (const std::string_view fields :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"}) {
    http::ResponseHead head;
    const bool parsed =
        parse_response_head("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n", head).has_value();
    EXPECT_FALSE(parsed && response_framing(head, "GET")) << fields;
  }
}

TEST(WritingHeads, RefusesBytesThatWouldEndAFieldEarly) {
  std::string out = "kept";
  http::RequestHead head{"GET", "/", 11, {{"Host", "a"}, {"X", "b\r\nEvil: 1"}}};
  EXPECT_FALSE(append_request_head(out, head));
  head.fields[1] = {"X y", "b"};
  EXPECT_FALSE(append_request_head(out, head));
  head.fields[1] = {"X", "b"};
  head.target = "/ HTTP/1.1\r\nEvil: 1";
  EXPECT_FALSE(append_request_head(out, head));
  EXPECT_EQ(out, "kept");
  head.target = "/";
  EXPECT_TRUE(append_request_head(out, head));
  EXPECT_EQ(out, "keptGET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n");
}

TEST(KeepsAlive, FollowsVersionAndConnection) {
  EXPECT_TRUE(keeps_alive(11, {}));
  EXPECT_FALSE(keeps_alive(10, {}));
  EXPECT_TRUE(keeps_alive(10, std::vector<http::Field>{{"Connection", "Keep-Alive"}}));
  EXPECT_FALSE(keeps_alive(11, std::vector<http::Field>{{"connection", "foo, Close"}}));
}

TEST(FindHeadEnd, FindsItWhereverTheBytesWereCut) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
  for (std::size_t scanned = 0; scanned + 4 < head.size() - 3; ++scanned) {
    EXPECT_EQ(find_head_end(head, scanned), head.size() - 4) << scanned;
  }
  EXPECT_EQ(find_head_end(head.substr(0, head.size() - 5), 0), std::nullopt);
}

}  // namespace
}  // namespace remit::net
