// Reading `remits:` and the `startup` remit of an upstream.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "aws/arn.h"
#include "base/encoding.h"
#include "base/utf8.h"
#include "remit/contains.h"
#include "remit/keys.h"
#include "remit/sections.h"
#include "remit/template.h"

namespace remit::rules {
namespace {

constexpr std::chrono::milliseconds kShortest{900'000};
constexpr std::chrono::milliseconds kLongest{43'200'000};
constexpr std::chrono::seconds kLongestChained{3'600};
constexpr std::size_t kMaxTags = 50;
constexpr std::size_t kMaxPolicyArns = 10;
constexpr std::size_t kMaxArguments = 32;

bool is_ascii_of(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// [\p{L}\p{Z}\p{N}_.:/=+\-@]: letters beyond ASCII are left to STS, what none can see is not.
bool is_tag_text(std::string_view text) {
  std::string ascii;
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x80) ascii += c;
  if (!is_ascii_of(ascii, " _.:/=+-@")) return false;
  return text.empty() || refuse_unsafe_text(text).has_value();
}

std::optional<std::string> read_role_arn(Reader& reader, const Item& item) {
  const auto text = reader.text(item);
  if (!text) return std::nullopt;
  const auto role = reader.take(item, aws::RoleArn::parse(*text));
  if (!role) return std::nullopt;
  if (role->path.starts_with("/aws-reserved/sso.amazonaws.com/"))
    reader.error(item,
                 "is a role of IAM Identity Center: its trust policy cannot be changed, so "
                 "nothing can assume it; make a role for agents");
  else if (role->path.starts_with("/aws-service-role/"))
    reader.error(item, "is a service-linked role: only its service can assume it");
  return text;
}

RoleChoice read_role_map(Reader& reader, const Item& item) {
  RoleByArgument choice;
  const auto map = reader.map(item, keys::kRole);
  if (!map) return choice;
  if (const auto argument = map->find("argument"))
    choice.argument = reader.text(*argument).value_or("");
  else
    reader.error(item, "names no `argument` to choose the role by");
  const auto roles = map->find("map");
  if (!roles) {
    reader.error(item, "has no `map` from the argument's values to role ARNs");
    return choice;
  }
  const auto entries = reader.open_map(*roles);
  if (!entries) return choice;
  if (entries->empty()) reader.error(*roles, "names no role");
  for (const NamedItem& entry : *entries) {
    if (auto safe = refuse_unsafe_text(entry.name); !safe)
      reader.error(entry.position, entry.value.path, "the value " + safe.error().message);
    if (auto arn = read_role_arn(reader, entry.value))
      choice.map.emplace_back(entry.name, *std::move(arn));
  }
  std::ranges::sort(choice.map);
  return choice;
}

Result<std::vector<std::string>> parse_pointer(std::string_view text) {
  std::vector<std::string> tokens;
  if (!text.empty() && text.front() != '/')
    return fail(ErrorCode::InvalidInput,
                fmt::format("'{}' is no JSON pointer; write /name or /outer/inner", text));
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view raw = text.substr(0, text.find('/'));
    text.remove_prefix(raw.size());
    std::string token;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '~') {
        token += raw[i];
        continue;
      }
      const char next = i + 1 < raw.size() ? raw[i + 1] : '\0';
      if (next != '0' && next != '1')
        return fail(ErrorCode::InvalidInput, "in a JSON pointer ~ is written ~0 and / is ~1");
      token += next == '0' ? '~' : '/';
      ++i;
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::optional<Grammar> read_grammar(Reader& reader, const Item& item) {
  if (item.node->kind != yaml::Kind::Map) {
    const auto name = reader.text(item);
    return name ? reader.take(item, Grammar::named(*name)) : std::nullopt;
  }
  const auto map = reader.map(item, keys::kGrammar);
  const auto pattern = map->find("pattern");
  const auto values = map->find("values");
  if (pattern.has_value() == values.has_value()) {
    reader.error(item, "must have either `pattern` or `values`");
    return std::nullopt;
  }
  if (pattern) {
    const auto text = reader.text(*pattern);
    return text ? reader.take(*pattern, Grammar::pattern(*text)) : std::nullopt;
  }
  const auto list = reader.list(*values);
  if (!list) return std::nullopt;
  std::vector<std::string> texts;
  for (const Item& value : *list) texts.push_back(reader.text(value).value_or("x"));
  return reader.take(*values, Grammar::values(std::move(texts)));
}

Argument read_argument(Reader& reader, const NamedItem& named) {
  Argument argument{.name = named.name,
                    .pointer = {named.name},
                    .pointer_text = "/" + named.name,
                    .grammar = Grammar()};
  if (!is_plain_name(named.name, 64))
    reader.error(named.position, named.value.path,
                 "an argument's name is 1 to 64 letters, digits, '_' and '-'");
  // A grammar alone is the short form; so is nothing at all.
  if (named.value.node->kind == yaml::Kind::Null) return argument;
  if (named.value.node->kind == yaml::Kind::Scalar) {
    argument.grammar = read_grammar(reader, named.value).value_or(Grammar());
    return argument;
  }
  const auto map = reader.map(named.value, keys::kArgument);
  if (!map) return argument;
  if (const auto grammar = map->find("grammar"))
    argument.grammar = read_grammar(reader, *grammar).value_or(Grammar());
  if (const auto pointer = map->find("pointer")) {
    argument.pointer_text = reader.text_or_empty(*pointer).value_or("");
    argument.pointer =
        reader.take(*pointer, parse_pointer(argument.pointer_text)).value_or(argument.pointer);
  }
  return argument;
}

void read_arguments(Reader& reader, const Item& item, Remit& remit) {
  const auto named = reader.open_map(item);
  if (!named) return;
  if (named->size() > kMaxArguments)
    reader.error(item, fmt::format("names more than {} arguments", kMaxArguments));
  for (const NamedItem& argument : *named)
    remit.arguments.push_back(read_argument(reader, argument));
}

void read_tags(Reader& reader, const Item& item, Remit& remit) {
  const auto named = reader.open_map(item);
  if (!named) return;
  std::set<std::string> seen;
  for (const NamedItem& tag : *named) {
    const auto complain = [&](std::string message) {
      reader.error(tag.position, tag.value.path, std::move(message));
    };
    const auto value = reader.text_or_empty(tag.value);
    if (!value) continue;
    const std::string key = lower_ascii(tag.name);
    if (tag.name.empty() || characters(tag.name) > 128 || !is_tag_text(tag.name))
      complain("is no tag key: 1 to 128 letters, digits, blanks and _.:/=+-@");
    if (key.starts_with("aws:")) complain("tag keys that begin with aws: are AWS's own");
    if (!seen.insert(key).second)
      complain("stands twice: tag keys are the same whatever their case");
    if (characters(*value) > 256 || !is_tag_text(*value))
      complain("the value must have at most 256 letters, digits, blanks and _.:/=+-@");
    if (key == "accesstype" && (tag.name != "AccessType" || *value != "AI"))
      complain("AccessType is always AI here: it is how policies tell agents from people");
    if (tag.name != "AccessType") remit.tags.push_back({tag.name, *value});
  }
  if (remit.tags.size() > kMaxTags)
    reader.error(item, fmt::format("more than {} tags, AccessType included", kMaxTags));
}

void read_transitive(Reader& reader, const Item& item, Remit& remit) {
  const auto list = reader.list(item);
  if (!list) return;
  remit.transitive.clear();
  for (const Item& key : *list) {
    const auto text = reader.text(key);
    if (!text) continue;
    if (!contains(remit.tags, *text, &Tag::key))
      reader.error(key, fmt::format("'{}' is not among this remit's tags", *text));
    remit.transitive.push_back(*text);
  }
  std::ranges::sort(remit.transitive);
  const auto doubles = std::ranges::unique(remit.transitive);
  remit.transitive.erase(doubles.begin(), doubles.end());
}

// A customer's managed policy works as a session policy in its own account only.
void check_policy_account(Reader& reader, const Item& item, const aws::Arn& policy,
                          const std::string& role) {
  const auto parsed = aws::RoleArn::parse(role);
  if (!parsed || policy.account == "aws" || policy.account == parsed->account.text()) return;
  reader.error(item, fmt::format("is of account {}, the role {} of another", policy.account, role));
}

void read_policy_arns(Reader& reader, const Item& item, const Remit& remit,
                      std::vector<std::string>& into) {
  const auto list = reader.list(item);
  if (!list) return;
  if (list->size() > kMaxPolicyArns)
    reader.error(item, fmt::format("STS takes at most {}", kMaxPolicyArns));
  for (const Item& entry : *list) {
    const auto text = reader.text(entry);
    if (!text) continue;
    const auto arn = aws::Arn::parse(*text);
    if (!arn || arn->service != "iam" || !arn->resource.starts_with("policy/")) {
      reader.error(entry, "is no ARN of a managed policy, such as arn:aws:iam::aws:policy/Name");
      continue;
    }
    if (const auto* role = std::get_if<std::string>(&remit.role))
      check_policy_account(reader, entry, *arn, *role);
    else
      for (const auto& [value, chosen] : std::get<RoleByArgument>(remit.role).map)
        check_policy_account(reader, entry, *arn, chosen);
    into.push_back(*text);
  }
  std::ranges::sort(into);
  const auto doubles = std::ranges::unique(into);
  into.erase(doubles.begin(), doubles.end());
}

void read_limits(Reader& reader, const Item& item, Remit& remit) {
  const auto map = reader.map(item, keys::kLimits);
  if (!map) return;
  const auto read = [&](std::string_view key, std::optional<Limit>& out) {
    const auto value = map->find(key);
    if (!value) return;
    if (const auto text = reader.text(*value)) out = reader.take(*value, parse_limit(*text));
  };
  read("calls", remit.calls);
  read("writes", remit.writes);
}

void read_external_id(Reader& reader, const Item& item, Remit& remit) {
  remit.external_id = reader.text(item);
  if (!remit.external_id) return;
  const std::size_t size = remit.external_id->size();
  if (size < 2 || size > 1224 || !is_ascii_of(*remit.external_id, "_+=,.@:/-"))
    reader.error(item, "is no external id: 2 to 1224 letters, digits and _+=,.@:/-");
}

void read_source_identity(Reader& reader, const Item& item, Remit& remit) {
  remit.source_identity = reader.text(item);
  if (remit.source_identity &&
      (!is_sts_name(*remit.source_identity) || remit.source_identity->starts_with("aws:")))
    reader.error(item, "is no source identity: 2 to 64 letters, digits and _+=,.@-");
}

void read_duration(Reader& reader, const Item& item, Remit& remit) {
  const auto length = reader.duration(item, kShortest, kLongest);
  if (!length) return;
  if (length->count() % 1000 != 0) reader.error(item, "must be whole seconds");
  remit.duration = std::chrono::duration_cast<std::chrono::seconds>(*length);
  if (remit.duration > kLongestChained)
    reader.warn(
        item.position(), item.path,
        "more than an hour works only when the base credentials are a user's, not a role's");
}

std::vector<std::string> read_pinned(Reader& reader, const Item& item,
                                     Result<> (*check)(const std::string& text)) {
  std::vector<std::string> pinned;
  const auto list = reader.list_or_one(item);
  if (!list) return pinned;
  if (list->empty()) reader.error(item, "names nothing: leave it out to pin nothing");
  for (const Item& entry : *list) {
    const auto text = reader.text(entry);
    if (!text) continue;
    if (const auto right = check(*text); !right) reader.error(entry, right.error().message);
    pinned.push_back(*text);
  }
  std::ranges::sort(pinned);
  const auto doubles = std::ranges::unique(pinned);
  pinned.erase(doubles.begin(), doubles.end());
  return pinned;
}

Result<> check_pinned_region(const std::string& text) {
  if (text == kGlobal) return {};
  const bool family = text.ends_with("-*") && is_ascii_of(text.substr(0, text.size() - 1), "-") &&
                      lower_ascii(text) == text && text.size() > 3;
  if (family || aws::Region::parse(text)) return {};
  return fail(ErrorCode::InvalidInput,
              fmt::format("is no region: write us-east-1, eu-* for all that begin so, or {} for "
                          "services without regions, not '{}'",
                          kGlobal, text));
}

Result<> check_pinned_account(const std::string& text) {
  REMIT_CHECKED(aws::AccountId::parse(text));
  return {};
}

void check_role_pinned(Reader& reader, const Item& accounts, const Pins& pins,
                       const std::string& role) {
  const auto parsed = aws::RoleArn::parse(role);
  if (!parsed || contains(pins.accounts, parsed->account.text())) return;
  reader.error(accounts, fmt::format("leaves out {}, the account of the role {}",
                                     parsed->account.text(), role));
}

void read_pins(Reader& reader, const MapItem& map, Remit& remit) {
  const auto regions = map.find("regions");
  const auto accounts = map.find("accounts");
  if (!regions && !accounts) return;
  auto pins = std::make_shared<Pins>();
  if (regions) pins->regions = read_pinned(reader, *regions, check_pinned_region);
  if (accounts) {
    pins->accounts = read_pinned(reader, *accounts, check_pinned_account);
    if (const auto* role = std::get_if<std::string>(&remit.role))
      check_role_pinned(reader, *accounts, *pins, *role);
    else
      for (const auto& [value, role_of_value] : std::get<RoleByArgument>(remit.role).map)
        check_role_pinned(reader, *accounts, *pins, role_of_value);
    if (!remit.offload.empty())
      reader.error(*accounts,
                   "cannot stand beside `offload`: whose a bucket is, AWS finds by a statement of "
                   "the session policy, which would not be sent");
  }
  remit.pins = std::move(pins);
}

// What a remit and a startup remit have in common.
void read_session_part(Reader& reader, const MapItem& map, const Config& config, Remit& remit) {
  remit.source_identity = config.agent.user;
  if (const auto role = map.find("role")) {
    if (role->node->kind == yaml::Kind::Map)
      remit.role = read_role_map(reader, *role);
    else
      remit.role = read_role_arn(reader, *role).value_or("");
  } else {
    reader.error(map.position(), map.path_of("role"),
                 "is missing: the role that the session is of");
  }
  if (const auto tags = map.find("tags")) read_tags(reader, *tags, remit);
  remit.tags.push_back({"AccessType", "AI"});
  std::ranges::sort(remit.tags, {}, &Tag::key);
  remit.transitive = {"AccessType"};
  if (const auto keys = map.find("transitive")) read_transitive(reader, *keys, remit);
  if (const auto arns = map.find("policy_arns"))
    read_policy_arns(reader, *arns, remit, remit.policy_arns);
  if (const auto arns = map.find("offload")) read_policy_arns(reader, *arns, remit, remit.offload);
  if (remit.policy_arns.size() + remit.offload.size() > kMaxPolicyArns)
    reader.error(
        map.position(), map.path_of("offload"),
        fmt::format("stands beside `policy_arns`: STS takes {} of both together", kMaxPolicyArns));
  if (const auto id = map.find("external_id")) read_external_id(reader, *id, remit);
  if (const auto identity = map.find("source_identity"))
    read_source_identity(reader, *identity, remit);
  if (const auto duration = map.find("duration")) read_duration(reader, *duration, remit);
  if (const auto session = map.find("session"))
    remit.session = read_session(reader, *session, remit.arguments, remit.name);
  else
    reader.error(map.position(), map.path_of("session"),
                 "is missing: the IAM statements that the session is cut down to");
  read_pins(reader, map, remit);
}

void check_role_argument(Reader& reader, const MapItem& map, const Remit& remit) {
  const auto* choice = std::get_if<RoleByArgument>(&remit.role);
  if (choice == nullptr || choice->argument.empty()) return;
  const auto found = std::ranges::find(remit.arguments, choice->argument, &Argument::name);
  const Item role = *map.find("role");
  if (found == remit.arguments.end()) {
    reader.error(
        role, fmt::format("argument '{}' is not among this remit's `arguments`", choice->argument));
    return;
  }
  for (const auto& [value, arn] : choice->map)
    if (!found->grammar.accepts(value))
      reader.error(role, fmt::format("the value '{}' of the map can never be bound: the grammar of "
                                     "argument {} is {}",
                                     value, choice->argument, found->grammar.describe()));
}

void read_tools(Reader& reader, const Item& item, const Config& config, Remit& remit) {
  const auto list = reader.list_or_one(item);
  if (!list) return;
  if (list->empty()) reader.error(item, "names no tool");
  std::vector<std::string_view> upstreams;
  upstreams.reserve(config.upstreams.size());
  for (const Upstream& upstream : config.upstreams) upstreams.push_back(upstream.name);
  for (const Item& entry : *list) {
    const auto text = reader.text(entry);
    if (!text) continue;
    auto pattern = reader.take(entry, parse_tool_pattern(*text));
    if (!pattern) continue;
    if (!contains(upstreams, pattern->upstream))
      reader.error(entry, fmt::format("no upstream is called '{}'{}", pattern->upstream,
                                      did_you_mean(pattern->upstream, upstreams)));
    remit.tools.push_back(*std::move(pattern));
  }
}

Remit read_remit(Reader& reader, const Item& item, const Config& config) {
  Remit remit;
  remit.position = item.position();
  const auto map = reader.map(item, keys::kRemit);
  if (!map) return remit;
  if (const auto name = map->find("name")) {
    remit.position = name->position();
    remit.name = reader.text(*name).value_or("");
    if (!remit.name.empty() && !is_plain_name(remit.name, 64))
      reader.error(*name, "must be 1 to 64 letters, digits, '_' and '-'");
  } else {
    reader.error(map->position(), map->path_of("name"), "is missing");
  }
  if (const auto tools = map->find("tools"))
    read_tools(reader, *tools, config, remit);
  else
    reader.error(map->position(), map->path_of("tools"),
                 "is missing: the tools it covers, such as [api/call_aws]");
  if (const auto arguments = map->find("arguments")) read_arguments(reader, *arguments, remit);
  read_session_part(reader, *map, config, remit);
  check_role_argument(reader, *map, remit);
  if (const auto approve = map->find("approve"))
    remit.approve = read_approve(reader, *approve, remit.name);
  if (const auto limits = map->find("limits")) read_limits(reader, *limits, remit);
  return remit;
}

std::optional<std::string> common_tool(const Remit& a, const Remit& b) {
  for (const ToolPattern& x : a.tools) {
    for (const ToolPattern& y : b.tools) {
      if (x.upstream != y.upstream) continue;
      if (const auto tool = globs_overlap(x.tool, y.tool)) return x.upstream + "/" + *tool;
    }
  }
  return std::nullopt;
}

void refuse_overlaps(Reader& reader, const std::vector<Remit>& remits, const std::string& path) {
  for (std::size_t i = 0; i < remits.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const std::string where = fmt::format("{}[{}]", path, i);
      if (!remits[i].name.empty() && remits[i].name == remits[j].name)
        reader.error(remits[i].position, where + ".name",
                     fmt::format("a remit on line {} is called '{}' already",
                                 remits[j].position.line, remits[i].name));
      if (const auto tool = common_tool(remits[i], remits[j]))
        reader.error(remits[i].position, where + ".tools",
                     fmt::format("remits {} (line {}) and {} both cover {}; a tool has one remit",
                                 remits[j].name, remits[j].position.line, remits[i].name, *tool));
    }
  }
}

}  // namespace

bool Pins::admits_region(std::string_view region) const {
  return regions.empty() || std::ranges::any_of(regions, [&](std::string_view pin) {
           if (!pin.ends_with('*')) return pin == region;
           return region.starts_with(pin.substr(0, pin.size() - 1));
         });
}

bool Pins::admits_account(std::string_view account) const {
  return accounts.empty() || contains(accounts, account);
}

std::shared_ptr<const Remit> read_startup(Reader& reader, const Item& item, const Config& config,
                                          std::string_view upstream) {
  auto remit = std::make_shared<Remit>();
  remit->name = fmt::format("startup:{}", upstream);
  remit->position = item.position();
  const auto map = reader.map(item, keys::kStartup);
  if (!map) return remit;
  read_session_part(reader, *map, config, *remit);
  if (std::holds_alternative<RoleByArgument>(remit->role))
    reader.error(*map->find("role"), "must be one ARN: at its start an upstream has no arguments");
  return remit;
}

void read_remits(Reader& reader, const Item& item, Config& config) {
  const auto list = reader.list(item);
  if (!list) return;
  for (const Item& entry : *list) config.remits.push_back(read_remit(reader, entry, config));
  refuse_overlaps(reader, config.remits, item.path);
}

}  // namespace remit::rules
