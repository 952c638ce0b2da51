#include "aws/call.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::array<std::string_view, 4> kAlwaysUnknown = {
    "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceTag/*"};

// Bits of keys that add_common() looks for: those above by their position, and those of tags.
constexpr unsigned kTagsBit = 1U << kAlwaysUnknown.size();
unsigned bit_of(std::string_view key) {
  if (!key.starts_with("aws:")) return 0;
  if (key == "aws:TagKeys" || key == "aws:RequestTag/*") return kTagsBit;
  const auto found = std::ranges::find(kAlwaysUnknown, key);
  return found == kAlwaysUnknown.end() ? 0 : 1U << (found - kAlwaysUnknown.begin());
}

}  // namespace

Call::Call(const Catalogue::Tables& tables, const RequestFacts& request_facts, const Resolved& head,
           const Candidate& candidate, const Wire& wire, std::string_view raw)
    : t(tables),
      facts(request_facts),
      resolved(head),
      body(wire),
      raw_body(raw),
      operation(tables.operations[candidate.operation]),
      service(tables.services[operation.service]),
      protocol(candidate.protocol) {
  if (candidate.route < tables.routes.size())
    labels_ = bind_labels(tables, candidate.route, head.segments);
}

std::string_view Call::header(std::string_view name) const {
  const std::string* found = input_header(resolved.fields, resolved.target, name);
  return found == nullptr ? std::string_view{} : std::string_view(*found);
}

std::optional<std::string> Call::label(std::string_view member) const {
  for (const Label& label : labels_) {
    const MemberRow row = t.members[operation.member_first + label.member];
    if (t.text(row.name) == member) return uri_decode(label.raw);
  }
  return std::nullopt;
}

std::vector<std::string> Call::values_of(std::uint8_t index) const {
  const MemberRow member = t.members[operation.member_first + index];
  const std::string_view wire = t.text(member.wire);
  std::vector<std::string> found;
  switch (static_cast<Location>(member.location)) {
    case Location::Label:
    case Location::GreedyLabel:
      for (const Label& label : labels_)
        if (label.member == index)
          if (auto text = uri_decode(label.raw)) found.push_back(*std::move(text));
      break;
    case Location::Query:
      for (const QueryParameter& p : resolved.target.query)
        if (p.name == wire) found.push_back(p.value);
      break;
    case Location::Header:
      if (const std::string_view text = header(wire); !text.empty()) found.emplace_back(text);
      break;
    case Location::Prefix:
      break;
    case Location::Body:
    case Location::Payload: {
      Wire::Ref parent = body.root();
      std::string_view last = wire;
      for (std::size_t end; (end = last.find('/')) != std::string_view::npos;) {  // "A/b"
        parent = body.child(parent, last.substr(0, end));
        last.remove_prefix(end + 1);
      }
      for (const Wire::Ref item : body.items(parent, last))
        if (body.is_scalar(item)) found.emplace_back(body.text(item));
      break;
    }
  }
  return found;
}

std::vector<std::string> Call::values(std::string_view member) const {
  for (std::uint8_t i = 0; i < operation.member_count; ++i)
    if (t.text(t.members[operation.member_first + i].name) == member) return values_of(i);
  return {};
}

std::optional<std::string> Call::value(std::string_view member) const {
  std::vector<std::string> found = values(member);
  if (found.size() != 1) return std::nullopt;
  return std::move(found[0]);
}

std::string Call::arn(std::string_view service_name, std::string_view region,
                      std::string_view account, std::string_view resource) const {
  const std::string_view partition = facts.partition.empty() ? "aws" : facts.partition;
  const std::array<std::string_view, 10> pieces = {
      "arn:", partition, ":", service_name, ":", region, ":", account, ":", resource};
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  std::string text;
  // The size that the function is given may be the capacity (libstdc++ 12).
  text.resize_and_overwrite(size, [&](char* to, std::size_t) {
    for (const std::string_view piece : pieces) to = std::ranges::copy(piece, to).out;
    return size;
  });
  return text;
}

std::string Call::regional_arn(std::string_view service_name, std::string_view resource) const {
  return arn(service_name, facts.scope_region, facts.account, resource);
}

void set_context(ActionRequest& request, std::string key, std::vector<std::string> values,
                 bool multivalued) {
  if (!request.keys_told) return;
  set_absent(request, key);
  ContextEntry& entry = request.context.emplace_back();
  entry.key = std::move(key);
  entry.values.assign(std::make_move_iterator(values.begin()),
                      std::make_move_iterator(values.end()));
  entry.multivalued = multivalued;
}

void set_context(ActionRequest& request, std::string key, std::string value) {
  if (!request.keys_told) return;
  set_absent(request, key);
  ContextEntry& entry = request.context.emplace_back();
  entry.key = std::move(key);
  entry.values.push_back(std::move(value));
}

void set_absent(ActionRequest& request, std::string_view key) {
  std::erase(request.unknown_keys, key);
}

void set_absent(ActionRequest& request, std::initializer_list<std::string_view> keys) {
  std::uint64_t sizes = 0;  // bit n: one of them may have n characters
  for (const std::string_view key : keys) sizes |= std::uint64_t{1} << (key.size() % 64);
  std::erase_if(request.unknown_keys, [&](std::string_view key) {
    return (sizes >> (key.size() % 64) & 1U) != 0 && std::ranges::find(keys, key) != keys.end();
  });
}

std::string_view body_text(const Call& call, std::string_view member) {
  return call.body.text_at(call.body.root(), member).value_or("");
}

void set_text_key(const Call& call, ActionRequest& request, std::string_view key,
                  std::string_view member, std::string_view otherwise) {
  const std::string_view given = body_text(call, member);
  if (given.empty() && otherwise.empty()) {
    set_absent(request, key);
  } else {
    set_context(request, std::string(key), std::string(given.empty() ? otherwise : given));
  }
}

ActionRequest Call::ask(std::string_view action_name) const {
  ActionRequest request;
  ask(action_name, request);
  return request;
}

ActionRequest Call::ask(const ActionRow& row) const {
  ActionRequest request;
  ask(row, request);
  return request;
}

void Call::ask(std::string_view action_name, ActionRequest& into) const {
  if (const auto index = t.action_named(action_name)) return ask(t.actions[*index], into);
  into.action = action_name;
  into.keys_told = facts.keys;
  if (into.keys_told) add_common(into, 0);
}

void Call::ask(const ActionRow& row, ActionRequest& into) const {
  into.action = t.text(row.name);
  into.level = static_cast<AccessLevel>(row.level);
  into.keys_told = facts.keys;
  if (!into.keys_told) return;
  into.unknown_keys.reserve(row.key_count + kAlwaysUnknown.size());
  unsigned listed = 0;
  for (std::uint32_t i = 0; i < row.key_count; ++i) {
    const std::string_view key = t.text(t.condition_keys[t.lists[row.key_first + i]].name);
    listed |= bit_of(key);
    into.unknown_keys.push_back(key);
  }
  add_common(into, listed);
}

void Call::add_common(ActionRequest& request, unsigned listed) const {
  request.context.reserve(4);
  if (!facts.scope_region.empty()) {
    ContextEntry& region = request.context.emplace_back();
    region.key = "aws:RequestedRegion";
    region.values.emplace_back(facts.scope_region);
  }
  if ((listed & kTagsBit) != 0) add_tag_context(*this, request);
  for (std::size_t i = 0; i < kAlwaysUnknown.size(); ++i)
    if ((listed >> i & 1U) == 0) request.unknown_keys.push_back(kAlwaysUnknown[i]);
}

}  // namespace remit::aws
