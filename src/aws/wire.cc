#include "aws/wire.h"

#include <algorithm>

#include "json/json.h"

namespace remit::aws {
namespace {

constexpr std::size_t kMaxPairs = 20'000;
constexpr std::size_t kMaxFormDepth = 24;

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void add_json(WireBuilder& builder, std::string_view name, json::Value value) {
  switch (value.kind()) {
    case json::Kind::Null:
      return builder.scalar(Wire::Kind::Null, name, {});
    case json::Kind::Bool:
      return builder.scalar(Wire::Kind::Boolean, name, value.boolean() ? "true" : "false");
    case json::Kind::Number:
      return builder.scalar(Wire::Kind::Number, name, value.number_text());
    case json::Kind::String:
      return builder.scalar(Wire::Kind::Text, name, value.string());
    case json::Kind::Array: {
      const Wire::Ref node = builder.open(Wire::Kind::Array, name);
      for (const json::Value element : value.elements()) add_json(builder, {}, element);
      return builder.close(node);
    }
    case json::Kind::Object: {
      const Wire::Ref node = builder.open(Wire::Kind::Object, name);
      for (const json::Member member : value.members()) add_json(builder, member.key, member.value);
      return builder.close(node);
    }
  }
}

// One level of a form's names: `pairs` all share the first `skip` characters.
Result<void> add_form(WireBuilder& builder, const std::vector<Wire::Pair>& pairs, std::size_t first,
                      std::size_t last, std::size_t skip, std::size_t depth) {
  if (depth > kMaxFormDepth)
    return fail(ErrorCode::LimitExceeded, "a form parameter's name is nested too deeply");
  while (first < last) {
    const std::string_view rest = pairs[first].name.substr(skip);
    const std::string_view head = rest.substr(0, rest.find('.'));
    const auto same = [&](const Wire::Pair& pair) {
      const std::string_view other = pair.name.substr(skip);
      return other.substr(0, other.find('.')) == head;
    };
    std::size_t end = first + 1;
    while (end < last && same(pairs[end])) ++end;
    if (head.size() == rest.size()) {
      if (end - first != 1)
        return fail(ErrorCode::InvalidInput, "the form parameter " +
                                                 std::string(pairs[first].name) +
                                                 " is written twice or has a value beside parts");
      builder.scalar(Wire::Kind::Text, head, pairs[first].value);
    } else {
      const Wire::Ref node = builder.open(Wire::Kind::Object, head);
      REMIT_CHECKED(add_form(builder, pairs, first, end, skip + head.size() + 1, depth + 1));
      builder.close(node);
    }
    first = end;
  }
  return {};
}

}  // namespace

Wire::Ref WireBuilder::open(Wire::Kind kind, std::string_view name) {
  wire_.nodes_.push_back({name, {}, 0, kind});
  return static_cast<Wire::Ref>(wire_.nodes_.size() - 1);
}

void WireBuilder::close(Wire::Ref node) {
  wire_.nodes_[node].next = static_cast<Wire::Ref>(wire_.nodes_.size());
}

void WireBuilder::scalar(Wire::Kind kind, std::string_view name, std::string_view text) {
  const Wire::Ref node = open(kind, name);
  wire_.nodes_[node].text = text;
  close(node);
}

std::string_view WireBuilder::keep(std::string text) {
  return wire_.storage_.emplace_back(std::move(text));
}

json::Value WireBuilder::hold(json::Document document) {
  return wire_.document_.emplace(std::move(document)).root();
}

Wire::Ref Wire::child(Ref parent, std::string_view name) const {
  if (parent == kNothing || nodes_[parent].kind != Kind::Object) return kNothing;
  for (Ref at = parent + 1; at < nodes_[parent].next; at = nodes_[at].next)
    if (nodes_[at].name == name) return nodes_[at].kind == Kind::Null ? kNothing : at;
  return kNothing;
}

Wire::Ref Wire::at(std::initializer_list<std::string_view> path) const {
  Ref node = root();
  for (const std::string_view name : path) node = child(node, name);
  return node;
}

std::optional<std::string_view> Wire::text_at(Ref parent, std::string_view name) const {
  const Ref node = child(parent, name);
  if (!is_scalar(node)) return std::nullopt;
  return text(node);
}

std::vector<Wire::Ref> Wire::children(Ref parent) const {
  std::vector<Ref> found;
  if (parent == kNothing || is_scalar(parent)) return found;
  for (Ref at = parent + 1; at < nodes_[parent].next; at = nodes_[at].next) found.push_back(at);
  return found;
}

std::vector<Wire::Ref> Wire::list_of(Ref node) const {
  if (is_scalar(node)) return {node};
  std::vector<Ref> below = children(node);
  if (source_ != Source::Form || kind(node) == Kind::Array) return below;
  const auto numbered = [&](const std::vector<Ref>& nodes) {
    return !nodes.empty() && std::ranges::all_of(nodes, [&](Ref n) { return is_number(name(n)); });
  };
  if (numbered(below)) return below;
  // "X.member.1". What stands beside that ("X.member.1" and "X.other", "X.1") some reader may take
  // for an element, another not: all of it counts.
  std::vector<Ref> elements;
  for (const Ref part : below) {
    std::vector<Ref> inner = children(part);
    if (!numbered(inner)) inner.assign(1, part);
    elements.insert(elements.end(), inner.begin(), inner.end());
  }
  return elements;
}

std::vector<Wire::Ref> Wire::items(Ref parent, std::string_view name) const {
  if (parent == kNothing || nodes_[parent].kind != Kind::Object) return {};
  std::vector<Ref> named;
  for (Ref at = parent + 1; at < nodes_[parent].next; at = nodes_[at].next)
    if (nodes_[at].name == name && nodes_[at].kind != Kind::Null) named.push_back(at);
  if (named.size() == 1 && !(source_ == Source::Xml && is_scalar(named[0])))
    return list_of(named[0]);
  return named;
}

Result<Wire> Wire::from_json(std::string_view body) {
  WireBuilder builder;
  if (body.empty()) return std::move(builder).take();
  json::Limits limits;
  limits.max_bytes = std::size_t{32} << 20;
  auto document = json::parse(std::string(body), limits);
  if (!document) return std::unexpected(document.error().to_error("the body"));
  if (!document->root().is(json::Kind::Object))
    return fail(ErrorCode::InvalidInput, "the body is not a JSON object");
  add_json(builder, {}, builder.hold(*std::move(document)));
  return std::move(builder).take();
}

Result<Wire> Wire::from_form(std::vector<Pair> pairs) {
  if (pairs.size() > kMaxPairs)
    return fail(ErrorCode::LimitExceeded, "the form has more than 20000 parameters");
  // By segments: the separator sorts before every other character, so that names with a common
  // first segment stand together.
  std::ranges::sort(pairs, [](const Pair& a, const Pair& b) {
    return std::ranges::lexicographical_compare(a.name, b.name, [](char x, char y) {
      return (x == '.' ? 0 : static_cast<unsigned char>(x) + 1) <
             (y == '.' ? 0 : static_cast<unsigned char>(y) + 1);
    });
  });
  for (std::size_t i = 1; i < pairs.size(); ++i)
    if (pairs[i].name == pairs[i - 1].name)
      return fail(ErrorCode::InvalidInput,
                  "the parameter " + std::string(pairs[i].name) + " is written twice");
  WireBuilder builder;
  builder.from_form();
  const Ref top = builder.open(Kind::Object, {});
  REMIT_CHECKED(add_form(builder, pairs, 0, pairs.size(), 0, 0));
  builder.close(top);
  return std::move(builder).take();
}

}  // namespace remit::aws
