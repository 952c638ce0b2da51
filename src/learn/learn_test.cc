#include "learn/learn.h"

#include <gmock/gmock.h>

#include "iam/policy.h"
#include "learn/print.h"

namespace remit::learn {
namespace {

ToolUse use() {
  ToolUse made;
  made.upstream = "api";
  made.tool = "call";
  made.role = "arn:aws:iam::111122223333:role/agents/r";
  made.with_context = true;
  return made;
}

Observed seen(std::string action, std::vector<std::string> resources,
              std::map<std::string, std::vector<std::string>> context = {}, std::size_t times = 1) {
  Observed one;
  one.asked.action = std::move(action);
  one.asked.resources = std::move(resources);
  one.asked.context = std::move(context);
  one.times = times;
  return one;
}

// Compiles what was learnt and asks it.
bool learnt_allows(const Learnt& learnt, const ToolUse& of, const Asked& asked) {
  const auto policy = iam::compile(learnt.policy.json, iam::PolicyKind::Session, "learnt");
  return policy && allows(*policy, of, asked);
}

TEST(Learn, AllowsWhatWasSeenAndNothingBesides) {
  ToolUse of = use();
  of.observed = {seen("s3:GetObject", {"arn:aws:s3:::inv/a"}),
                 seen("s3:ListBucket", {"arn:aws:s3:::inv"})};
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->statements.size(), 2u);
  for (const Observed& one : of.observed) EXPECT_TRUE(learnt_allows(*learnt, of, one.asked));
  EXPECT_FALSE(learnt_allows(*learnt, of, seen("s3:PutObject", {"arn:aws:s3:::inv/a"}).asked));
  EXPECT_FALSE(learnt_allows(*learnt, of, seen("s3:GetObject", {"arn:aws:s3:::inv/b"}).asked));
  EXPECT_FALSE(learnt_allows(*learnt, of, seen("s3:GetObject", {"arn:aws:s3:::other/a"}).asked));
}

TEST(Learn, PutsBoundArgumentsBack) {
  ToolUse of = use();
  for (const std::string bucket : {"red", "green", "blue"}) {
    const std::map<std::string, std::string> bound = {{"bucket", bucket},
                                                      {"folder", "in/" + bucket}};
    for (const char* file : {"/a", "/b", "/c"}) {
      const std::string key =
          of.arguments.mark("arn:aws:s3:::" + bucket + "/in/" + bucket + file, bound);
      of.observed.push_back(seen("s3:GetObject", {key}));
    }
    of.observed.push_back(seen("s3:ListBucket",
                               {of.arguments.mark("arn:aws:s3:::" + bucket, bound)},
                               {{"s3:prefix", {of.arguments.mark("in/" + bucket, bound)}}}, 2));
  }
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(to_yaml(learnt->statements, 0),
            "session:\n"
            "  - Effect: Allow\n"
            "    Action: \"s3:ListBucket\"\n"
            "    Resource: \"arn:aws:s3:::${arg:bucket}\"\n"
            "    Condition:\n"
            "      StringEquals:\n"
            "        \"s3:prefix\": \"${arg:folder}\"\n"
            "  - Effect: Allow\n"
            "    Action: \"s3:GetObject\"\n"
            "    Resource: \"arn:aws:s3:::${arg:bucket}/${arg:folder}/*\"\n");
}

TEST(LearnArguments, AreMarkedWhereTheirValueIsAWholePart) {
  struct Case {
    std::map<std::string, std::string> bound;
    std::string_view text, restored;
  };
  const Case kCases[] = {
      {{{"b", "inv"}}, "arn:aws:s3:::inv/inv", "arn:aws:s3:::${arg:b}/${arg:b}"},
      {{{"b", "inv"}}, "arn:aws:s3:::invoices/inv2", "arn:aws:s3:::invoices/inv2"},
      {{{"b", "inv"}}, "arn:aws:s3:::my-inv", "arn:aws:s3:::my-inv"},
      {{{"k", "a/b"}}, "arn:aws:s3:::x/a/b", "arn:aws:s3:::x/${arg:k}"},
      {{{"b", "a"}, {"k", "a/c"}}, "arn:aws:s3:::a/a/c", "arn:aws:s3:::${arg:b}/${arg:k}"},
      {{{"account", "111122223333"}, {"q", "work"}},
       "arn:aws:sqs:us-east-1:111122223333:work",
       "arn:aws:sqs:us-east-1:${arg:account}:${arg:q}"},
      {{{"x", "same"}, {"y", "same"}}, "arn:aws:s3:::same", "arn:aws:s3:::same"},
      {{{"x", ""}}, "arn:aws:s3:::", "arn:aws:s3:::"},
      {{}, "arn:aws:s3:::a", "arn:aws:s3:::a"},
  };
  for (const auto& [bound, text, restored] : kCases) {
    Arguments arguments;
    EXPECT_EQ(arguments.restore(arguments.mark(text, bound)), restored);
  }
}

TEST(Learn, RefusedRequestsAreLearntOnlyWhenAskedFor) {
  ToolUse of = use();
  of.observed = {seen("s3:GetObject", {"arn:aws:s3:::inv/a"})};
  of.observed.push_back(seen("s3:DeleteObject", {"arn:aws:s3:::inv/a"}));
  of.observed.back().refused = true;
  const auto without = learn(of, {});
  ASSERT_TRUE(without);
  EXPECT_FALSE(learnt_allows(*without, of, of.observed[1].asked));
  ASSERT_EQ(without->left_out.size(), 1u);
  const auto with = learn(of, {.wildcards = {}, .include_refused = true});
  ASSERT_TRUE(with);
  EXPECT_TRUE(learnt_allows(*with, of, of.observed[1].asked));
  EXPECT_TRUE(with->left_out.empty());
}

TEST(Learn, AResourceThatTheRequestDoesNotTellNeedsAll) {
  ToolUse of = use();
  of.observed = {seen("ec2:DescribeInstances", {"*"}), seen("glue:GetTable", {})};
  of.observed[1].asked.resource_unknown = true;
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt) << learnt.error().message;
  ASSERT_EQ(learnt->statements.size(), 1u);
  EXPECT_EQ(learnt->statements[0].resources, std::vector<std::string>{"*"});
}

