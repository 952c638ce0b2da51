// Properties: a message that is read can be answered with one line that reads back; a finished tool
// result is JSON with our receipt in it and differs from what came only where it should.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "mcp/message.h"
#include "mcp/splice.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace remit::mcp;
  const auto message = read_message(std::string(reinterpret_cast<const char*>(data), size));
  if (!message) {
    REMIT_CHECK(!message.error().message.empty());
    auto line = error_line(message.error().raw_id, message.error().code, message.error().message);
    line.pop_back();
    REMIT_CHECK(read_message(std::move(line)).has_value());
    return 0;
  }
  auto line = result_line(message->raw_id() == "null" ? "1" : message->raw_id(), "{}");
  REMIT_CHECK(line.find_first_of("\r\n") == line.size() - 1);
  line.pop_back();
  REMIT_CHECK(read_message(std::move(line)).has_value());
  if (message->result) {
    const std::vector<std::string> texts{"a", "b"};
    const auto out = finish_tool_result(*message->result, texts, "{\"c\":1}");
    const auto back = remit::json::parse(out, kMessageLimits);
    REMIT_CHECK(back.has_value());
    REMIT_CHECK(back->root().at({"_meta", "remit/receipt", "c"}).has_value());
    REMIT_CHECK(back->root().find("content")->size() >= 2);
  }
  if (message->params) {
    const auto out = forward_call_params(*message->params, "t", 5);
    const auto back = remit::json::parse(out, kMessageLimits);
    REMIT_CHECK(back && back->root().find("name")->as_string() == "t");
  }
  return 0;
}
