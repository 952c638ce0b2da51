#include "gateway/toolbox.h"

#include <gmock/gmock.h>

namespace remit::gateway {
namespace {

std::shared_ptr<const rules::Config> config(std::string_view upstreams) {
  std::string text = "upstreams:\n";
  text += upstreams;
  text +=
      "remits:\n"
      "  - name: r\n"
      "    tools: [\"a/t*\"]\n"
      "    role: arn:aws:iam::111122223333:role/r\n"
      "    session: [{ Effect: Allow, Action: s3:GetObject, Resource: \"*\" }]\n";
  return rules::load_config(text, {.home = "/nonexistent"}).config;
}

std::vector<std::string> tools(int count) {
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    out.push_back(R"({"name":"t)" + std::to_string(i) + R"(","inputSchema":{"n":1.0}})");
  }
  return out;
}

TEST(Toolbox, PagesGiveEveryToolOnceInTheOrderOfTheNames) {
  NoLog log;
  Toolbox toolbox(config("  a: { command: [x] }\n"), log);
  EXPECT_TRUE(toolbox.set("a", tools(600)));
  EXPECT_FALSE(toolbox.set("a", tools(600)));
  std::vector<std::string> names;
  std::optional<std::string> cursor;
  int pages = 0;
  do {
    const auto page =
        toolbox.page(cursor ? std::optional<std::string_view>(*cursor) : std::nullopt);
    ASSERT_TRUE(page);
    const auto document = json::parse(*page);
    for (const auto tool : document->root().find("tools")->elements()) {
      names.emplace_back(tool.find("name")->string());
    }
    const auto next = document->root().find("nextCursor");
    cursor = next ? std::optional<std::string>(next->string()) : std::nullopt;
    ++pages;
  } while (cursor);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names.size(), 600u);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Toolbox, CursorsThatItDidNotGiveAreRefused) {
  NoLog log;
  Toolbox toolbox(config("  a: { command: [x] }\n"), log);
  toolbox.set("a", tools(600));
  const auto first = toolbox.page(std::nullopt);
  const auto document = json::parse(*first);
  const std::string given(document->root().find("nextCursor")->string());
  EXPECT_TRUE(toolbox.page(given));
  for (const char* forged : {"", ".", "0", "1.", ".250", "2.-1", "2.600", "2.99999999999999999999",
                             "2.250x", "0.250", "\xFF"}) {
    EXPECT_FALSE(toolbox.page(forged)) << forged;
  }
  toolbox.set("a", tools(700));
  EXPECT_FALSE(toolbox.page(given)) << "the list has changed since";
}

TEST(Toolbox, SeveralUpstreamsPrefixTheNamesAndNothingElseChanges) {
  NoLog log;
  Toolbox toolbox(config("  a: { command: [x] }\n  b: { command: [x] }\n"), log);
  toolbox.set("a", {R"({"n":1.50, "name" : "t1"})", R"({"name":"other"})"});
  toolbox.set("b", {R"({"name":"t1"})"});
  EXPECT_EQ(*toolbox.page(std::nullopt), R"({"tools":[{"n":1.50, "name" : "a__t1"}]})");
  EXPECT_NE(toolbox.find("a__t1"), nullptr);
  EXPECT_EQ(toolbox.find("a__t1")->name, "t1");
  EXPECT_EQ(toolbox.find("t1"), nullptr);
  EXPECT_EQ(toolbox.find("b__t1"), nullptr) << "no remit covers it";
}

TEST(Toolbox, UnusableAndRepeatedToolsAreLeftOut) {
  NoLog log;
  Toolbox toolbox(config("  a: { command: [x] }\n"), log);
  toolbox.set("a", {R"({"name":"t1","v":1})", R"({"name":"t1","v":2})", R"({"name":""})",
                    R"({"name":"t\n"})", R"({"name":7})", R"({})", "[]", "nonsense"});
  EXPECT_EQ(*toolbox.page(std::nullopt), R"({"tools":[{"name":"t1","v":1}]})");
}

}  // namespace
}  // namespace remit::gateway
