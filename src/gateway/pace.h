#pragma once

// How fast STS is asked. AWS counts all STS requests of an account and region together, tells
// nobody the count, and answers `Throttling` beyond it. So the pace is found: it grows slowly with
// what succeeds and is halved when STS throttles, and then nobody is asked for a while. One pace
// for all sessions, because the quota is one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
//
// Pure: the caller passes in the time and does the waiting.

#include <chrono>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "gateway/sessions.h"
#include "net/task.h"

namespace remit::gateway {

struct PaceOptions {
  double first_rate = 20;  // requests a second
  double most_rate = 100;  // a sixth of the account's default quota
  double least_rate = 1;
  double burst = 20;
  std::chrono::milliseconds first_rest{1'000};  // after STS throttled, doubled each time in a row
  std::chrono::milliseconds longest_rest{30'000};
};

class Pace {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  explicit Pace(PaceOptions options = {}) : options_(options), rate_(options.first_rate) {}

  // Takes the next turn; how long to wait until it comes.
  std::chrono::milliseconds take(Steady now);
  void succeeded();
  // `jitter`: 0 to 1, so that gateways of one account do not all come back at once.
  void throttled(Steady now, double jitter);
  double rate() const { return rate_; }

 private:
  PaceOptions options_;
  double rate_;
  double tokens_ = 0;  // negative: turns that were given away ahead of time
  bool began_ = false;
  Steady at_{};
  Steady rest_until_{};
  std::chrono::milliseconds rest_{0};
};

// Whether an error of STS says that it was asked too often.
bool is_throttling(std::string_view message);

// Mints with another, at that pace. All must outlive it.
class PacedMinter final : public Minter {
 public:
  PacedMinter(Minter& inner, const Clock& clock, Random& random, Log& log)
      : inner_(inner), clock_(clock), random_(random), log_(log) {}
  net::Task<Result<aws::AssumedRole>> mint(std::shared_ptr<const rules::SessionPlan> plan) override;

 private:
  Minter& inner_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  Pace pace_;
};

}  // namespace remit::gateway
