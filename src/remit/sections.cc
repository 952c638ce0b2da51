#include "remit/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "aws/arn.h"
#include "remit/keys.h"

namespace remit::rules {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size();
}

// "host:port" or "[v6]:port", the port optional; nullopt when neither.
struct HostPort {
  std::string_view host;
  std::string_view port;
};
std::optional<HostPort> split_host(std::string_view text) {
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? "" : text.substr(colon);
  }
  if (rest.empty()) return HostPort{host, ""};
  if (!rest.starts_with(':') || !is_port(rest.substr(1))) return std::nullopt;
  return HostPort{host, rest.substr(1)};
}

void read_base(Reader& reader, const Item& item, BaseSource& base) {
  const auto map = reader.map(item, keys::kBase);
  if (!map) return;
  if (item.node->entries.size() > 1) {
    reader.error(item, "names several sources; write one, or none for the default chain");
    return;
  }
  if (const auto profile = map->find("profile")) {
    base.kind = BaseSource::Kind::Profile;
    base.profile = reader.text(*profile).value_or("");
  }
  constexpr std::array<std::pair<std::string_view, BaseSource::Kind>, 3> kSources = {
      {{"environment", BaseSource::Kind::Environment},
       {"container", BaseSource::Kind::Container},
       {"instance", BaseSource::Kind::InstanceMetadata}}};
  for (const auto& [key, kind] : kSources) {
    const auto source = map->find(key);
    if (!source) continue;
    const auto chosen = reader.boolean(*source);
    if (chosen && !*chosen) reader.error(*source, "can only be true; leave it out otherwise");
    base.kind = kind;
  }
}

void read_endpoints(Reader& reader, const Item& item, AwsConfig& aws) {
  const auto endpoints = reader.open_map(item);
  if (!endpoints) return;
  for (const NamedItem& endpoint : *endpoints) {
    if (endpoint.name != "*" && !is_host(endpoint.name) && !is_plain_name(endpoint.name, 64))
      reader.error(endpoint.position, endpoint.value.path,
                   "the key must be a service id such as sts, a full host name, or \"*\"");
    const auto url = reader.text(endpoint.value);
    if (!url) continue;
    const auto parts = reader.take(endpoint.value, parse_url(*url, false));
    if (!parts) continue;
    if (!parts->tls && !is_loopback(parts->host))
      reader.warn(endpoint.value.position(), endpoint.value.path,
                  "requests to it are not encrypted: use https:// for what is not this machine");
    aws.endpoints.emplace_back(endpoint.name, *url);
  }
}

}  // namespace

bool is_plain_name(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '-'; });
}

bool is_sts_name(std::string_view text) {
  return text.size() >= 2 && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return is_word(c) || std::string_view("+=,.@-").find(c) != std::string_view::npos;
         });
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  if (text.find(':') != std::string_view::npos)
    return std::ranges::all_of(text, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    });
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  return host.starts_with("127.") && std::ranges::count(host, '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<UrlParts> parse_url(std::string_view url, bool path_allowed) {
  const auto refuse = [&] {
    return fail(ErrorCode::InvalidInput,
                fmt::format("'{}' is no URL of the form https://host:port{}", url,
                            path_allowed ? "/path" : ", without path, user or query"));
  };
  UrlParts parts;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    parts.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return refuse();
  }
  const std::size_t slash = rest.find('/');
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  const bool bare = path.empty() || path == "/";
  if (!path_allowed && !bare) return refuse();
  const bool printable = std::ranges::all_of(
      path, [](char c) { return c > ' ' && c < '\x7f' && c != '#' && c != '"' && c != '\\'; });
  const auto split = split_host(rest.substr(0, slash));
  if (!printable || !split || !is_host(split->host)) return refuse();
  parts.host = std::string(split->host);
  return parts;
}

void read_agent(Reader& reader, const Item& item, AgentConfig& agent) {
  const auto map = reader.map(item, keys::kAgent);
  if (!map) return;
  if (const auto name = map->find("name")) {
    agent.name = reader.text(*name).value_or("agent");
    if (!is_plain_name(agent.name, 64))
      reader.error(*name, "must be 1 to 64 letters, digits, '_' and '-'");
  }
  const auto user = map->find("user");
  if (!user) return;
  agent.user = reader.text(*user);
  if (agent.user && (!is_sts_name(*agent.user) || agent.user->starts_with("aws:")))
    reader.error(*user, "becomes the source identity: 2 to 64 of letters, digits and _+=,.@-");
}

void read_aws(Reader& reader, const Item& item, const LoadOptions& options, AwsConfig& aws) {
  const auto map = reader.map(item, keys::kAws);
  if (!map) return;
  if (const auto base = map->find("base")) read_base(reader, *base, aws.base);
  if (const auto region = map->find("region")) {
    aws.region_stated = true;
    if (const auto text = reader.text(*region)) {
      reader.take(*region, aws::Region::parse(*text));
      aws.region = *text;
    }
  }
  if (const auto endpoints = map->find("endpoints")) read_endpoints(reader, *endpoints, aws);
  if (const auto prefetch = map->find("prefetch"))
    aws.prefetch = reader.boolean(*prefetch).value_or(false);
  if (const auto bundle = map->find("ca_bundle"))
    aws.ca_bundle = reader.file_path(*bundle, options.home).value_or("");
}

void read_egress(Reader& reader, const Item& item, Config& config) {
  const auto map = reader.map(item, keys::kEgress);
  if (!map) return;
  if (const auto unsafe = map->find("unsafe_disable_decision")) {
    config.unsafe_disable_decision = reader.boolean(*unsafe).value_or(false);
  }
  const auto listen = map->find("listen");
  if (!listen) return;
  const auto text = reader.text(*listen);
  if (!text) return;
  const auto split = split_host(*text);
  if (!split || split->port.empty()) {
    reader.error(*listen, "must be an address and a port, such as \"127.0.0.1:0\" (0: any free)");
    return;
  }
  if (!is_loopback(split->host) || split->host == "localhost") {
    reader.error(*listen, fmt::format("{} is no loopback address: whoever reaches egress could try "
                                      "placeholders; use 127.0.0.1 or [::1]",
                                      split->host));
    return;
  }
  config.egress_host = std::string(split->host);
  std::from_chars(split->port.data(), split->port.data() + split->port.size(), config.egress_port);
}

void read_ledger(Reader& reader, const Item& item, const LoadOptions& options, Config& config) {
  const auto map = reader.map(item, keys::kLedger);
  if (!map) return;
  if (const auto path = map->find("path"))
    config.ledger_path = reader.file_path(*path, options.home).value_or("");
  if (const auto observe = map->find("observe")) {
    config.observe = reader.boolean(*observe).value_or(false);
  }
  if (const auto durability = map->find("durability")) {
    const auto text = reader.text(*durability);
    if (text == "process")
      config.durability = Durability::Process;
    else if (text && text != "disk")
      reader.error(*durability,
                   fmt::format("'{}' is neither disk (survives power loss) nor process "
                               "(survives a kill of any process)",
                               *text));
  }
}

}  // namespace remit::rules
