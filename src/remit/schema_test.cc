// The published schema against the parser: the same keys at the same places. What each judges valid
// is compared by tests/schema (Python's jsonschema beside `remit check`).

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "json/json.h"
#include "remit/keys.h"

namespace remit::rules {
namespace {

class Schema : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream in(REMIT_SOURCE_DIR "/schema/remit.schema.json");
    auto document = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
    ASSERT_TRUE(document);
    document_ = std::make_unique<json::Document>(*std::move(document));
  }

  json::Value definition(std::string_view name) const {
    return name.empty() ? document_->root() : *document_->root().at({"$defs", name});
  }

  std::unique_ptr<json::Document> document_;
};

TEST_F(Schema, HasExactlyTheKeysOfTheParser) {
  for (const keys::Place& place : keys::kPlaces) {
    const std::set<std::string_view> parser(place.keys.begin(), place.keys.end());
    std::set<std::string_view> schema;
    for (const auto& member : definition(place.definition).find("properties")->members())
      schema.insert(member.key);
    EXPECT_EQ(parser, schema) << place.definition;
  }
}

TEST_F(Schema, HasNoClosedObjectThatTheParserDoesNotKnow) {
  for (const auto& member : definition("").find("$defs")->members()) {
    const auto closed = member.value.find("additionalProperties");
    if (!closed || closed->as_boolean() != false) continue;
    EXPECT_TRUE(std::ranges::any_of(keys::kPlaces, [&](const keys::Place& place) {
      return place.definition == member.key;
    })) << member.key;
  }
}

TEST_F(Schema, ClosesEveryPlaceOfTheParser) {
  for (const keys::Place& place : keys::kPlaces)
    EXPECT_EQ(definition(place.definition).find("additionalProperties")->as_boolean(), false)
        << place.definition;
}

}  // namespace
}  // namespace remit::rules
