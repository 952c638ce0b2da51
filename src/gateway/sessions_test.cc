#include "gateway/sessions.h"

#include <gmock/gmock.h>

#include "gateway/live_session.h"

namespace remit::gateway {
namespace {

using namespace std::chrono_literals;

class HandClock final : public Clock {
 public:
  TimePoint now() const override { return wall; }
  std::chrono::steady_clock::time_point steady() const override { return monotonic; }
  void pass(std::chrono::milliseconds time) {
    wall += time;
    monotonic += time;
  }
  TimePoint wall{1'800'000'000'000ms};
  std::chrono::steady_clock::time_point monotonic{1h};
};

class ZeroRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    for (auto& byte : out) byte = std::byte{0};
  }
};

class ScriptedMinter final : public Minter {
 public:
  ScriptedMinter(net::Loop& loop, const HandClock& clock) : gate(loop), clock_(clock) {
    gate.set();
  }
  net::Task<Result<aws::AssumedRole>> mint(
      std::shared_ptr<const rules::SessionPlan> plan) override {
    ++asked;
    co_await gate.wait();
    if (error) co_return std::unexpected(*error);
    aws::AssumedRole role;
    role.credentials.access_key_id = "ASIA" + std::to_string(asked);
    role.credentials.expiration = clock_.wall + plan->duration + skew;
    co_return role;
  }
  net::Event gate;
  int asked = 0;
  std::optional<Error> error;
  std::chrono::milliseconds skew{0};

 private:
  const HandClock& clock_;
};

struct SessionsTest : ::testing::Test {
  static std::shared_ptr<const rules::SessionPlan> plan(std::string key) {
    auto made = std::make_shared<rules::SessionPlan>();
    made->key = std::move(key);
    made->role = "arn:aws:iam::111122223333:role/r";
    made->account = "111122223333";
    made->duration = 900s;
    return made;
  }
  static net::Task<> acquire_into(Sessions& sessions,
                                  std::shared_ptr<const rules::SessionPlan> wanted,
                                  std::vector<Result<Sessions::Acquired>>& out) {
    out.push_back(co_await sessions.acquire(std::move(wanted)));
  }
  void start(std::string key) {
    net::spawn(loop, acquire_into(sessions, plan(std::move(key)), got));
  }
  void run() {
    loop.restart();
    loop.run();
  }
  // The access key of a session for `key`, or the reason why there is none.
  std::string ask(std::string key) {
    got.clear();
    start(std::move(key));
    run();
    if (got.size() != 1) return "no answer";
    return got[0] ? got[0]->credentials->credentials.access_key_id : got[0].error().message;
  }

  net::Loop loop{1};
  HandClock clock;
  ZeroRandom random;
  NoLog log;
  ScriptedMinter minter{loop, clock};
  Sessions sessions{SessionParts{loop, clock, random, log, minter},
                    SessionsOptions{.max_sessions = 2, .longest_wait = 0ms}};
  std::vector<Result<Sessions::Acquired>> got;
};

TEST_F(SessionsTest, ManyWaitingCallsCostOneMint) {
  minter.gate.reset();
  for (int i = 0; i < 100; ++i) start("same");
  loop.poll();
  EXPECT_EQ(minter.asked, 1);
  EXPECT_TRUE(got.empty());
  minter.gate.set();
  run();
  EXPECT_EQ(minter.asked, 1);
  ASSERT_EQ(got.size(), 100u);
  for (const auto& one : got) EXPECT_TRUE(one.has_value());
}

TEST_F(SessionsTest, AnotherKeyIsAnotherSession) {
  EXPECT_EQ(ask("one"), "ASIA1");
  EXPECT_EQ(ask("two"), "ASIA2");
  EXPECT_EQ(ask("one"), "ASIA1");
  EXPECT_TRUE(got[0]->reused);
}

TEST_F(SessionsTest, ItIsRenewedAtEightyPercentOrAMinuteBeforeItsEnd) {
  EXPECT_EQ(ask("one"), "ASIA1");
  clock.pass(719s);
  EXPECT_EQ(ask("one"), "ASIA1");
  clock.pass(2s);
  EXPECT_EQ(ask("one"), "ASIA2");
}

TEST_F(SessionsTest, ASessionInUseIsRenewedInTheMiddleOfACall) {
  ask("one");
  const auto session = got[0]->session;
  EXPECT_NE(session->current(), nullptr);
  clock.pass(800s);
  EXPECT_EQ(session->current(), nullptr);
  EXPECT_EQ(ask("one"), "ASIA2");
  EXPECT_EQ(session->current()->credentials.access_key_id, "ASIA2");
}

