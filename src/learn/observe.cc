#include "learn/observe.h"

#include <algorithm>
#include <utility>

#include "json/json.h"
#include "ledger/reader.h"

namespace remit::learn {
namespace {

std::string text_of(json::Value object, std::string_view key) {
  const auto value = object.find(key);
  return std::string(value ? value->as_string().value_or("") : "");
}

std::vector<std::string> list_of(json::Value object, std::string_view key) {
  std::vector<std::string> list;
  const auto value = object.find(key);
  if (!value || !value->is(json::Kind::Array)) return list;
  for (const json::Value element : value->elements()) {
    if (const auto text = element.as_string()) list.emplace_back(*text);
  }
  return list;
}

Asked read_asked(json::Value object) {
  Asked asked;
  asked.action = text_of(object, "action");
  asked.resources = list_of(object, "resources");
  const auto unknown = object.find("resource_unknown");
  asked.resource_unknown = unknown && unknown->as_boolean() == true;
  const auto context = object.find("context");
  if (!context || !context->is(json::Kind::Object)) return asked;
  for (const json::Member member : context->members()) {
    if (!member.value.is(json::Kind::Array)) continue;
    auto& values = asked.context[std::string(member.key)];
    for (const json::Value value : member.value.elements()) {
      if (const auto text = value.as_string()) values.emplace_back(*text);
    }
  }
  return asked;
}

// A record without `asked` is of one action whose resources are all told.
std::vector<Asked> all_asked(json::Value body) {
  std::vector<Asked> all;
  if (const auto list = body.find("asked"); list && list->is(json::Kind::Array)) {
    for (const json::Value element : list->elements()) {
      if (element.is(json::Kind::Object)) all.push_back(read_asked(element));
    }
    return all;
  }
  for (std::string& action : list_of(body, "actions")) {
    Asked asked;
    asked.action = std::move(action);
    asked.resources = list_of(body, "resources");
    asked.resource_unknown = asked.resources.empty();
    all.push_back(std::move(asked));
  }
  return all;
}

// Remit answers it itself, whatever the policy says.
bool needs_no_permission(const Asked& asked) { return asked.action == "sts:GetCallerIdentity"; }

// The decision was about permissions; other refusals (a limit, an ended call, a session that could
// not be had) say nothing about what the tool needs.
bool teaches(json::Value body) {
  const std::string layer = text_of(body, "layer");
  constexpr std::string_view kOther[] = {"limit",    "ledger", "lane",         "signing",
                                         "endpoint", "body",   "payload form", "AWS"};
  return std::ranges::find(kOther, layer) == std::end(kOther);
}

}  // namespace

void Observations::decided(const ledger::Entry& entry, bool startup) {
  const auto body = json::parse(entry.body);
  if (!body || !body->root().is(json::Kind::Object)) return;
  const json::Value root = body->root();
  Call call;
  call.upstream = text_of(root, "upstream");
  if (!startup) {
    const auto known = calls_.find(entry.call);
    if (known == calls_.end()) return;
    call = known->second;
  }
  if (!filter_.upstream.empty() && call.upstream != filter_.upstream) return;
  if (!filter_.tool.empty() && call.tool != filter_.tool) return;
  const bool refused = text_of(root, "decision") != "allowed";
  if (refused && !teaches(root)) return;
  Gathered& gathered = tools_[{call.upstream, call.tool}];
  ToolUse& use = gathered.use;
  if (use.requests == 0) use.first = entry.time;
  use.last = entry.time;
  use.upstream = call.upstream;
  use.tool = call.tool;
  use.remit = call.remit;
  use.role = call.role;
  ++use.requests;
  if (counted_.emplace(entry.call, std::pair(call.upstream, call.tool)).second) ++use.calls;
  if (root.find("resources_total")) ++use.resources_left_out;
  for (Asked& asked : all_asked(root)) {
    if (needs_no_permission(asked)) continue;
    use.with_context = use.with_context || !asked.context.empty();
    Observed& one = gathered.questions[{asked, refused}];
    one.asked = std::move(asked);
    ++one.times;
    one.refused = refused;
    if (refused) one.reason = text_of(root, "reason");
  }
}

void Observations::add(const ledger::Entry& entry) {
  if (entry.time < filter_.since) return;
  const auto kind = ledger::kind_of(entry.kind);
  if (kind == ledger::Kind::CallDecided) {
    const auto body = json::parse(entry.body);
    if (!body || !body->root().is(json::Kind::Object)) return;
    const json::Value root = body->root();
    calls_[entry.call] = {text_of(root, "upstream"), text_of(root, "tool"), text_of(root, "remit"),
                          text_of(root, "role")};
  } else if (kind == ledger::Kind::CallDone) {
    calls_.erase(entry.call);
  } else if (kind == ledger::Kind::AwsDecided || kind == ledger::Kind::StartupDecided) {
    decided(entry, kind == ledger::Kind::StartupDecided);
  }
}

std::vector<ToolUse> Observations::take() && {
  std::vector<ToolUse> all;
  for (auto& [name, gathered] : tools_) {
    for (auto& [asked, one] : gathered.questions) {
      gathered.use.observed.push_back(std::move(one));
    }
    all.push_back(std::move(gathered.use));
  }
  return all;
}

Result<std::vector<ToolUse>> observe(ledger::Reader& reader, Filter filter) {
  Observations observations(std::move(filter));
  REMIT_CHECKED(reader.each(1, [&](const ledger::Entry& entry) {
    observations.add(entry);
    return true;
  }));
  return std::move(observations).take();
}

}  // namespace remit::learn
