#pragma once

// What the ledger keeps: one record for each thing that Remit decided or saw done, each bound to
// the one before it by a hash, so that a changed, missing or moved record shows.
//
//   hash = SHA-256( "remit-ledger-1\n" | previous hash, 32 bytes (zeros before the first record)
//                 | sequence, 8 bytes | milliseconds since 1970, 8 bytes
//                 | length of kind, 4 bytes | kind | length of call, 4 bytes | call
//                 | length of body, 4 bytes | body )          all numbers big-endian, unsigned
//
// Body members that the reader tells in words; others are shown as they are. None may be a secret.
//
//   gateway-started  version, catalogue, config (SHA-256 of remit.yaml), durability, pid
//   call-decided     agent, user, upstream, tool, arguments (SHA-256), remit, role, decision,
//                    reason
//   session-minted   remit, role, session_name, source_identity, tags {}, expires, policy (session
//                    policy as an object), packed_policy_size, access_key_id, reused (boolean),
//                    bound {} (the arguments whose values stand in the policy); of a session that
//                    the call itself asked for also derived (the operation), placeholder,
//                    asked_session_name, narrowed (boolean), bucket
//   aws-decided      service, operation, actions [], resources [], region, host, decision, layer,
//                    statement, reason, session_name, upstream, catalogue; asked [{action,
//                    resources [], resource_unknown, context {}}] where actions and resources
//                    alone do not tell (several actions, an unknown resource) or with
//                    ledger.observe. Requests of one call that were allowed at the same moment
//                    share a record: requests [{…}, …] has what is each one's own
//   aws-done         answers [{decided (sequence of the decision's record), request (which of that
//                    record's requests, from 0), status, request_id, error_code, bytes_sent,
//                    bytes_received, duration_ms}, …]: those that came since the call's last
//                    such record
//   call-done        outcome ("result", "error", "cancelled", "lost"), is_error, refused (how many
//                    requests), duration_ms, reason
//   startup-decided  upstream and the members of aws-decided
//   revoked          id (of the order), by, call, remit, role, session_name, hold_seconds; sessions
//                    and calls (how many it ended)
//   refused          upstream, host, method, path, service, operation, action, resource, reason
//
// `decision` is "allowed" or "denied". `expires` is ISO 8601.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"

namespace remit::ledger {

enum class Kind : std::uint8_t {
  GatewayStarted,  // a gateway opened the ledger
  CallDecided,     // a tool call was allowed or denied
  SessionMinted,   // the call's AWS session was made or taken from the cache
  AwsDecided,      // an AWS request of the call was allowed or denied
  AwsDone,         // AWS answered it
  CallDone,        // the call's result went to the agent
  StartupDecided,  // an AWS request of an upstream before its first call
  Revoked,         // a person ended sessions
  Refused,         // anything that arrived with no call in force, or could not be understood
};
std::string_view name_of(Kind kind);  // "gateway-started", ...
std::optional<Kind> kind_of(std::string_view name);

// Call ids that begin with their time keep the ledger's index small and fast; any text is taken.
struct Record {
  Kind kind = Kind::Refused;
  TimePoint time;
  std::string call;  // the call's id; empty when no call was in force
  std::string body;  // a JSON object in canonical form (json::canonical or json::Writer)

  // Where a body `{own,common,own too,common too}` has the members that it has in common with
  // others of its call: the ends of the first three runs. Records that follow each other in one
  // commit and have the same kind, call and common members are written as one, `{common,
  // "requests":[{own,own too},…],common too}`. Zeros: this one shares with none.
  struct Parts {
    std::uint32_t own = 0;
    std::uint32_t common = 0;
    std::uint32_t own_too = 0;
  };
  Parts parts = {};
};

// A record as it stands in the file.
struct Entry {
  std::int64_t sequence = 0;  // from 1, without gaps
  TimePoint time;
  std::string kind;  // a name of Kind, or one of a newer version
  std::string call;
  std::string body;
  Digest hash{};
};

// Computes hashes of the chain. Not for two threads at once.
class Chain {
 public:
  Digest next(const Digest& previous, std::int64_t sequence, TimePoint time, std::string_view kind,
              std::string_view call, std::string_view body);

 private:
  Sha256 sha_;
  std::string frame_;
};

}  // namespace remit::ledger
