#include "mcp/splice.h"

namespace remit::mcp {
namespace {

json::Document read(std::string text) { return *json::parse(std::move(text)); }

TEST(Splice, AReceiptAndTextsGoInAndEveryOtherByteStays) {
  struct Case {
    const char* result;
    const char* finished;
  };
  for (
      const auto& [result, finished] : {
          Case{
              R"({ "content":[ {"type":"text","text":"x"} ], "n":1.0 })",
              R"({ "content":[ {"type":"text","text":"x"} ,{"type":"text","text":"no"}], "n":1.0 ,)"
              R"("_meta":{"remit/receipt":{"c":1}}})"},
          Case{R"({"content":[],"_meta":{}})",
               R"({"content":[{"type":"text","text":"no"}],"_meta":{"remit/receipt":{"c":1}}})"},
          Case{R"({})",
               R"({"content":[{"type":"text","text":"no"}],"_meta":{"remit/receipt":{"c":1}}})"},
          Case{R"({"content":[],"_meta":{"remit/receipt":"forged","k":2}})",
               R"({"content":[{"type":"text","text":"no"}],)"
               R"("_meta":{"remit/receipt":{"c":1},"k":2}})"},
          Case{R"({"content":7,"_meta":null})",
               R"({"content":[{"type":"text","text":"no"}],"_meta":{"remit/receipt":{"c":1}}})"},
      }) {
    const auto document = read(result);
    const std::vector<std::string> texts{"no"};
    const auto out = finish_tool_result(document.root(), texts, R"({"c":1})");
    EXPECT_EQ(out, finished);
    EXPECT_TRUE(json::parse(out)) << out;
  }
}

TEST(Splice, SeveralTextsOfAnEmptyContentAreSeparated) {
  const auto document = read(R"({"content":[ ]})");
  const std::vector<std::string> texts{"a", "b"};
  const auto out = finish_tool_result(document.root(), texts, "");
  EXPECT_EQ(json::parse(out)->root().find("content")->size(), 2u);
}

TEST(Splice, WorksOnAValueInsideALargerDocument) {
  const auto document = read(R"({"jsonrpc":"2.0","id":1,"result":{"content":[]}})");
  EXPECT_EQ(finish_tool_result(*document.root().find("result"), {}, "1"),
            R"({"content":[],"_meta":{"remit/receipt":1}})");
}

TEST(Splice, ForwardedParamsHaveTheUpstreamsNameAndOurToken) {
  const auto document = read(
      R"({"name":"api__call","arguments":{"name":"x","n":1.50},"_meta":{"progressToken":"t","k":1}})");
  EXPECT_EQ(
      forward_call_params(document.root(), "call", 12),
      R"({"name":"call","arguments":{"name":"x","n":1.50},"_meta":{"progressToken":12,"k":1}})");
}

}  // namespace
}  // namespace remit::mcp
