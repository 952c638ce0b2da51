#include "remit/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remit::rules::yaml {
namespace {

using testing::HasSubstr;

TEST(Yaml, KeepsPositionsQuotesAndOrder) {
  const Tree tree = read("a: 1\nb:\n  - \"x\"\n  - y\n");
  ASSERT_TRUE(tree.faults.empty());
  ASSERT_EQ(tree.root.entries.size(), 2U);
  EXPECT_EQ(tree.root.entries[0].key, "a");
  EXPECT_FALSE(tree.root.entries[0].value.quoted);
  const Node& list = tree.root.entries[1].value;
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_TRUE(list.items[0].quoted);
  EXPECT_EQ(list.items[1].position.line, 4U);
  EXPECT_EQ(list.items[1].position.column, 5U);
}

TEST(Yaml, TakesJsonAsItStands) {
  const Tree tree = read(
      "{\n\t\"Effect\":\"Allow\",\"Action\":[\"s3:Get*\"],\n\t\"Slash\":\"a\\/b\",\"n\":null}");
  for (const Fault& fault : tree.faults) ADD_FAILURE() << fault.message;
  ASSERT_EQ(tree.root.entries.size(), 4U);
  EXPECT_EQ(tree.root.entries[2].value.text, "a/b");
  EXPECT_EQ(tree.root.entries[3].value.kind, Kind::Null);
}

TEST(Yaml, CopiesAnAliasedValueToWhereTheAliasStands) {
  const Tree tree = read("a: &x [1, 2]\nb: *x\n");
  ASSERT_TRUE(tree.faults.empty());
  EXPECT_EQ(tree.root.entries[1].value.items.size(), 2U);
  EXPECT_EQ(tree.root.entries[1].value.position.line, 2U);
}

struct Refused {
  std::string name;
  std::string text;
  std::string message;
  std::size_t line;
};

class YamlRefuses : public testing::TestWithParam<Refused> {};

TEST_P(YamlRefuses, WithItsPlace) {
  const Tree tree = read(GetParam().text);
  ASSERT_FALSE(tree.faults.empty());
  EXPECT_THAT(tree.faults.front().message, HasSubstr(GetParam().message));
  EXPECT_EQ(tree.faults.front().position.line, GetParam().line);
}

std::string deep() { return std::string(40, '[') + std::string(40, ']'); }

std::string laughs() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 6; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 1; j < 10; ++j) text += ", " + last;
    text += "]\n";
  }
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    All, YamlRefuses,
    testing::Values(Refused{"DuplicateKeys", "a: 1\nb: 2\na: 3\n", "duplicate key 'a'", 3},
                    Refused{"MergeKeys", "a: &a {x: 1}\nb:\n  <<: *a\n", "merge keys", 3},
                    Refused{"Tags", "a: !!str 5\n", "tags", 1},
                    Refused{"SecondDocument", "a: 1\n---\nb: 2\n", "a second document", 3},
                    Refused{"KeysThatAreNoText", "? [a]\n: b\n", "a key must be", 1},
                    Refused{"Depth", deep(), "nested deeper than 32", 1},
                    Refused{"BillionLaughs", laughs(), "more than", 5},
                    Refused{"RecursiveAlias", "a: &a [*a]\n", "", 1},
                    Refused{"ControlCharacters", std::string("a: b\n\x01", 6), "U+0001", 2},
                    Refused{"ZeroBytes", std::string("a\0", 2), "U+0000", 1},
                    Refused{"BrokenUtf8", "a: \xC3(\n", "UTF-8", 1},
                    Refused{"Syntax", "a: [1, 2\nb: 3\n", "not valid YAML", 2},
                    Refused{"UnknownAlias", "a: *nowhere\n", "not valid YAML", 1}),
    [](const auto& info) { return info.param.name; });

TEST(Yaml, RefusesALongFileUnread) {
  const Tree tree = read(std::string((1 << 20) + 1, ' '));
  ASSERT_EQ(tree.faults.size(), 1U);
  EXPECT_THAT(tree.faults[0].message, HasSubstr("longer than"));
}

TEST(Yaml, TellsEveryStructuralFaultAtOnce) {
  const Tree tree = read("a: 1\na: 2\nb: !x y\n<<: {}\n");
  EXPECT_EQ(tree.faults.size(), 3U);
  EXPECT_FALSE(tree.cut_short);
}

}  // namespace
}  // namespace remit::rules::yaml
