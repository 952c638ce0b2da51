#pragma once

// How this process reaches AWS for itself, as the configuration says: the base credentials and the
// STS client, with the HTTP client and the process runner that they use. `remit gateway` mints
// sessions with it, `remit check --live` proves the remits with it.

#include <memory>

#include "aws/base_credentials.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "net/client.h"
#include "net/task.h"
#include "remit/config.h"

namespace remit::gateway {

// All must outlive the access.
struct AccessParts {
  const Clock& clock;
  Random& random;
  Log& log;
};

class AwsAccess {
 public:
  // Fails when the configured CA bundle cannot be read. The loop must outlive the access.
  static Result<std::unique_ptr<AwsAccess>> open(net::Loop& loop, const rules::Config& config,
                                                 AccessParts parts);

  aws::BaseCredentials& base() { return base_; }
  aws::StsClient& sts() { return sts_; }
  net::HttpClient& http() { return *http_; }

 private:
  AwsAccess(net::Loop& loop, const rules::Config& config, AccessParts parts,
            std::unique_ptr<net::HttpClient> http);

  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<aws::ProcessRunner> processes_;
  aws::BaseCredentials base_;
  aws::StsClient sts_;
};

}  // namespace remit::gateway
