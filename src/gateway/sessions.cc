#include "gateway/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/live_session.h"
#include "remit/sources.h"

namespace remit::gateway {
namespace {

// What a signature made now still needs until AWS has read it.
constexpr std::chrono::milliseconds kToSpare{5'000};

bool base_credentials_are_bad(const Error& error) {
  return error.code == ErrorCode::Denied &&
         (error.message.find("ExpiredToken") != std::string::npos ||
          error.message.find("InvalidClientTokenId") != std::string::npos);
}

}  // namespace

net::Task<Result<aws::AssumedRole>> StsMinter::mint(
    std::shared_ptr<const rules::SessionPlan> plan) {
  auto base = co_await base_.get();
  if (!base) co_return wrap("the gateway's own credentials", std::move(base).error());
  auto request = rules::assume_role_request(*plan);
  auto minted = co_await sts_.assume_role(**base, std::move(request));
  if (minted || !base_credentials_are_bad(minted.error())) co_return minted;
  // Somebody renewed them behind our back (`aws sso login`, a rotated key): read them once more.
  base_.forget();
  base = co_await base_.get();
  if (!base) co_return wrap("the gateway's own credentials", std::move(base).error());
  auto again = rules::assume_role_request(*plan);
  co_return co_await sts_.assume_role(**base, std::move(again));
}

Error LiveSession::revoked() { return {ErrorCode::Denied, "the session was revoked"}; }

bool LiveSession::usable() const {
  return credentials_ && parts_.clock.steady() + kToSpare < end_steady_ &&
         parts_.clock.now() + kToSpare < credentials_->expires;
}

std::shared_ptr<const SessionCredentials> LiveSession::current() const {
  if (revoked_ || !credentials_) return nullptr;
  if (parts_.clock.steady() >= renew_steady_ || parts_.clock.now() >= renew_wall_) return nullptr;
  return credentials_;
}

net::Task<Result<std::shared_ptr<const SessionCredentials>>> LiveSession::credentials() {
  const auto self = shared_from_this();
  if (revoked_) co_return std::unexpected(revoked());
  if (auto now = current()) co_return now;
  std::chrono::milliseconds pause{0};
  if (!flight_ && failure_ && parts_.clock.steady() < retry_at_) {
    if (usable()) co_return credentials_;
    pause = std::chrono::ceil<std::chrono::milliseconds>(retry_at_ - parts_.clock.steady());
    if (pause > options_.longest_wait) co_return std::unexpected(*failure_);
  }
  // spawn() may run the whole flight at once: keep what we wait for before.
  auto flight = flight_;
  if (!flight) {
    flight = flight_ = std::make_shared<Flight>(parts_.loop);
    net::spawn(parts_.loop, fly(self, flight, pause));
  }
  co_await flight->done.wait();
  if (revoked_) co_return std::unexpected(revoked());
  if (usable()) co_return credentials_;
  if (flight->error) co_return std::unexpected(*flight->error);
  co_return fail(ErrorCode::Unavailable,
                 "the session STS gave has expired already by this machine's clock: set the clock");
}

net::Task<> LiveSession::fly(std::shared_ptr<LiveSession> self, std::shared_ptr<Flight> flight,
                             std::chrono::milliseconds pause) {
  if (pause.count() > 0) co_await net::sleep_for(pause);
  auto minted = co_await self->parts_.minter.mint(self->plan_);
  ++self->mints_;
  auto taken = minted ? self->take(*std::move(minted)) : Result<>(std::unexpected(minted.error()));
  if (!taken) {
    flight->error = taken.error();
    self->remember(std::move(taken).error());
  }
  self->flight_ = nullptr;
  flight->done.set();
}

Result<> LiveSession::take(aws::AssumedRole minted) {
  const TimePoint now = parts_.clock.now();
  const TimePoint expires = minted.credentials.expiration.value_or(now + plan_->duration);
  const auto said = std::chrono::duration_cast<std::chrono::milliseconds>(expires - now);
  const auto life = std::min<std::chrono::milliseconds>(said, plan_->duration);
  if (life <= kToSpare) {
    return fail(ErrorCode::Unavailable,
                fmt::format("the session STS gave for {} ends in {} s by this machine's clock: set "
                            "the clock",
                            plan_->role, said.count() / 1000));
  }
  auto fresh = std::make_shared<SessionCredentials>();
  fresh->credentials = std::move(minted.credentials);
  fresh->role_arn = plan_->role;
  fresh->session_name = plan_->session_name;
  fresh->assumed_role_arn = std::move(minted.arn);
  fresh->assumed_role_id = std::move(minted.assumed_role_id);
  fresh->account = plan_->account;
  fresh->packed_policy_percent = minted.packed_policy_percent.value_or(0);
  fresh->expires = expires;
  credentials_ = std::move(fresh);

  const auto part = std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(life.count()) * options_.renew_at));
  auto renew_in = std::min(part, std::max(life - options_.renew_before, life / 2));
  if (options_.renew_jitter > 0) {
    std::array<std::byte, 1> jitter{};
    parts_.random.fill(jitter);
    const double earlier = options_.renew_jitter * std::to_integer<int>(jitter[0]) / 255 *
                           static_cast<double>(life.count());
    renew_in -=
        std::min(std::chrono::milliseconds(static_cast<std::int64_t>(earlier)), renew_in / 2);
  }
  renew_wall_ = now + renew_in;
  renew_steady_ = parts_.clock.steady() + renew_in;
  end_steady_ = parts_.clock.steady() + life;
  failure_.reset();
  pause_ = std::chrono::milliseconds(0);
  return {};
}

