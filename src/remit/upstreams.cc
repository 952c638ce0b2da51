// Reading `upstreams:`.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "remit/contains.h"
#include "remit/keys.h"
#include "remit/sections.h"

namespace remit::rules {
namespace {

constexpr std::uint32_t kMaxLanes = 64;
constexpr std::chrono::milliseconds kSecond{1000};
constexpr std::chrono::milliseconds kDay{86'400'000};

bool is_variable_name(std::string_view text) {
  return is_plain_name(text, 256) && text.find('-') == std::string_view::npos &&
         (text.front() < '0' || text.front() > '9');
}

// What Remit sets in a child itself, or keeps out of it: a value here would be a way around it.
bool is_reserved_variable(std::string_view name) {
  constexpr std::array<std::string_view, 17> kReserved = {"AWS_ACCESS_KEY_ID",
                                                          "AWS_SECRET_ACCESS_KEY",
                                                          "AWS_SESSION_TOKEN",
                                                          "AWS_SECURITY_TOKEN",
                                                          "AWS_PROFILE",
                                                          "AWS_DEFAULT_PROFILE",
                                                          "AWS_CONFIG_FILE",
                                                          "AWS_SHARED_CREDENTIALS_FILE",
                                                          "AWS_CA_BUNDLE",
                                                          "AWS_ROLE_ARN",
                                                          "AWS_WEB_IDENTITY_TOKEN_FILE",
                                                          "AWS_EC2_METADATA_DISABLED",
                                                          "HTTP_PROXY",
                                                          "HTTPS_PROXY",
                                                          "NO_PROXY",
                                                          "ALL_PROXY",
                                                          "AWS_EC2_METADATA_SERVICE_ENDPOINT"};
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return contains(kReserved, upper) || upper.starts_with("AWS_ENDPOINT_URL") ||
         upper.starts_with("AWS_CONTAINER_");
}

void read_command(Reader& reader, const Item& item, Upstream& upstream) {
  const auto list = reader.list(item);
  if (!list) return;
  if (list->empty()) reader.error(item, "names no program");
  for (const Item& word : *list) {
    const bool program = upstream.command.empty();
    auto text = program ? reader.text(word) : reader.text_or_empty(word);
    upstream.command.push_back(std::move(text).value_or(""));
  }
}

void read_env(Reader& reader, const Item& item, Upstream& upstream) {
  const auto variables = reader.open_map(item);
  if (!variables) return;
  for (const NamedItem& variable : *variables) {
    if (!is_variable_name(variable.name))
      reader.error(variable.position, variable.value.path,
                   "is no variable name: letters, digits and '_'");
    else if (is_reserved_variable(variable.name))
      reader.error(variable.position, variable.value.path,
                   "is set by Remit itself, so that the upstream reaches AWS through Remit only");
    if (auto value = reader.text_or_empty(variable.value))
      upstream.env.emplace_back(variable.name, *std::move(value));
  }
}

void read_isolate(Reader& reader, const Item& item, Upstream& upstream) {
  const auto text = reader.text(item);
  if (!text) return;
  for (const Isolate isolate : {Isolate::Agent, Isolate::Session, Isolate::Call}) {
    if (name_of(isolate) != *text) continue;
    upstream.isolate = isolate;
    return;
  }
  reader.error(item, fmt::format("'{}' is neither agent, session nor call", *text));
}

void read_credentials(Reader& reader, const Item& item, Upstream& upstream) {
  const auto text = reader.text(item);
  if (!text) return;
  for (const CredentialsFrom from : {CredentialsFrom::Environment, CredentialsFrom::Container,
                                     CredentialsFrom::Imds, CredentialsFrom::Process}) {
    if (name_of(from) != *text) continue;
    upstream.credentials = from;
    return;
  }
  reader.error(item,
               fmt::format("'{}' is neither environment, container, imds nor process", *text));
}

void read_public_hosts(Reader& reader, const Item& item, Upstream& upstream) {
  const auto list = reader.list(item);
  if (!list) return;
  for (const Item& host : *list) {
    const auto text = reader.text(host);
    if (!text) continue;
    if (!is_host(*text))
      reader.error(host, "must be one full host name in lower case, without port or pattern");
    upstream.public_hosts.push_back(*text);
  }
}

void read_timeouts(Reader& reader, const Item& item, Timeouts& timeouts) {
  const auto map = reader.map(item, keys::kTimeouts);
  if (!map) return;
  const auto read = [&](std::string_view key, std::chrono::milliseconds& out) {
    if (const auto value = map->find(key))
      out = reader.duration(*value, std::chrono::milliseconds(1), kDay).value_or(kSecond);
  };
  read("start", timeouts.start);
  read("call", timeouts.call);
  read("idle", timeouts.idle);
}

void read_source(Reader& reader, const MapItem& map, Upstream& upstream) {
  const auto command = map.find("command");
  const auto url = map.find("url");
  if (command && url)
    reader.error(*url, "stands beside `command`; an upstream is either started or reached by URL");
  if (!command && !url)
    reader.error(map.position(), map.path_of("command"),
                 "is missing: a list of the program and its arguments");
  if (command) read_command(reader, *command, upstream);
  if (!url) return;
  upstream.url = reader.text(*url).value_or("");
  if (!upstream.url.empty()) reader.take(*url, parse_url(upstream.url, true));
}

Upstream read_upstream(Reader& reader, const NamedItem& named, const LoadOptions& options,
                       const Config& config) {
  Upstream upstream;
  upstream.name = named.name;
  upstream.position = named.position;
  if (!is_plain_name(named.name, 32) || named.name.find("__") != std::string::npos)
    reader.error(named.position, named.value.path,
                 "an upstream's name is 1 to 32 letters, digits, '-' and single '_'");
  const auto map = reader.map(named.value, keys::kUpstream);
  if (!map) return upstream;
  read_source(reader, *map, upstream);
  if (const auto env = map->find("env")) read_env(reader, *env, upstream);
  if (const auto cwd = map->find("cwd"))
    upstream.cwd = reader.file_path(*cwd, options.home).value_or("");
  if (const auto isolate = map->find("isolate")) read_isolate(reader, *isolate, upstream);
  if (const auto from = map->find("credentials")) read_credentials(reader, *from, upstream);
  if (const auto lanes = map->find("lanes"))
    upstream.lanes = reader.integer(*lanes, 1, kMaxLanes).value_or(1);
  if (const auto hosts = map->find("public_hosts")) read_public_hosts(reader, *hosts, upstream);
  if (const auto timeouts = map->find("timeouts"))
    read_timeouts(reader, *timeouts, upstream.timeouts);
  if (const auto startup = map->find("startup"))
    upstream.startup = read_startup(reader, *startup, config, upstream.name);
  return upstream;
}

}  // namespace

void read_upstreams(Reader& reader, const Item& item, const LoadOptions& options, Config& config) {
  const auto named = reader.open_map(item);
  if (!named) return;
  if (named->empty()) reader.error(item, "names no upstream");
  for (const NamedItem& upstream : *named)
    config.upstreams.push_back(read_upstream(reader, upstream, options, config));
}

}  // namespace remit::rules
