#include "mcp/message.h"

namespace remit::mcp {
namespace {

TEST(Message, KindsAreToldApart) {
  struct Case {
    const char* text;
    MessageKind kind;
  };
  for (const auto& [text, kind] : {
           Case{R"({"jsonrpc":"2.0","id":1,"method":"ping"})", MessageKind::Request},
           Case{R"({"jsonrpc":"2.0","id":"a","method":"m","params":{}})", MessageKind::Request},
           Case{R"({"jsonrpc":"2.0","method":"n"})", MessageKind::Notification},
           Case{R"({"jsonrpc":"2.0","id":7,"result":{}})", MessageKind::Response},
           Case{R"({"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"x"}})",
                MessageKind::ErrorResponse},
           Case{R"({"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x"}})",
                MessageKind::ErrorResponse},
           Case{R"({"jsonrpc":"2.0","error":{"code":-1,"message":"x"}})",
                MessageKind::ErrorResponse},
       }) {
    const auto message = read_message(text);
    ASSERT_TRUE(message) << text << message.error().message;
    EXPECT_EQ(message->kind, kind) << text;
  }
}

TEST(Message, RefusesWhatIsNoMessageAndSaysWhichRequestItWas) {
  struct Case {
    const char* text;
    int code;
    const char* id;
  };
  for (const auto& [text, code, id] : {
           Case{"hello", kParseError, "null"},
           Case{"{", kParseError, "null"},
           Case{R"({"jsonrpc":"2.0","id":1,"id":2,"method":"m"})", kParseError, "null"},
           Case{"[]", kInvalidRequest, "null"},
           Case{R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", kInvalidRequest, "null"},
           Case{"17", kInvalidRequest, "null"},
           Case{R"({"id":1,"method":"m"})", kInvalidRequest, "1"},
           Case{R"({"jsonrpc":"1.0","id":"q","method":"m"})", kInvalidRequest, "\"q\""},
           Case{R"({"jsonrpc":"2.0","id":null,"method":"m"})", kInvalidRequest, "null"},
           Case{R"({"jsonrpc":"2.0","id":1.5,"method":"m"})", kInvalidRequest, "null"},
           Case{R"({"jsonrpc":"2.0","id":{},"method":"m"})", kInvalidRequest, "null"},
           Case{R"({"jsonrpc":"2.0","id":1,"method":2})", kInvalidRequest, "1"},
           Case{R"({"jsonrpc":"2.0","id":1,"method":"m","params":[1]})", kInvalidRequest, "1"},
           Case{R"({"jsonrpc":"2.0","id":1,"method":"m","result":{}})", kInvalidRequest, "1"},
           Case{R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})", kInvalidRequest, "1"},
           Case{R"({"jsonrpc":"2.0","id":1,"result":5})", kInvalidRequest, "1"},
           Case{R"({"jsonrpc":"2.0","id":1,"error":{"code":"x"}})", kInvalidRequest, "1"},
           Case{R"({"jsonrpc":"2.0","id":1})", kInvalidRequest, "1"},
       }) {
    const auto message = read_message(text);
    ASSERT_FALSE(message) << text;
    EXPECT_EQ(message.error().code, code) << text;
    EXPECT_EQ(message.error().raw_id, id) << text;
  }
}

TEST(Message, KeepsTheBytesOfWhatIsForwarded) {
  const auto message = read_message(
      R"({"jsonrpc":"2.0","id":9007199254740993,"result":{ "n":1.0, "big":12345678901234567890 }})");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->raw_id(), "9007199254740993");
  EXPECT_EQ(message->result->raw(), R"({ "n":1.0, "big":12345678901234567890 })");
}

TEST(Message, AnIdHasOneKeyHoweverItIsEscapedAndTextIsNoNumber) {
  const auto plain = json::parse(R"(["a","\u0061","1",1])");
  auto it = plain->root().elements().begin();
  const auto a = id_key(*it++);
  const auto escaped = id_key(*it++);
  const auto text = id_key(*it++);
  const auto number = id_key(*it++);
  EXPECT_EQ(a, escaped);
  EXPECT_NE(text, number);
}

TEST(Message, LinesReadBackAndHoldNoLineBreakInside) {
  for (const auto& line :
       {request_line(1, "tools/call", "{\n\"a\":\r1}"), notification_line("n\n", ""),
        result_line("\"x\"", "{\n}"), error_line("3", -32602, "bad\nthing", "{\"d\":\n1}"),
        raw_error_line("3", "{\"code\":1,\n\"message\":\"m\"}")}) {
    EXPECT_EQ(line.find_first_of("\r\n"), line.size() - 1) << line;
    EXPECT_TRUE(read_message(line.substr(0, line.size() - 1))) << line;
  }
}

TEST(Message, AToolErrorIsAResultWithTheReceipt) {
  EXPECT_EQ(tool_error_result("no \"way\"", R"({"call":"c1"})"),
            R"({"content":[{"type":"text","text":"no \"way\""}],"isError":true,)"
            R"("_meta":{"remit/receipt":{"call":"c1"}}})");
}

}  // namespace
}  // namespace remit::mcp
