#pragma once

// One session of Sessions: its credentials now, and their renewal. Internal to sessions.cc and its
// tests.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/sessions.h"

namespace remit::gateway {

class LiveSession final : public Session, public std::enable_shared_from_this<LiveSession> {
 public:
  LiveSession(SessionParts parts, SessionsOptions options,
              std::shared_ptr<const rules::SessionPlan> plan)
      : parts_(parts), options_(options), plan_(std::move(plan)) {}

  std::shared_ptr<const SessionCredentials> current() const override;
  net::Task<Result<std::shared_ptr<const SessionCredentials>>> credentials() override;

  void rejected(const SessionCredentials& credentials) override;
  void revoke();
  const rules::SessionPlan& plan() const { return *plan_; }
  std::uint64_t mints() const { return mints_; }

 private:
  using Credentials = std::shared_ptr<const SessionCredentials>;
  using Steady = std::chrono::steady_clock::time_point;

  // A mint under way, for all who wait for it.
  struct Flight {
    explicit Flight(net::Loop& loop) : done(loop) {}
    net::Event done;
    std::optional<Error> error;
  };

  static net::Task<> fly(std::shared_ptr<LiveSession> self, std::shared_ptr<Flight> flight,
                         std::chrono::milliseconds pause);
  Result<> take(aws::AssumedRole minted);
  void remember(Error error);
  bool usable() const;  // not expired by either clock, with a little to spare
  static Error revoked();

  SessionParts parts_;
  SessionsOptions options_;
  std::shared_ptr<const rules::SessionPlan> plan_;
  Credentials credentials_;
  TimePoint renew_wall_{};
  Steady renew_steady_{};
  Steady end_steady_{};
  std::shared_ptr<Flight> flight_;
  std::optional<Error> failure_;
  Steady retry_at_{};
  std::chrono::milliseconds pause_{0};
  bool revoked_ = false;
  std::uint64_t mints_ = 0;
};

}  // namespace remit::gateway
