#include "iam/batch.h"

#include <array>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "iam/explain.h"
#include "json/json.h"
#include "json/writer.h"

namespace remit::iam {
namespace {

constexpr std::size_t kMaxReasons = 24;

// Why a case cannot be judged.
struct Fault {
  std::string message;
};

std::string at(std::string_view where, std::string_view message) {
  return std::string(where).append(": ").append(message);
}

// The id of a line that is no JSON or repeats a key: its raw value when the top level holds a
// string or a number of that name before the fault, else empty.
std::string_view raw_id(std::string_view line) {
  std::size_t depth = 0;
  std::string_view key;
  bool wants_key = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '{' || c == '[') {
      ++depth;
      wants_key = c == '{';
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
    } else if (c == ',') {
      wants_key = true;
    } else if (c == ':' && depth == 1 && key == "\"id\"") {
      auto value = line.substr(i + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
      const bool quoted = value.starts_with('"');
      std::size_t end = quoted ? 1 : 0;
      while (end < value.size()) {
        if (quoted && value[end] == '\\') {
          end += 2;
          continue;
        }
        if (quoted ? value[end] == '"' : (value[end] == ',' || value[end] == '}')) break;
        ++end;
      }
      if (quoted) ++end;
      return end <= value.size() ? value.substr(0, end) : std::string_view{};
    } else if (c == '"') {
      const std::size_t begin = i++;
      while (i < line.size() && line[i] != '"') i += line[i] == '\\' ? 2 : 1;
      if (i >= line.size()) return {};
      if (wants_key && depth == 1) key = line.substr(begin, i - begin + 1);
      wants_key = false;
    }
  }
  return {};
}

}  // namespace

struct Batch::Impl {
  explicit Impl(BatchLimits l)
      : limits(l),
        line_parser({.max_bytes = l.max_line_bytes, .max_depth = l.max_depth}),
        document_parser({.max_bytes = l.max_line_bytes, .max_depth = l.max_depth}),
        id_parser({.max_bytes = 1024, .max_depth = 2}) {}

  void answer(std::string_view line, std::string& out);
  void refuse_too_long(std::string_view beginning, std::string& out);

 private:
  void reset();
  std::string id_in(std::string_view broken_line);
  void fail(std::string message) {
    if (!fault) fault = Fault{std::move(message)};
  }
  std::optional<std::string_view> text(json::Value value, std::string_view where);
  void read_case(json::Value root);
  void read_principal(json::Value value);
  void read_action(json::Value value);
  void read_resource(json::Value value);
  void read_context(json::Value value);
  void read_context_value(std::string_view key, json::Value value);
  std::optional<std::string_view> scalar(std::string_view key, json::Value value);
  void read_unknown(json::Value value);
  void read_organization(json::Value value);
  void read_policies(json::Value value);
  void read_layer(std::string_view name, json::Value value, PolicyKind kind, Layer& layer);
  void read_levels(std::string_view name, json::Value value, PolicyKind kind,
                   std::vector<Layer>& levels);
  void read_document(const std::string& name, json::Value value, PolicyKind kind);
  void write_answer(std::string& out);

  BatchLimits limits;
  json::Parser line_parser;
  json::Parser document_parser;
  json::Parser id_parser;

  // Of the case in hand.
  std::optional<Fault> fault;
  Principal principal;
  Context context;
  std::vector<std::string_view> values;
  Request request;
  Stack stack;
  std::deque<Policy> policies;          // stay where they are
  std::vector<const Policy*> attached;  // all, layer after layer
  std::vector<std::pair<Layer*, std::pair<std::size_t, std::size_t>>> spans;
  std::vector<Layer> scp;
  std::vector<Layer> rcp;
  std::uint64_t policy_bytes = 0;
  std::uint64_t text_bytes = 0;
  std::vector<std::string> notes;
};

