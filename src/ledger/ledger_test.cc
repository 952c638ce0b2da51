#include "ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>

#include "ledger/for_tests.h"
#include "ledger/reader.h"

namespace remit::ledger {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Options options_for(const fs::path& path) {
  Options options;
  options.path = path;
  options.durability = Durability::Process;
  options.retry_after = std::chrono::milliseconds{0};
  return options;
}

void run_sql(const fs::path& path, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_close(database);
}

TEST(Ledger, KeepsRecordsInOrderWithTheirExactBytes) {
  for (const Durability durability : {Durability::Disk, Durability::Process}) {
    const TestFolder folder;
    TestLoop loop;
    Options options = options_for(folder.ledger());
    options.durability = durability;
    auto ledger = open(options, loop.post());
    ASSERT_TRUE(ledger) << ledger.error().message;
    std::vector<std::int64_t> acknowledged;
    for (int i = 0; i < 1000; ++i) {
      (*ledger)->append(sample_record(i), [&](Result<Appended> result) {
        ASSERT_TRUE(result) << result.error().message;
        acknowledged.push_back(result->sequence);
      });
    }
    while (acknowledged.size() < 1000) loop.run_some();
    for (std::size_t i = 0; i < acknowledged.size(); ++i) {
      EXPECT_EQ(acknowledged[i], static_cast<std::int64_t>(i) + 1);
    }
    auto reader = Reader::open(folder.ledger());
    ASSERT_TRUE(reader) << reader.error().message;
    std::int64_t number = 0;
    ASSERT_TRUE(reader->each(1, [&](const Entry& entry) {
      const Record want = sample_record(number++);
      EXPECT_EQ(entry.sequence, number);
      EXPECT_EQ(entry.body, want.body);
      EXPECT_EQ(entry.call, want.call);
      EXPECT_EQ(entry.time, want.time);
      EXPECT_EQ(entry.kind, "aws-decided");
      return true;
    }));
    EXPECT_EQ(number, 1000);
    EXPECT_EQ(reader->of_call(sample_record(500).call)->size(), 4U);
    EXPECT_FALSE(reader->verify()->fault);
  }
}

// Two calls that run at the same time, each with its requests, and one answer that came late.
TEST(Ledger, TellsACallsRecordsApartFromThoseOfOthers) {
  struct Line {
    std::int64_t number;  // milliseconds, too
    Kind kind;
    std::string_view call;
  };
  constexpr std::array<Line, 11> kLines = {{{0, Kind::CallDecided, "one"},
                                            {1, Kind::CallDecided, "two"},
                                            {2, Kind::SessionMinted, "one"},
                                            {3, Kind::AwsDecided, "two"},
                                            {4, Kind::AwsDecided, "one"},
                                            {5, Kind::AwsDone, "one"},
                                            {6, Kind::AwsDone, "two"},
                                            {7, Kind::CallDone, "one"},
                                            {8, Kind::AwsDone, "one"},
                                            {9, Kind::AwsDecided, "two"},
                                            {10, Kind::AwsDecided, "orphan"}}};
  const TestFolder folder;
  TestLoop loop;
  auto ledger = open(options_for(folder.ledger()), loop.post());
  ASSERT_TRUE(ledger);
  std::size_t answered = 0;
  for (const Line& line : kLines) {
    Record record = sample_record(line.number);
    record.kind = line.kind;
    record.call = line.call;
    (*ledger)->append(std::move(record), [&](const Result<Appended>& result) {
      ASSERT_TRUE(result);
      ++answered;
    });
  }
  while (answered < kLines.size()) loop.run_some();

  const auto expect_stories = [&] {
    auto reader = Reader::open(folder.ledger());
    ASSERT_TRUE(reader);
    for (const auto& [call, numbers] :
         std::vector<std::pair<std::string_view, std::vector<std::int64_t>>>{
             {"one", {1, 3, 5, 6, 8, 9}},
             {"two", {2, 4, 7, 10}},
             {"orphan", {11}},
             {"none", {}},
             {"", {}}}) {
      const auto entries = reader->of_call(call);
      ASSERT_TRUE(entries);
      std::vector<std::int64_t> found;
      for (const Entry& entry : *entries) found.push_back(entry.sequence);
      EXPECT_EQ(found, numbers) << call;
    }
  };
  expect_stories();
  // A ledger that an earlier Remit began has every record in its index.
  auto database = Database::open(folder.ledger(), OpenMode::ReadWrite, std::chrono::seconds(5));
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->exec(
      "DROP INDEX record_call; CREATE INDEX record_call ON record(call) WHERE call <> ''"));
  expect_stories();
}

