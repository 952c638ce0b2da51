#include "gateway/egress/combined_policy.h"

#include <gtest/gtest.h>

#include "iam/decide.h"
#include "iam/policy.h"
#include "iam/request.h"

namespace remit::gateway {
namespace {

iam::Policy compiled(std::string_view text) {
  auto policy = iam::compile(std::string(text), iam::PolicyKind::Session, "p");
  EXPECT_TRUE(policy) << text << ": " << iam::to_text(policy.error().front());
  return *std::move(policy);
}

bool allows(const iam::Policy& policy, std::string_view action, std::string_view resource) {
  static const auto principal = iam::Principal::parse("arn:aws:sts::111122223333:assumed-role/r/s");
  iam::Context context;
  const iam::Policy* const session[] = {&policy};
  iam::Request request;
  request.principal = &*principal;
  request.action = action;
  request.resource = resource;
  request.context = &context;
  return iam::decide(iam::Stack::session_only(session), request).allowed();
}

std::string document(std::string_view statements) {
  return R"({"Version":"2012-10-17","Statement":[)" + std::string(statements) + "]}";
}

constexpr std::string_view kActions[] = {"s3:GetObject", "s3:PutObject", "s3:ListBucket",
                                         "s3:ListAllMyBuckets", "sqs:SendMessage"};
constexpr std::string_view kResources[] = {"arn:aws:s3:::a", "arn:aws:s3:::a/k", "arn:aws:s3:::b/k",
                                           "arn:aws:sqs:us-east-1:111122223333:q", "*"};

constexpr std::string_view kPolicies[] = {
    R"({"Effect":"Allow","Action":"s3:*","Resource":"*"})",
    R"({"Sid":"A","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"]})",
    R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/*"})",
    R"({"Effect":"Allow","NotAction":"s3:PutObject","Resource":"*"})",
    R"({"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::a/*"})",
    R"({"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"B","Effect":"Deny","Action":"s3:PutObject","Resource":"*"})",
    R"({"Effect":"Deny","Action":"s3:*","Resource":"*"})",
    R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"},{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"})",
    R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"},{"Effect":"Allow","NotAction":"s3:*","Resource":"*"})",
    R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}})",
};

// One allow statement without conditions: then the two policies' intersection can be said exactly.
bool is_exact(std::string_view statements) {
  return statements.find("Condition") == std::string_view::npos &&
         statements.find("Allow") == statements.rfind("Allow");
}

TEST(CombinedPolicy, LiesBetweenOursAndWhatBothAllow) {
  for (const std::string_view ours : kPolicies) {
    for (const std::string_view theirs : kPolicies) {
      const std::string first = document(ours);
      const std::string second = document(theirs);
      std::string both = combined_policy(first, second);
      if (both.empty()) both = first;
      const iam::Policy own = compiled(first);
      const iam::Policy other = compiled(second);
      const iam::Policy combined = compiled(both);
      for (const std::string_view action : kActions) {
        for (const std::string_view resource : kResources) {
          const bool one = allows(own, action, resource);
          const bool two = allows(other, action, resource);
          const bool said = allows(combined, action, resource);
          const std::string where = std::string(action) + " on " + std::string(resource) + ": " +
                                    std::string(theirs) + " -> " + both;
          EXPECT_FALSE(said && !one) << "more than ours: " << where;
          EXPECT_FALSE(one && two && !said) << "less than both: " << where;
          if (is_exact(theirs)) EXPECT_EQ(said, one && two) << where;
        }
      }
    }
  }
}

TEST(CombinedPolicy, IsShortAndHasNoSidTwice) {
  EXPECT_EQ(
      combined_policy(document(kPolicies[1]), document(kPolicies[1])),
      R"({"Statement":[)" + std::string(kPolicies[1]) +
          R"(,{"NotAction":["s3:GetObject","s3:ListBucket"],"Effect":"Deny","Resource":"*"},)"
          R"({"Action":"*","Effect":"Deny","NotResource":["arn:aws:s3:::a","arn:aws:s3:::a/*"]}],)"
          R"("Version":"2012-10-17"})");
  EXPECT_EQ(combined_policy("", document(kPolicies[5])),
            R"({"Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}],)"
            R"("Version":"2012-10-17"})")
      << "beside managed policies deny statements alone";
}

TEST(CombinedPolicy, SaysNothingWhereNothingCanBeSaid) {
  EXPECT_EQ(combined_policy(document(kPolicies[0]),
                            document(R"({"Effect":"Allow","Action":"*","Resource":"*"})")),
            "");
  // In the old language ${aws:username} is plain text.
  EXPECT_EQ(combined_policy(document(kPolicies[0]),
                            R"({"Version":"2008-10-17","Statement":{"Effect":"Allow",)"
                            R"("Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}})"),
            "");
}

}  // namespace
}  // namespace remit::gateway
