#pragma once

// JSON-RPC 2.0 messages as MCP uses them, independent of MCP's era.
//
// A message is parsed once, strictly; what is only forwarded (params, result, error) is handed on
// as the bytes that arrived. Ids are strings or integers and are kept as written: they belong to
// one connection, so a gateway never sends one side's id to the other.
//
// Batches (arrays) are refused in every revision: only 2025-03-26 had them, no client in use sends
// them, and one message that stands for many would need its own answer for each decision.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "json/json.h"
#include "mcp/framing.h"

namespace remit::mcp {

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;

inline constexpr json::Limits kMessageLimits{
    .max_bytes = kMaxLine, .max_depth = 128, .max_values = 2'000'000};

enum class MessageKind : std::uint8_t { Request, Notification, Response, ErrorResponse };

struct Message {
  json::Document document;  // keeps the views below valid; moving it is fine
  MessageKind kind;
  std::optional<json::Value> id =
      {};                        // of all but notifications; absent in an error nobody can place
  std::string_view method = {};  // of requests and notifications, decoded
  std::optional<json::Value> params = {};  // always an object
  std::optional<json::Value> result = {};  // always an object
  std::optional<json::Value> error = {};   // {code, message, ...}, checked

  std::string_view raw_id() const { return id ? id->raw() : std::string_view("null"); }
  std::string_view raw_params() const { return params ? params->raw() : std::string_view(); }
};

// Why a text is no message, ready to be answered.
struct Malformed {
  int code = kParseError;
  std::string message = {};
  std::string raw_id = "null";  // of the request, where it could be read
  bool json = true;             // false: no JSON at all (noise on a pipe)
};

std::expected<Message, Malformed> read_message(std::string text,
                                               const json::Limits& limits = kMessageLimits);

// The same id in one form, whatever way a string was escaped: for maps.
std::string id_key(json::Value id);

// Whole lines with their LF. `params`, `result` and `data` are JSON texts; empty: left out.
std::string request_line(std::int64_t id, std::string_view method, std::string_view params);
std::string notification_line(std::string_view method, std::string_view params);
std::string result_line(std::string_view raw_id, std::string_view result);
std::string error_line(std::string_view raw_id, int code, std::string_view message,
                       std::string_view data = {});
// An error object that is passed on as it came.
std::string raw_error_line(std::string_view raw_id, std::string_view error);

// A tool result made by the gateway: text content and isError; `meta` is the raw value of
// "remit/receipt" (empty: none).
std::string tool_error_result(std::string_view text, std::string_view receipt);

}  // namespace remit::mcp
