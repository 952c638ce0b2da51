#pragma once

// A session in use: one STS session of a remit, shared by the calls whose plans are equal, renewed
// before it expires. Made by Sessions (sessions.h); egress asks it for credentials to sign with.

#include <memory>
#include <string>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/task.h"

namespace remit::gateway {

// Immutable once minted. The credentials never leave the gateway's memory.
struct SessionCredentials {
  aws::Credentials credentials;
  std::string role_arn;
  std::string session_name;
  std::string assumed_role_arn;  // arn:aws:sts::111122223333:assumed-role/name/session
  std::string assumed_role_id;   // AROA...:session
  std::string account;
  int packed_policy_percent = 0;
  TimePoint expires{};
};

class Session {
 public:
  virtual ~Session() = default;

  // What to sign with now; null when it must be renewed first or was revoked: then await
  // credentials(). Cheap: for each request.
  virtual std::shared_ptr<const SessionCredentials> current() const = 0;

  // Renews when needed (single flight). An error names why no credentials can be had.
  // The awaiting caller keeps the Session alive.
  virtual net::Task<Result<std::shared_ptr<const SessionCredentials>>> credentials() = 0;

  // AWS said of these that they are expired or unknown (ExpiredToken, InvalidToken, ...): they are
  // not given again.
  virtual void rejected(const SessionCredentials& credentials) { (void)credentials; }
};

}  // namespace remit::gateway
