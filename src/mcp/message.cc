#include "mcp/message.h"

#include <fmt/format.h>

#include <utility>

#include "json/writer.h"

namespace remit::mcp {
namespace {

constexpr std::size_t kMaxId = 1024;

bool is_integer(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
}

bool usable_id(json::Value id) {
  if (id.raw().size() > kMaxId) return false;
  return id.is(json::Kind::String) || (id.is(json::Kind::Number) && is_integer(id.number_text()));
}

std::unexpected<Malformed> malformed(std::string message, std::optional<json::Value> id) {
  Malformed fault{.code = kInvalidRequest, .message = std::move(message)};
  if (id && usable_id(*id)) fault.raw_id = id->raw();
  return std::unexpected(std::move(fault));
}

bool is_error_object(json::Value error) {
  const auto code = error.find("code");
  const auto message = error.find("message");
  return code && code->as_int64() && message && message->is(json::Kind::String);
}

std::expected<MessageKind, Malformed> classify(json::Value root) {
  const auto id = root.find("id");
  const auto method = root.find("method");
  const auto result = root.find("result");
  const auto error = root.find("error");
  if (method) {
    if (!method->is(json::Kind::String)) return malformed("method must be a string", id);
    if (result || error) return malformed("a message has a method or a result, not both", id);
    if (!id) return MessageKind::Notification;
    if (!usable_id(*id)) return malformed("id must be a string or an integer", std::nullopt);
    return MessageKind::Request;
  }
  if (result && error) return malformed("a response has a result or an error, not both", id);
  if (result) {
    if (!id || !usable_id(*id)) return malformed("id must be a string or an integer", id);
    return MessageKind::Response;
  }
  if (!error) return malformed("neither a request, a notification nor a response", id);
  if (!is_error_object(*error)) return malformed("error must have a code and a message", id);
  if (id && !id->is(json::Kind::Null) && !usable_id(*id)) {
    return malformed("id must be a string or an integer", id);
  }
  return MessageKind::ErrorResponse;
}

void begin(std::string& line, std::string_view raw_id) {
  line += R"({"jsonrpc":"2.0","id":)";
  line += raw_id;
}

void append_member(std::string& line, std::string_view key, std::string_view json) {
  if (json.empty()) return;
  line += ",\"";
  line += key;
  line += "\":";
  line += one_line(json);
}

}  // namespace

std::expected<Message, Malformed> read_message(std::string text, const json::Limits& limits) {
  auto parsed = json::parse(std::move(text), limits);
  if (!parsed) {
    return std::unexpected(Malformed{
        .code = kParseError, .message = "not JSON: " + parsed.error().message, .json = false});
  }
  const json::Value root = parsed->root();
  if (root.is(json::Kind::Array)) return malformed("batches are not accepted", std::nullopt);
  if (!root.is(json::Kind::Object)) {
    auto fault = malformed("a message is an object", std::nullopt);
    fault.error().json = false;
    return fault;
  }
  const auto id = root.find("id");
  const auto version = root.find("jsonrpc");
  if (!version || version->as_string() != "2.0") return malformed("jsonrpc must be \"2.0\"", id);
  auto kind = classify(root);
  if (!kind) return std::unexpected(std::move(kind).error());

  Message message{.document = *std::move(parsed), .kind = *kind};
  if (id && !id->is(json::Kind::Null)) message.id = id;
  if (const auto method = root.find("method")) message.method = method->string();
  if (const auto params = root.find("params")) {
    if (!params->is(json::Kind::Object)) return malformed("params must be an object", id);
    message.params = params;
  }
  if (const auto result = root.find("result")) {
    if (!result->is(json::Kind::Object)) return malformed("result must be an object", id);
    message.result = result;
  }
  message.error = root.find("error");
  return message;
}

std::string id_key(json::Value id) {
  if (const auto text = id.as_string()) return fmt::format("s:{}", *text);
  return fmt::format("n:{}", id.raw());
}

std::string request_line(std::int64_t id, std::string_view method, std::string_view params) {
  std::string line;
  line.reserve(params.size() + method.size() + 64);
  begin(line, std::to_string(id));
  line += ",\"method\":";
  json::append_string(line, method);
  append_member(line, "params", params);
  line += "}\n";
  return line;
}

std::string notification_line(std::string_view method, std::string_view params) {
  std::string line = R"({"jsonrpc":"2.0","method":)";
  json::append_string(line, method);
  append_member(line, "params", params);
  line += "}\n";
  return line;
}

std::string result_line(std::string_view raw_id, std::string_view result) {
  std::string line;
  line.reserve(result.size() + raw_id.size() + 48);
  begin(line, raw_id);
  append_member(line, "result", result);
  line += "}\n";
  return line;
}

std::string error_line(std::string_view raw_id, int code, std::string_view message,
                       std::string_view data) {
  std::string line;
  begin(line, raw_id);
  line += fmt::format(R"(,"error":{{"code":{},"message":)", code);
  json::append_string(line, message);
  append_member(line, "data", data);
  line += "}}\n";
  return line;
}

std::string raw_error_line(std::string_view raw_id, std::string_view error) {
  std::string line;
  begin(line, raw_id);
  append_member(line, "error", error);
  line += "}\n";
  return line;
}

std::string tool_error_result(std::string_view text, std::string_view receipt) {
  json::Writer w;
  w.begin_object().key("content").begin_array();
  w.begin_object().key("type").string("text").key("text").string(text).end_object();
  w.end_array().key("isError").boolean(true);
  if (!receipt.empty()) {
    w.key("_meta").begin_object().key("remit/receipt").raw(receipt).end_object();
  }
  w.end_object();
  return std::move(w).take();
}

}  // namespace remit::mcp
