#include "mcp/era.h"

namespace remit::mcp {
namespace {

Message message(std::string text) { return *read_message(std::move(text)); }

std::string answer(Era& era, std::string text) {
  auto admission = era.admit(message(std::move(text)));
  const auto* answered = std::get_if<Answered>(&admission);
  return answered ? answered->line : "";
}

std::string open(std::string revision) {
  return R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" +
         revision + R"(","capabilities":{"sampling":{}},"clientInfo":{"name":"t","version":"1"}}})";
}

TEST(Era, TheRevisionAskedForIsTheAnswerWhenWeKnowIt) {
  for (const auto& [asked, given] :
       std::vector<std::pair<std::string, std::string>>{{"2024-11-05", "2024-11-05"},
                                                        {"2025-03-26", "2025-03-26"},
                                                        {"2025-06-18", "2025-06-18"},
                                                        {"2025-11-25", "2025-11-25"},
                                                        {"2026-07-28", "2025-11-25"},
                                                        {"", "2025-11-25"}}) {
    HandshakeEra era({.name = "remit", .version = "1", .instructions = ""});
    EXPECT_NE(answer(era, open(asked)).find("\"protocolVersion\":\"" + given + "\""),
              std::string::npos);
    EXPECT_TRUE(era.caller()->has("sampling"));
    EXPECT_FALSE(era.caller()->has("elicitation"));
  }
}

TEST(Era, NothingButPingPassesBeforeInitialize) {
  HandshakeEra era({.name = "remit", .version = "1", .instructions = ""});
  EXPECT_EQ(answer(era, R"({"jsonrpc":"2.0","id":1,"method":"ping"})"),
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
  EXPECT_NE(answer(era, R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").find("-32600"),
            std::string::npos);
  EXPECT_NE(answer(era, R"({"jsonrpc":"2.0","id":1,"method":"server/discover"})").find("-32601"),
            std::string::npos);
  auto ignored = era.admit(message(R"({"jsonrpc":"2.0","method":"notifications/cancelled"})"));
  EXPECT_TRUE(std::holds_alternative<Ignored>(ignored));
}

TEST(Era, InitializeHappensOnce) {
  HandshakeEra era({.name = "remit", .version = "1", .instructions = ""});
  answer(era, open("2025-06-18"));
  EXPECT_NE(answer(era, open("2025-06-18")).find("-32600"), std::string::npos);
  auto admitted = era.admit(message(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})"));
  EXPECT_TRUE(std::holds_alternative<Admitted>(admitted));
}

TEST(Era, AnUpstreamOfAnotherRevisionIsRefusedWithItsName) {
  const auto known = json::parse(R"({"protocolVersion":"2024-11-05","capabilities":{"tools":{}}})");
  EXPECT_EQ(read_initialize_result(known->root())->revision, Revision::R2024_11_05);
  const auto unknown = json::parse(R"({"protocolVersion":"2030-01-01"})");
  const auto refused = read_initialize_result(unknown->root());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("2030-01-01"), std::string::npos);
}

}  // namespace
}  // namespace remit::mcp
