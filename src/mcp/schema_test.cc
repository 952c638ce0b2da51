#include "mcp/schema.h"

namespace remit::mcp {
namespace {

std::string verdict(const char* schema, const char* value) {
  const auto s = json::parse(schema);
  const auto v = json::parse(value);
  const auto result = validate(s->root(), v->root());
  return result ? "ok" : result.error().message;
}

struct Case {
  const char* schema;
  const char* good;
  const char* bad;
  const char* reason;
};

TEST(Schema, AcceptsWhatFitsAndSaysWhereSomethingDoesNot) {
  for (const auto& [schema, good, bad, reason] : {
           Case{R"({"type":"object"})", "{}", "[]", "arguments must be of type object"},
           Case{R"({"type":["string","null"]})", "null", "1", "one of the types"},
           Case{R"({"type":"integer"})", "1.0", "1.5", "must be of type integer"},
           Case{R"({"required":["a"]})", R"({"a":1})", "{}", "/a is required"},
           Case{R"({"properties":{"a":{"type":"string"}}})", R"({"a":"x","b":1})", R"({"a":1})",
                "/a must be of type string"},
           Case{R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})",
                R"({"b":1})", "/b is not an argument of this tool"},
           Case{R"({"additionalProperties":{"type":"number"}})", R"({"b":1})", R"({"b":""})",
                "/b must be of type number"},
           Case{R"({"patternProperties":{"^x-":{"type":"number"}},"additionalProperties":false})",
                R"({"x-a":1})", R"({"y":1})", "/y is not an argument"},
           Case{R"({"enum":["a",{"b":1.0}]})", R"({"b":1})", "\"c\"", "must be one of"},
           Case{R"({"const":null})", "null", "0", "must be null"},
           Case{R"({"items":{"type":"string"}})", R"(["a"])", R"(["a",1])", "/1 must be of type"},
           Case{R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a"])", R"(["a",1])",
                "/1 is not allowed"},
           Case{R"({"maxItems":1})", "[1]", "[1,2]", "at most 1 items"},
           Case{R"({"uniqueItems":true})", "[1,2]", "[1,1.0]", "must not repeat"},
           Case{R"({"minLength":2,"maxLength":3})", "\"äöü\"", "\"ä\"", "at least 2 characters"},
           Case{R"({"pattern":"^a+$"})", "\"aa\"", "\"ab\"", "must match the pattern"},
           Case{R"({"minimum":1,"exclusiveMaximum":3})", "2.9", "3", "must be less than 3"},
           Case{R"({"multipleOf":5})", "10", "11", "multiple of 5"},
           Case{R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "null", "1", "fits none"},
           Case{R"({"oneOf":[{"type":"number"},{"minimum":2}]})", "1", "3", "more than one"},
           Case{R"({"allOf":[{"type":"number"},{"minimum":2}]})", "3", "1", "at least 2"},
           Case{R"({"not":{"type":"null"}})", "1", "null", "not allowed"},
           Case{R"({"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"null"}})", "null",
                "\"\"", "at least 1"},
           Case{R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"string"}}})", "\"x\"", "1",
                "must be of type string"},
       }) {
    EXPECT_EQ(verdict(schema, good), "ok") << schema;
    EXPECT_NE(verdict(schema, bad).find(reason), std::string::npos)
        << schema << " said " << verdict(schema, bad);
  }
}

TEST(Schema, IgnoresWhatItDoesNotKnow) {
  EXPECT_EQ(verdict(R"({"x-thing":1,"format":"date","type":"string","title":[]})", "\"x\""), "ok");
  EXPECT_EQ(verdict(R"({"pattern":"(?=a)b"})", "\"x\""), "ok");
}

TEST(Schema, NeverFetchesAndNeverRunsAway) {
  EXPECT_NE(verdict(R"({"$ref":"https://example.org/s.json"})", "1").find("another document"),
            std::string::npos);
  EXPECT_NE(verdict(R"({"$ref":"#/nowhere"})", "1").find("leads nowhere"), std::string::npos);
  EXPECT_NE(verdict(R"({"$ref":"#"})", "1").find("too deep"), std::string::npos);
  EXPECT_NE(verdict(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", "1").find("too"),
            std::string::npos);
}

}  // namespace
}  // namespace remit::mcp
