#include "ledger/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "json/json.h"
#include "ledger/text.h"

namespace remit::ledger {
namespace {

bool holds_structure(json::Value object) {
  return std::ranges::any_of(object.members(), [](const json::Member& member) {
    return member.value.is(json::Kind::Array) || member.value.is(json::Kind::Object);
  });
}

std::string words(json::Value value) {
  switch (value.kind()) {
    case json::Kind::String:
      return printable(value.string());
    case json::Kind::Array: {
      std::string list;
      for (const json::Value element : value.elements()) {
        list += (list.empty() ? "" : ", ") + words(element);
      }
      return list.empty() ? "none" : list;
    }
    case json::Kind::Object: {
      if (holds_structure(value)) return printable(value.raw());
      std::string list;
      for (const auto& [key, key_offset, member] : value.members()) {
        list += (list.empty() ? "" : ", ") + printable(key) + "=" + words(member);
      }
      return list.empty() ? "none" : list;
    }
    case json::Kind::Null:
    case json::Kind::Bool:
    case json::Kind::Number:
      break;
  }
  return std::string(value.raw());
}

// The members of a body, each told once: what no sentence asks for is shown at its end.
class Facts {
 public:
  explicit Facts(std::string_view body) : document_(json::parse(std::string(body))) {
    if (!document_ || !document_->root().is(json::Kind::Object)) return;
    for (const json::Member member : document_->root().members()) left_.push_back(member);
  }

  bool readable() const { return document_ && document_->root().is(json::Kind::Object); }

  // The member in words between `before` and `after`; nothing when it is absent.
  std::string tell(std::string_view key, std::string_view before = "",
                   std::string_view after = "") {
    const auto value = take(key);
    if (!value || value->is(json::Kind::Null)) return {};
    return fmt::format("{}{}{}", before, words(*value), after);
  }

  bool is(std::string_view key, std::string_view text) const {
    const auto value = readable() ? document_->root().find(key) : std::nullopt;
    return value && (value->as_string() == text || value->raw() == text);
  }

  std::string rest() const {
    std::string list;
    for (const auto& [key, key_offset, value] : left_) {
      list += fmt::format("; {}: {}", printable(key), words(value));
    }
    return list;
  }

  void drop(std::string_view key) { (void)take(key); }

  // The elements of an array of objects; of anything else none, and it is left to rest().
  std::vector<json::Value> take_list(std::string_view key) {
    const auto found = std::ranges::find(left_, key, &json::Member::key);
    if (found == left_.end() || !found->value.is(json::Kind::Array)) return {};
    std::vector<json::Value> list;
    for (const json::Value element : found->value.elements()) {
      if (!element.is(json::Kind::Object)) return {};
      list.push_back(element);
    }
    drop(key);
    return list;
  }

 private:
  std::optional<json::Value> take(std::string_view key) {
    const auto found = std::ranges::find(left_, key, &json::Member::key);
    if (found == left_.end()) return std::nullopt;
    const json::Value value = found->value;
    left_.erase(found);
    return value;
  }