TEST(Ledger, GoesOnWithTheChainOfAnEarlierRun) {
  const TestFolder folder;
  TestLoop loop;
  for (int run = 0; run < 3; ++run) {
    auto ledger = open(options_for(folder.ledger()), loop.post());
    ASSERT_TRUE(ledger);
    EXPECT_EQ(loop.append(**ledger, sample_record(run))->sequence, run + 1);
  }
  EXPECT_EQ(Reader::open(folder.ledger())->verify()->records, 3);
}

TEST(Ledger, LetsSeveralWritersShareAFile) {
  const TestFolder folder;
  TestLoop loop;
  auto first = open(options_for(folder.ledger()), loop.post());
  auto second = open(options_for(folder.ledger()), loop.post());
  ASSERT_TRUE(first && second);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(loop.append(i % 2 == 0 ? **first : **second, sample_record(i))->sequence, i + 1);
  }
  EXPECT_EQ(Reader::open(folder.ledger())->verify()->records, 10);
}

TEST(Ledger, MakesItsFileAndFolderForTheOwnerOnly) {
  const TestFolder folder;
  TestLoop loop;
  const fs::path path = folder.path() / "state" / "remit" / "ledger.db";
  auto ledger = open(options_for(path), loop.post());
  ASSERT_TRUE(ledger) << ledger.error().message;
  ASSERT_TRUE(loop.append(**ledger, sample_record(1)));
  struct stat facts{};
  for (const char* suffix : {"", "-wal", "-shm"}) {
    ASSERT_EQ(::stat((path.string() + suffix).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U) << suffix;
  }
  ASSERT_EQ(::stat(path.parent_path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700U);
}

TEST(Ledger, RefusesFilesThatAreNotSafeOrNotItsOwn) {
  struct Case {
    std::function<void(const fs::path&)> prepare;
    std::string_view message;
  };
  const Case cases[] = {
      {[](const fs::path& p) { fs::create_symlink("/tmp/elsewhere", p); }, "symbolic link"},
      {[](const fs::path& p) { fs::create_directory(p); }, "not a plain file"},
      {[](const fs::path& p) {
         std::ofstream(p) << "";
         fs::permissions(p, fs::perms(0644));
       },
       "chmod 600"},
      {[](const fs::path& p) {
         std::ofstream(p) << "";
         fs::permissions(p, fs::perms(0600));
         fs::create_hard_link(p, p.string() + "2");
       },
       "second name"},
      {[](const fs::path& p) { fs::permissions(p.parent_path(), fs::perms(0777)); },
       "others may write"},
      {[](const fs::path& p) {
         std::ofstream(p) << std::string(4096, 'x');
         fs::permissions(p, fs::perms(0600));
       },
       "not a ledger"},
      {[](const fs::path& p) {
         run_sql(p, "CREATE TABLE other(x)");
         fs::permissions(p, fs::perms(0600));
       },
       "not a ledger of Remit"},
  };
  for (const auto& [prepare, message] : cases) {
    const TestFolder folder;
    TestLoop loop;
    prepare(folder.ledger());
    auto ledger = open(options_for(folder.ledger()), loop.post());
    ASSERT_FALSE(ledger) << message;
    EXPECT_THAT(ledger.error().message, HasSubstr(message));
  }
}

TEST(Ledger, RefusesAFileOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "to give a file away needs root";
  const TestFolder folder;
  TestLoop loop;
  std::ofstream(folder.ledger()) << "";
  fs::permissions(folder.ledger(), fs::perms(0600));
  ASSERT_EQ(::chown(folder.ledger().c_str(), 65534, 65534), 0);
  auto ledger = open(options_for(folder.ledger()), loop.post());
  ASSERT_FALSE(ledger);
  EXPECT_THAT(ledger.error().message, HasSubstr("another user"));
}

TEST(Ledger, RefusesALedgerOfANewerVersion) {
  const TestFolder folder;
  TestLoop loop;
  {
    auto ledger = open(options_for(folder.ledger()), loop.post());
    ASSERT_TRUE(loop.append(**ledger, sample_record(1)));
  }
  run_sql(folder.ledger(), "PRAGMA user_version = 2");
  auto ledger = open(options_for(folder.ledger()), loop.post());
  ASSERT_FALSE(ledger);
  EXPECT_THAT(ledger.error().message, HasSubstr("form 2, this Remit knows forms up to 1"));
  EXPECT_FALSE(Reader::open(folder.ledger()));
}

TEST(Ledger, StopsWhenTheDiskIsFullAndGoesOnWhenItIsNot) {
  const TestFolder folder;
  TestLoop loop;
  struct rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  auto ledger = open(options_for(folder.ledger()), loop.post());
  ASSERT_TRUE(ledger);
  const std::string large = "{\"filler\":\"" + std::string(20'000, 'x') + "\"}";
  std::int64_t acknowledged = 0;
  ASSERT_TRUE(loop.append(**ledger, sample_record(acknowledged++)));

  const struct rlimit tight{200'000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  std::optional<Error> error;
  while (!error) {
    auto result = loop.append(**ledger, sample_record(acknowledged, large));
    if (result) {
      ++acknowledged;
    } else {
      error = result.error();
    }
    ASSERT_LT(acknowledged, 100);
  }
  EXPECT_THAT(error->message, HasSubstr("calls stop until it can again"));

  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  const auto again = loop.append(**ledger, sample_record(acknowledged, large));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->sequence, acknowledged + 1);
  const auto verification = Reader::open(folder.ledger())->verify();
  EXPECT_FALSE(verification->fault);
  EXPECT_EQ(verification->records, acknowledged + 1);
}

TEST(Ledger, SaysThatTheDiskIsFull) {
  const TestFolder folder;
  TestLoop loop;
  Options options = options_for(folder.ledger());
  options.max_pages = 12;
  options.retry_after = std::chrono::hours{1};
  auto ledger = open(options, loop.post());
  const std::string large = "{\"filler\":\"" + std::string(20'000, 'x') + "\"}";
  Result<Appended> result;
  for (int i = 0; i < 10 && result; ++i) result = loop.append(**ledger, sample_record(i, large));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "the ledger at " + folder.ledger().string() +
                                        " cannot write: disk full; calls stop until it can again");
  // Fails without another attempt.
  EXPECT_FALSE(loop.append(**ledger, sample_record(0)));
}

TEST(Ledger, StopsWhenItsFileIsTakenAway) {
  const TestFolder folder;
  TestLoop loop;
  auto ledger = open(options_for(folder.ledger()), loop.post());
  ASSERT_TRUE(loop.append(**ledger, sample_record(1)));
  fs::rename(folder.ledger(), folder.path() / "moved.db");
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(loop.append(**ledger, sample_record(2)));
    EXPECT_FALSE(fs::exists(folder.ledger()));
  }
  fs::rename(folder.path() / "moved.db", folder.ledger());
  EXPECT_TRUE(loop.append(**ledger, sample_record(2)));
  EXPECT_EQ(Reader::open(folder.ledger())->verify()->records, 2);
}

TEST(Ledger, WaitsForAnotherWriterWithoutHoldingUpItsOwner) {
  const TestFolder folder;
  TestLoop loop;
  auto ledger = open(options_for(folder.ledger()), loop.post());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder.ledger().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  std::vector<std::int64_t> acknowledged;
  const auto append = [&](int number) {
    (*ledger)->append(sample_record(number), [&](Result<Appended> result) {
      ASSERT_TRUE(result) << result.error().message;
      acknowledged.push_back(result->sequence);
    });
  };
  append(1);
  append(2);
  loop.run_some();  // returns although the file is locked: the ledger's thread waits for it
  EXPECT_TRUE(acknowledged.empty());
  append(3);
  loop.run_some();
  EXPECT_TRUE(acknowledged.empty());
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  while (acknowledged.size() < 3) loop.run_some();
  append(4);
  while (acknowledged.size() < 4) loop.run_some();
  EXPECT_EQ(acknowledged, (std::vector<std::int64_t>{1, 2, 3, 4}));
  sqlite3_close(other);
}

// How often the log was begun anew, by its header.
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
unsigned beginnings_of(const fs::path& log) {
  std::array<unsigned char, 16> header{};
  std::ifstream file(log, std::ios::binary);
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  return header[14] * 256U + header[15];
}

TEST(Ledger, BringsAGrownLogIntoTheFileWhileRecordsGoOn) {
  const TestFolder folder;
  TestLoop loop;
  Options options = options_for(folder.ledger());
  options.checkpoint_pages = 50;
  auto ledger = open(options, loop.post());
  const std::string large = "{\"filler\":\"" + std::string(20'000, 'x') + "\"}";
  const fs::path log = folder.ledger().string() + "-wal";
  const unsigned before = beginnings_of(log);
  int written = 0;
  // How soon depends on the machine: 400 MB are more than any needs.
  while (beginnings_of(log) < before + 3) {
    ASSERT_LT(written, 20'000);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(loop.append(**ledger, sample_record(written++, large)));
    }
  }
  EXPECT_EQ(Reader::open(folder.ledger())->verify()->records, written);
}

TEST(Ledger, StopsWhenAnotherProcessKeepsItLockedTooLong) {
  const TestFolder folder;
  TestLoop loop;
  Options options = options_for(folder.ledger());
  options.busy_timeout = std::chrono::milliseconds{20};
  auto ledger = open(options, loop.post());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder.ledger().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto refused = loop.append(**ledger, sample_record(1));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("locked too long"));
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(loop.append(**ledger, sample_record(1)));
  sqlite3_close(other);
}

TEST(Ledger, DoesNotGoOnAfterACutTail) {
  const TestFolder folder;
  TestLoop loop;
  auto ledger = open(options_for(folder.ledger()), loop.post());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(loop.append(**ledger, sample_record(i)));
  run_sql(folder.ledger(), "DELETE FROM record WHERE seq = 3");
  const auto refused = loop.append(**ledger, sample_record(3));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("the head names record 3, the last record is 2"));
}

TEST(Ledger, RefusesAtOnceWhenItsQueueIsFull) {
  const TestFolder folder;
  TestLoop loop;
  Options options = options_for(folder.ledger());
  options.max_queued = 10;
  auto ledger = open(options, loop.post());
  ASSERT_TRUE(loop.append(**ledger, sample_record(0)));
  int good = 0;
  int refused = 0;
  for (int i = 0; i < 25; ++i) {
    (*ledger)->append(sample_record(i), [&](Result<Appended> result) {
      good += result ? 1 : 0;
      refused += result ? 0 : 1;
      if (!result) EXPECT_EQ(result.error().code, ErrorCode::LimitExceeded);
    });
  }
  while (good + refused < 25) loop.run_some();
  EXPECT_GE(good, 10);
  EXPECT_GE(refused, 5);
}

TEST(Ledger, WritesWhatWasAppendedBeforeItGoes) {
  const TestFolder folder;
  TestLoop loop;
  {
    auto ledger = open(options_for(folder.ledger()), loop.post());
    for (int i = 0; i < 100; ++i) (*ledger)->append(sample_record(i), [](Result<Appended>) {});
  }
  EXPECT_EQ(Reader::open(folder.ledger())->verify()->records, 100);
}

}  // namespace
}  // namespace remit::ledger
