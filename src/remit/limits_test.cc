#include "remit/limits.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "remit/config.h"

namespace remit::rules {
namespace {

using namespace std::chrono_literals;

TEST(Limit, IsANumberPerUnit) {
  EXPECT_EQ(*parse_limit("120/min"), (Limit{120, 60s}));
  EXPECT_EQ(*parse_limit("1/s"), (Limit{1, 1s}));
  EXPECT_EQ(*parse_limit("20/h"), (Limit{20, 3600s}));
  EXPECT_EQ(*parse_limit("100000/day"), (Limit{100'000, 86'400s}));
  EXPECT_EQ(to_string(*parse_limit("20/h")), "20/h");
  for (const char* wrong : {"", "/min", "0/s", "007/s", "-1/s", "1.5/s", "100001/s", "5", "5/week",
                            "5 /s", "99999999999/s"})
    EXPECT_FALSE(parse_limit(wrong)) << wrong;
}

TEST(Window, NeverHoldsMoreThanItsCountInAnyStretchOfItsLength) {
  std::mt19937 random(1);
  const Limit limit{5, 10s};
  Window window(limit);
  std::deque<SteadyTime> taken;
  SteadyTime now{};
  int given = 0;
  for (int i = 0; i < 10'000; ++i) {
    now += std::chrono::milliseconds(random() % 2'000);
    while (!taken.empty() && now - taken.front() >= limit.per) taken.pop_front();
    const auto wait = window.take(now);
    ASSERT_EQ(!wait, taken.size() < limit.count);
    if (wait) {
      ASSERT_EQ(*wait, limit.per - (now - taken.front()));
      continue;
    }
    taken.push_back(now);
    ++given;
  }
  EXPECT_GT(given, 1000);
}

TEST(RateLimits, SpeakOfTheRemitTheLimitAndTheWait) {
  Remit remit;
  remit.name = "r";
  remit.calls = Limit{2, 60s};
  RateLimits limits;
  const SteadyTime start{};
  EXPECT_TRUE(limits.take_call(remit, start));
  EXPECT_TRUE(limits.take_call(remit, start + 20s));
  const auto refused = limits.take_call(remit, start + 30s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
  EXPECT_EQ(refused.error().message, "remit r allows 2 calls/min; room again in 30 s");
  EXPECT_TRUE(limits.take_call(remit, start + 60s));
  EXPECT_TRUE(limits.take_write(remit, start)) << "no limit of writes is configured";
}

TEST(RateLimits, CountWritesApartAndForgetWhenTheLimitChanges) {
  Remit remit;
  remit.name = "r";
  remit.calls = Limit{1, 60s};
  remit.writes = Limit{1, 3600s};
  RateLimits limits;
  EXPECT_TRUE(limits.take_call(remit, SteadyTime{}));
  EXPECT_TRUE(limits.take_write(remit, SteadyTime{}));
  EXPECT_FALSE(limits.take_write(remit, SteadyTime{} + 3599s));
  remit.writes = Limit{2, 3600s};
  EXPECT_TRUE(limits.take_write(remit, SteadyTime{} + 3599s));
}

}  // namespace
}  // namespace remit::rules
