#include "iam/policy.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "iam/compiled.h"
#include "json/json.h"

namespace remit::iam {
namespace {

std::string first_error(std::string_view text, PolicyKind kind = PolicyKind::Identity) {
  const auto compiled = compile(text, kind, "p");
  return compiled ? "" : to_text(compiled.error().front());
}

TEST(Compile, SaysWhereAndWhatWouldBeRight) {
  struct Case {
    std::string_view text, error;
  };
  for (
      const auto& c : std::vector<Case>{
          {"{\n \"Version\": \"2012-10-17\",\n \"Statment\": []\n}",
           "3:2: Statment: unknown element; did you mean Statement?"},
          {R"({"Statement":[{"Efect":"Allow","Action":"*","Resource":"*"}]})",
           "1:16: Statement[0].Efect: unknown element; did you mean Effect?"},
          {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
"Condition":{"StringEqual":{"a:b":"c"}}}})",
           "2:14: Statement.Condition.StringEqual: unknown operator; did you mean StringEquals?"},
          {R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
"Condition":{"ForAnyValue:Stringlike":{"a:b":"c"}}}})",
           "2:14: Statement.Condition.ForAnyValue:Stringlike: unknown operator; did you mean "
           "ForAnyValue:StringLike?"},
          {R"({"Statement":{"Effect":"Allow","Action":["s3:*",7],"Resource":"*"}})",
           "1:49: Statement.Action[1]: must be a string, not a number"},
          {R"({"Version":"2012-10-18","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
           "1:12: Version: must be \"2012-10-17\" or \"2008-10-17\""},
          {R"({"Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}})",
           "1:32: the key \"Effect\" stands twice in this object"},
      }) {
    EXPECT_EQ(first_error(c.text), c.error);
  }
}

TEST(Compile, FindsEveryFaultAtOnce) {
  const auto compiled =
      compile(R"({"Statement":[{"Effect":"allow","Action":"x","Resource":"y"},{"Action":"a:b"}]})",
              PolicyKind::Identity, "p");
  ASSERT_FALSE(compiled);
  std::set<std::string> paths;
  for (const auto& error : compiled.error()) paths.insert(error.path);
  EXPECT_EQ(paths, (std::set<std::string>{"Statement[0].Effect", "Statement[0].Action",
                                          "Statement[0].Resource", "Statement[1].Effect",
                                          "Statement[1].Resource"}));
}

TEST(Compile, RemembersWhereStatementsStand) {
  const auto compiled = compile(R"({"Version":"2012-10-17",
  "Statement": [
    {"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},
    {"Sid":"B","Effect":"Allow","Action":"*","Resource":"*"}]})",
                                PolicyKind::Identity, "p");
  ASSERT_TRUE(compiled);
  const auto& statements = compiled->compiled().statements;
  EXPECT_EQ(statements[0].position.line, 3u);
  EXPECT_EQ(statements[0].position.column, 5u);
  EXPECT_EQ(statements[1].position.line, 4u);
  EXPECT_EQ(statements[1].position.column, 5u);
}

TEST(Compile, WantsThePrincipalWhereItBelongs) {
  const std::string with =
      R"({"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}})";
  const std::string without = R"({"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})";
  for (const auto kind :
       {PolicyKind::Identity, PolicyKind::Boundary, PolicyKind::Session, PolicyKind::Scp}) {
    EXPECT_NE(first_error(with, kind), "") << name_of(kind);
    EXPECT_EQ(first_error(without, kind), "") << name_of(kind);
  }
  for (const auto kind : {PolicyKind::Resource, PolicyKind::Rcp, PolicyKind::Endpoint}) {
    EXPECT_EQ(first_error(with, kind), "") << name_of(kind);
    EXPECT_NE(first_error(without, kind), "") << name_of(kind);
  }
}

std::string corpora() {
  const char* set = std::getenv("REMIT_CORPORA");
  return set != nullptr ? set : std::string(REMIT_SOURCE_DIR) + "/../shared/corpora";
}

TEST(Compile, ReadsEveryManagedPolicy) {
  std::ifstream in(corpora() + "/managed-policies/managed-policies.jsonl");
  if (!in) GTEST_SKIP() << "no corpus of managed policies at " << corpora();
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    const auto parsed = json::parse(line);
    ASSERT_TRUE(parsed);
    const auto name = parsed->root().find("name")->string();
    const auto compiled =
        compile(*parsed->root().find("document"), PolicyKind::Identity, std::string(name));
    EXPECT_TRUE(compiled) << name << ": " << to_text(compiled.error().front());
  }
  EXPECT_EQ(count, 1645u);
}

// Three of AWS's own samples are no valid policies: an operator in wrong case, a resource control
// policy that allows and has no Resource, and a placeholder for an action.
TEST(Compile, ReadsTheSamplesOfAws) {
  std::ifstream in(corpora() + "/aws-samples-policies/policies.jsonl");
  if (!in) GTEST_SKIP() << "no corpus of AWS samples at " << corpora();
  std::size_t count = 0;
  std::set<std::string> broken;
  for (std::string line; std::getline(in, line); ++count) {
    const auto parsed = json::parse(line);
    ASSERT_TRUE(parsed);
    const auto type = parsed->root().find("policyType")->string();
    const auto kind = type == "scp"   ? PolicyKind::Scp
                      : type == "rcp" ? PolicyKind::Rcp
                                      : PolicyKind::Endpoint;
    if (const auto compiled = compile(*parsed->root().find("policy"), kind, "sample"); !compiled) {
      const std::filesystem::path path(std::string(parsed->root().find("path")->string()));
      broken.insert(path.filename().string() + " " + to_text(compiled.error().front()));
    }
  }
  EXPECT_EQ(count, 108u);
  for (const auto& name : broken) {
    const bool expected = name.starts_with("STS-protect-IAMRA-session-tags.json") ||
                          name.starts_with("Shared-Issuers.json") ||
                          name.starts_with("s3_endpoint_policy.json");
    EXPECT_TRUE(expected) << name;
  }
}

}  // namespace
}  // namespace remit::iam
