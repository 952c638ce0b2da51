#pragma once

// The configuration (remit.yaml), read once into types. What is here has been checked: a Config
// exists only when the whole file was right, and no room reads the file a second time.
//
//   LoadedConfig loaded = load_config(text, {.file = "remit.yaml", .home = "/home/jane"});
//   if (!loaded.config) for (const Problem& p : loaded.problems) print(to_string(p, "remit.yaml"));
//
// The form is documented in docs/configuration.md and published as schema/remit.schema.json.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "json/json.h"
#include "remit/glob.h"
#include "remit/grammar.h"
#include "remit/limits.h"

namespace remit::iam {
class Policy;
}

namespace remit::rules {

class SessionTemplate;  // remit/template.h

// One fault of a configuration. An Error stops loading; a Warning does not.
struct Problem {
  enum class Severity : std::uint8_t { Error, Warning };
  Severity severity = Severity::Error;
  json::Position position;  // in the file
  std::string path;         // "remits[0].session[1].Action"; empty for the file as a whole
  std::string message;      // what is wrong and what would be right; lower case, no final stop
};
std::string to_string(const Problem& problem,
                      std::string_view file);  // "file:3:9: error: path: message"

struct AgentConfig {
  std::string name = "agent";
  std::optional<std::string> user;  // becomes the source identity unless a remit says otherwise
};

// Where the gateway's own credentials come from; each is what the AWS SDKs mean by that name.
struct BaseSource {
  enum class Kind : std::uint8_t {
    DefaultChain,
    Profile,
    Environment,
    Container,
    InstanceMetadata
  };
  Kind kind = Kind::DefaultChain;
  std::string profile;  // of Kind::Profile
};

struct AwsConfig {
  BaseSource base;
  std::string region = "us-east-1";
  bool region_stated = false;
  // Custom endpoints in the order of the file: a service id or signing name, a full host, or "*".
  // URLs are http:// or https:// with a host and no path, query or user.
  std::vector<std::pair<std::string, std::string>> endpoints;
  bool prefetch = false;  // sessions that need no arguments are minted at start
  std::string ca_bundle;  // absolute path of a PEM file; empty: the system's trust
};

struct Tag {
  std::string key;
  std::string value;
  bool operator==(const Tag&) const = default;
};

// The role of a remit: one ARN, or chosen by the bound value of an argument from a fixed map.
struct RoleByArgument {
  std::string argument;
  std::vector<std::pair<std::string, std::string>> map;  // value → role ARN, sorted by value
};
using RoleChoice = std::variant<std::string, RoleByArgument>;

// A value taken from a call's arguments by JSON pointer (RFC 6901), in a grammar.
struct Argument {
  std::string name;
  std::vector<std::string> pointer;  // decoded tokens; empty: the arguments as a whole
  std::string pointer_text;          // "/bucket"
  Grammar grammar;
};

// Where in AWS a remit may act at all; an empty list pins nothing. Shared with each call in force.
struct Pins {
  // Names of regions, `*` at the end for all that begin so, and kGlobal. Sorted.
  std::vector<std::string> regions;
  std::vector<std::string> accounts;  // sorted

  // Whether requests for it may pass, `global` left aside. A pattern, as the region set of a SigV4a
  // signature may hold one, only when all that it covers may.
  bool admits_region(std::string_view region) const;
  bool admits_account(std::string_view account) const;
};
// Among a remit's regions: services with one endpoint for all regions, such as IAM.
inline constexpr std::string_view kGlobal = "global";

struct Remit {
  std::string name;
  std::vector<ToolPattern> tools;
  RoleChoice role;
  std::vector<Argument> arguments;  // in the order of the file
  std::shared_ptr<const SessionTemplate> session;
  std::vector<std::string> policy_arns;  // sorted
  // Managed policies that go to STS instead of the inline policy when that is too long for it;
  // Remit decides by the whole policy all the same. Sorted; empty: such a call is refused.
  std::vector<std::string> offload;
  std::vector<Tag> tags;                // sorted by key; AccessType=AI is always among them
  std::vector<std::string> transitive;  // sorted keys out of `tags`
  std::optional<std::string> external_id;
  std::chrono::seconds duration{900};
  std::optional<std::string> source_identity;  // agent.user filled in
  // Requests that match it need a human. Compiled as a policy of Deny statements: refuse a request
  // on which it says ExplicitDeny or Undetermined. Null when the remit has no `approve`.
  std::shared_ptr<const iam::Policy> approve;
  std::optional<Limit> calls;
  std::optional<Limit> writes;
  std::shared_ptr<const Pins> pins;  // null: none
  json::Position position;           // of its name in the file
};

enum class Isolate : std::uint8_t { Agent, Session, Call };
std::string_view name_of(Isolate isolate);

// How an upstream's process gets its placeholder.
enum class CredentialsFrom : std::uint8_t { Environment, Container, Imds, Process };
std::string_view name_of(CredentialsFrom from);

struct Timeouts {
  std::chrono::milliseconds start{30'000};  // until the upstream has answered initialize
  std::chrono::milliseconds call{300'000};  // of one tool call
  std::chrono::milliseconds idle{600'000};  // after which an unused process is ended
};

struct Upstream {
  std::string name;
  std::vector<std::string> command;                      // argv; empty exactly when `url` is set
  std::string url;                                       // an HTTP upstream: see not_served()
  std::vector<std::pair<std::string, std::string>> env;  // in the order of the file
  std::string cwd;                                       // absolute; empty: the gateway's own
  Isolate isolate = Isolate::Session;
  CredentialsFrom credentials = CredentialsFrom::Environment;
  std::uint32_t lanes = 4;
  // Null: only sts:GetCallerIdentity, answered by Remit. Its name is "startup:<upstream>", it has
  // no tools and no arguments.
  std::shared_ptr<const Remit> startup;
  std::vector<std::string> public_hosts;  // lower case, exact
  Timeouts timeouts;
  json::Position position;
};

enum class Durability : std::uint8_t { Disk, Process };
std::string_view name_of(Durability durability);

struct Config {
  AgentConfig agent;
  AwsConfig aws;
  std::vector<Upstream> upstreams;
  std::vector<Remit> remits;
  std::string egress_host = "127.0.0.1";  // a loopback address
  std::uint16_t egress_port = 0;          // 0: any free one
  // For tests that show that a session refuses by itself: gateway/egress/unsafe.h.
  bool unsafe_disable_decision = false;
  std::string ledger_path;  // absolute, `~` expanded
  Durability durability = Durability::Disk;
  bool observe = false;  // records hold condition keys too, for `remit learn`
  Digest digest{};       // SHA-256 of the file's bytes: the ledger names the configuration by it

  const Upstream* find_upstream(std::string_view name) const;
};

struct LoadOptions {
  std::string home;  // what `~/` stands for; empty: a path with `~` is an error
};

struct LoadedConfig {
  std::shared_ptr<const Config> config;  // null when a problem is an error
  std::vector<Problem> problems;         // all of the file, in the order of the file
};

// Never throws, whatever the bytes. At most 1 MiB, 32 levels, 64 aliases.
LoadedConfig load_config(std::string_view text, const LoadOptions& options);

// Reads a file of at most 1 MiB that is a regular file.
Result<std::string> read_config_file(const std::string& path);

// What the file may say and this version cannot do (upstreams reached by `url`). The gateway does
// not start while there is any; `remit check` lists them.
std::vector<Problem> not_served(const Config& config);

}  // namespace remit::rules
