#include <sys/mman.h>

#include <cstring>
#include <fstream>
#include <string>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "base/resident.h"
#include "base/scrub.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "base/xml.h"

namespace remit {
namespace {

// The examples of RFC 4648 section 10.
TEST(Base64, FollowsTheRfcBothWays) {
  struct Case {
    std::string_view bytes, text;
  };
  constexpr Case kCases[] = {{"", ""},
                             {"f", "Zg=="},
                             {"fo", "Zm8="},
                             {"foo", "Zm9v"},
                             {"foob", "Zm9vYg=="},
                             {"fooba", "Zm9vYmE="},
                             {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : kCases) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(unbase64(text), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const std::string_view bad :
       {"Zg=", "Zg", "Zh==", "Zm9=", "Zm 9v", "====", "Z===", "Zg==Zg=="}) {
    EXPECT_FALSE(unbase64(bad)) << bad;
  }
}

TEST(UriEncoding, KeepsOnlyUnreservedBytes) {
  EXPECT_EQ(uri_encode("a b/\xc3\xa9~", Slash::Encode), "a%20b%2F%C3%A9~");
  EXPECT_EQ(uri_encode("a b/c", Slash::Keep), "a%20b/c");
  EXPECT_EQ(uri_decode("a%20b%2Fc+d"), "a b/c+d");
  EXPECT_EQ(form_decode("a+b%2B"), "a b+");
  for (const std::string_view bad : {"%", "%2", "%zz", "a%2"}) EXPECT_FALSE(uri_decode(bad)) << bad;
}

TEST(Xml, EscapesWhatAnElementCannotHold) {
  EXPECT_EQ(xml_escaped("a<b>&c \xc3\xa9\t\n"), "a&lt;b&gt;&amp;c \xc3\xa9\t\n");
  EXPECT_EQ(xml_escaped(std::string_view("\0\x1b", 2)), "??");
}

// FIPS 180-4 example and RFC 4231 test case 2 and 6 (a key longer than a block).
TEST(Digests, MatchThePublishedVectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  Sha256 hasher;
  for (const char c : std::string_view("the quick brown fox")) hasher.update({&c, 1});
  EXPECT_EQ(hasher.finish(), sha256("the quick brown fox"));
  hasher.update("abc");
  EXPECT_EQ(hasher.finish(), sha256("abc"));
}

TEST(Log, PassesUtf8AndEscapesWhatWouldForgeOrMoveSomething) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"plain", R"("plain")"},
      {"a \"b\" \\", R"("a \"b\" \\")"},
      {"Z\xc3\xbcrich \xe2\x9c\x93 \xf0\x9f\x98\x80",
       "\"Z\xc3\xbcrich \xe2\x9c\x93 \xf0\x9f\x98\x80\""},
      {"two\nlines\x1b[2J\x7f", R"("two\u000alines\u001b[2J\u007f")"},
      {"\xc2\x9b", R"("\u009b")"},  // CSI of eight bits
      {"\xe2\x80\xae\xe2\x80\xa8", R"("\u202e\u2028")"},
      {"\xff\xc3(\xe2\x9c", R"("\\xff\\xc3(\\xe2\\x9c")"},  // no UTF-8 at all, and a cut sequence
  };
  for (const auto& [text, wanted] : cases) {
    std::string out;
    append_log_text(out, text);
    EXPECT_EQ(out, wanted);
  }
}

TEST(Utf8, APrefixCutsNoSequence) {
  EXPECT_EQ(utf8_prefix("ab\xc3\xa9", 9), "ab\xc3\xa9");
  EXPECT_EQ(utf8_prefix("ab\xc3\xa9", 3), "ab");
  EXPECT_EQ(utf8_prefix("ab\xc3\xa9g", 4), "ab\xc3\xa9");
  EXPECT_EQ(utf8_prefix("\xf0\x9f\x98\x80", 3), "");
  EXPECT_EQ(utf8_prefix("\x80\x80\x80\x80\x80\x80\x80", 6), "\x80\x80\x80\x80\x80\x80");  // none
}

TEST(Secret, MovesAndLeavesTheSourceEmpty) {
  Secret first("hunter2");
  const Secret second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_TRUE(second.equals("hunter2"));
  EXPECT_FALSE(second.equals("hunter"));
  EXPECT_TRUE(second.clone().equals("hunter2"));
}

TEST(Scrub, WipesAllThatATextEverHeldAtTheEndOfItsScope) {
  std::string text(200, 's');
  text.resize(100);  // the second half is still in the buffer
  const char* const bytes = text.data();
  {
    const ScrubAtEnd at_end(text);
    EXPECT_EQ(bytes[0], 's');
  }
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.data(), bytes);
  text.resize(200, '\0');
  EXPECT_EQ(text, std::string(200, '\0'));
}

TEST(Random, MakesBase32OfTheAskedLength) {
  SystemRandom random;
  const std::string text = random.base32(40);
  EXPECT_EQ(text.size(), 40U);
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), std::string::npos);
  EXPECT_NE(text, random.base32(40));
}

TEST(AsciiCase, IsOfLettersAloneAtEveryPlace) {
  const auto lower_of = [](int byte) {
    return static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
  };
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'Q');
        text[at] = static_cast<char>(byte);
        std::string want(size, 'q');
        want[at] = lower_of(byte);
        ASSERT_EQ(lower_ascii(text), want) << size << ' ' << at << ' ' << byte;
        ASSERT_TRUE(equals_ignoring_ascii_case(text, want)) << size << ' ' << at << ' ' << byte;
        std::string other = want;
        other[at] = static_cast<char>(byte ^ 0x20);
        ASSERT_EQ(equals_ignoring_ascii_case(text, other),
                  lower_of(byte) == lower_of(static_cast<unsigned char>(other[at])))
            << size << ' ' << at << ' ' << byte;
      }
    }
  }
}

// Pages of files that are mapped, in KiB.
int resident_of_files() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::stoi(line.substr(8));
  }
  return -1;
}

TEST(ForgetPagesOfStart, LetsGoOfMostThatIsAFilesAndOfNothingThatWasWritten) {
  static int written = 41;
  const std::string on_the_heap(1 << 16, 'x');
  ++written;
  const int before = resident_of_files();
  forget_pages_of_start();
  EXPECT_LT(resident_of_files(), before * 3 / 4);
  EXPECT_EQ(written, 42);
  EXPECT_EQ(on_the_heap, std::string(1 << 16, 'x'));
  EXPECT_EQ(lower_ascii("Code Still Runs"), "code still runs");
}

}  // namespace
}  // namespace remit