TEST_F(SessionsTest, ARenewalThatFailsLeavesTheOldOneWhileItLasts) {
  EXPECT_EQ(ask("one"), "ASIA1");
  minter.error = Error{ErrorCode::Unavailable, "STS is down"};
  clock.pass(800s);
  EXPECT_EQ(ask("one"), "ASIA1");
  clock.pass(100s);
  EXPECT_EQ(ask("one"), "STS is down");
}

TEST_F(SessionsTest, AFailureIsRememberedBrieflyWithAGrowingPause) {
  minter.error = Error{ErrorCode::Unavailable, "STS is down"};
  EXPECT_EQ(ask("one"), "STS is down");
  EXPECT_EQ(ask("one"), "STS is down");
  EXPECT_EQ(minter.asked, 1);
  clock.pass(501ms);
  ask("one");
  EXPECT_EQ(minter.asked, 2);
  clock.pass(501ms);
  ask("one");
  EXPECT_EQ(minter.asked, 2);
  clock.pass(500ms);
  minter.error.reset();
  EXPECT_EQ(ask("one"), "ASIA3");
}

TEST_F(SessionsTest, ACallThatComesShortlyAfterAFailureWaitsForTheNextAttempt) {
  Sessions patient(SessionParts{loop, clock, random, log, minter},
                   SessionsOptions{.first_pause = 2ms, .longest_wait = 1s});
  minter.error = Error{ErrorCode::Unavailable, "STS is down"};
  net::spawn(loop, acquire_into(patient, plan("one"), got));
  run();
  minter.error.reset();
  net::spawn(loop, acquire_into(patient, plan("one"), got));
  run();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_FALSE(got[0].has_value());
  EXPECT_TRUE(got[1].has_value());
}

TEST_F(SessionsTest, WhatAwsRejectedIsNotGivenAgain) {
  ask("one");
  const auto session = got[0]->session;
  const auto first = got[0]->credentials;
  session->rejected(*first);
  EXPECT_EQ(session->current(), nullptr);
  EXPECT_EQ(ask("one"), "ASIA2");
  session->rejected(*first);
  EXPECT_EQ(ask("one"), "ASIA2");
}

TEST_F(SessionsTest, ARevokedSessionSignsNothingMore) {
  ask("one");
  const auto session = got[0]->session;
  EXPECT_EQ(sessions.revoke_key("one"), 1u);
  EXPECT_EQ(session->current(), nullptr);
  EXPECT_EQ(ask("one"), "ASIA2");
  EXPECT_EQ(session->current(), nullptr);
  EXPECT_EQ(sessions.revoke_all(), 1u);
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(SessionsTest, RevokesWhatFitsAndHoldsItBack) {
  ask("one");
  const auto one = got[0]->session;
  ask("two");
  const auto two = got[0]->session;
  const auto fits = [](const rules::SessionPlan& plan) { return plan.key == "one"; };
  EXPECT_EQ(sessions.revoke_if(fits), 1u);
  EXPECT_EQ(one->current(), nullptr);
  EXPECT_NE(two->current(), nullptr);
  EXPECT_EQ(sessions.size(), 1u);
  sessions.hold(fits, clock.wall + 60s);
  EXPECT_THAT(ask("one"), ::testing::HasSubstr("revoked"));
  EXPECT_EQ(minter.asked, 2);
  EXPECT_EQ(ask("two"), "ASIA2");
  clock.pass(61s);
  EXPECT_EQ(ask("one"), "ASIA3");
}

TEST_F(SessionsTest, TheLeastRecentlyUsedGoesFirst) {
  ask("one");
  ask("two");
  ask("one");
  ask("three");
  EXPECT_EQ(sessions.size(), 2u);
  EXPECT_EQ(ask("one"), "ASIA1");
  EXPECT_EQ(ask("two"), "ASIA4");
}

TEST_F(SessionsTest, AWallClockThatIsSetBackLengthensNothing) {
  EXPECT_EQ(ask("one"), "ASIA1");
  clock.monotonic += 901s;
  clock.wall -= 3600s;
  EXPECT_EQ(ask("one"), "ASIA2");
}

TEST_F(SessionsTest, AWallClockThatIsSetForwardRenews) {
  EXPECT_EQ(ask("one"), "ASIA1");
  clock.wall += 3600s;
  EXPECT_EQ(ask("one"), "ASIA2");
}

TEST_F(SessionsTest, AClockThatIsAheadOfStsIsNamed) {
  minter.skew = -3600s;
  EXPECT_THAT(ask("one"), ::testing::HasSubstr("set the clock"));
}

TEST_F(SessionsTest, AClockThatIsBehindStsCountsTheDurationOnly) {
  minter.skew = 3600s;
  EXPECT_EQ(ask("one"), "ASIA1");
  clock.pass(721s);
  EXPECT_EQ(ask("one"), "ASIA2");
}

}  // namespace
}  // namespace remit::gateway
