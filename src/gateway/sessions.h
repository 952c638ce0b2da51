#pragma once

// The STS sessions now alive. acquire() mints or reuses the session of a plan: one mint for many
// waiting calls (single flight), kept under the plan's key (everything that changes privilege),
// renewed at 80 % of its life or 60 s before its end, whichever comes first, bounded (the least
// recently used goes). A failure is remembered briefly, with a growing, jittered pause, so that STS
// is not asked again by each of many calls. A revoked session signs nothing more at once: the keys
// never left this process.
//
// The end of a session is watched on two clocks: the wall clock against what STS said, and the
// steady clock against the life that was left when it was minted. The earlier one counts, so a wall
// clock that is set back lengthens nothing.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/base_credentials.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "gateway/session.h"
#include "net/task.h"
#include "remit/session.h"

namespace remit::gateway {

// Asks STS; an interface for tests.
class Minter {
 public:
  virtual ~Minter() = default;
  virtual net::Task<Result<aws::AssumedRole>> mint(
      std::shared_ptr<const rules::SessionPlan> plan) = 0;
};

// AssumeRole with the base credentials. Both must outlive it.
class StsMinter final : public Minter {
 public:
  StsMinter(aws::BaseCredentials& base, aws::StsClient& sts) : base_(base), sts_(sts) {}
  net::Task<Result<aws::AssumedRole>> mint(std::shared_ptr<const rules::SessionPlan> plan) override;

 private:
  aws::BaseCredentials& base_;
  aws::StsClient& sts_;
};

struct SessionsOptions {
  std::size_t max_sessions = 4096;
  std::chrono::milliseconds renew_before{60'000};
  double renew_at = 0.8;  // of the life
  // Renewed earlier by up to this part of the life, at random: sessions minted together are not
  // renewed together.
  double renew_jitter = 0;
  std::chrono::milliseconds first_pause{500};  // after a failed mint, doubled with each
  std::chrono::milliseconds longest_pause{15'000};
  // A call that comes within a pause waits for its end if that is so near; else it gets the error.
  std::chrono::milliseconds longest_wait{3'000};
};

// Everything a session needs besides its plan. All must outlive the sessions.
struct SessionParts {
  net::Loop& loop;
  const Clock& clock;
  Random& random;
  Log& log;
  Minter& minter;
};

class LiveSession;

class Sessions {
 public:
  Sessions(SessionParts parts, SessionsOptions options);
  ~Sessions();

  struct Acquired {
    std::shared_ptr<Session> session;
    std::shared_ptr<const SessionCredentials> credentials;
    bool reused = false;  // no AssumeRole was made for this call
  };
  // The awaiting caller keeps the Sessions alive.
  net::Task<Result<Acquired>> acquire(std::shared_ptr<const rules::SessionPlan> plan);

  // Ends sessions at once; calls that act as them are refused from now on. How many.
  std::size_t revoke_key(std::string_view key);
  std::size_t revoke_all();
  using Fits = std::function<bool(const rules::SessionPlan& plan)>;
  std::size_t revoke_if(const Fits& fits);
  // Nothing that fits is minted or given until then.
  void hold(Fits fits, TimePoint until);
  std::size_t size() const { return by_key_.size(); }

 private:
  std::shared_ptr<LiveSession> find_or_make(const std::shared_ptr<const rules::SessionPlan>& plan);

  struct Hold {
    Fits fits;
    TimePoint until;
  };

  SessionParts parts_;
  SessionsOptions options_;
  void forget_holds();  // those that have passed
  std::vector<Hold> holds_;
  std::list<std::shared_ptr<LiveSession>> recent_;  // most recently used first
  std::map<std::string, std::list<std::shared_ptr<LiveSession>>::iterator, std::less<>> by_key_;
};

}  // namespace remit::gateway
