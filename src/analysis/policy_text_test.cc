#include "analysis/policy_text.h"

#include <gtest/gtest.h>

namespace remit::analysis {
namespace {

TEST(PolicyText, ReadsYamlIntoTheSameTree) {
  const auto policy = PolicyText::read(
      "# a comment\n"
      "Version: 2012-10-17\n"
      "Statement:\n"
      "  - Effect: Allow\n"
      "    Action: [s3:GetObject, 's3:PutObject']\n"
      "    Resource: \"*\"\n"
      "    Condition:\n"
      "      NumericLessThan: {aws:MultiFactorAuthAge: 3600}\n"
      "      Bool: {aws:SecureTransport: true}\n"
      "      StringEquals: {aws:PrincipalAccount: 012345678901, aws:username: 'true'}\n",
      TextForm::Yaml);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->text(),
            R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject",)"
            R"("s3:PutObject"],"Resource":"*","Condition":{"NumericLessThan":)"
            R"({"aws:MultiFactorAuthAge":3600},"Bool":{"aws:SecureTransport":true},)"
            R"("StringEquals":{"aws:PrincipalAccount":"012345678901","aws:username":"true"}}}]})");
  const auto action = *policy->root().find("Statement")->elements().begin();
  const auto places = policy->positions({action.find("Action")->offset()});
  EXPECT_EQ(places[0].line, 5U);
  EXPECT_EQ(places[0].column, 13U);
}

TEST(PolicyText, RefusesWhatYamlAddsToTheTree) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"a: &x 1\nb: *x\n", "anchor"},
      {"b: *x\n", ""},
      {"a: !Sub x\n", "tag"},
      {"a: 1\na: 2\n", "stands twice"},
      {"a: 1\n---\nb: 2\n", "second document"},
      {"", "empty"},
      {"a: [1\n", ""},
      {"? [1]\n: 2\n", "key"},
      {"? {a: 1}\n: 2\n", "key"},
      {"a: \"\\x\"\n", ""},
  };
  for (const auto& [text, message] : cases) {
    const auto policy = PolicyText::read(text, TextForm::Yaml);
    ASSERT_FALSE(policy) << text;
    EXPECT_NE(policy.error().message.find(message), std::string::npos)
        << text << ": " << policy.error().message;
  }
}

TEST(PolicyText, TellsTheFormByTheFileName) {
  EXPECT_EQ(form_of("a.yml"), TextForm::Yaml);
  EXPECT_EQ(form_of("a.yaml"), TextForm::Yaml);
  EXPECT_EQ(form_of("a.json"), TextForm::Json);
  EXPECT_EQ(form_of("-"), TextForm::Json);
}

}  // namespace
}  // namespace remit::analysis
