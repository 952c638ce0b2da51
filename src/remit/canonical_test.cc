#include "remit/canonical.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <span>

#include "iam/decide.h"
#include "iam/policy.h"
#include "json/writer.h"

namespace remit::rules {
namespace {

struct Cover {
  std::string outer;
  std::string inner;
  bool covers;
};

TEST(Canonical, TellsWhenOnePatternCoversAnother) {
  const Cover cases[] = {
      {"*", "a", true},
      {"a*", "a", true},
      {"a*", "ab*", true},
      {"ab*", "a*", false},
      {"a?", "a*", false},
      {"a?", "ab", true},
      {"?", "?", true},
      {"a*c", "a*b*c", true},
      {"*", "${a:b}", false},
      {"${a:b}", "${a:b}", true},
      {"a*", "b", false},
      {"", "", true},
      {"s3:Get*", "s3:GetObject*", true},
      {"*a*", "xax", true},
      {"a**", "a", true},
      {"?*", "*", false},
  };
  for (const Cover& c : cases)
    EXPECT_EQ(pattern_covers(c.outer, c.inner), c.covers) << c.outer << " " << c.inner;
}

std::string one(std::string_view outer, std::string_view inner) {
  PlainStatement statement;
  statement.actions = {"s3:GetObject"};
  statement.resources = {std::string(outer), std::string(inner)};
  return write_canonical({statement}).json;
}

TEST(Canonical, NeverLetsAStarOfAnArnsHeadReachItsResource) {
  EXPECT_NE(one("arn:aws:*:::a", "arn:aws:*:::x:::a").find("x:::a"), std::string::npos);
  EXPECT_EQ(one("arn:aws:s3:::a/*", "arn:aws:s3:::a/b").find("a/b"), std::string::npos);
}

TEST(Canonical, RemembersWhereMergedStatementsCameFrom) {
  PlainStatement a;
  a.actions = {"s3:GetObject"};
  a.resources = {"*"};
  a.origins = {{"A", {1, 1}}};
  PlainStatement b = a;
  b.actions = {"s3:PutObject"};
  b.origins = {{"B", {2, 1}}};
  const PolicyText policy = write_canonical({a, b});
  ASSERT_EQ(policy.origins.size(), 1U);
  ASSERT_EQ(policy.origins[0].size(), 2U);
  EXPECT_EQ(policy.origins[0][1].sid, "B");
}

// Random statements over few words, so that coverings and merges are common.
class RandomPolicies {
 public:
  std::vector<PlainStatement> next() {
    std::vector<PlainStatement> statements(1 + below(4));
    for (PlainStatement& statement : statements) {
      statement.deny = below(4) == 0;
      statement.not_action = below(5) == 0;
      statement.actions = some(kActions);
      statement.not_resource = below(6) == 0;
      statement.resources = some(kResources);
      for (std::size_t left = below(3); left > 0; --left) add_condition(statement);
    }
    return statements;
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }

  static constexpr std::array<std::string_view, 7> kActions = {
      "s3:GetObject", "s3:Get*", "s3:getobject", "s3:*", "s3:PutObject", "sqs:*", "*"};
  static constexpr std::array<std::string_view, 8> kResources = {"arn:aws:s3:::a/*",
                                                                 "arn:aws:s3:::a/b",
                                                                 "arn:aws:s3:::*",
                                                                 "*",
                                                                 "arn:aws:s3:::a/${aws:username}",
                                                                 "arn:aws:*:::a/b",
                                                                 "arn:aws:s3:::a?b",
                                                                 "arn:aws:s3:::b"};

 private:
  template <std::size_t N>
  std::vector<std::string> some(const std::array<std::string_view, N>& words) {
    std::vector<std::string> out;
    for (std::size_t left = 1 + below(3); left > 0; --left) out.emplace_back(words[below(N)]);
    return out;
  }

  void add_condition(PlainStatement& statement) {
    static constexpr std::array<std::string_view, 4> kOperators = {
        "StringEquals", "StringNotEquals", "StringLike", "ForAllValues:StringLike"};
    static constexpr std::array<std::string_view, 3> kValues = {"x", "y", "x*"};
    PlainCondition condition{std::string(kOperators[below(4)]),
                             below(2) == 0 ? "aws:PrincipalTag/t" : "aws:TagKeys", some(kValues)};
    for (const PlainCondition& other : statement.conditions)
      if (other.op == condition.op && other.key == condition.key) return;
    statement.conditions.push_back(std::move(condition));
  }