  std::expected<json::Document, json::ParseError> document_;
  std::vector<json::Member> left_;
};

std::string verdict(Facts& facts) {
  std::string text = facts.tell("decision", ": ") + facts.tell("reason", ": ");
  const std::string layer = facts.tell("layer");
  const std::string statement = facts.tell("statement", "statement ");
  if (layer.empty() && statement.empty()) return text;
  const std::string_view between = layer.empty() || statement.empty() ? "" : ", ";
  return text + fmt::format(" (by {}{}{})", layer, between, statement);
}

std::string gateway_started(Facts& facts) {
  return facts.tell("version", "gateway ", " ") + "started" + facts.tell("pid", " as process ") +
         facts.tell("catalogue", ", catalogue ") + facts.tell("config", ", configuration ") +
         facts.tell("durability", ", records durable on ");
}

std::string call_decided(Facts& facts) {
  std::string text = facts.tell("agent", "agent ") + facts.tell("user", " for ");
  if (text.empty()) text = "an agent";
  text += " called " + facts.tell("upstream", "", "/") + facts.tell("tool");
  text += facts.tell("remit", " under remit ") + facts.tell("role", " as ");
  text += verdict(facts);
  return text + facts.tell("arguments", "; arguments SHA-256 ");
}

std::string session_minted(Facts& facts) {
  std::string text = facts.is("reused", "true") ? "goes on in session " : "new session ";
  facts.drop("reused");
  text +=
      facts.tell("session_name") + facts.tell("role", " of ") + facts.tell("remit", " for remit ");
  text += facts.tell("source_identity", ", source identity ") + facts.tell("tags", ", tags ");
  text += facts.tell("expires", ", until ") + facts.tell("access_key_id", ", key ");
  text += facts.tell("packed_policy_size", ", packed policy size ", " %");
  return text + facts.tell("policy", "; session policy: ");
}

std::string request(Facts& facts) {
  std::string text = facts.tell("actions");
  if (text.empty()) text = facts.tell("service", "", ":") + facts.tell("operation");
  return text + facts.tell("resources", " on ") + facts.tell("region", " in ");
}

std::string aws_decided(Facts& facts) {
  std::string text;
  const auto requests = facts.take_list("requests");
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Facts one(requests[i].raw());
    text += fmt::format("{}.{} {}", i == 0 ? "" : "; ", i, request(one)) + one.rest();
  }
  if (requests.empty()) text = request(facts);
  return text + verdict(facts) + facts.tell("session_name", "; as session ");
}

std::string answer(Facts facts) {
  std::string text = facts.tell("decided", "#") + facts.tell("request", ".");
  text += facts.tell("status", ": ");
  text += facts.tell("error_code", ": ") + facts.tell("request_id", ", request id ");
  text += facts.tell("duration_ms", ", in ", " ms") + facts.tell("bytes_sent", ", sent ", " bytes");
  return text + facts.tell("bytes_received", ", received ", " bytes") + facts.rest();
}

std::string aws_done(Facts& facts) {
  std::string text;
  for (const json::Value one : facts.take_list("answers")) {
    text += (text.empty() ? "AWS answered " : "; ") + answer(Facts(one.raw()));
  }
  return text;
}

std::string revoked(Facts& facts) {
  std::string text = facts.tell("by") + " revoked sessions";
  text += facts.tell("remit", " of remit ") + facts.tell("role", " of ") +
          facts.tell("session_name", " named ") + facts.tell("call", " of call ");
  text += ": " + facts.tell("sessions", "", " dropped") + facts.tell("calls", ", ", " calls ended");
  if (facts.is("hold_seconds", "0")) facts.drop("hold_seconds");
  return text + facts.tell("hold_seconds", "; none again for ", " s");
}

std::string call_done(Facts& facts) {
  std::string text = "the call ended" + facts.tell("outcome", ": ") + facts.tell("reason", ": ");
  if (facts.is("is_error", "true")) text += " (isError)";
  facts.drop("is_error");
  if (facts.is("refused", "0")) facts.drop("refused");
  return text + facts.tell("refused", ", AWS requests refused: ") +
         facts.tell("duration_ms", ", after ", " ms");
}

std::string startup_decided(Facts& facts) {
  return "before its first call" + facts.tell("upstream", ", upstream ") + " asked for " +
         aws_decided(facts);
}

std::string refused(Facts& facts) {
  std::string text = "refused: " + facts.tell("action");
  if (text.ends_with(' ')) text += facts.tell("service", "", ":") + facts.tell("operation");
  text += facts.tell("resource", " on ") + facts.tell("method", " ") + facts.tell("host", " ");
  return text + facts.tell("path") + facts.tell("upstream", " from upstream ") +
         facts.tell("reason", ": ");
}

std::string told(Kind kind, Facts& facts) {
  switch (kind) {
    case Kind::GatewayStarted:
      return gateway_started(facts);
    case Kind::CallDecided:
      return call_decided(facts);
    case Kind::SessionMinted:
      return session_minted(facts);
    case Kind::AwsDecided:
      return aws_decided(facts);
    case Kind::AwsDone:
      return aws_done(facts);
    case Kind::CallDone:
      return call_done(facts);
    case Kind::StartupDecided:
      return startup_decided(facts);
    case Kind::Revoked:
      return revoked(facts);
    case Kind::Refused:
      return refused(facts);
  }
  return {};
}

}  // namespace

std::string sentence(const Entry& entry) {
  Facts facts(entry.body);
  if (!facts.readable()) return printable(entry.kind) + ": " + printable(entry.body);
  const auto kind = kind_of(entry.kind);
  std::string text = kind ? told(*kind, facts) : std::string();
  if (text.empty()) text = printable(entry.kind);
  return text + facts.rest();
}

std::string story(std::span<const Entry> entries) {
  const Entry& first = entries.front();
  const auto span = entries.back().time - first.time;
  std::string text = fmt::format("call {} at {}, {} records within {} ms\n", printable(first.call),
                                 iso8601(first.time), entries.size(), span.count());
  for (const Entry& entry : entries) {
    text +=
        fmt::format("  {} #{:<6} {}\n", time_of_day(entry.time), entry.sequence, sentence(entry));
  }
  return text;
}

}  // namespace remit::ledger
