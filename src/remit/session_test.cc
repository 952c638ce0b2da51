#include "remit/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "iam/compiled.h"
#include "iam/policy.h"
#include "remit/config_for_tests.h"
#include "remit/sources.h"

namespace remit::rules {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::MatchesRegex;

Result<SessionPlan> plan_of(const std::string& yaml, const std::string& arguments = "{}") {
  const LoadedConfig loaded = load(yaml);
  EXPECT_TRUE(loaded.config) << all_problems(loaded);
  if (!loaded.config) return fail(ErrorCode::Internal, "does not load");
  const auto document = json::parse(arguments);
  const Remit& remit = loaded.config->remits.front();
  auto bound = bind_arguments(remit, document->root());
  if (!bound) return std::unexpected(bound.error());
  return plan_session(*loaded.config, remit, *std::move(bound));
}

TEST(Session, PlansTheSketchOfTheDesign) {
  const auto plan = plan_of(std::string(kSketch));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->role, "arn:aws:iam::111122223333:role/agents/invoices");
  EXPECT_EQ(plan->account, "111122223333");
  EXPECT_EQ(plan->policy,
            R"({"Statement":{"Action":["s3:GetObject","s3:ListBucket"],"Effect":"Allow",)"
            R"("Resource":["arn:aws:s3:::invoices","arn:aws:s3:::invoices/*"]},)"
            R"("Version":"2012-10-17"})");
  EXPECT_THAT(plan->session_name, MatchesRegex("agent\\.read-invoices\\.[0-9a-f]{12}"));
  EXPECT_EQ(plan->region, "us-east-1");
  EXPECT_EQ(plan->duration, 900s);
  EXPECT_NE(plan->compiled, nullptr);
  ASSERT_EQ(plan->origins.size(), 1U);
  EXPECT_EQ(plan->origins[0][0].position.line, 11U);
}

// The whole plan of some remits, as files that a person reviews.
TEST(Session, KeepsItsGoldenPlans) {
  for (const char* name : {"bound", "merged", "conditions"}) {
    const std::string base = std::string(REMIT_SOURCE_DIR "/src/remit/golden/") + name;
    std::ifstream yaml(base + ".yaml");
    std::ifstream arguments(base + ".arguments.json");
    std::ifstream golden(base + ".policy.json");
    const auto plan = plan_of(std::string(std::istreambuf_iterator<char>(yaml), {}),
                              std::string(std::istreambuf_iterator<char>(arguments), {}));
    ASSERT_TRUE(plan) << name << ": " << plan.error().message;
    EXPECT_EQ(plan->policy + "\n", std::string(std::istreambuf_iterator<char>(golden), {})) << name;
  }
}

TEST(Session, TellsAwsOfPinnedAccountsAndDecidesWithoutThem) {
  const auto free = plan_of(config_with(""));
  const auto pinned = plan_of(config_with(
      "    regions: [eu-central-1, eu-west-*]\n    accounts: [444455556666, 111122223333]\n"));
  ASSERT_TRUE(free && pinned);
  EXPECT_EQ(pinned->policy,
            R"({"Statement":[{"Action":"s3:GetObject","Effect":"Allow","Resource":"*"},)"
            R"({"Action":"*","Condition":{"Null":{"aws:ResourceAccount":"false"},)"
            R"("StringNotEquals":{"aws:ResourceAccount":["111122223333","444455556666"]}},)"
            R"("Effect":"Deny","Resource":"*"}],"Version":"2012-10-17"})");
  EXPECT_NE(pinned->key, free->key);
  EXPECT_EQ(pinned->compiled->compiled().statements.size(), 1U);
}

constexpr std::string_view kBound =
    "    arguments: { bucket: bucket, key: key, any: { grammar: { pattern: \".*\" } } }\n"
    "    session:\n"
    "      - { Effect: Allow, Action: \"s3:GetObject\", Resource: "
    "\"arn:aws:s3:::${arg:bucket}/${arg:key}\" }\n";

TEST(Session, BindsValuesAsTextOfTheirString) {
  const auto plan = plan_of(config_with(kBound), R"({"bucket":"abc","key":"x/\"],{:y"})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->policy, HasSubstr(R"("Resource":"arn:aws:s3:::abc/x/\"],{:y")"));
  const auto document = json::parse(plan->policy);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().at({"Statement", "Resource"})->string(), "arn:aws:s3:::abc/x/\"],{:y");
}

TEST(Session, RefusesAColonBeforeTheResourcePart) {
  const auto plan = plan_of(
      config_with(
          "    arguments: { where: { grammar: { pattern: \".*\" } } }\n    session: [{Effect: "
          "Allow, Action: \"sns:Publish\", Resource: \"arn:aws:sns:${arg:where}:topic\"}]\n"),
      R"({"where":"us-east-1:111122223333"})");
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("stands before the resource part"));
}

TEST(Session, TakesAWholeArnWhereOneStands) {
  const auto plan =
      plan_of(config_with("    arguments: { topic: arn }\n    session: [{Effect: Allow, Action: "
                          "\"sns:Publish\", Resource: \"${arg:topic}\"}]\n"),
              R"({"topic":"arn:aws:sns:us-east-1:111122223333:t"})");
  ASSERT_TRUE(plan) << plan.error().message;
}

TEST(Session, RefusesWhatStsWouldNotTake) {
  const auto beyond = plan_of(config_with(kBound), R"({"bucket":"abc","key":"日本"})");
  ASSERT_FALSE(beyond);
  EXPECT_THAT(beyond.error().message, HasSubstr("above U+00FF"));
  std::string lines = "    session:\n";
  for (int i = 0; i < 60; ++i)
    lines += fmt::format(
        "      - {{ Effect: Allow, Action: \"s3:GetObject\", Resource: "
        "\"arn:aws:s3:::bucket-{}/a/long/prefix*\" }}\n",
        i);
  lines += "    policy_arns: [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n";
  const auto long_policy = plan_of(config_with(lines));
  ASSERT_FALSE(long_policy);
  EXPECT_EQ(long_policy.error().code, ErrorCode::LimitExceeded);
  EXPECT_THAT(
      long_policy.error().message,
      MatchesRegex(".* [0-9]+ characters inline \\+ 38 of managed policy ARNs = [0-9]+, and "
                   "2048 is the limit.*"));
}

TEST(Session, TellsTheSizeOfEachPartOfAPolicyThatIsTooLong) {
  std::string lines =
      "    session:\n      - { Sid: Large, Effect: Allow, Action: \"s3:GetObject\", Resource: [";
  for (int i = 0; i < 60; ++i) lines += fmt::format("\"arn:aws:s3:::bucket-{}/some/prefix\",", i);
  lines +=
      "] }\n      - { Sid: Small, Effect: Allow, Action: \"sqs:SendMessage\", Resource: \"*\" }\n";
  const auto plan = plan_of(config_with(lines));
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message,
              MatchesRegex(".*\\(statement [12] \\(Large, line [0-9]+\\): [0-9]{4}, "
                           "statement [12] \\(Small, line [0-9]+\\): [0-9]{2}\\).*"));
}

TEST(Session, OffloadsAPolicyThatIsTooLongWhereTheRemitSaysHow) {
  std::string lines = "    session:\n";
  for (int i = 0; i < 60; ++i)
    lines += fmt::format(
        "      - {{ Effect: Allow, Action: \"s3:GetObject\", Resource: "
        "\"arn:aws:s3:::bucket-{}/a/long/prefix*\" }}\n",
        i);
  const std::string offload = "    offload: [\"arn:aws:iam::111122223333:policy/agents\"]\n";
  const auto plan = plan_of(config_with(lines + offload));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->offloaded);
  EXPECT_EQ(plan->policy_arns, std::vector<std::string>{"arn:aws:iam::111122223333:policy/agents"});
  EXPECT_GT(plan->policy.size(), kMaxPolicyCharacters) << "what Remit decides by";
  EXPECT_LE(plan_characters(*plan), kMaxPolicyCharacters);
  const auto request = assume_role_request(*plan);
  EXPECT_TRUE(request.policy.empty());
  EXPECT_EQ(request.policy_arns, plan->policy_arns);
  const auto fits = plan_of(config_with(offload));
  ASSERT_TRUE(fits) << fits.error().message;
  EXPECT_FALSE(fits->offloaded);
  EXPECT_TRUE(fits->policy_arns.empty()) << "only when it is needed";
  EXPECT_EQ(fits->key, plan_of(config_with(""))->key) << "it changes nothing then";
}

TEST(Session, MeasuresThePolicyInCharactersNotBytes) {
  std::string lines =
      "    session: [{Effect: Allow, Action: \"s3:GetObject\", Resource: \"arn:aws:s3:::b/";
  const std::string tail = "\"}]\n";
  const auto with = [&](std::size_t count) {
    std::string text = lines;
    for (std::size_t i = 0; i < count; ++i) text += "é";
    return plan_of(config_with(text + tail));
  };
  const std::size_t fixed = with(0)->policy.size();
  EXPECT_TRUE(with(kMaxPolicyCharacters - fixed));
  EXPECT_FALSE(with(kMaxPolicyCharacters - fixed + 1));
}

TEST(Session, HasAKeyOverEverythingThatChangesPrivilege) {
  const std::string variants[] = {
      config_with(""),
      config_with("    role: arn:aws:iam::111122223333:role/other\n"),
      config_with("    session: [{Effect: Allow, Action: \"s3:PutObject\", Resource: \"*\"}]\n"),
      config_with("    policy_arns: [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n"),
      config_with("    tags: { Team: a }\n"),
      config_with("    tags: { Team: b }\n"),
      config_with("    transitive: []\n"),
      config_with("    external_id: abc\n"),
      config_with("    external_id: abd\n"),
      config_with("    duration: 30m\n"),
      config_with("    source_identity: jane\n"),
      "agent: { name: other }\n" + config_with(""),
      "agent: { user: john }\n" + config_with(""),
  };
  std::set<std::string> keys;
  for (const std::string& variant : variants) {
    const auto plan = plan_of(variant);
    ASSERT_TRUE(plan) << plan.error().message;
    keys.insert(plan->key);
  }
  EXPECT_EQ(keys.size(), std::size(variants));
}

TEST(Session, HasTheSameKeyHoweverTheSameThingIsWritten) {
  const auto one = plan_of(config_with(
      "    session: [{Effect: Allow, Action: [\"s3:GetObject\", \"s3:Get*\"], Resource: \"*\"}]\n"
      "    tags: { A: x, B: y }\n"));
  const auto two =
      plan_of(config_with("    session: { Version: 2012-10-17, Statement: [{Sid: X, Resource: "
                          "[\"*\"], Action: \"s3:Get*\", Effect: Allow}] }\n"
                          "    tags: { B: y, AccessType: AI, A: x }\n"));
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->key, two->key);
  EXPECT_EQ(one->session_name, two->session_name);
}

TEST(Session, NamesFitStsHoweverLongTheirParts) {
  const std::string name(64, 'a');
  std::string yaml = config_with("");
  yaml.replace(yaml.find("name: r"), 7, "name: " + std::string(64, 'r'));
  const auto plan = plan_of("agent: { name: " + name + " }\n" + yaml);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->session_name.size(), 64U);
  EXPECT_THAT(plan->session_name, MatchesRegex("a{20}\\.r{30}\\.[0-9a-f]{12}"));
}

TEST(Planner, RemembersPlansByRemitAndValues) {
  const LoadedConfig loaded = load(config_with(kBound));
  ASSERT_TRUE(loaded.config);
  Planner planner(loaded.config);
  const Remit& remit = loaded.config->remits.front();
  const auto plan = [&](const std::string& arguments) {
    const auto document = json::parse(arguments);
    return *planner.plan(remit, document->root());
  };
  const auto first = plan(R"({"bucket":"abc","key":"x"})");
  EXPECT_EQ(plan(R"({"key":"x","bucket":"abc","else":1})"), first);
  EXPECT_NE(plan(R"({"bucket":"abc","key":"y"})"), first);
  for (int i = 0; i < 1100; ++i) plan(fmt::format(R"({{"bucket":"abc","key":"k{}"}})", i));
  const auto again = plan(R"({"bucket":"abc","key":"x"})");
  EXPECT_NE(again, first) << "the oldest is forgotten";
  EXPECT_EQ(again->key, first->key);
}

TEST(Planner, PlansAStartupRemit) {
  const LoadedConfig loaded = load(
      "upstreams:\n  api:\n    command: [x]\n    startup: { role: "
      "\"arn:aws:iam::111122223333:role/s\","
      " session: { Effect: Allow, Action: \"s3:ListAllMyBuckets\", Resource: \"*\" } }\nremits: "
      "[]\n");
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  Planner planner(loaded.config);
  const auto plan = planner.plan(*loaded.config->upstreams[0].startup, std::nullopt);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT((*plan)->session_name, MatchesRegex("agent\\.startup-api\\.[0-9a-f]{12}"));
}

}  // namespace
}  // namespace remit::rules
