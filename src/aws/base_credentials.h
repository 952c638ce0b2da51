#pragma once

// The gateway's own credentials, from where AWS's tools take theirs, in the same order:
//
//   1. environment (AWS_ACCESS_KEY_ID ...), unless a profile is named
//   2. the profile: role_arn (source_profile, credential_source or web identity), static keys,
//      credential_process
//   3. web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN)
//   4. the container endpoint of ECS and EKS
//   5. the instance metadata service, version 2 only
//
// A source that is configured but broken is an error that names it: nothing falls through to the
// next, which could be someone else's credentials.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html

#include <chrono>
#include <functional>
#include <memory>
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

struct ProcessOutput {
  int exit_code = 0;  // 128 + signal when killed by one
  std::string out;
  std::string err;
};

// Runs programs for credential_process: no shell, standard input empty. An interface for tests.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // Errors: Unavailable (cannot be started, took longer than `limit` and was killed),
  // LimitExceeded (more than 64 KiB of output).
  virtual net::Task<Result<ProcessOutput>> run(std::vector<std::string> argv,
                                               std::chrono::milliseconds limit) = 0;
};
std::unique_ptr<ProcessRunner> make_process_runner(net::Loop& loop);

// What the chain may see of the machine. Everything must outlive the BaseCredentials.
struct Machine {
  std::function<std::optional<std::string>(std::string_view name)> environment;
  std::string home;  // where ~/.aws is looked for; empty: there is none
  net::Loop* loop = nullptr;
  net::HttpClient* http = nullptr;
  ProcessRunner* processes = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  Log* log = nullptr;
};
std::function<std::optional<std::string>(std::string_view)> process_environment();

struct BaseOptions {
  std::string profile;  // empty: AWS_PROFILE, else "default"; named: environment keys are skipped
  enum class From : std::uint8_t { Chain, Environment, Container, Instance } from = From::Chain;
  std::string region = "us-east-1";  // of STS, for profiles with role_arn
  std::string sts_endpoint;          // as StsOptions::endpoint
};

class BaseCredentials {
 public:
  BaseCredentials(Machine machine, BaseOptions options);
  ~BaseCredentials();

  // Cached; renewed when 80 % of the life has passed or five minutes are left, one renewal at a
  // time. A renewal that fails while the old ones still work is logged and the old ones are given;
  // after that it is the error. The awaiting caller keeps this object alive.
  net::Task<Result<std::shared_ptr<const Credentials>>> get();

  // Forgets what is cached, after AWS said that it is expired or unknown.
  void forget();

  // Where the credentials came from, for people: `profile "agents" of /home/me/.aws/config`.
  // Empty before the first get().
  const std::string& source() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace remit::aws