  std::mt19937 random_{42};
};

// As written: nothing sorted, merged or collapsed.
std::string as_written(const std::vector<PlainStatement>& statements) {
  json::Writer writer;
  const auto list = [&](std::string_view key, const std::vector<std::string>& values) {
    writer.key(key).begin_array();
    for (const std::string& value : values) writer.string(value);
    writer.end_array();
  };
  writer.begin_object().key("Version").string("2012-10-17").key("Statement").begin_array();
  for (const PlainStatement& statement : statements) {
    writer.begin_object().key("Effect").string(statement.deny ? "Deny" : "Allow");
    list(statement.not_action ? "NotAction" : "Action", statement.actions);
    list(statement.not_resource ? "NotResource" : "Resource", statement.resources);
    writer.key("Condition").begin_object();
    for (std::size_t i = 0; i < statement.conditions.size(); ++i) {
      const auto& conditions = statement.conditions;
      const auto same = [&](const PlainCondition& c) { return c.op == conditions[i].op; };
      if (std::find_if(conditions.begin(), conditions.begin() + static_cast<std::ptrdiff_t>(i),
                       same) != conditions.begin() + static_cast<std::ptrdiff_t>(i))
        continue;
      writer.key(conditions[i].op).begin_object();
      for (const PlainCondition& condition : conditions)
        if (same(condition)) list(condition.key, condition.values);
      writer.end_object();
    }
    writer.end_object().end_object();
  }
  writer.end_array().end_object();
  return std::move(writer).take();
}

iam::Policy compiled(const std::string& text) {
  auto policy = iam::compile(std::string_view(text), iam::PolicyKind::Session, "p");
  if (!policy) ADD_FAILURE() << text << " " << policy.error().front().message;
  return *std::move(policy);
}

iam::Outcome decide(const iam::Policy& policy, const iam::Request& request) {
  const iam::Policy* const policies[] = {&policy};
  return iam::decide(iam::Stack::session_only(policies), request).outcome;
}

TEST(Canonical, DecidesEveryRequestAsTheStatementsAsWritten) {
  constexpr int kPolicies = 3000;
  RandomPolicies random;
  const auto principal = *iam::Principal::parse("arn:aws:sts::111122223333:assumed-role/r/session");
  static constexpr std::array<std::string_view, 5> kActions = {
      "s3:GetObject", "s3:GetBucketAcl", "s3:PutObject", "sqs:SendMessage", "ec2:RunInstances"};
  static constexpr std::array<std::string_view, 6> kResources = {
      "arn:aws:s3:::a/b",
      "arn:aws:s3:::a/jane",
      "arn:aws:s3:::b",
      "arn:aws:s3:::axb",
      "arn:aws:sqs:us-east-1:111122223333:q",
      "arn:aws:s3:::x:::a/b"};
  static constexpr std::array<std::string_view, 3> kTags = {"x", "xy", "z"};
  std::size_t allowed = 0;
  std::size_t saved = 0;
  for (int i = 0; i < kPolicies; ++i) {
    const auto statements = random.next();
    const std::string written = as_written(statements);
    const PolicyText canonical = write_canonical(statements);
    EXPECT_LE(canonical.json.size(), written.size());
    saved += written.size() - canonical.json.size();
    const iam::Policy before = compiled(written);
    const iam::Policy after = compiled(canonical.json);
    EXPECT_EQ(canonical.origins.size(), after.statements());
    for (int j = 0; j < 12; ++j) {
      iam::Context context;
      const std::string_view keys[] = {kTags[random.below(3)], kTags[random.below(3)]};
      context.set("aws:username", "jane");
      if (random.below(3) != 0) context.set("aws:PrincipalTag/t", kTags[random.below(3)]);
      if (random.below(3) != 0) context.set("aws:TagKeys", keys);
      if (random.below(6) == 0) context.set_unknown("aws:PrincipalTag/t");
      iam::Request request{.principal = &principal,
                           .action = kActions[random.below(5)],
                           .resource = kResources[random.below(6)],
                           .resource_account = "111122223333",
                           .context = &context,
                           .facts = {}};
      if (random.below(8) == 0) request.resource = std::nullopt;
      const iam::Outcome was = decide(before, request);
      ASSERT_EQ(was, decide(after, request)) << written << "\n"
                                             << canonical.json << "\n"
                                             << request.action;
      if (was == iam::Outcome::Allowed) ++allowed;
    }
  }
  EXPECT_GT(allowed, 1000U) << "the cases say something";
  EXPECT_GT(saved, 100'000U);
}

TEST(Canonical, IsAFixedPointAndKnowsNoOrder) {
  RandomPolicies random;
  for (int i = 0; i < 1000; ++i) {
    auto statements = random.next();
    const std::string once = write_canonical(statements).json;
    std::reverse(statements.begin(), statements.end());
    for (PlainStatement& statement : statements) {
      std::reverse(statement.actions.begin(), statement.actions.end());
      std::reverse(statement.conditions.begin(), statement.conditions.end());
    }
    EXPECT_EQ(write_canonical(statements).json, once);
  }
}

}  // namespace
}  // namespace remit::rules
