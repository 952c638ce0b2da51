#include "iam/wildcard.h"

#include <random>

namespace remit::iam {
namespace {

bool glob(std::string_view pattern, std::string_view text) {
  std::string encoded;
  append_encoded(encoded, pattern);
  return matches(encoded, text);
}

// Slow and obvious: every way to split.
bool slow(std::string_view p, std::string_view t) {
  std::vector<std::vector<bool>> can(p.size() + 1, std::vector<bool>(t.size() + 1));
  can[0][0] = true;
  for (std::size_t i = 1; i <= p.size(); ++i) {
    for (std::size_t j = 0; j <= t.size(); ++j) {
      if (p[i - 1] == '*') {
        can[i][j] = can[i - 1][j] || (j > 0 && can[i][j - 1]);
      } else {
        can[i][j] = j > 0 && can[i - 1][j - 1] && (p[i - 1] == '?' || p[i - 1] == t[j - 1]);
      }
    }
  }
  return can[p.size()][t.size()];
}

TEST(Wildcard, MatchesAsDocumented) {
  struct Case {
    std::string_view pattern, text;
    bool expected;
  };
  for (const auto& c :
       std::vector<Case>{{"", "", true},         {"", "a", false},     {"*", "", true},
                         {"*", "abc", true},     {"?", "", false},     {"?", "a", true},
                         {"a*c", "abbbc", true}, {"a*c", "ac", true},  {"a*c", "acb", false},
                         {"*a*a", "aa", true},   {"*a*a", "a", false}, {"ab*ba", "aba", false},
                         {"**", "x", true},      {"?*?", "ab", true},  {"?*?", "a", false},
                         {"*?b", "aab", true},   {"?", "é", true},     {"??", "é", false},
                         {"*é?", "xéy", true},   {"a?", "a😀", true}}) {
    EXPECT_EQ(glob(c.pattern, c.text), c.expected) << c.pattern << " on " << c.text;
  }
}

TEST(Wildcard, AgreesWithTrialOfEverySplit) {
  std::mt19937 random(7);
  const auto pick = [&](std::string_view letters, std::size_t longest) {
    std::string out(random() % (longest + 1), ' ');
    for (char& c : out) c = letters[random() % letters.size()];
    return out;
  };
  for (int i = 0; i < 200'000; ++i) {
    const auto pattern = pick("ab*?", 9);
    const auto text = pick("ab", 12);
    ASSERT_EQ(glob(pattern, text), slow(pattern, text)) << pattern << " on " << text;
  }
}

// Long enough for the search by bits; characters of one to four bytes.
TEST(Wildcard, AgreesOnLongTextsToo) {
  std::mt19937 random(8);
  const std::vector<std::string> letters{"a", "b", "é", "😀"};
  for (int i = 0; i < 3'000; ++i) {
    std::string text, pattern = "*";
    std::string text_letters, pattern_letters = "*";  // one byte a character, for the slow way
    for (std::size_t n = 0; n < 400; ++n) {
      const auto k = random() % letters.size() % (1 + random() % 4);
      text += letters[k];
      text_letters += "abcd"[k];
    }
    const auto size = 20 + random() % 100;
    const auto from = random() % 250;
    for (std::size_t n = 0; n < size; ++n) {
      const char c = text_letters[from + n];
      const bool any = random() % 4 == 0;
      const bool wrong = random() % 200 == 0;
      pattern += any ? "?" : letters[static_cast<std::size_t>((wrong ? 'a' : c) - 'a')];
      pattern_letters += any ? '?' : wrong ? 'a' : c;
    }
    pattern += "*";
    pattern_letters += "*";
    ASSERT_EQ(glob(pattern, text), slow(pattern_letters, text_letters))
        << pattern << " on " << text;
  }
}

TEST(Wildcard, KeepsCodesApartFromText) {
  EXPECT_TRUE(holds_codes("a\xff"));
  EXPECT_FALSE(holds_codes("plain é"));
}

}  // namespace
}  // namespace remit::iam
