#include "json/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "json/writer.h"

namespace remit::json {
namespace {

using namespace std::string_literals;

TEST(JsonReader, AcceptsWhatRfc8259Allows) {
  const std::string cases[] = {
      "null",
      "true",
      "false",
      "0",
      "-0",
      "1",
      "-1.5e+3",
      "1E3",
      "1e-400",
      "0e999",
      "0.0001e310",
      "\"\"",
      "\"a\"",
      " [ ] ",
      "\t{\r}\n",
      "[1,2 , 3]",
      "{\"a\":{\"a\":1},\"b\":[{}]}",
      R"("\" \\ \/ \b \f \n \r \t \u0041 \u00e9 \u20ac \ud83d\ude00 \u0000")",
      "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"",
      "{\"\":0}",
      "\"long enough for two words\"",
      "1.7976931348623157e308",
      "123456789012345678901234567890"};
  for (const std::string& text : cases) {
    const auto document = parse(text);
    ASSERT_TRUE(document) << text << ": " << document.error().message;
    EXPECT_EQ(nlohmann::json::parse(canonical(document->root())), nlohmann::json::parse(text));
  }
}

struct Refused {
  std::string text;
  std::size_t offset;
  std::string_view message;  // a part of it
};

TEST(JsonReader, RefusesEverythingElseAndSaysWhere) {
  const Refused cases[] = {
      {"", 0, "empty"},
      {"  ", 2, "empty"},
      {"{", 1, "expected a key in double quotes but found the end of the text"},
      {"[1", 2, "',' or ']'"},
      {"[1,]", 3, "expected a value but found ']'"},
      {"{\"a\":1,}", 7, "expected a key in double quotes but found '}'"},
      {"{\"a\" 1}", 5, "':' after the key"},
      {"{\"a\":1 \"b\":2}", 7, "',' or '}'"},
      {"{a:1}", 1, "a key in double quotes"},
      {"[1}", 2, "',' or ']'"},
      {"nul", 0, "a value"},
      {"True", 0, "a value"},
      {"NaN", 0, "a value"},
      {"01", 1, "begins with 0"},
      {"-", 1, "a digit after '-'"},
      {"+1", 0, "a value"},
      {".5", 0, "a value"},
      {"1.", 2, "a digit after the point"},
      {"1e", 2, "a digit in the exponent"},
      {"1e400", 0, "beyond the range"},
      {"-1e309", 0, "beyond the range"},
      {"1e99999999999999999999", 0, "beyond the range"},
      {"6e9223372036854775807", 0, "beyond the range"},
      {"1" + std::string(400, '0'), 0, "beyond the range"},
      {"1 2", 2, "nothing after the value but found '2'"},
      {"{}\0"s, 2, "byte 0x00"},
      {"\0{}"s, 0, "a value"},
      {"\"a\0b\""s, 2, "control character"},
      {"\"a\nb\"", 2, "control character"},
      {"\"abc", 0, "no closing quote"},
      {"\"abc\\", 5, "no closing quote"},
      {R"("\x")", 1, "unknown escape"},
      {R"("\u12g4")", 1, "four hexadecimal digits"},
      {R"("\u-123")", 1, "four hexadecimal digits"},
      {R"("\u12)", 1, "four hexadecimal digits"},
      {R"("\ud800")", 1, "surrogate"},
      {R"("\ud800\n")", 1, "surrogate"},
      {R"("\ud800\ud800")", 1, "surrogate"},
      {R"("\udc00")", 1, "surrogate"},
      {"\"\xED\xA0\x80\"", 1, "UTF-8"},
      {"\"\xC0\x80\"", 1, "UTF-8"},
      {"\"\xF4\x90\x80\x80\"", 1, "UTF-8"},
      {"\"\xE2\x82\"", 1, "UTF-8"},
      {"\"\xFF\"", 1, "UTF-8"},
      {"\xEF\xBB\xBF{}", 0, "byte order mark"},
      {"[/*c*/]", 1, "a value"},
      {"{\"a\":1,\"a\":2}", 7, "the key \"a\" stands twice"},
      {R"({"a":1,"\u0061":2})", 7, R"(the key "\u0061" stands twice)"},
      {R"([{"b":{"a":1,"c":{},"a":{}}}])", 20, "stands twice"},
      {R"({"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"3":1,"1":1})", 55, "\"3\""},
  };
  for (const auto& [text, offset, message] : cases) {
    const auto document = parse(text);
    ASSERT_FALSE(document) << text;
    EXPECT_EQ(document.error().offset, offset) << text << ": " << document.error().message;
    EXPECT_NE(document.error().message.find(message), std::string::npos)
        << text << ": " << document.error().message;
  }
}

TEST(JsonReader, HoldsItsLimits) {
  const std::string nested = std::string(64, '[') + std::string(64, ']');
  EXPECT_TRUE(parse(nested));
  EXPECT_FALSE(parse("[" + nested + "]"));
  EXPECT_FALSE(parse(std::string(1'000'000, '[')));
  EXPECT_TRUE(parse("[1,2]", {.max_values = 3}));
  EXPECT_FALSE(parse("[1,2,3]", {.max_values = 3}));
  EXPECT_TRUE(parse("[1]", {.max_bytes = 3}));
  EXPECT_FALSE(parse("[12]", {.max_bytes = 3}));
}

