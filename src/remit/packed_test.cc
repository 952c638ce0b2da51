#include "remit/packed.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace remit::rules {
namespace {

std::string corpora() {
  const char* named = std::getenv("REMIT_CORPORA");
  return named != nullptr ? named : REMIT_SOURCE_DIR "/../shared/corpora";
}

TEST(PackedSize, IsWithinFivePointsOfWhatStsReported) {
  const std::string path = corpora() + "/session-policy/packed-size-observations.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  std::ifstream in(path);
  const auto document = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  ASSERT_TRUE(document);
  int compared = 0;
  for (const json::Value point : document->root().find("complete")->elements()) {
    std::vector<std::string> arns;
    for (const json::Value arn : point.find("policy_arns")->elements())
      arns.emplace_back(arn.string());
    const int estimate = estimate_packed_percent(point.find("policy_text")->string(), arns, {});
    const auto reported = point.find("packed_percent")->as_int64();
    EXPECT_LE(std::abs(estimate - *reported), 5) << point.find("id")->string();
    ++compared;
  }
  EXPECT_GE(compared, 4);
}

TEST(PackedSize, GrowsWithTagsAndForgivesRepetition) {
  const std::string one =
      R"({"Statement":{"Action":"s3:GetObject","Effect":"Allow","Resource":"arn:aws:s3:::abcdefgh/*"}})";
  const std::string twice =
      R"({"Statement":{"Action":"s3:GetObject","Effect":"Allow","Resource":["arn:aws:s3:::abcdefgh/*","arn:aws:s3:::abcdefgh"]}})";
  const int base = estimate_packed_percent(one, {}, {});
  EXPECT_GT(estimate_packed_percent(one, {}, {{"Team", "billing"}}), base);
  EXPECT_LE(estimate_packed_percent(twice, {}, {}), base + 3);
  EXPECT_EQ(estimate_packed_percent("", {}, {}), 0);
}

}  // namespace
}  // namespace remit::rules