void LiveSession::remember(Error error) {
  pause_ = pause_.count() == 0 ? options_.first_pause : pause_ * 2;
  // What STS refused for a reason of configuration does not heal within a second.
  if (error.code != ErrorCode::Unavailable) pause_ = std::max(pause_, options_.first_pause * 4);
  pause_ = std::min(pause_, options_.longest_pause);
  std::array<std::byte, 1> jitter{};
  parts_.random.fill(jitter);
  const auto extra = pause_ * std::to_integer<int>(jitter[0]) / 1024;  // up to a quarter
  retry_at_ = parts_.clock.steady() + pause_ + extra;
  parts_.log.warn("session.not-minted", {{"remit", std::string_view(plan_->remit)},
                                         {"role", std::string_view(plan_->role)},
                                         {"reason", std::string_view(error.message)}});
  failure_ = std::move(error);
}

void LiveSession::rejected(const SessionCredentials& credentials) {
  if (credentials_.get() != &credentials) return;  // renewed in the meantime
  parts_.log.warn("session.rejected", {{"remit", std::string_view(plan_->remit)},
                                       {"role", std::string_view(plan_->role)}});
  credentials_ = nullptr;
}

void LiveSession::revoke() {
  revoked_ = true;
  credentials_ = nullptr;
}

Sessions::Sessions(SessionParts parts, SessionsOptions options)
    : parts_(parts), options_(options) {}
Sessions::~Sessions() = default;

std::shared_ptr<LiveSession> Sessions::find_or_make(
    const std::shared_ptr<const rules::SessionPlan>& plan) {
  const auto found = by_key_.find(plan->key);
  if (found != by_key_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return recent_.front();
  }
  recent_.push_front(std::make_shared<LiveSession>(parts_, options_, plan));
  by_key_.emplace(plan->key, recent_.begin());
  if (recent_.size() > options_.max_sessions) {
    // Calls that still act as it keep it alive; it is only no longer given to new ones.
    by_key_.erase(recent_.back()->plan().key);
    recent_.pop_back();
  }
  return recent_.front();
}

net::Task<Result<Sessions::Acquired>> Sessions::acquire(
    std::shared_ptr<const rules::SessionPlan> plan) {
  forget_holds();
  for (const Hold& hold : holds_) {
    if (hold.fits(*plan)) {
      co_return fail(ErrorCode::Denied,
                     "sessions of this kind were revoked, and none is made again for a while: ask "
                     "whoever runs this gateway");
    }
  }
  const auto session = find_or_make(plan);
  const auto mints = session->mints();
  REMIT_CO_TRY(auto credentials, co_await session->credentials());
  Acquired acquired{.session = session,
                    .credentials = std::move(credentials),
                    .reused = session->mints() == mints};
  co_return acquired;
}

std::size_t Sessions::revoke_key(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return 0;
  (*found->second)->revoke();
  recent_.erase(found->second);
  by_key_.erase(found);
  return 1;
}

std::size_t Sessions::revoke_if(const Fits& fits) {
  std::size_t count = 0;
  for (auto it = recent_.begin(); it != recent_.end();) {
    if (!fits((*it)->plan())) {
      ++it;
      continue;
    }
    (*it)->revoke();
    by_key_.erase((*it)->plan().key);
    it = recent_.erase(it);
    ++count;
  }
  return count;
}

void Sessions::forget_holds() {
  std::erase_if(holds_, [now = parts_.clock.now()](const Hold& hold) { return hold.until <= now; });
}

void Sessions::hold(Fits fits, TimePoint until) {
  forget_holds();
  holds_.push_back({std::move(fits), until});
}

std::size_t Sessions::revoke_all() {
  const std::size_t count = recent_.size();
  for (const auto& session : recent_) session->revoke();
  recent_.clear();
  by_key_.clear();
  return count;
}

}  // namespace remit::gateway
