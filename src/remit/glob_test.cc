#include "remit/glob.h"

#include <gtest/gtest.h>

#include <random>

namespace remit::rules {
namespace {

struct GlobCase {
  std::string pattern;
  std::string text;
  bool matches;
};

TEST(Glob, MatchesWholeNames) {
  const GlobCase cases[] = {
      {"call_aws", "call_aws", true},
      {"call_aws", "call_aws2", false},
      {"*", "", true},
      {"*", "anything", true},
      {"get_*", "get_", true},
      {"get_*", "get", false},
      {"?", "x", true},
      {"?", "", false},
      {"a*b*c", "aXbYbZc", true},
      {"a*b", "abx", false},
      {"**", "x", true},
      {"*_read", "s3_read", true},
      {"", "", true},
      {"", "x", false},
      {"a?c", "abc", true},
  };
  for (const GlobCase& c : cases)
    EXPECT_EQ(glob_matches(c.pattern, c.text), c.matches) << c.pattern;
}

TEST(Glob, StaysFastOnHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(glob_matches(pattern, std::string(5000, 'a')));
}

struct Overlap {
  std::string a;
  std::string b;
  bool overlap;
};

TEST(Glob, DecidesOverlapExactly) {
  const Overlap cases[] = {
      {"get_*", "*_bucket", true},
      {"get_*", "put_*", false},
      {"*", "x", true},
      {"a", "a", true},
      {"a", "b", false},
      {"a?", "?b", true},
      {"a?", "b?", false},
      {"a*z", "a", false},
      {"*a*", "*b*", true},
      {"?", "??", false},
      {"*?", "a", true},
      {"ab*", "a?c*", true},
      {"*x", "*y", false},
      {"x*", "*x", true},
      {"*", "*", true},
  };
  for (const Overlap& c : cases) {
    const auto common = globs_overlap(c.a, c.b);
    ASSERT_EQ(common.has_value(), c.overlap) << c.a << " " << c.b;
    if (!common) continue;
    EXPECT_TRUE(glob_matches(c.a, *common)) << c.a << " " << *common;
    EXPECT_TRUE(glob_matches(c.b, *common)) << c.b << " " << *common;
  }
}

// Every text of up to four letters of a small alphabet, against what globs_overlap says.
TEST(Glob, OverlapAgreesWithTryingEveryShortText) {
  std::vector<std::string> texts = {""};
  for (std::size_t i = 0; i < texts.size() && texts[i].size() < 5; ++i)
    for (const char c : {'a', 'b'}) texts.push_back(texts[i] + c);
  std::mt19937 random(7);
  const auto pattern = [&] {
    std::string out;
    for (std::size_t left = random() % 4; left > 0; --left) out += "ab*?"[random() % 4];
    return out;
  };
  for (int i = 0; i < 5000; ++i) {
    const std::string a = pattern();
    const std::string b = pattern();
    bool found = false;
    for (const std::string& text : texts)
      found = found || (glob_matches(a, text) && glob_matches(b, text));
    EXPECT_EQ(globs_overlap(a, b).has_value(), found) << a << " " << b;
  }
}

TEST(ToolPattern, IsUpstreamAndTool) {
  const auto pattern = parse_tool_pattern("api/call_*");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(pattern->matches("api", "call_aws"));
  EXPECT_FALSE(pattern->matches("other", "call_aws"));
  EXPECT_FALSE(pattern->matches("api", "suggest"));
  for (const char* wrong : {"api", "/x", "api/", "a*/x", ""})
    EXPECT_FALSE(parse_tool_pattern(wrong)) << wrong;
}

}  // namespace
}  // namespace remit::rules
