#include "aws/sts_request.h"

namespace remit::aws {
namespace {

TEST(StsRequest, ReadsEverythingThatAssumeRoleTakes) {
  const auto read = read_sts_request(
      "/",
      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx"
      "&RoleSessionName=me&Policy=%7B%22a%22%3A+1%7D&PolicyArns.member.1.arn=p1"
      "&Tags.member.2.Key=B&Tags.member.2.Value=2&Tags.member.1.Key=A&Tags.member.1.Value="
      "&TransitiveTagKeys.member.1=A&DurationSeconds=900&ExternalId=e&SourceIdentity=jane");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->action, "AssumeRole");
  EXPECT_EQ(read->role.role_arn, "arn:aws:iam::111122223333:role/x");
  EXPECT_EQ(read->role.policy, R"({"a": 1})");
  EXPECT_EQ(read->role.policy_arns, std::vector<std::string>{"p1"});
  ASSERT_EQ(read->role.tags.size(), 2u);
  EXPECT_EQ(read->role.tags[0], (std::pair<std::string, std::string>("A", "")));
  EXPECT_EQ(read->role.tags[1], (std::pair<std::string, std::string>("B", "2")));
  EXPECT_EQ(read->role.duration.count(), 900);
  EXPECT_EQ(read->role.external_id, "e");
  EXPECT_EQ(read->role.source_identity, "jane");
}

TEST(StsRequest, ReadsAGetAndLeavesTheSignatureAside) {
  const auto read = read_sts_request(
      "/?Action=GetSessionToken&Version=2011-06-15&X-Amz-Signature=00&x-amz-date=1", "");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->action, "GetSessionToken");
}

TEST(StsRequest, RefusesWhatCouldBeReadInTwoWaysOrIsUnknown) {
  for (const std::string_view form : {
           "Version=2011-06-15",                               // no action
           "Action=AssumeRole&Action=GetSessionToken",         // twice
           "Action=AssumeRole&RoleArn=a&RoleArn=b",            // twice
           "Action=AssumeRole&Tags.member.2.Key=a",            // a hole
           "Action=AssumeRole&Tags.member.01.Key=a",           // a number written otherwise
           "Action=AssumeRole&Tags.member.51.Key=a",           // too many
           "Action=AssumeRole&Tags.member.1.Other=a",          // unknown below
           "Action=AssumeRole&Tags.member.1.Value=a",          // a value without a key
           "Action=AssumeRole&ProvidedContexts.member.1.x=a",  // not passed on
           "Action=AssumeRole&DurationSeconds=1e3",            // no number
           "Action=AssumeRole&DurationSeconds=-900",           // negative
           "Action=AssumeRole&RoleArn=%zz",                    // not encoded
           "Action=AssumeRole&roleArn=a",                      // another case
       }) {
    EXPECT_FALSE(read_sts_request("/", form)) << form;
  }
  EXPECT_FALSE(read_sts_request("/?RoleArn=a", "Action=AssumeRole&RoleArn=b"));
}

TEST(StsRequest, WhatRemitSendsReadsBackTheSame) {
  AssumeRoleRequest request;
  request.role_arn = "arn:aws:iam::111122223333:role/x";
  request.session_name = "agent.read.1";
  request.policy = R"({"Statement":[{"Effect":"Allow"}]})";
  request.tags = {{"Team", "a b+c"}};
  request.duration = std::chrono::seconds(3600);
  const auto read = read_sts_request("/", assume_role_form(request));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->role.policy, request.policy);
  EXPECT_EQ(read->role.tags, request.tags);
  EXPECT_EQ(read->role.session_name, request.session_name);
}

}  // namespace
}  // namespace remit::aws
