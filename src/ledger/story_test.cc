#include "ledger/story.h"

#include <gtest/gtest.h>

#include "json/json.h"
#include "ledger/reader.h"
#include "ledger/text.h"

namespace remit::ledger {
namespace {

Entry entry(std::int64_t sequence, std::string_view kind, std::string body) {
  Entry e;
  e.sequence = sequence;
  e.time = TimePoint(std::chrono::milliseconds(1'795'000'000'000 + sequence * 40));
  e.kind = kind;
  e.call = "C7";
  e.body = std::move(body);
  return e;
}

TEST(LedgerStory, TellsACallInWords) {
  const Entry entries[] = {
      entry(
          1, "call-decided",
          R"({"agent":"claude-code","decision":"allowed","remit":"read-invoices","tool":"call_aws","upstream":"api","user":"jane"})"),
      entry(
          2, "session-minted",
          R"({"packed_policy_size":34,"reused":false,"role":"arn:aws:iam::111122223333:role/r","session_name":"remit-1","tags":{"AccessType":"AI"}})"),
      entry(
          3, "aws-decided",
          R"({"actions":["s3:PutObject"],"decision":"denied","layer":"session policy","reason":"no statement allows it","resources":["arn:aws:s3:::b/k"],"new_field":[1,2]})"),
      entry(
          4, "aws-done",
          R"({"answers":[{"decided":3,"request_id":"R1","status":200},{"decided":2,"status":503}]})"),
      entry(5, "call-done",
            R"({"duration_ms":160,"is_error":true,"outcome":"result","refused":1})"),
  };
  EXPECT_EQ(
      story(entries),
      "call C7 at 2026-11-18T11:06:40.040Z, 5 records within 160 ms\n"
      "  11:06:40.040 #1      agent claude-code for jane called api/call_aws under remit "
      "read-invoices: allowed\n"
      "  11:06:40.080 #2      new session remit-1 of arn:aws:iam::111122223333:role/r, tags "
      "AccessType=AI, packed policy size 34 %\n"
      "  11:06:40.120 #3      s3:PutObject on arn:aws:s3:::b/k: denied: no statement allows it "
      "(by session policy); new_field: 1, 2\n"
      "  11:06:40.160 #4      AWS answered #3: 200, request id R1; #2: 503\n"
      "  11:06:40.200 #5      the call ended: result (isError), AWS requests refused: 1, after "
      "160 ms\n");
}

TEST(LedgerStory, TellsRequestsThatShareARecordApart) {
  EXPECT_EQ(
      sentence(entry(
          3, "aws-decided",
          R"({"decision":"allowed","requests":[{"actions":["s3:GetObject"],"region":"us-east-1","resources":["arn:aws:s3:::b/1"]},{"actions":["s3:GetObject"],"odd":true,"resources":["arn:aws:s3:::b/2"]}],"session_name":"s"})")),
      ".0 s3:GetObject on arn:aws:s3:::b/1 in us-east-1; .1 s3:GetObject on arn:aws:s3:::b/2; odd: "
      "true: allowed; as session s");
  EXPECT_EQ(
      sentence(entry(4, "aws-done", R"({"answers":[{"decided":3,"request":1,"status":200}]})")),
      "AWS answered #3.1: 200");
}

TEST(LedgerStory, ShowsASessionPolicyAsItIs) {
  EXPECT_EQ(sentence(entry(1, "session-minted",
                           R"({"policy":{"Statement":[{"Effect":"Allow"}]},"session_name":"s"})")),
            R"(new session s; session policy: {"Statement":[{"Effect":"Allow"}]})");
}

TEST(LedgerStory, ShowsWhatItDoesNotKnow) {
  EXPECT_EQ(sentence(entry(1, "call-paused", R"({"why":"approval"})")),
            "call-paused; why: approval");
  EXPECT_EQ(sentence(entry(1, "refused", "not JSON")), "refused: not JSON");
}

TEST(LedgerStory, LetsNoControlCharacterReachTheTerminal) {
  EXPECT_EQ(sentence(entry(1, "call-done", R"({"outcome":"\u001b[2J\u009b\r"})")),
            "the call ended: \\x1b[2J\\x9b\\x0d");
  EXPECT_EQ(printable("caf\xC3\xA9"), "caf\xC3\xA9");
}

TEST(LedgerStory, ExportsOneJsonObject) {
  const std::string line = to_json(entry(3, "aws-done", R"({"status":200})"));
  const auto document = json::parse(line);
  ASSERT_TRUE(document) << line;
  EXPECT_EQ(document->root().find("seq")->as_int64(), 3);
  EXPECT_EQ(document->root().find("time")->string(), "2026-11-18T11:06:40.120Z");
  EXPECT_EQ(document->root().find("body")->raw(), R"({"status":200})");
  EXPECT_TRUE(json::parse(to_json(entry(3, "aws-done", "broken"))));
}

}  // namespace
}  // namespace remit::ledger
