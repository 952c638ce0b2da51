#include "mcp/era.h"

#include <fmt/format.h>

#include <utility>

#include "json/writer.h"

namespace remit::mcp {
namespace {

std::string raw_object(std::optional<json::Value> value) {
  return value && value->is(json::Kind::Object) ? one_line(value->raw()) : "{}";
}

}  // namespace

bool Caller::has(std::string_view capability) const {
  const auto parsed = json::parse(capabilities);
  return parsed && parsed->root().find(capability).has_value();
}

Answered HandshakeEra::initialize(const Message& message) {
  const auto version = message.params ? message.params->find("protocolVersion") : std::nullopt;
  if (!version || !version->is(json::Kind::String)) {
    return {error_line(message.raw_id(), kInvalidParams, "initialize needs a protocolVersion")};
  }
  if (caller_) return {error_line(message.raw_id(), kInvalidRequest, "initialized already")};
  Caller caller;
  caller.revision = negotiate(version->string());
  caller.capabilities = raw_object(message.params->find("capabilities"));
  caller.info = raw_object(message.params->find("clientInfo"));
  caller_ = std::make_shared<const Caller>(std::move(caller));

  json::Writer w;
  w.begin_object().key("protocolVersion").string(name_of(caller_->revision));
  w.key("capabilities").begin_object();
  w.key("logging").begin_object().end_object();
  w.key("tools").begin_object().key("listChanged").boolean(true).end_object();
  w.end_object();
  w.key("serverInfo").begin_object().key("name").string(facts_.name);
  w.key("version").string(facts_.version).end_object();
  if (!facts_.instructions.empty()) w.key("instructions").string(facts_.instructions);
  w.end_object();
  return {result_line(message.raw_id(), std::move(w).take())};
}

Admission HandshakeEra::admit(const Message& message) {
  if (message.kind == MessageKind::Request) {
    if (message.method == "initialize") return initialize(message);
    if (message.method == "ping") return Answered{result_line(message.raw_id(), "{}")};
    if (!caller_ && message.method == "server/discover") {
      // A client of the next era probes with it and falls back on this answer.
      return Answered{error_line(message.raw_id(), kMethodNotFound, "method not found")};
    }
    if (!caller_) {
      return Answered{error_line(message.raw_id(), kInvalidRequest, "initialize comes first")};
    }
  }
  if (!caller_) return Ignored{};
  if (message.method == "notifications/initialized") return Ignored{};
  return Admitted{caller_};
}

std::string initialize_params(Revision revision, std::string_view capabilities,
                              std::string_view client_name, std::string_view client_version) {
  json::Writer w;
  w.begin_object().key("protocolVersion").string(name_of(revision));
  w.key("capabilities").raw(capabilities);
  w.key("clientInfo").begin_object().key("name").string(client_name);
  w.key("version").string(client_version).end_object().end_object();
  return std::move(w).take();
}

Result<Initialized> read_initialize_result(json::Value result) {
  const auto version = result.find("protocolVersion");
  if (!version || !version->is(json::Kind::String)) {
    return fail(ErrorCode::InvalidInput, "the result of initialize has no protocolVersion");
  }
  const auto revision = parse_revision(version->string());
  if (!revision) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("it speaks MCP {:.32}, which is not among 2024-11-05 to 2025-11-25",
                            version->string()));
  }
  Initialized facts{.revision = *revision,
                    .capabilities = raw_object(result.find("capabilities")),
                    .info = raw_object(result.find("serverInfo"))};
  if (const auto text = result.find("instructions")) {
    facts.instructions = text->as_string().value_or("");
  }
  return facts;
}

}  // namespace remit::mcp
