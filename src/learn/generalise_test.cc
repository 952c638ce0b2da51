#include "learn/generalise.h"

#include <gmock/gmock.h>

#include "remit/canonical.h"

namespace remit::learn {
namespace {

using testing::ElementsAre;

TEST(Generalise, ThreeNeighboursBecomeOnePattern) {
  EXPECT_THAT(
      generalise({"arn:aws:s3:::inv/2026/a", "arn:aws:s3:::inv/2026/b", "arn:aws:s3:::inv/2026/c"},
                 {}),
      ElementsAre("arn:aws:s3:::inv/2026/*"));
  EXPECT_THAT(generalise({"arn:aws:s3:::inv/2026/a", "arn:aws:s3:::inv/2026/b"}, {}),
              ElementsAre("arn:aws:s3:::inv/2026/a", "arn:aws:s3:::inv/2026/b"));
  EXPECT_THAT(generalise({"arn:aws:s3:::inv/1/x", "arn:aws:s3:::inv/2/x", "arn:aws:s3:::inv/3/x",
                          "arn:aws:s3:::inv"},
                         {}),
              ElementsAre("arn:aws:s3:::inv", "arn:aws:s3:::inv/*"));
}

TEST(Generalise, NeverReachesOverBucketsTablesOrFunctions) {
  EXPECT_THAT(generalise({"arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::c"}, {}),
              ElementsAre("arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::c"));
  EXPECT_THAT(generalise({"arn:aws:dynamodb:us-east-1:111122223333:table/A",
                          "arn:aws:dynamodb:us-east-1:111122223333:table/B",
                          "arn:aws:dynamodb:us-east-1:111122223333:table/C"},
                         {}),
              ElementsAre("arn:aws:dynamodb:us-east-1:111122223333:table/A",
                          "arn:aws:dynamodb:us-east-1:111122223333:table/B",
                          "arn:aws:dynamodb:us-east-1:111122223333:table/C"));
}

TEST(Generalise, NamesWithACommonBeginningBecomeOne) {
  EXPECT_THAT(generalise({"arn:aws:sqs:us-east-1:111122223333:orders-eu",
                          "arn:aws:sqs:us-east-1:111122223333:orders-us",
                          "arn:aws:sqs:us-east-1:111122223333:orders-ap",
                          "arn:aws:sqs:us-east-1:111122223333:billing"},
                         {}),
              ElementsAre("arn:aws:sqs:us-east-1:111122223333:billing",
                          "arn:aws:sqs:us-east-1:111122223333:orders-*"));
  EXPECT_THAT(generalise({"arn:aws:lambda:us-east-1:111122223333:function:pay-a",
                          "arn:aws:lambda:us-east-1:111122223333:function:pay-b",
                          "arn:aws:lambda:us-east-1:111122223333:function:pay-c"},
                         {}),
              ElementsAre("arn:aws:lambda:us-east-1:111122223333:function:pay-*"));
  EXPECT_EQ(generalise(
                {"arn:aws:sqs:us-east-1:111122223333:a-x", "arn:aws:sqs:us-east-1:111122223333:a-y",
                 "arn:aws:sqs:us-east-1:111122223333:a-z"},
                {})
                .size(),
            3u)
      << "a beginning of two characters says nothing";
}

TEST(Generalise, AccountsAndRegionsStayApart) {
  const auto out = generalise(
      {"arn:aws:sqs:us-east-1:111122223333:orders-a", "arn:aws:sqs:us-east-2:111122223333:orders-b",
       "arn:aws:sqs:us-east-1:444455556666:orders-c"},
      {});
  EXPECT_EQ(out.size(), 3u);
}

TEST(Generalise, CanBeSwitchedOff) {
  EXPECT_EQ(
      generalise({"arn:aws:s3:::i/a", "arn:aws:s3:::i/b", "arn:aws:s3:::i/c"}, {.from = 0}).size(),
      3u);
}

TEST(Generalise, EverythingThatWasSeenIsCovered) {
  std::vector<std::string> seen;
  for (int i = 0; i < 400; ++i) {
    const auto n = static_cast<unsigned>(i) * 2654435761U;
    std::string arn = (n >> 3) % 2 == 0 ? "arn:aws:s3:::b" + std::to_string(n % 3)
                                        : "arn:aws:dynamodb:eu-west-1:111122223333:table/t" +
                                              std::to_string(n % 5);
    for (unsigned depth = 0; depth < (n >> 8) % 4; ++depth) {
      arn += (n >> (depth + 10)) % 3 == 0 ? ":" : "/";
      arn += "k" + std::to_string((n >> (depth * 3 + 5)) % 7);
    }
    seen.push_back(std::move(arn));
    if (i % 40 != 0) continue;
    const auto out = generalise(seen, {});
    for (const std::string& one : seen) {
      const bool covered = std::ranges::any_of(out, [&](const std::string& pattern) {
        return pattern == one || rules::pattern_covers(pattern, one);
      });
      ASSERT_TRUE(covered) << one;
    }
  }
}

}  // namespace
}  // namespace remit::learn
