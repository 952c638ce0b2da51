#include "json/writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace remit::json {
namespace {

TEST(JsonWriter, PutsCommasAndColonsWhereTheyBelong) {
  Writer w;
  w.begin_object();
  w.key("a").begin_array().integer(-5).boolean(true).null().begin_object().end_object();
  w.string("x\"y").end_array();
  w.key("b").raw("{\"c\":1.50}");
  w.key("d").begin_array().end_array();
  w.end_object();
  EXPECT_EQ(std::move(w).take(), R"({"a":[-5,true,null,{},"x\"y"],"b":{"c":1.50},"d":[]})");
}

TEST(JsonWriter, EscapesWhatMustBeAndMendsInvalidUtf8) {
  const std::pair<std::string, std::string> cases[] = {
      {"a/b", "\"a/b\""},
      {std::string("\0\x1F", 2), R"("\u0000\u001f")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"\"\\", R"("\"\\")"},
      {"\xC3\xA9\x7F", "\"\xC3\xA9\x7F\""},
      {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const auto& [text, want] : cases) {
    std::string out;
    append_string(out, text);
    EXPECT_EQ(out, want);
    EXPECT_FALSE(nlohmann::json::parse(out, nullptr, false).is_discarded());
  }
}

// Strings are looked at eight bytes at a time: each length, with each kind of byte at each place.
TEST(JsonWriter, FindsAByteToEscapeWhereverItStands) {
  const std::vector<std::pair<char, std::string>> kinds = {
      {'a', "a"},     {' ', " "},        {'\x7F', "\x7F"}, {'"', "\\\""},
      {'\\', "\\\\"}, {'\0', "\\u0000"}, {'\n', "\\n"},    {'\x1F', "\\u001f"}};
  for (std::size_t length = 1; length <= 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (const auto& [byte, escaped] : kinds) {
        std::string text(length, 'x');
        text[at] = byte;
        std::string out = "before";
        append_string(out, text);
        const std::string tail(length - at - 1, 'x');
        EXPECT_EQ(out, "before\"" + std::string(at, 'x') + escaped + tail + "\"");
      }
    }
  }
}

TEST(JsonWriterDeathTest, EndsTheProcessOnAMisplacedValue) {
  EXPECT_DEATH(Writer().begin_object().string("value where a key must be"), "");
  EXPECT_DEATH(Writer().begin_array().end_object(), "");
  EXPECT_DEATH(Writer().integer(1).integer(2), "");
}

}  // namespace
}  // namespace remit::json