TEST(JsonReader, NamesLineAndColumnOfAnError) {
  const auto document = parse("{\n  \"a\": tru\n}");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().to_error("policy.json").message,
            "policy.json:2:8: expected a value but found 't'");
}

TEST(JsonValue, TellsItsPlaceAndItsBytes) {
  const auto document = parse("{\n \"a\": [1, {\"b\" : \"x\\n\"}], \"c\": null}");
  ASSERT_TRUE(document);
  const auto list = document->root().find("a");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->raw(), "[1, {\"b\" : \"x\\n\"}]");
  EXPECT_EQ(list->position().line, 2U);
  EXPECT_EQ(list->position().column, 7U);
  std::vector<std::string> raws;
  for (const Value element : list->elements()) raws.emplace_back(element.raw());
  EXPECT_EQ(raws, (std::vector<std::string>{"1", "{\"b\" : \"x\\n\"}"}));
  std::vector<std::string> keys;
  for (const auto& [key, key_offset, value] : document->root().members()) {
    keys.emplace_back(key);
    EXPECT_EQ(document->text()[key_offset], '"');
    EXPECT_EQ(document->text().substr(value.offset(), value.raw().size()), value.raw());
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ((*list->elements().begin()).as_int64(), 1);
  EXPECT_FALSE(document->root().at({"a", "b"}));
  EXPECT_TRUE(document->root().at({"c"}));
}

TEST(JsonValue, SurvivesAMoveOfItsDocument) {
  auto document = parse(R"(["a\n"])");
  const Value root = document->root();
  const Document moved = *std::move(document);
  EXPECT_EQ((*root.elements().begin()).string(), "a\n");
}

TEST(JsonValue, IsAnIntegerOnlyWhenExactlyOne) {
  const std::pair<std::string_view, std::optional<std::int64_t>> cases[] = {
      {"0", 0},
      {"-0", 0},
      {"1e3", 1000},
      {"1.50e1", 15},
      {"3.0", 3},
      {"1.5", std::nullopt},
      {"1e-1", std::nullopt},
      {"10e-1", 1},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"9223372036854775808", std::nullopt},
      {"1e19", std::nullopt},
      {"0e999", 0},
      {"-12e2", -1200},
      {"1e-400", std::nullopt}};
  for (const auto& [text, want] : cases) {
    EXPECT_EQ(parse(std::string(text))->root().as_int64(), want) << text;
  }
  EXPECT_EQ(parse("\"1\"")->root().as_int64(), std::nullopt);
  EXPECT_EQ(parse("2.5")->root().as_double(), 2.5);
}

TEST(JsonCanonical, SortsKeysByBytesAndKeepsNumbers) {
  const auto document =
      parse(R"({ "b" : 1.50, "a" : [ "\u0041\/", {} , [] ], "\u00e9" : "\u0001", "B":0 })");
  ASSERT_TRUE(document);
  EXPECT_EQ(canonical(document->root()),
            "{\"B\":0,\"a\":[\"A/\",{},[]],\"b\":1.50,\"\xC3\xA9\":\"\\u0001\"}");
}

TEST(JsonParser, IsReusedWithoutMixingTexts) {
  Parser parser;
  EXPECT_EQ((*parser.parse(R"("a\tb")")).string(), "a\tb");
  EXPECT_FALSE(parser.parse("[[["));
  EXPECT_EQ((*parser.parse(R"(["\n"])")).size(), 1U);
  const std::string bytes = "123456";
  EXPECT_EQ(parser.parse(std::string_view(bytes).substr(0, 3))->raw(), "123");
}

// A random text near JSON: mutated pieces that the grammar knows.
std::string random_text(std::mt19937& random) {
  constexpr std::string_view kPieces[] = {
      "{",  "}",    "[",  "]",    ",",    ":", "\"a\"",   "\"b\"",
      "1",  "-0.5", "e3", "true", "null", " ", "\"\\n\"", "\"\xC3\xA9\"",
      "\"", "\\",   "{}", "[]"};
  std::string text;
  const std::size_t pieces = random() % 12;
  for (std::size_t i = 0; i < pieces; ++i) text += kPieces[random() % std::size(kPieces)];
  return text;
}

bool has_duplicate_keys(const std::string& text) {
  std::vector<std::vector<std::string>> open;
  bool twice = false;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) open.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) open.pop_back();
    if (event == nlohmann::json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      for (const auto& earlier : open.back()) twice = twice || earlier == key;
      open.back().push_back(key);
    }
    return true;
  };
  (void)nlohmann::json::parse(text, watch, false);
  return twice;
}

TEST(JsonReader, AgreesWithNlohmannOnRandomTexts) {
  std::mt19937 random(7);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = random_text(random);
    const auto ours = parse(text);
    const auto theirs = nlohmann::json::parse(text, nullptr, false);
    if (!ours) {
      EXPECT_TRUE(theirs.is_discarded() || has_duplicate_keys(text)) << text;
      continue;
    }
    ++accepted;
    ASSERT_FALSE(theirs.is_discarded()) << text;
    EXPECT_EQ(nlohmann::json::parse(canonical(ours->root())), theirs) << text;
  }
  EXPECT_GT(accepted, 5'000);
}

}  // namespace
}  // namespace remit::json
