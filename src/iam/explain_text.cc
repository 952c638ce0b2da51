// An explanation as text for people and as JSON.

#include <algorithm>

#include "iam/explain.h"
#include "json/writer.h"

namespace remit::iam {
namespace {

constexpr std::size_t kShownStatements = 10;  // of a layer; the JSON form has all

std::string layer_title(const LayerReport& layer) {
  std::string out(name_of(layer.layer));
  const bool by_level = layer.layer == LayerName::Scp || layer.layer == LayerName::Rcp;
  if (by_level) out.append(" level ").append(std::to_string(layer.level + 1));
  return out;
}

std::string statement_line(const StatementReport& s) {
  std::string out = s.matched == Truth::Yes ? "+ " : s.matched == Truth::Maybe ? "? " : "- ";
  out.append(s.deny ? "Deny " : "Allow ");
  out.append(s.sid.empty() ? "[" + std::to_string(s.index) + "]" : "\"" + s.sid + "\"");
  out.append(" of ").append(s.policy_name);
  out.append(", line ").append(std::to_string(s.position.line));
  if (s.matched == Truth::Maybe) out.append(": depends on ").append(s.failed);
  if (s.matched == Truth::No) out.append(": ").append(s.failed);
  return out;
}

std::string_view name_of(Truth truth) {
  return truth == Truth::Yes ? "yes" : truth == Truth::Maybe ? "unknown" : "no";
}

void write_strings(json::Writer& w, std::string_view key, const std::vector<std::string>& all) {
  w.key(key).begin_array();
  for (const auto& text : all) w.string(text);
  w.end_array();
}

void write_statement(json::Writer& w, const StatementReport& s) {
  w.begin_object();
  w.key("policy").string(s.policy_name);
  w.key("index").integer(static_cast<std::int64_t>(s.index));
  if (!s.sid.empty()) w.key("sid").string(s.sid);
  w.key("line").integer(static_cast<std::int64_t>(s.position.line));
  w.key("effect").string(s.deny ? "Deny" : "Allow");
  w.key("matched").string(name_of(s.matched));
  if (s.matched != Truth::Yes) w.key("why").string(s.failed);
  w.end_object();
}

void write_layer(json::Writer& w, const LayerReport& layer) {
  w.begin_object();
  w.key("layer").string(name_of(layer.layer));
  const bool by_level = layer.layer == LayerName::Scp || layer.layer == LayerName::Rcp;
  if (by_level) w.key("level").integer(static_cast<std::int64_t>(layer.level));
  w.key("verdict").string(layer.verdict);
  w.key("statements").begin_array();
  for (const auto& s : layer.statements) write_statement(w, s);
  w.end_array().end_object();
}

}  // namespace

std::string to_text(const Explanation& e, const Request& request) {
  std::string out(name_of(e.decision.outcome));
  out.append(": ").append(request.action);
  out.append(" on ").append(request.resource.value_or("a resource that is not known"));
  if (request.principal != nullptr) out.append(" as ").append(request.principal->text());
  out.push_back('\n');
  for (const auto& reason : e.because()) out.append("  ").append(reason).append("\n");
  for (const auto& layer : e.layers) {
    out.append(layer_title(layer)).append(": ").append(layer.verdict).append("\n");
    const auto shown = std::min(layer.statements.size(), kShownStatements);
    for (std::size_t i = 0; i < shown; ++i) {
      out.append("  ").append(statement_line(layer.statements[i])).append("\n");
    }
    if (layer.statements.size() > shown) {
      out.append("  ... ").append(std::to_string(layer.statements.size() - shown));
      out.append(" more\n");
    }
  }
  if (e.suggestion) out.append("to allow it: ").append(e.suggestion->text).append("\n");
  return out;
}

std::string to_json(const Explanation& e, const Request& request) {
  json::Writer w;
  w.begin_object();
  w.key("version").integer(1);
  w.key("decision").string(name_of(e.decision.outcome));
  if (request.principal != nullptr) w.key("principal").string(request.principal->text());
  w.key("action").string(request.action);
  w.key("resource");
  if (request.resource) {
    w.string(*request.resource);
  } else {
    w.null();
  }
  w.key("decidedBy").string(name_of(e.decision.layer));
  write_strings(w, "because", e.because());
  write_strings(w, "assumed", e.assumed);
  write_strings(w, "wouldDecide", e.would_decide);
  w.key("layers").begin_array();
  for (const auto& layer : e.layers) write_layer(w, layer);
  w.end_array();
  if (e.suggestion) {
    w.key("suggestion").begin_object();
    w.key("possible").boolean(e.suggestion->possible);
    w.key("text").string(e.suggestion->text);
    w.end_object();
  }
  w.end_object();
  return std::move(w).take();
}

}  // namespace remit::iam
