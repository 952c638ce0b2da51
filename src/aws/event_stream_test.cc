#include "aws/event_stream.h"

#include <boost/crc.hpp>

#include "aws/sigv4_key.h"
#include "base/digest.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

void put_crc(std::string& out) {
  boost::crc_32_type crc;
  crc.process_bytes(out.data(), out.size());
  put(out, crc.checksum(), 4);
}

std::string message(std::string_view headers, std::string_view payload) {
  std::string out;
  put(out, 16 + headers.size() + payload.size(), 4);
  put(out, headers.size(), 4);
  put_crc(out);
  out.append(headers).append(payload);
  put_crc(out);
  return out;
}

std::string date_header(std::uint64_t milliseconds) {
  std::string out = "\x05:date\x08";
  put(out, milliseconds, 8);
  return out;
}

constexpr std::uint64_t kNoon = 1'795'262'400'000;  // 2026-11-21T12:00:00Z

Seed seed_of(std::string_view secret) {
  const Secret key{secret};
  return {.algorithm = Algorithm::HmacSha256,
          .key = derive_hmac_key(key, "20261121", "us-east-1", "bedrock"),
          .timestamp = "20261121T120000Z",
          .scope = "20261121/us-east-1/bedrock/aws4_request",
          .signature = std::string(64, secret.front() == 'c' ? 'a' : 'b'),
          .next_day = "20261122",
          .next_day_key = derive_hmac_key(key, "20261122", "us-east-1", "bedrock")};
}

// A client's side: signs messages one after the other.
class Client {
 public:
  explicit Client(std::string_view secret) : seed_(seed_of(secret)) {}

  std::string next(std::string_view payload, std::uint64_t time = kNoon,
                   std::string_view stamp = "20261121T120000Z") {
    const std::string date = date_header(time);
    std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n";
    text.append(stamp).append("\n").append(stamp.substr(0, 8));
    text.append("/us-east-1/bedrock/aws4_request\n").append(seed_.signature).append("\n");
    text.append(sha256_hex(date)).append("\n").append(sha256_hex(payload));
    SignatureText made;
    (stamp.starts_with(seed_.next_day) ? *seed_.next_day_key : *seed_.key).sign(text, made);
    seed_.signature.assign(made.view());
    std::string headers = date + "\x10:chunk-signature\x06";
    put(headers, 32, 2);
    headers += *unhex(made.view());
    return message(headers, payload);
  }

 private:
  Seed seed_;
};

EventResigner resigner(std::size_t most = kMaxSignedEvent) {
  return EventResigner(seed_of("client"), seed_of("ours"), most);
}

TEST(EventStream, EachMessageIsSignedAnewAndElseUnchanged) {
  Client client("client"), ours("ours");
  std::string in, wanted, out;
  for (const std::string_view payload : {"first", "second", ""}) {
    in += client.next(payload);
    wanted += ours.next(payload);
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, in.size()}) {
    auto events = resigner();
    out.clear();
    for (std::size_t at = 0; at < in.size(); at += piece) {
      EXPECT_FALSE(events.done());
      ASSERT_TRUE(events.feed(std::string_view(in).substr(at, piece), out));
    }
    EXPECT_TRUE(events.done());
    EXPECT_EQ(out, wanted);
  }
}

TEST(EventStream, AMessageAfterMidnightIsSignedForItsDay) {
  Client client("client"), ours("ours");
  const std::uint64_t later = kNoon + std::uint64_t{12} * 3600 * 1000;
  std::string out;
  auto events = resigner();
  ASSERT_TRUE(events.feed(client.next("late", later, "20261122T000000Z"), out));
  EXPECT_EQ(out, ours.next("late", later, "20261122T000000Z"));
  const std::uint64_t too_late = later + std::uint64_t{24} * 3600 * 1000;
  EXPECT_FALSE(events.feed(client.next("x", too_late, "20261123T000000Z"), out));
}

TEST(EventStream, NothingOfAMessageLeavesBeforeItIsProved) {
  Client client("client");
  const std::string good = client.next("payload");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good, out;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    auto events = resigner();
    EXPECT_FALSE(events.feed(changed, out)) << at;
    EXPECT_TRUE(out.empty());
  }
  std::string out;
  auto events = resigner();
  ASSERT_TRUE(events.feed(std::string_view(good).substr(0, good.size() - 1), out));
  EXPECT_TRUE(out.empty());
}

TEST(EventStream, RefusesWhatIsNotASignedStream) {
  Client other("else"), client("client");
  const std::string unsigned_message = message("\x05:none\x07\x00\x01x", "payload");
  std::string wrong_payload = client.next("payload");
  const std::string headers = wrong_payload.substr(12, 15 + 17 + 3 + 32);
  struct Case {
    std::string bytes;
    std::string_view says;
  };
  const std::vector<Case> cases = {
      {other.next("payload"), "signature of a message does not match"},
      {unsigned_message, "other headers"},
      {message(headers, "another"), "signature of a message does not match"},
      {message(date_header(kNoon), "x"), "other headers"},
      {message("", ""), "other headers"},
      {std::string(12, '\0'), "CRC of a prelude"},
  };
  for (const Case& each : cases) {
    std::string out;
    auto events = resigner();
    const auto fed = events.feed(each.bytes, out);
    ASSERT_FALSE(fed) << each.says;
    EXPECT_NE(fed.error().message.find(each.says), std::string::npos) << fed.error().message;
    EXPECT_TRUE(out.empty());
  }
}

TEST(EventStream, HoldsNoMoreThanItsCapAndEndsWithTheEmptyMessage) {
  Client client("client");
  std::string out;
  auto small = resigner(64);
  const auto fed = small.feed(client.next(std::string(100, 'x')).substr(0, 12), out);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, ErrorCode::LimitExceeded);
  Client again("client");
  auto events = resigner();
  ASSERT_TRUE(events.feed(again.next(""), out));
  EXPECT_TRUE(events.done());
  EXPECT_FALSE(events.feed(again.next("more"), out));
}

}  // namespace
}  // namespace remit::aws
