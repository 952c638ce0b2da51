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

// Requests that were allowed at the same moment share a record.
std::vector<json::Value> requests_of(json::Value body) {
  const auto list = body.find("requests");
  if (!list || !list->is(json::Kind::Array)) return {body};
  std::vector<json::Value> requests;
  for (const json::Value element : list->elements()) {
    if (element.is(json::Kind::Object)) requests.push_back(element);
  }
  return requests;
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

// Of names that a remit may have 32 of: U+E100 and on, three bytes of UTF-8.
constexpr std::string_view kMarkBegins = "\xEE\x84";
constexpr std::size_t kMostArguments = 32;
constexpr unsigned char kFirstMark = 0x80;

std::string mark_of(std::size_t index) {
  return std::string(kMarkBegins) + static_cast<char>(kFirstMark + index);
}

bool is_edge(std::string_view text, std::size_t at) {
  return at >= text.size() || text[at] == ':' || text[at] == '/';
}

void replace_segments(std::string& text, std::string_view value, const std::string& mark) {
  for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at)) {
    const bool whole = (at == 0 || is_edge(text, at - 1)) && is_edge(text, at + value.size());
    if (whole) text.replace(at, value.size(), mark);
    at += whole ? mark.size() : 1;
  }
}

}  // namespace

std::string Arguments::mark(std::string_view text,
                            const std::map<std::string, std::string>& bound) {
  std::string marked(text);
  if (marked.contains(kMarkBegins)) return marked;
  // A key may hold a bucket's name: the longest first. Two arguments of one value tell nothing.
  std::vector<std::pair<std::string_view, std::string_view>> values;
  values.reserve(bound.size());
  for (const auto& [name, value] : bound) values.emplace_back(value, name);
  std::ranges::sort(values, [](const auto& a, const auto& b) {
    return std::pair(a.first.size(), a.first) > std::pair(b.first.size(), b.first);
  });
  for (const auto& [value, name] : values) {
    const auto same = std::ranges::count(values, value, [](const auto& one) { return one.first; });
    if (value.empty() || same != 1 || !marked.contains(value)) continue;
    auto known = std::ranges::find(names_, name);
    if (known == names_.end()) {
      if (names_.size() == kMostArguments) continue;
      known = names_.insert(names_.end(), std::string(name));
    }
    replace_segments(marked, value, mark_of(static_cast<std::size_t>(known - names_.begin())));
  }
  return marked;
}

std::string Arguments::restore(std::string_view text) const {
  std::string restored;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t last = i + kMarkBegins.size();
    if (last < text.size() && text.substr(i).starts_with(kMarkBegins)) {
      const auto index =
          static_cast<std::size_t>(static_cast<unsigned char>(text[last]) - kFirstMark);
      if (index < names_.size()) {
        restored += "${arg:" + names_[index] + "}";
        i = last;
        continue;
      }
    }
    restored += text[i];
  }
  return restored;
}

void Observations::minted(const ledger::Entry& entry) {
  const auto known = calls_.find(entry.call);
  if (known == calls_.end()) return;
  const auto wanted = filter_.arguments.find(known->second.remit);
  const auto body = json::parse(entry.body);
  if (wanted == filter_.arguments.end() || !body || !body->root().is(json::Kind::Object)) return;
  const auto bound = body->root().find("bound");
  if (!bound || !bound->is(json::Kind::Object)) return;
  for (const std::string& name : wanted->second) {
    if (std::string value = text_of(*bound, name); !value.empty())
      known->second.bound[name] = std::move(value);
  }
}

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
  if (counted_.emplace(entry.call, std::pair(call.upstream, call.tool)).second) ++use.calls;
  for (const json::Value request : requests_of(root)) {
    ++use.requests;
    if (request.find("resources_total")) ++use.resources_left_out;
    note(gathered, call, request, refused ? text_of(root, "reason") : std::optional<std::string>{});
  }
}

void Observations::note(Gathered& gathered, const Call& call, json::Value request,
                        const std::optional<std::string>& refusal) {
  ToolUse& use = gathered.use;
  for (Asked& asked : all_asked(request)) {
    if (needs_no_permission(asked)) continue;
    for (std::string& resource : asked.resources) {
      resource = use.arguments.mark(resource, call.bound);
    }
    for (auto& [key, values] : asked.context) {
      for (std::string& value : values) value = use.arguments.mark(value, call.bound);
    }
    use.with_context = use.with_context || !asked.context.empty();
    Observed& one = gathered.questions[{asked, refusal.has_value()}];
    one.asked = std::move(asked);
    ++one.times;
    one.refused = refusal.has_value();
    if (refusal) one.reason = *refusal;
  }
}

void Observations::add(const ledger::Entry& entry) {
  if (entry.time < filter_.since) return;
  const auto kind = ledger::kind_of(entry.kind);
  if (kind == ledger::Kind::CallDecided) {
    const auto body = json::parse(entry.body);
    if (!body || !body->root().is(json::Kind::Object)) return;
    const json::Value root = body->root();
    calls_[entry.call] = {text_of(root, "upstream"),
                          text_of(root, "tool"),
                          text_of(root, "remit"),
                          text_of(root, "role"),
                          {}};
  } else if (kind == ledger::Kind::SessionMinted) {
    minted(entry);
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