TEST(Learn, AValueThatNeverChangedBecomesACondition) {
  ToolUse of = use();
  const std::map<std::string, std::vector<std::string>> lambda{
      {"iam:PassedToService", {"lambda.amazonaws.com"}}, {"aws:RequestedRegion", {"us-east-1"}}};
  of.observed = {seen("iam:PassRole", {"arn:aws:iam::111122223333:role/f"}, lambda, 3)};
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt);
  ASSERT_EQ(learnt->statements[0].conditions.size(), 1u)
      << "a region is in the way of a role's ARN";
  EXPECT_EQ(learnt->statements[0].conditions[0].key, "iam:PassedToService");
  Asked other = of.observed[0].asked;
  other.context["iam:PassedToService"] = {"ec2.amazonaws.com"};
  EXPECT_FALSE(learnt_allows(*learnt, of, other));

  of.observed[0].times = 2;
  EXPECT_TRUE(learn(of, {})->statements[0].conditions.empty()) << "too little evidence";
  of.observed = {seen("iam:PassRole", {"arn:aws:iam::111122223333:role/f"}, lambda, 3),
                 seen("iam:PassRole", {"arn:aws:iam::111122223333:role/f"}, {}, 1)};
  EXPECT_TRUE(learn(of, {})->statements[0].conditions.empty()) << "one request did not have it";
}

TEST(Learn, PrefixesInOneFolderBecomeAPattern) {
  ToolUse of = use();
  for (const std::string month : {"01", "02", "03"}) {
    of.observed.push_back(
        seen("s3:ListBucket", {"arn:aws:s3:::inv"}, {{"s3:prefix", {"2026/" + month + "/"}}}));
  }
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt);
  ASSERT_EQ(learnt->statements[0].conditions.size(), 1u);
  EXPECT_EQ(learnt->statements[0].conditions[0].op, "StringLike");
  EXPECT_EQ(learnt->statements[0].conditions[0].values, std::vector<std::string>{"2026/*"});
}

TEST(Learn, NamesThatLookLikeVariablesStayNames) {
  ToolUse of = use();
  of.observed = {seen("s3:GetObject", {"arn:aws:s3:::inv/${aws:username}"})};
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_TRUE(learnt_allows(*learnt, of, of.observed[0].asked));
  EXPECT_FALSE(learnt_allows(*learnt, of, seen("s3:GetObject", {"arn:aws:s3:::inv/bob"}).asked));
}

TEST(Learn, SaysWhenItWouldNotFit) {
  ToolUse of = use();
  for (int i = 0; i < 120; ++i) {
    of.observed.push_back(
        seen("sqs:SendMessage", {"arn:aws:sqs:us-east-1:111122223333:q" + std::to_string(i)}));
  }
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt);
  EXPECT_THAT(learnt->notes, testing::Contains(testing::HasSubstr("more than the 2048")));
}

TEST(Learn, PrintsWhatCanBePasted) {
  ToolUse of = use();
  of.observed = {seen("s3:GetObject", {"arn:aws:s3:::inv/a: \"b\""}),
                 seen("iam:PassRole", {"arn:aws:iam::111122223333:role/f"},
                      {{"iam:PassedToService", {"lambda.amazonaws.com"}}}, 3)};
  const auto learnt = learn(of, {});
  ASSERT_TRUE(learnt);
  const std::string yaml = to_yaml(learnt->statements, 0);
  EXPECT_THAT(yaml, testing::HasSubstr("Resource: \"arn:aws:s3:::inv/a: \\\"b\\\"\"\n"));
  EXPECT_THAT(yaml, testing::HasSubstr("      StringEquals:\n        \"iam:PassedToService\": "
                                       "\"lambda.amazonaws.com\"\n"));
  json::Writer writer;
  write_json(writer, learnt->statements);
  EXPECT_TRUE(json::parse(std::move(writer).take()));
}

}  // namespace
}  // namespace remit::learn
