#include "remit/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remit::rules {
namespace {

using testing::HasSubstr;

struct Case {
  std::string grammar;
  std::string value;
  bool accepted;
};

TEST(Grammar, AcceptsWhatItNamesAndNothingElse) {
  const Case cases[] = {
      {"bucket", "invoices", true},
      {"bucket", "my.bucket-1", true},
      {"bucket", "ab", false},
      {"bucket", std::string(64, 'a'), false},
      {"bucket", "Invoices", false},
      {"bucket", "a..b", false},
      {"bucket", "-abc", false},
      {"bucket", "abc-", false},
      {"bucket", "192.168.1.10", false},
      {"bucket", "a/b", false},
      {"bucket", "invoices\n", false},
      {"key", "a/b/c.txt", true},
      {"key", "dir/", true},
      {"key", "über/straße.txt", true},
      {"key", "a b", true},
      {"key", "/a", false},
      {"key", "a//b", false},
      {"key", "a/../b", false},
      {"key", "./a", false},
      {"key", "..", false},
      {"key", "a\\b", false},
      {"key", std::string(1025, 'a'), false},
      {"name", "my-table_1.x", true},
      {"name", "-x", false},
      {"name", "a/b", false},
      {"name", "a:b", false},
      {"account", "111122223333", true},
      {"account", "11112222333", false},
      {"account", "1111-2222-3333", false},
      {"account", "１１１１２２２２３３３３", false},
      {"region", "us-east-1", true},
      {"region", "us-gov-west-1", true},
      {"region", "us-east-1.evil.com", false},
      {"arn", "arn:aws:s3:::invoices/a", true},
      {"arn", "arn:aws:s3:::*", false},
      {"arn", "not-an-arn", false},
      {"number", "0", true},
      {"number", "123", true},
      {"number", "007", false},
      {"number", "-1", false},
      {"number", "1e3", false},
      {"number", "1234567890123456", false},
      {"boolean", "true", true},
      {"boolean", "True", false},
      {"token", "abc-DEF_1", true},
      {"token", "a.b", false},
      {"token", std::string(65, 'a'), false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Grammar::named(c.grammar)->accepts(c.value).has_value(), c.accepted)
        << c.grammar << " " << c.value;
}

TEST(Grammar, RefusesUnsafeTextWhateverItsKind) {
  const Grammar anything = *Grammar::pattern("(?s).*");
  const std::pair<std::string, std::string> cases[] = {
      {"", "is empty"},
      {"a*", "wildcard '*'"},
      {"a?", "wildcard '?'"},
      {"${aws:username}", "policy variable"},
      {"a\\b", "backslash"},
      {std::string("a\0b", 3), "U+0000"},
      {"a\tb", "U+0009"},
      {"a\nb", "U+000A"},
      {"a\x7F", "U+007F"},
      {"a\xC2\x85", "U+0085"},           // next line
      {"a\xE2\x80\xAE", "U+202E"},       // right-to-left override
      {"a\xE2\x80\x8B", "U+200B"},       // zero width space
      {"a\xEF\xBB\xBF", "U+FEFF"},       // byte order mark
      {"a\xF3\xA0\x81\x81", "U+E0041"},  // tag characters
      {"\xC3(", "not valid UTF-8"},
      {"\xC0\xAA", "not valid UTF-8"},      // overlong '*'
      {"\xED\xA0\x80", "not valid UTF-8"},  // surrogate
      {std::string(1025, 'x'), "longer than"},
  };
  for (const auto& [value, why] : cases) {
    const auto result = anything.accepts(value);
    ASSERT_FALSE(result) << why;
    EXPECT_EQ(result.error().code, ErrorCode::Denied);
    EXPECT_THAT(result.error().message, HasSubstr(why));
  }
}

TEST(Grammar, MatchesAPatternAsAWhole) {
  const Grammar pattern = *Grammar::pattern("[a-z]+|x");
  EXPECT_TRUE(pattern.accepts("abc"));
  EXPECT_FALSE(pattern.accepts("abc1"));
  EXPECT_FALSE(pattern.accepts("1abc"));
  EXPECT_FALSE(Grammar::pattern(""));
  EXPECT_FALSE(Grammar::pattern("a{1000}{1000}"));
  EXPECT_FALSE(Grammar::pattern("(?=a)b"));
  EXPECT_FALSE(Grammar::pattern(std::string(513, 'a')));
}

TEST(Grammar, TakesTheValuesOfAListOnly) {
  const Grammar list = *Grammar::values({"prod", "dev"});
  EXPECT_TRUE(list.accepts("prod"));
  EXPECT_FALSE(list.accepts("Prod"));
  EXPECT_FALSE(Grammar::values({}));
}

TEST(Grammar, SamplesFitTheirGrammar) {
  for (const char* name :
       {"bucket", "key", "name", "account", "region", "arn", "number", "boolean", "token"}) {
    const Grammar grammar = *Grammar::named(name);
    EXPECT_TRUE(grammar.accepts(grammar.sample())) << name;
  }
}

}  // namespace
}  // namespace remit::rules