Batch::Batch(BatchLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;
Batch::~Batch() = default;

void Batch::answer(std::string_view line, std::string& out) { impl_->answer(line, out); }
void Batch::refuse_too_long(std::string_view beginning, std::string& out) {
  impl_->refuse_too_long(beginning, out);
}

void Batch::Impl::reset() {
  fault.reset();
  principal = Principal();
  context.clear();
  request = Request();
  request.context = &context;
  stack = Stack();
  policies.clear();
  attached.clear();
  spans.clear();
  scp.clear();
  rcp.clear();
  policy_bytes = 0;
  text_bytes = 0;
  notes.clear();
}

std::string Batch::Impl::id_in(std::string_view broken_line) {
  const auto found = raw_id(broken_line);
  if (found.empty()) return "null";
  const auto parsed = id_parser.parse(found);
  return parsed ? json::canonical(*parsed) : "null";
}

void Batch::Impl::refuse_too_long(std::string_view beginning, std::string& out) {
  out.append("{\"id\":").append(id_in(beginning)).append(",\"error\":");
  json::append_string(
      out, "line: is longer than " + std::to_string(limits.max_line_bytes >> 20U) + " MiB");
  out.push_back('}');
}

void Batch::Impl::answer(std::string_view line, std::string& out) {
  reset();
  std::string id = "null";
  const auto root = line_parser.parse(line);
  if (!root) {
    id = id_in(line);
    fail("line is no valid JSON: 1:" + std::to_string(root.error().position.column) + ": " +
         root.error().message);
  } else if (!root->is(json::Kind::Object)) {
    fail("a case is an object");
  } else {
    if (const auto given = root->find("id")) id = json::canonical(*given);
    read_case(*root);
  }
  out.append("{\"id\":").append(id);
  if (fault) {
    out.append(",\"error\":");
    json::append_string(out, fault->message);
  } else {
    write_answer(out);
  }
  out.push_back('}');
}

std::optional<std::string_view> Batch::Impl::text(json::Value value, std::string_view where) {
  const auto found = value.as_string();
  if (!found) {
    fail(at(where, "must be a string, not " + std::string(json::name_of(value.kind()))));
  } else if (found->size() > limits.max_text_bytes) {
    fail(at(where, "is too long"));
  }
  return found;
}

void Batch::Impl::read_case(json::Value root) {
  std::optional<json::Value> policy_member;
  bool has_principal = false;
  bool has_action = false;
  for (const auto& [key, offset, value] : root.members()) {
    if (key == "principal") {
      has_principal = true;
      read_principal(value);
    } else if (key == "action") {
      has_action = true;
      read_action(value);
    } else if (key == "resource") {
      read_resource(value);
    } else if (key == "context") {
      read_context(value);
    } else if (key == "unknown") {
      continue;  // after the context, whose word it takes back
    } else if (key == "organization") {
      read_organization(value);
    } else if (key == "policies") {
      policy_member = value;
    }
  }
  if (const auto unknown = root.find("unknown")) read_unknown(*unknown);
  if (!has_principal) fail("principal: is missing");
  if (!has_action) fail("action: is missing");
  // Which kind a resource policy is depends on action and resource.
  if (policy_member && !fault) read_policies(*policy_member);
  text_bytes += request.resource ? request.resource->size() : 0;
  if (policy_bytes * (text_bytes + 1) > limits.max_work) fail("the case is too large to judge");
}

void Batch::Impl::read_principal(json::Value value) {
  const auto name = text(value, "principal");
  if (!name) return;
  auto parsed = Principal::parse(*name);
  if (!parsed) return fail(at("principal", parsed.error()));
  principal = *std::move(parsed);
  request.principal = &principal;
}

void Batch::Impl::read_action(json::Value value) {
  const auto action = text(value, "action");
  if (!action) return;
  const auto colon = action->find(':');
  const bool whole = colon != action->npos && colon > 0 && colon + 1 < action->size();
  if (!whole || action->size() > 128) return fail("action: must be service:action");
  if (action->find_first_of("*? ") != action->npos) return fail("action: must be a single action");
  request.action = *action;
}

void Batch::Impl::read_resource(json::Value value) {
  if (!value.is(json::Kind::Object)) return fail("resource: must be an object with an arn");
  for (const auto& [key, offset, member] : value.members()) {
    if (key == "arn") {
      request.resource = text(member, "resource.arn");
    } else if (key == "account") {
      request.resource_account = text(member, "resource.account");
    } else {
      fail("resource: unknown member " + std::string(key) + "; it has arn and account");
    }
  }
}

std::optional<std::string_view> Batch::Impl::scalar(std::string_view key, json::Value value) {
  std::optional<std::string_view> out;
  switch (value.kind()) {
    case json::Kind::String:
      out = value.string();
      break;
    case json::Kind::Number:
      out = value.number_text();
      break;
    case json::Kind::Bool:
      out = value.boolean() ? "true" : "false";
      break;
    default:
      fail(at("context." + std::string(key), "must be a value or an array of values"));
      return out;
  }
  if (out->size() > limits.max_text_bytes) fail(at("context." + std::string(key), "is too long"));
  text_bytes += out->size();
  return out;
}

void Batch::Impl::read_context_value(std::string_view key, json::Value value) {
  values.clear();
  if (value.is(json::Kind::Array)) {
    for (const json::Value element : value.elements()) {
      const auto one = scalar(key, element);
      if (!one) return;
      values.push_back(*one);
    }
  } else if (const auto one = scalar(key, value)) {
    values.push_back(*one);
  }
  const auto hash = Context::hash_key(key);
  if (context.entry(hash, key) != nullptr) {
    return fail(at("context." + std::string(key), "stands twice, in different case"));
  }
  context.set(key, values);
}

void Batch::Impl::read_context(json::Value value) {
  if (!value.is(json::Kind::Object)) return fail("context: must be an object");
  constexpr std::size_t kMaxKeys = 1000;
  if (value.size() > kMaxKeys) return fail("context: has more than 1000 keys");
  for (const auto& [key, offset, member] : value.members()) read_context_value(key, member);
}

void Batch::Impl::read_unknown(json::Value value) {
  if (!value.is(json::Kind::Array)) return fail("unknown: must be an array of condition keys");
  for (const json::Value element : value.elements()) {
    if (const auto key = text(element, "unknown")) context.set_unknown(*key);
  }
}

void Batch::Impl::read_organization(json::Value value) {
  if (!value.is(json::Kind::Object)) return fail("organization: must be an object of facts");
  auto& facts = request.facts;
  for (const auto& [key, offset, member] : value.members()) {
    const std::string where = "organization." + std::string(key);
    Fact* fact = key == "principalInManagementAccount"   ? &facts.principal_in_management_account
                 : key == "resourceInManagementAccount"  ? &facts.resource_in_management_account
                 : key == "principalIsServiceLinkedRole" ? &facts.principal_is_service_linked_role
                 : key == "resourceIsAwsManagedKey"      ? &facts.resource_is_aws_managed_key
                 : key == "endpointIsGateway"            ? &facts.endpoint_is_gateway
                                                         : nullptr;
    if (fact != nullptr) {
      *fact = member.as_boolean();
      if (!*fact) fail(at(where, "must be true or false"));
    } else if (key == "principalFederatedBy") {
      if (const auto arn = text(member, where)) facts.federated_by = *arn;
    } else {
      notes.push_back("ignored: " + where + " is no fact that the engine knows");
    }
  }
}

void Batch::Impl::read_policies(json::Value value) {
  if (!value.is(json::Kind::Object)) return fail("policies: must be an object");
  const bool role = request.resource &&
                    request.resource->find(":role/") != std::string_view::npos &&
                    request.resource->starts_with("arn:");
  const bool trust = role && request.action.starts_with("sts:");
  for (const auto& [key, offset, member] : value.members()) {
    if (key == "identity") {
      read_layer(key, member, PolicyKind::Identity, stack.identity);
    } else if (key == "boundary") {
      read_layer(key, member, PolicyKind::Boundary, stack.boundary);
    } else if (key == "session") {
      read_layer(key, member, PolicyKind::Session, stack.session);
    } else if (key == "resource") {
      read_layer(key, member, trust ? PolicyKind::Trust : PolicyKind::Resource, stack.resource);
    } else if (key == "endpoint") {
      read_layer(key, member, PolicyKind::Endpoint, stack.endpoint);
    } else if (key == "scp") {
      read_levels(key, member, PolicyKind::Scp, scp);
    } else if (key == "rcp") {
      read_levels(key, member, PolicyKind::Rcp, rcp);
    } else {
      fail("policies: unknown kind " + std::string(key) +
           "; there are identity, boundary, session, resource, scp, rcp and endpoint");
    }
    if (fault) return;
  }
  for (const auto& [layer, span] : spans) {
    layer->policies = std::span(attached).subspan(span.first, span.second);
  }
  stack.scp = scp;
  stack.rcp = rcp;
}

void Batch::Impl::read_layer(std::string_view name, json::Value value, PolicyKind kind,
                             Layer& layer) {
  if (!value.is(json::Kind::Array)) {
    return fail(at("policies." + std::string(name), "must be an array of documents"));
  }
  if (kind == PolicyKind::Boundary && value.size() > 1) {
    return fail(at("policies." + std::string(name), "a principal has at most one boundary"));
  }
  const auto first = attached.size();
  std::size_t i = 0;
  for (const json::Value document : value.elements()) {
    read_document(std::string(name) + "[" + std::to_string(i++) + "]", document, kind);
    if (fault) return;
  }
  spans.push_back({&layer, {first, attached.size() - first}});
}

void Batch::Impl::read_levels(std::string_view name, json::Value value, PolicyKind kind,
                              std::vector<Layer>& levels) {
  if (!value.is(json::Kind::Array)) {
    return fail(at("policies." + std::string(name), "must be an array of levels"));
  }
  levels.resize(value.size());  // spans point into it: its final size at once
  std::size_t i = 0;
  for (const json::Value level : value.elements()) {
    read_layer(std::string(name) + "[" + std::to_string(i) + "]", level, kind, levels[i]);
    ++i;
    if (fault) return;
  }
}

void Batch::Impl::read_document(const std::string& name, json::Value value, PolicyKind kind) {
  const std::string where = "policies." + name;
  policy_bytes += value.raw().size();
  auto document = value;
  // A line holds no newline that counts: its values stand in line 1.
  json::Position position{1, value.offset() + 1};
  if (const auto text = value.as_string()) {
    const auto parsed = document_parser.parse(*text);
    if (!parsed) {
      const auto& p = parsed.error().position;
      return fail(at(where, std::to_string(p.line) + ":" + std::to_string(p.column) + ": " +
                                parsed.error().message));
    }
    document = *parsed;
    position = document.position();
  }
  auto compiled = compile(document, kind, name, position);
  if (!compiled) {
    std::string message = at(where, to_text(compiled.error().front()));
    if (const auto more = compiled.error().size() - 1; more > 0) {
      message += " (and " + std::to_string(more) + " more)";
    }
    return fail(std::move(message));
  }
  policies.push_back(*std::move(compiled));
  attached.push_back(&policies.back());
}

void Batch::Impl::write_answer(std::string& out) {
  const auto explanation = explain(stack, request);
  out.append(",\"decision\":\"").append(name_of(explanation.decision.outcome));
  out.append("\",\"because\":[");
  std::size_t count = 0;
  const auto reason = [&](const std::string& text) {
    if (count == kMaxReasons) return;
    if (count++ > 0) out.push_back(',');
    json::append_string(out, text);
  };
  for (const auto& text : explanation.because()) reason(text);
  for (const auto& text : notes) reason(text);
  out.push_back(']');
}

}  // namespace remit::iam
