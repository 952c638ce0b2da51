#include "iam/wildcard.h"

#include <array>
#include <random>
#include <utility>

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

// Every way of searching: short and long pieces, with and without `?`, periodic ones, many blocks.
TEST(Wildcard, AgreesOnTextsThatWearTheBudgetOut) {
  std::mt19937 random(9);
  const auto repeat = [](std::string_view what, std::size_t size) {
    std::string out;
    while (out.size() < size) out += what;
    out.resize(size);
    return out;
  };
  for (int i = 0; i < 500; ++i) {
    const std::string_view unit =
        std::array<std::string_view, 5>{"a", "ab", "aab", "aabaaab", "abbabaab"}[random() % 5];
    const auto text_size = 200 + random() % 1'400;
    std::string text = repeat(unit, text_size);
    for (std::size_t n = random() % 4; n-- > 0;) text[random() % text.size()] = 'b';
    std::string pattern = "*";
    for (std::size_t pieces = 1 + random() % 3; pieces-- > 0;) {
      std::string piece = repeat(unit, 1 + random() % (text_size / 2));
      const auto questions = random() % 3 == 0 ? 0 : piece.size() / (1 + random() % 8);
      for (std::size_t n = 0; n < questions; ++n) piece[random() % piece.size()] = '?';
      if (random() % 2 == 0) piece.back() = 'b';
      pattern += piece + "*";
    }
    ASSERT_EQ(glob(pattern, text), slow(pattern, text)) << pattern << " on " << text;
  }
}

// Steps are comparisons of characters and operations on words of 64 bits; never a clock.
std::uint64_t steps(std::string_view pattern, std::string_view text) {
  std::string encoded;
  append_encoded(encoded, pattern);
  return matches_counted(encoded, text).steps;
}
std::string times(std::string_view what, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += what;
  return out;
}

struct Hostile {
  std::string name;
  std::string pattern, text;
};

// Patterns of pieces without `?`, or with `?` and up to 512 characters, for a text of n.
std::vector<Hostile> hostile(std::size_t n) {
  const std::string as(n, 'a');
  const auto fibonacci = [&] {
    std::string a = "a", b = "ab";
    while (b.size() < n) a = std::exchange(b, b + a);
    return b.substr(0, n);
  }();
  return {
      {"stars", times("*a", n / 4) + "*b", as},
      {"stars and questions", times("*?", n / 4) + "*b", as},
      {"long piece", "*" + std::string(n / 2, 'a') + "b*", as},
      {"long piece, its end the same", "*b" + std::string(n / 2, 'a') + "*", as},
      {"periodic piece", "*" + times("ab", n / 4) + "b*", times("ab", n / 2)},
      {"fibonacci", "*" + fibonacci.substr(0, n / 2) + "c*", fibonacci},
      {"fibonacci inside", "*" + fibonacci.substr(n / 3, n / 3) + "c*", fibonacci},
      {"many long pieces", "*" + times(std::string(40, 'a') + "b*", n / 80), as},
      {"pieces of 64", "*" + times(times("a?", 32) + "*", n / 100 + 1) + "b", as},
      {"pieces of 512", "*" + times(times("a?", 255) + "b*", n / 600 + 1), as},
      {"sixty-fives", "*" + times(times("?a", 32) + "?*", n / 70 + 1) + "b", as},
      {"characters of four bytes", "*" + times("?", 300) + "b*", times("😀", n / 4)},
      {"all questions", times("?", n) + "*?", as},
  };
}

TEST(Wildcard, TakesStepsInProportionToPatternAndText) {
  for (std::size_t n = 64; n <= kLongestText; n *= 2) {
    for (const auto& h : hostile(n)) {
      const auto taken = steps(h.pattern, h.text);
      EXPECT_LE(taken, 48 * (h.pattern.size() + h.text.size())) << h.name << " of " << n;
    }
  }
}

// A piece of more than 512 characters with `?`: one pass more for each 512.
TEST(Wildcard, TakesAtMostThirtyTwoPassesOverTheLongestText) {
  const std::string text(kLongestText, 'a');
  constexpr std::uint64_t kWordsAPass = 8 * kLongestText;
  for (std::size_t piece = 1024; piece < kLongestText; piece += 512) {
    const auto pattern = "*" + times("a?", piece / 2) + "b*";
    const auto passes = piece / 512 + 1;
    EXPECT_LE(steps(pattern, text), passes * kWordsAPass + 64 * (pattern.size() + text.size()))
        << piece;
  }
  // Several such pieces share the text.
  const auto pattern = "*" + times(times("a?", 300) + "*", 13) + "b";
  EXPECT_LE(steps(pattern, text), 32 * kWordsAPass + 64 * (pattern.size() + text.size()));
}

TEST(Wildcard, KeepsCodesApartFromText) {
  EXPECT_TRUE(holds_codes("a\xff"));
  EXPECT_FALSE(holds_codes("plain é"));
}

}  // namespace
}  // namespace remit::iam
