#pragma once

// AWS Security Token Service: AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "net/client.h"
#include "net/task.h"

namespace remit::aws {

inline constexpr std::size_t kMaxSessionPolicyCharacters =
    2048;  // inline and managed ARNs together
inline constexpr std::chrono::seconds kMinSessionDuration{900};
inline constexpr std::chrono::seconds kMaxSessionDuration{43'200};
inline constexpr std::chrono::seconds kMaxChainedDuration{3'600};

struct AssumeRoleRequest {
  std::string role_arn;
  std::string session_name;
  std::string policy;                    // minified JSON; empty: none
  std::vector<std::string> policy_arns;  // managed session policies, of the role's account
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<std::string> transitive_tag_keys;
  std::chrono::seconds duration{0};  // 0: left to STS (one hour)
  std::string external_id;
  std::string source_identity;
  std::string serial_number;  // MFA
  Secret token_code;          // MFA
};

// Everything that can be known to be wrong before STS is asked, in one message: lengths, character
// sets, tag limits, the 2,048-character bound with the characters of each part. `chained`: the
// caller is itself an assumed role, whose sessions last an hour at most.
enum class Chained : bool { No, Yes };
Result<> check(const AssumeRoleRequest& request, Chained chained);
// Characters (Unicode code points) that count against kMaxSessionPolicyCharacters.
std::size_t policy_characters(const AssumeRoleRequest& request);

// The request in STS's own form (query protocol), as StsClient sends it.
std::string assume_role_form(const AssumeRoleRequest& request);

struct AssumedRole {
  Credentials credentials;
  std::string arn;              // arn:aws:sts::111122223333:assumed-role/name/session
  std::string assumed_role_id;  // AROA...:session
  std::string source_identity;
  std::optional<int> packed_policy_percent;  // of the second, undisclosed limit
  std::string request_id;                    // joins CloudTrail
};

struct CallerIdentity {
  std::string account;
  std::string arn;
  std::string user_id;
};

struct StsOptions {
  std::string region = "us-east-1";
  std::string endpoint;  // "http://127.0.0.1:8000"; empty: the regional endpoint
  std::chrono::milliseconds timeout{10'000};  // of one attempt
  int attempts = 4;                           // the first one included
  std::chrono::milliseconds max_backoff{5'000};
};

// Errors: Denied (AccessDenied, expired or unknown credentials: with a hint at what to change),
// InvalidInput (the request, a malformed policy), LimitExceeded (packed policy too large),
// Unavailable (network, throttling or failure of STS after the last attempt). Each message carries
// STS's own error code and request id, and the clock's error when the answer's Date shows one.
class StsClient {
 public:
  // All of them must outlive the client.
  StsClient(net::HttpClient& http, const Clock& clock, Random& random, Log& log,
            StsOptions options);

  // The awaiting caller keeps `credentials` and the client alive.
  net::Task<Result<AssumedRole>> assume_role(const Credentials& credentials,
                                             AssumeRoleRequest request);
  // Unsigned: the token is the proof.
  net::Task<Result<AssumedRole>> assume_role_with_web_identity(std::string role_arn,
                                                               std::string session_name,
                                                               Secret token,
                                                               std::chrono::seconds duration);
  net::Task<Result<CallerIdentity>> caller_identity(const Credentials& credentials);

 private:
  // The answer's body, after retries; `credentials` null: unsigned.
  net::Task<Result<std::string>> call(const Credentials* credentials, std::string form);
  Result<http::Fields> sign(const Credentials* credentials, const std::string& form) const;
  net::Task<> pause(int attempt);

  net::HttpClient& http_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  StsOptions options_;
  std::string url_;
};

// "https://sts.us-east-1.amazonaws.com".
std::string sts_endpoint(std::string_view region);

}  // namespace remit::aws
