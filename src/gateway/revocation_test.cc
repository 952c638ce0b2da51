#include "gateway/revocation.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace remit::gateway {
namespace {

class RevocationFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "remit-revoke-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = revocation_file(folder_ / "ledger.db");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Revocation of_remit(std::string remit) {
    Revocation made;
    made.id = "id-" + remit;
    made.remit = std::move(remit);
    made.time = TimePoint(std::chrono::seconds(1'000'000));
    return made;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

TEST_F(RevocationFile, AnOrderIsReadOnceByWhoeverWatches) {
  RevocationWatch watch(file_);
  ASSERT_TRUE(watch.begin({}));
  EXPECT_TRUE(watch.poll()->empty());
  ASSERT_TRUE(order(file_, of_remit("read")));
  const auto orders = watch.poll();
  ASSERT_TRUE(orders) << orders.error().message;
  ASSERT_EQ(orders->size(), 1u);
  EXPECT_EQ(orders->front().remit, "read");
  EXPECT_TRUE(watch.poll()->empty());
  ASSERT_TRUE(order(file_, of_remit("a")));
  ASSERT_TRUE(order(file_, of_remit("b")));
  EXPECT_EQ(watch.poll()->size(), 2u);
}

TEST_F(RevocationFile, OrdersFromBeforeTheStartAreDoneButMayStillHold) {
  Revocation held = of_remit("held");
  held.hold = std::chrono::hours(1);
  ASSERT_TRUE(order(file_, of_remit("done")));
  ASSERT_TRUE(order(file_, held));
  RevocationWatch watch(file_);
  const auto still = watch.begin(held.time + std::chrono::minutes(30));
  ASSERT_TRUE(still);
  ASSERT_EQ(still->size(), 1u);
  EXPECT_EQ(still->front().remit, "held");
  EXPECT_TRUE(watch.poll()->empty());
  EXPECT_TRUE(RevocationWatch(file_).begin(held.time + std::chrono::hours(2))->empty());
}

TEST_F(RevocationFile, AFileThatOthersMayWriteIsNotTrusted) {
  ASSERT_TRUE(order(file_, of_remit("read")));
  struct stat about{};
  ASSERT_EQ(stat(file_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  ASSERT_EQ(chmod(file_.c_str(), 0666), 0);
  EXPECT_FALSE(RevocationWatch(file_).poll());
  EXPECT_FALSE(order(file_, of_remit("more")));
  std::filesystem::remove(file_);
  std::filesystem::create_symlink(folder_ / "elsewhere", file_);
  EXPECT_FALSE(order(file_, of_remit("more")));
}

TEST_F(RevocationFile, WhatCannotBeReadRevokesEverything) {
  for (const std::string_view line :
       {"nonsense", "{}", R"({"id":"x","remit":7})", R"({"id":"x","tool":"api/call"})"}) {
    std::filesystem::remove(file_);
    ASSERT_TRUE(order(file_, of_remit("first")));
    RevocationWatch watch(file_);
    ASSERT_TRUE(watch.begin({}));
    std::ofstream(file_, std::ios::app) << line << "\n";
    const auto orders = watch.poll();
    ASSERT_TRUE(orders);
    ASSERT_EQ(orders->size(), 1u) << line;
    EXPECT_TRUE(orders->front().fits("any", "remit", "role", "session"));
  }
}

TEST_F(RevocationFile, HalfALineWaitsForItsEnd) {
  RevocationWatch watch(file_);
  const std::string line = to_line(of_remit("read"));
  std::ofstream(file_) << line.substr(0, 20);
  chmod(file_.c_str(), 0600);
  EXPECT_TRUE(watch.poll()->empty());
  std::ofstream(file_, std::ios::app) << line.substr(20);
  EXPECT_EQ(watch.poll()->size(), 1u);
}

TEST(Revocation, FitsWhereAllThatItNamesFits) {
  Revocation order;
  EXPECT_TRUE(order.fits("c", "r", "a", "s"));
  order.remit = "r";
  EXPECT_TRUE(order.fits("c", "r", "a", "s"));
  order.role = "other";
  EXPECT_FALSE(order.fits("c", "r", "a", "s"));
}

TEST(Revocation, ReadsBackWhatItWrote) {
  Revocation order;
  order.id = "x";
  order.call = "c1";
  order.session_name = "a.b.c";
  order.by = "jane";
  order.hold = std::chrono::seconds(900);
  order.time = TimePoint(std::chrono::seconds(1'700'000'000));
  const std::string line = to_line(order);
  const auto read = parse_revocation(std::string_view(line).substr(0, line.size() - 1));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->call, "c1");
  EXPECT_EQ(read->session_name, "a.b.c");
  EXPECT_EQ(read->hold.count(), 900);
  EXPECT_EQ(read->time, order.time);
}

TEST_F(RevocationFile, AFileThatCannotBeLookedAtIsAnError) {
  // A folder that is a file: nobody can say whether the orders are there.
  std::ofstream(folder_ / "plain") << "x";
  RevocationWatch watch(folder_ / "plain" / "ledger.db.revoked");
  EXPECT_FALSE(watch.begin({}));
  EXPECT_FALSE(watch.poll());
}

}  // namespace
}  // namespace remit::gateway
