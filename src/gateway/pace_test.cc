#include "gateway/pace.h"

#include <gtest/gtest.h>

namespace remit::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Pace::Steady kStart{seconds(1000)};

TEST(Pace, LetsABurstThroughAndThenSpreadsTheRest) {
  Pace pace({.first_rate = 10, .burst = 5});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pace.take(kStart).count(), 0) << i;
  EXPECT_EQ(pace.take(kStart), milliseconds(100));
  EXPECT_EQ(pace.take(kStart), milliseconds(200)) << "each has a turn of its own";
  EXPECT_EQ(pace.take(kStart + seconds(1)).count(), 0) << "time gives turns back";
}

TEST(Pace, IsHalvedByThrottlingAndNobodyAsksForAWhile) {
  Pace pace({.first_rate = 16, .burst = 100});
  EXPECT_EQ(pace.take(kStart).count(), 0);
  pace.throttled(kStart, 0);
  EXPECT_EQ(pace.rate(), 8);
  EXPECT_EQ(pace.take(kStart + milliseconds(1)), milliseconds(999));
  pace.throttled(kStart + milliseconds(10), 0);
  EXPECT_EQ(pace.rate(), 8) << "what was under way is the same sign";
  pace.throttled(kStart + seconds(1), 0);
  EXPECT_EQ(pace.rate(), 4);
  EXPECT_GE(pace.take(kStart + seconds(1)), milliseconds(2000)) << "the rest doubles";
  for (int i = 2; i < 20; ++i) pace.throttled(kStart + seconds(100 * i), 1);
  EXPECT_EQ(pace.rate(), 1) << "never nothing";
  EXPECT_LE(pace.take(kStart + seconds(1900)), milliseconds(46'000));
}

TEST(Pace, RecoversSlowly) {
  Pace pace({.first_rate = 4, .most_rate = 6});
  pace.throttled(kStart, 0);
  EXPECT_EQ(pace.rate(), 2);
  for (int i = 0; i < 10; ++i) pace.succeeded();
  EXPECT_EQ(pace.rate(), 6) << "and not beyond its bound";
}

TEST(Pace, KnowsThrottlingByItsNames) {
  EXPECT_TRUE(is_throttling("AssumeRole of r: Throttling: Rate exceeded (4 attempts)"));
  EXPECT_TRUE(is_throttling("RequestLimitExceeded"));
  EXPECT_FALSE(is_throttling("AccessDenied: not authorized"));
}

}  // namespace
}  // namespace remit::gateway
