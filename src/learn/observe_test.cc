#include "learn/observe.h"

#include <chrono>

namespace remit::learn {
namespace {

ledger::Entry entry(ledger::Kind kind, std::string call, std::string body, int second = 1) {
  ledger::Entry made;
  made.kind = ledger::name_of(kind);
  made.call = std::move(call);
  made.body = std::move(body);
  made.time = TimePoint(std::chrono::seconds(second));
  return made;
}

constexpr std::string_view kCall =
    R"({"decision":"allowed","remit":"read","role":"arn:aws:iam::111122223333:role/r","tool":"get","upstream":"api"})";

std::string request(std::string_view action, std::string_view resource,
                    std::string_view decision = "allowed", std::string_view more = "") {
  return std::string(R"({"actions":[")") + std::string(action) + R"("],"decision":")" +
         std::string(decision) + "\"" + std::string(more) + R"(,"resources":[")" +
         std::string(resource) + R"("],"upstream":"api"})";
}

TEST(Observe, JoinsRequestsWithTheirCalls) {
  Observations seen{{}};
  seen.add(entry(ledger::Kind::CallDecided, "c1", std::string(kCall)));
  seen.add(entry(ledger::Kind::AwsDecided, "c1", request("s3:GetObject", "arn:aws:s3:::b/k"), 5));
  seen.add(entry(ledger::Kind::AwsDecided, "c1", request("s3:GetObject", "arn:aws:s3:::b/k"), 9));
  seen.add(entry(ledger::Kind::AwsDecided, "other", request("s3:PutObject", "arn:aws:s3:::b/k")));
  const auto uses = std::move(seen).take();
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].tool, "get");
  EXPECT_EQ(uses[0].remit, "read");
  EXPECT_EQ(uses[0].calls, 1u);
  EXPECT_EQ(uses[0].requests, 2u);
  ASSERT_EQ(uses[0].observed.size(), 1u);
  EXPECT_EQ(uses[0].observed[0].times, 2u);
  EXPECT_EQ(uses[0].last - uses[0].first, std::chrono::seconds(4));
}

TEST(Observe, ReadsEachOfTheRequestsThatShareARecord) {
  Observations seen{{}};
  seen.add(entry(ledger::Kind::CallDecided, "c1", std::string(kCall)));
  seen.add(entry(
      ledger::Kind::AwsDecided, "c1",
      R"({"decision":"allowed","requests":[{"actions":["s3:GetObject"],"resources":["arn:aws:s3:::b/k"]},)"
      R"({"actions":["s3:PutObject"],"resources":["arn:aws:s3:::b/k"],"resources_total":40},)"
      R"({"actions":["s3:GetObject"],"resources":["arn:aws:s3:::b/k"]}],"upstream":"api"})"));
  const auto uses = std::move(seen).take();
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].calls, 1u);
  EXPECT_EQ(uses[0].requests, 3u);
  EXPECT_EQ(uses[0].resources_left_out, 1u);
  ASSERT_EQ(uses[0].observed.size(), 2u);
  EXPECT_EQ(uses[0].observed[0].asked.action, "s3:GetObject");
  EXPECT_EQ(uses[0].observed[0].times, 2u);
  EXPECT_EQ(uses[0].observed[1].times, 1u);
}

TEST(Observe, KeepsRefusedAndAllowedApartAndLeavesOutWhatTeachesNothing) {
  Observations seen{{}};
  seen.add(entry(ledger::Kind::CallDecided, "c1", std::string(kCall)));
  seen.add(entry(ledger::Kind::AwsDecided, "c1",
                 request("s3:PutObject", "arn:aws:s3:::b/k", "denied",
                         R"(,"layer":"session policy","reason":"no")")));
  seen.add(entry(ledger::Kind::AwsDecided, "c1",
                 request("s3:PutObject", "arn:aws:s3:::b/k", "denied", R"(,"layer":"limit")")));
  seen.add(entry(ledger::Kind::AwsDecided, "c1", request("sts:GetCallerIdentity", "*")));
  const auto uses = std::move(seen).take();
  ASSERT_EQ(uses.size(), 1u);
  ASSERT_EQ(uses[0].observed.size(), 1u);
  EXPECT_TRUE(uses[0].observed[0].refused);
  EXPECT_EQ(uses[0].observed[0].reason, "no");
}

TEST(Observe, ReadsWhichActionWasOnWhichResource) {
  Observations seen{{}};
  seen.add(entry(ledger::Kind::CallDecided, "c1", std::string(kCall)));
  seen.add(entry(
      ledger::Kind::AwsDecided, "c1",
      R"({"actions":["s3:GetObject","s3:PutObject"],"asked":[{"action":"s3:GetObject","resources":["arn:aws:s3:::a/k"]},)"
      R"({"action":"s3:PutObject","context":{"s3:x-amz-acl":["private"]},"resource_unknown":true,"resources":[]}],)"
      R"("decision":"allowed","resources":["arn:aws:s3:::a/k"],"upstream":"api"})"));
  const auto uses = std::move(seen).take();
  ASSERT_EQ(uses[0].observed.size(), 2u);
  EXPECT_EQ(uses[0].observed[0].asked.resources, std::vector<std::string>{"arn:aws:s3:::a/k"});
  EXPECT_TRUE(uses[0].observed[1].asked.resource_unknown);
  EXPECT_EQ(uses[0].observed[1].asked.context.at("s3:x-amz-acl").front(), "private");
  EXPECT_TRUE(uses[0].with_context);
}

TEST(Observe, FiltersByToolAndTime) {
  Observations seen{{.upstream = "api", .tool = "put", .since = {}, .arguments = {}}};
  seen.add(entry(ledger::Kind::CallDecided, "c1", std::string(kCall)));
  seen.add(entry(ledger::Kind::AwsDecided, "c1", request("s3:GetObject", "arn:aws:s3:::b/k")));
  EXPECT_TRUE(std::move(seen).take().empty());
  Observations late{
      {.upstream = {}, .tool = {}, .since = TimePoint(std::chrono::seconds(10)), .arguments = {}}};
  late.add(entry(ledger::Kind::CallDecided, "c1", std::string(kCall), 11));
  late.add(entry(ledger::Kind::AwsDecided, "c1", request("s3:GetObject", "arn:aws:s3:::b/k"), 9));
  EXPECT_TRUE(std::move(late).take().empty());
}

TEST(Observe, PassesByWhatCannotBeRead) {
  Observations seen{{}};
  for (const std::string_view body : {"", "[]", "nonsense", "{\"actions\":1}", "{}"}) {
    seen.add(entry(ledger::Kind::CallDecided, "c1", std::string(body)));
    seen.add(entry(ledger::Kind::AwsDecided, "c1", std::string(body)));
    seen.add(entry(ledger::Kind::StartupDecided, "c1", std::string(body)));
  }
  for (const ToolUse& use : std::move(seen).take()) EXPECT_TRUE(use.observed.empty());
}

}  // namespace
}  // namespace remit::learn
