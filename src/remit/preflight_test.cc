#include "remit/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "aws/catalogue.h"
#include "iam/decide.h"
#include "iam/policy.h"
#include "remit/config_for_tests.h"
#include "remit/facts.h"
#include "remit/session.h"

namespace remit::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string told(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += to_string(problem, "f") + "\n";
  return out;
}

TEST(Preflight, SumsUpEachRemit) {
  const auto loaded = load(config_with(
      "    arguments: { bucket: bucket, account: { grammar: { values: [p, d] } } }\n"
      "    role: { argument: account, map: { p: \"arn:aws:iam::111122223333:role/p\", d: "
      "\"arn:aws:iam::444455556666:role/d\" } }\n"
      "    session: [{Effect: Allow, Action: \"s3:GetObject\", Resource: "
      "\"arn:aws:s3:::${arg:bucket}/*\"}]\n"));
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  const Preflight preflight = inspect(*loaded.config);
  EXPECT_TRUE(preflight.problems.empty()) << told(preflight.problems);
  ASSERT_EQ(preflight.remits.size(), 1U);
  const RemitSummary& summary = preflight.remits[0];
  EXPECT_THAT(summary.tools, ElementsAre("api/call_aws"));
  EXPECT_EQ(summary.roles.size(), 2U);
  EXPECT_TRUE(summary.sampled);
  EXPECT_GT(summary.policy_characters, 100U);
  EXPECT_GT(summary.packed_percent_estimate, 5);
}

std::string many_actions(int count) {
  std::string lines =
      "    session:\n      - Effect: Allow\n        Resource: \"*\"\n        Action:\n";
  for (int i = 0; i < count; ++i)
    lines +=
        fmt::format("          - svc{0}:DoSomethingQuite{1}Different{0}\n", i, i * 7919 % 1000);
  return lines;
}

TEST(Preflight, WarnsOfAPolicyThatProbablyDoesNotFitPacked) {
  const auto loaded = load(config_with(many_actions(40)));
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  EXPECT_THAT(told(inspect(*loaded.config).problems), HasSubstr("of STS's packed limit"));
}

TEST(Preflight, RefusesAPolicyThatCannotFit) {
  const auto loaded = load(config_with(many_actions(60)));
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  const Preflight preflight = inspect(*loaded.config);
  ASSERT_EQ(preflight.problems.size(), 1U);
  EXPECT_EQ(preflight.problems[0].severity, Problem::Severity::Error);
  EXPECT_THAT(preflight.problems[0].message, HasSubstr("is too long for STS"));
  EXPECT_EQ(preflight.problems[0].path, "remits[0].session");
}

TEST(Preflight, WarnsOfAnActionThatNobodyKnows) {
  const auto catalogue = aws::Catalogue::embedded();
  if (!catalogue) GTEST_SKIP() << catalogue.error().message;
  const auto loaded = load(config_with(
      "    session: [{Effect: Allow, Action: [\"s3:GetObjct\", \"s3:getobject\", \"s3:Lst*\"], "
      "Resource: \"*\"}]\n"));
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  const auto problems = inspect_actions(*loaded.config, *catalogue);
  ASSERT_EQ(problems.size(), 1U) << told(problems);
  EXPECT_EQ(problems[0].severity, Problem::Severity::Warning);
  EXPECT_THAT(problems[0].message,
              HasSubstr("no action 's3:GetObjct' is known, did you mean `s3:GetObject`?"));
}

class Machine : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "remit-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    home_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  std::string inspect_text(const std::string& yaml) {
    const auto loaded = load_config(yaml, {.home = home_});
    EXPECT_TRUE(loaded.config) << all_problems(loaded);
    if (!loaded.config) return "";
    const Environment environment = [this](std::string_view key) -> std::optional<std::string> {
      const auto found = variables_.find(std::string(key));
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
    return told(inspect_machine(*loaded.config, environment, home_));
  }

  std::string home_;
  std::map<std::string, std::string> variables_;
};

TEST_F(Machine, SaysWhichProgramIsMissing) {
  variables_["PATH"] = home_;
  EXPECT_THAT(inspect_text(config_with("")), HasSubstr("no program 'x' on this machine's PATH"));
  std::ofstream(home_ + "/x") << "#!/bin/sh\n";
  std::filesystem::permissions(home_ + "/x", std::filesystem::perms::owner_all);
  EXPECT_EQ(inspect_text(config_with("")), "");
}

TEST_F(Machine, SaysThatAProgramNamedByItsPathIsMissing) {
  const std::string rest = "/x] } }\nremits: []\n";
  EXPECT_THAT(inspect_text("upstreams: { a: { command: [" + home_ + rest),
              HasSubstr(home_ + "/x is not there, or is no program that you may run"));
}

TEST_F(Machine, DoubtsBaseCredentialsThatAreNotThere) {
  const std::string profile = "aws: { base: { profile: agents } }\n";
  const std::string rest = "upstreams: { a: { command: [/bin/sh] } }\nremits: []\n";
  EXPECT_THAT(inspect_text(profile + rest), HasSubstr("no profile 'agents'"));
  std::filesystem::create_directory(home_ + "/.aws");
  std::ofstream(home_ + "/.aws/config") << "[profile agents]\nregion = us-east-1\n";
  EXPECT_EQ(inspect_text(profile + rest), "");
  const std::string from_environment = "aws: { base: { environment: true } }\n";
  EXPECT_THAT(inspect_text(from_environment + rest), HasSubstr("are not both set here"));
  variables_["AWS_ACCESS_KEY_ID"] = "x";
  variables_["AWS_SECRET_ACCESS_KEY"] = "very secret";
  EXPECT_EQ(inspect_text(from_environment + rest), "");
}

TEST_F(Machine, RefusesALedgerThatCannotBeWritten) {
  const std::string rest = "upstreams: { a: { command: [/bin/sh] } }\nremits: []\n";
  std::ofstream(home_ + "/file") << "x";
  const std::string text =
      inspect_text(rest + fmt::format("ledger: {{ path: {}/file/ledger.db }}\n", home_));
  EXPECT_THAT(text, HasSubstr("error: ledger.path"));
  EXPECT_EQ(inspect_text(rest + fmt::format("ledger: {{ path: {}/new/deep/l.db }}\n", home_)), "");
}

TEST(SessionFacts, TellThePrincipalAndItsTags) {
  const auto loaded = load(config_with(
      "    tags: { Team: billing }\n    source_identity: jane\n    session: [{Effect: Allow, "
      "Action: "
      "\"s3:GetObject\", Resource: \"*\", Condition: {StringEquals: {\"aws:PrincipalTag/Team\": "
      "billing, \"aws:SourceIdentity\": jane, \"aws:PrincipalArn\": "
      "\"arn:aws:iam::111122223333:role/r\"}}}]\n"));
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  const auto plan = plan_session(*loaded.config, loaded.config->remits[0], {});
  ASSERT_TRUE(plan);
  const SessionFacts facts(*plan);
  EXPECT_EQ(facts.session_arn(), "arn:aws:sts::111122223333:assumed-role/r/" + plan->session_name);
  iam::Context context;
  facts.fill(context);
  const iam::Request request{.principal = &facts.principal(),
                             .action = "s3:GetObject",
                             .resource = "arn:aws:s3:::a/b",
                             .resource_account = std::nullopt,
                             .context = &context,
                             .facts = {}};
  const iam::Policy* const policies[] = {plan->compiled.get()};
  EXPECT_TRUE(iam::decide(iam::Stack::session_only(policies), request).allowed());
}

}  // namespace
}  // namespace remit::rules
