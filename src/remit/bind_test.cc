#include "remit/bind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "remit/config_for_tests.h"

namespace remit::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kLines = R"(    arguments:
      bucket: { pointer: /where/bucket, grammar: bucket }
      item: { pointer: /items/1, grammar: number }
      account: { grammar: { values: [prod, dev] } }
      deep: { pointer: "/a~1b/~0", grammar: boolean }
    role:
      argument: account
      map: { prod: "arn:aws:iam::111122223333:role/p", dev: "arn:aws:iam::444455556666:role/d" }
    session:
      - { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::${arg:bucket}/${arg:item}" }
)";

class Bind : public testing::Test {
 protected:
  Result<BoundArguments> bind(const std::string& text) {
    const auto document = json::parse(text);
    return bind_arguments(remit(), document->root());
  }
  const Remit& remit() const { return config_->remits.front(); }

  std::shared_ptr<const Config> config_ = load(config_with(kLines)).config;
};

TEST_F(Bind, TakesValuesByTheirPointers) {
  const auto bound = bind(R"({"where":{"bucket":"invoices"},"items":[7,42],"account":"dev"})");
  ASSERT_TRUE(bound) << bound.error().message;
  EXPECT_THAT(*bound,
              ElementsAre(BoundArgument{"account", "dev"}, BoundArgument{"bucket", "invoices"},
                          BoundArgument{"item", "42"}));
  EXPECT_EQ(*choose_role(remit(), *bound), "arn:aws:iam::444455556666:role/d");
}

TEST_F(Bind, ReadsEscapedPointersAndBooleans) {
  const auto bound = bind(
      R"({"where":{"bucket":"invoices"},"items":["7","42"],"account":"dev","a/b":{"~":true}})");
  ASSERT_TRUE(bound) << bound.error().message;
  EXPECT_THAT(*bound, testing::Contains(BoundArgument{"deep", "true"}));
}

TEST_F(Bind, RefusesWithThePointerAndTheReason) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({})", "argument bucket (/where/bucket): is absent, and remit r needs it"},
      {R"({"where":{"bucket":5}})", "is a number; a string is wanted (grammar: bucket)"},
      {R"({"where":{"bucket":["x"]}})", "a string is wanted"},
      {R"({"where":{"bucket":"a*c"}})", "contains the wildcard '*'"},
      {R"({"where":{"bucket":"a\u0000c"}})", "U+0000"},
      {R"({"where":{"bucket":"invoices\","}})", "is no bucket name"},
      {R"({"where":{"bucket":"invoices"},"items":[1,-2]})", "is no number"},
      {R"({"where":{"bucket":"invoices"},"items":[1,2.5]})", "is no number"},
      {R"({"where":{"bucket":"invoices"},"items":[1]})", "argument item (/items/1): is absent"},
      {R"({"where":{"bucket":"invoices"},"items":[1,2],"account":"test"})", "allowed values"},
      {R"({"where":{"bucket":"invoices"},"items":[1,2],"account":"dev","a/b":{"~":1}})",
       "argument deep (/a~1b/~0): is a number"},
  };
  for (const auto& [arguments, why] : cases) {
    const auto bound = bind(arguments);
    ASSERT_FALSE(bound) << arguments;
    EXPECT_EQ(bound.error().code, ErrorCode::Denied);
    EXPECT_THAT(bound.error().message, HasSubstr(why));
  }
}

TEST_F(Bind, RefusesACallWithoutArguments) { EXPECT_FALSE(bind_arguments(remit(), std::nullopt)); }

TEST_F(Bind, HasNoRoleForAValueOutsideOfTheMap) {
  EXPECT_FALSE(choose_role(remit(), {{"account", "test"}}));
  EXPECT_FALSE(choose_role(remit(), {}));
}

}  // namespace
}  // namespace remit::rules
