#include "gateway/egress/judge.h"

#include <gtest/gtest.h>

#include "iam/policy.h"

namespace remit::gateway {
namespace {

std::shared_ptr<const iam::Policy> policy(std::string_view statements) {
  auto compiled =
      iam::compile(R"({"Version":"2012-10-17","Statement":[)" + std::string(statements) + "]}",
                   iam::PolicyKind::Session, "session policy of remit r");
  EXPECT_TRUE(compiled) << iam::to_text(compiled.error().front());
  return std::make_shared<const iam::Policy>(*std::move(compiled));
}

CallFacts facts(std::string_view statements) {
  CallFacts made;
  made.id = "c";
  made.remit = "r";
  made.account = "111122223333";
  made.role_arn = "arn:aws:iam::111122223333:role/agents/invoices";
  made.session_name = "s";
  made.source_identity = "jane";
  made.tags = {{"Team", "billing"}};
  made.session_policy = policy(statements);
  return made;
}

aws::Identified get_object(std::vector<std::string> resources = {"arn:aws:s3:::b/k"}) {
  aws::Identified identified;
  identified.service = "s3";
  identified.operation = "GetObject";
  identified.region = "eu-west-1";
  aws::ActionRequest action;
  action.action = "s3:GetObject";
  action.resources = std::move(resources);
  action.unknown_keys = {"s3:ExistingObjectTag/*"};
  action.level = aws::AccessLevel::Read;
  identified.actions.push_back(std::move(action));
  return identified;
}

std::optional<Refusal> judge(CallFacts of, const aws::Identified& identified) {
  auto made = Judge::make(std::make_shared<Call>(std::move(of), nullptr));
  EXPECT_TRUE(made) << made.error().message;
  http::RequestHead head;
  head.fields = {{"User-Agent", "Boto3"}};
  Circumstances circumstances;
  circumstances.head = &head;
  circumstances.now = TimePoint(std::chrono::milliseconds(1'795'273'445'000));  // 2026-11-21
  return made->judge(identified, circumstances);
}

// Only AWS's own services say so; whether AWS passes over it from others is not documented.
TEST(Judge, ASourceThatTheRequestNamesItselfIsUnknown) {
  const auto allowed = [](http::Fields fields) {
    auto made = Judge::make(std::make_shared<Call>(
        facts(R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":)"
              R"({"StringNotEquals":{"aws:SourceAccount":"999988887777"}}})"),
        nullptr));
    http::RequestHead head;
    head.fields = std::move(fields);
    Circumstances circumstances;
    circumstances.head = &head;
    return !made->judge(get_object(), circumstances);
  };
  EXPECT_TRUE(allowed({}));
  EXPECT_FALSE(allowed({{"X-Amz-Source-Account", "999988887777"}}));
}

TEST(Judge, FollowsConditionsOnWhatTheGatewayKnows) {
  struct Row {
    std::string_view condition;
    bool allowed;
  };
  const Row kRows[] = {
      {R"({"StringEquals":{"aws:PrincipalTag/Team":"billing"}})", true},
      {R"({"StringEquals":{"aws:principaltag/team":"billing"}})", true},
      {R"({"StringEquals":{"aws:PrincipalTag/Team":"other"}})", false},
      {R"({"StringEquals":{"aws:PrincipalTag/Other":"x"}})", false},
      {R"({"StringNotEquals":{"aws:PrincipalTag/Other":"x"}})", false},  // the role may have it
      {R"({"StringEquals":{"aws:SourceIdentity":"jane"}})", true},
      {R"({"StringEquals":{"aws:RequestedRegion":"eu-west-1"}})", true},
      {R"({"StringEquals":{"aws:RequestedRegion":"us-east-1"}})", false},
      {R"({"Bool":{"aws:SecureTransport":"true"}})", true},
      {R"({"Bool":{"aws:ViaAWSService":"false"}})", true},
      {R"({"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}})", true},
      {R"({"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}})", false},
      {R"({"NumericGreaterThan":{"aws:EpochTime":"1700000000"}})", true},
      {R"({"StringEquals":{"aws:PrincipalAccount":"111122223333"}})", true},
      {R"({"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/agents/*"}})", true},
      {R"({"StringLike":{"aws:UserAgent":"Boto*"}})", true},
      {R"({"StringEquals":{"s3:ExistingObjectTag/a":"b"}})", false},
      {R"({"StringNotEquals":{"s3:ExistingObjectTag/a":"b"}})", false},  // AWS alone knows
      {R"({"Null":{"s3:prefix":"true"}})", true},                        // said nowhere: absent
      {R"({"StringEquals":{"aws:SourceVpce":"vpce-1"}})", false},
      {R"({"StringNotEquals":{"aws:SourceVpce":"vpce-1"}})", false},
  };
  for (const auto& [condition, allowed] : kRows) {
    const std::string statement =
        R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":)" +
        std::string(condition) + "}";
    const auto refused = judge(facts(statement), get_object());
    EXPECT_EQ(!refused, allowed) << condition << (refused ? ": " + refused->message : "");
  }
}

TEST(Judge, AsksForKeysOnlyWhereAPolicyOfTheCallDoes) {
  const std::string_view plain = R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*"})";
  const std::string_view by_condition =
      R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*",)"
      R"("Condition":{"Null":{"s3:prefix":"true"}}})";
  const std::string_view by_variable =
      R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:userid}"})";
  EXPECT_FALSE(asks_keys(facts(plain)));
  EXPECT_TRUE(asks_keys(facts(by_condition)));
  EXPECT_TRUE(asks_keys(facts(by_variable)));
  CallFacts approve = facts(plain);
  approve.approve = policy(by_condition);
  EXPECT_TRUE(asks_keys(approve));
  CallFacts narrowed = facts(plain);
  narrowed.narrowed_by = {policy(plain), policy(by_variable)};
  EXPECT_TRUE(asks_keys(narrowed));
  EXPECT_FALSE(asks_keys(CallFacts{}));
}

TEST(Judge, TakesKeysThatWereNotToldForUnknown) {
  const std::string_view absent = R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*",)"
                                  R"("Condition":{"Null":{"s3:prefix":"true"}}})";
  aws::Identified identified = get_object();
  EXPECT_FALSE(judge(facts(absent), identified));
  identified.actions.front().keys_told = false;
  EXPECT_TRUE(judge(facts(absent), identified));
}

TEST(Judge, AllowsOnlyWhenEveryResourceAndActionIs) {
  const std::string_view statement =
      R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"})";
  EXPECT_FALSE(judge(facts(statement), get_object({"arn:aws:s3:::b/1", "arn:aws:s3:::b/2"})));
  const auto refused =
      judge(facts(statement), get_object({"arn:aws:s3:::b/1", "arn:aws:s3:::other/2"}));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->resource, "arn:aws:s3:::other/2");
  auto two = get_object();
  two.actions.push_back(two.actions.front());
  two.actions.back().action = "s3:PutObject";
  EXPECT_TRUE(judge(facts(statement), two));
}

TEST(Judge, AnUnknownResourceNeedsAStar) {
  auto unknown = get_object({});
  unknown.actions.front().resource_unknown = true;
  EXPECT_TRUE(
      judge(facts(R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"})"),
            unknown));
  EXPECT_FALSE(
      judge(facts(R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*"})"), unknown));
  EXPECT_TRUE(judge(facts(R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},)"
                          R"({"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::x/*"})"),
                    unknown));
}

TEST(Judge, NamesTheStatementThatDenies) {
  const auto refused = judge(
      facts(R"({"Effect":"Allow","Action":"s3:*","Resource":"*"},)"
            R"({"Sid":"NoSecrets","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/*"})"),
      get_object());
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->statement, "NoSecrets");
  EXPECT_EQ(refused->layer, "session policy");
}

TEST(Judge, ARequestThatNeedsApprovalIsRefusedWithThatReason) {
  CallFacts with = facts(R"({"Effect":"Allow","Action":"s3:*","Resource":"*"})");
  with.approve = policy(R"({"Effect":"Deny","Action":"s3:Get*","Resource":"*"})");
  const auto refused = judge(with, get_object());
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->message.find("needs a human's approval"), std::string::npos);
  with.approve = policy(R"({"Effect":"Deny","Action":"s3:Put*","Resource":"*"})");
  EXPECT_FALSE(judge(with, get_object()));
}

TEST(Judge, WithoutASessionNothingIsAllowed) {
  CallFacts none;
  none.remit = "startup of api";
  const auto refused = judge(none, get_object());
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->message.find("no AWS session"), std::string::npos);
}

TEST(IsWrite, TakesWhatIsNotKnownToReadAsAWrite) {
  auto identified = get_object();
  EXPECT_FALSE(is_write(identified));
  identified.actions.front().level = aws::AccessLevel::Unknown;
  EXPECT_TRUE(is_write(identified));
  identified.actions.front().level = aws::AccessLevel::Tagging;
  EXPECT_TRUE(is_write(identified));
}

}  // namespace
}  // namespace remit::gateway
