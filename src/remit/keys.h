#pragma once

// Every key that remit.yaml knows, by the place where it may stand: the parser takes its keys from
// here and nowhere else, and a test compares the table with the published schema.

#include <array>
#include <span>
#include <string_view>

namespace remit::rules::keys {

inline constexpr std::array<std::string_view, 6> kTop = {"agent",  "aws",    "upstreams",
                                                         "remits", "egress", "ledger"};
inline constexpr std::array<std::string_view, 2> kAgent = {"name", "user"};
inline constexpr std::array<std::string_view, 5> kAws = {"base", "region", "endpoints", "ca_bundle",
                                                         "prefetch"};
inline constexpr std::array<std::string_view, 4> kBase = {"profile", "environment", "container",
                                                          "instance"};
inline constexpr std::array<std::string_view, 10> kUpstream = {
    "command", "url",     "env",          "cwd",      "isolate",
    "lanes",   "startup", "public_hosts", "timeouts", "credentials"};
inline constexpr std::array<std::string_view, 3> kTimeouts = {"start", "call", "idle"};
inline constexpr std::array<std::string_view, 16> kRemit = {
    "offload", "name",        "tools",    "role",        "arguments", "session",
    "tags",    "policy_arns", "duration", "external_id", "limits",    "source_identity",
    "approve", "transitive",  "regions",  "accounts"};
inline constexpr std::array<std::string_view, 11> kStartup = {
    "offload",     "role",     "session",         "policy_arns", "tags",    "transitive",
    "external_id", "duration", "source_identity", "regions",     "accounts"};
inline constexpr std::array<std::string_view, 2> kRole = {"argument", "map"};
inline constexpr std::array<std::string_view, 2> kArgument = {"pointer", "grammar"};
inline constexpr std::array<std::string_view, 2> kGrammar = {"pattern", "values"};
inline constexpr std::array<std::string_view, 3> kApprove = {"Action", "Resource", "Condition"};
inline constexpr std::array<std::string_view, 2> kLimits = {"calls", "writes"};
inline constexpr std::array<std::string_view, 2> kEgress = {"listen", "unsafe_disable_decision"};
inline constexpr std::array<std::string_view, 3> kLedger = {"path", "durability", "observe"};
inline constexpr std::array<std::string_view, 7> kStatement = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"};
inline constexpr std::array<std::string_view, 3> kDocument = {"Version", "Id", "Statement"};

// A definition of the schema ("$defs" name; empty for the top) and the keys it must have.
struct Place {
  std::string_view definition;
  std::span<const std::string_view> keys;
};
inline constexpr std::array<Place, 17> kPlaces = {{
    {"", kTop},
    {"agent", kAgent},
    {"aws", kAws},
    {"base", kBase},
    {"upstream", kUpstream},
    {"timeouts", kTimeouts},
    {"remit", kRemit},
    {"startup", kStartup},
    {"roleByArgument", kRole},
    {"argument", kArgument},
    {"grammarMapping", kGrammar},
    {"approve", kApprove},
    {"limits", kLimits},
    {"egress", kEgress},
    {"ledger", kLedger},
    {"statement", kStatement},
    {"policyDocument", kDocument},
}};

}  // namespace remit::rules::keys
