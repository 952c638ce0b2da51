// The connection that brings the log into the file: what it does with a disk that fails under it.
#include "ledger/paced.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <fstream>

#include "ledger/for_tests.h"
#include "ledger/reader.h"
#include "ledger/store.h"

namespace remit::ledger {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFiller = "{\"filler\":\"";

Options options_of(const TestFolder& folder) {
  Options options;
  options.path = folder.ledger();
  options.durability = Durability::Process;
  options.retry_after = std::chrono::milliseconds{0};
  return options;
}

std::string large_body(std::size_t size) {
  return std::string(kFiller) + std::string(size, 'x') + "\"}";
}

// A store with records of some 20 KB each, all still in the log.
Result<Store> store_with(const Options& options, int first, int count) {
  REMIT_TRY(Store store, Store::open(options, Store::IfAbsent::Create));
  std::vector<Appended> written;
  for (int i = first; i < first + count; ++i) {
    const Record record = sample_record(i, large_body(20'000));
    const Record* const records[] = {&record};
    REMIT_CHECKED(store.append(records, written));
  }
  return store;
}

std::string bytes_of(const fs::path& path, std::size_t count = std::string::npos) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::min<std::size_t>(count, fs::file_size(path)), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

// Holds every file of this process below `bytes`, as a full disk would: a write beyond comes short
// or fails.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    signal_ = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit tight{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, signal_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  struct rlimit before_{};
  void (*signal_)(int) = SIG_DFL;
};

TEST(Paced, WritesTheSameFileAsSqliteItself) {
  const TestFolder folder;
  const fs::path copy = folder.path() / "copy.db";
  auto store = store_with(options_of(folder), 0, 40);
  ASSERT_TRUE(store) << store.error().message;
  fs::copy_file(folder.ledger(), copy);
  fs::copy_file(folder.ledger().string() + "-wal", copy.string() + "-wal");

  auto keeper = LogKeeper::open(options_of(folder));
  ASSERT_TRUE(keeper) << keeper.error().message;
  const auto pages = keeper->copy();
  ASSERT_TRUE(pages) << pages.error().message;
  EXPECT_GT(*pages, 200);
  ASSERT_TRUE(keeper->restart());
  auto plain = Database::open(copy, OpenMode::ReadWrite, std::chrono::seconds{1});
  ASSERT_TRUE(plain);
  ASSERT_TRUE(plain->exec("PRAGMA wal_checkpoint(RESTART)"));
  EXPECT_EQ(bytes_of(folder.ledger()), bytes_of(copy));
}

TEST(Paced, GivesTheProcessorAwayUnlessOthersWait) {
  const TestFolder folder;
  auto store = store_with(options_of(folder), 0, 1);
  ASSERT_TRUE(store);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open_v2(folder.ledger().c_str(), &database, SQLITE_OPEN_READWRITE, paced_vfs()),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_file* file = nullptr;
  ASSERT_EQ(
      sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file)),
      SQLITE_OK);
  const std::string page(4096, 'x');
  const auto pauses = [&] {
    struct rusage before{}, after{};
    ::getrusage(RUSAGE_THREAD, &before);
    for (int i = 0; i < 64 * kPacedPages; ++i) {
      EXPECT_EQ(file->pMethods->xWrite(file, page.data(), 4096, 1 << 20), SQLITE_OK);
    }
    ::getrusage(RUSAGE_THREAD, &after);
    return after.ru_nvcsw - before.ru_nvcsw;
  };
  EXPECT_GE(pauses(), 64);
  set_paced(database, false);
  EXPECT_LT(pauses(), 32);
  set_paced(database, true);
  EXPECT_GE(pauses(), 64);
  sqlite3_close(database);
}

TEST(Paced, OpensNoFileThatSqliteWouldNot) {
  const TestFolder folder;
  EXPECT_FALSE(Database::open(folder.path() / "none.db", OpenMode::ReadWrite,
                              std::chrono::seconds{1}, paced_vfs()));
  fs::create_symlink("/tmp/elsewhere", folder.path() / "link.db");
  EXPECT_FALSE(Database::open(folder.path() / "link.db", OpenMode::ReadWrite,
                              std::chrono::seconds{1}, paced_vfs()));
}

TEST(Paced, LosesNothingWhenTheFileCannotGrow) {
  const TestFolder folder;
  const Options options = options_of(folder);
  auto store = store_with(options, 0, 40);
  ASSERT_TRUE(store);
  {
    // One page and a half fit: the second comes short, the next ones not at all.
    const FullDisk full(fs::file_size(folder.ledger()) + 6000);
    auto keeper = LogKeeper::open(options);
    ASSERT_TRUE(keeper) << keeper.error().message;
    EXPECT_FALSE(keeper->copy());
    EXPECT_FALSE(keeper->restart());
  }
  EXPECT_EQ(Reader::open(folder.ledger())->verify()->records, 40);
  auto keeper = LogKeeper::open(options);
  ASSERT_TRUE(keeper);
  ASSERT_TRUE(keeper->copy());
  ASSERT_TRUE(keeper->restart());
  const auto verification = Reader::open(folder.ledger())->verify();
  ASSERT_TRUE(verification);
  EXPECT_FALSE(verification->fault);
  EXPECT_EQ(verification->records, 40);
}

TEST(Paced, TellsWhenTheDiskIsFullAndAppendsGoOnInTheLog) {
  const TestFolder folder;
  TestLoop loop;
  Options options = options_of(folder);
  options.checkpoint_pages = 20;
  {
    // Some room in the log to go on in, more than the file has.
    auto store = store_with(options, 0, 60);
    ASSERT_TRUE(store);
    auto keeper = LogKeeper::open(options);
    ASSERT_TRUE(keeper && keeper->copy() && keeper->restart());
    auto ledger = open(options, loop.post());
    ASSERT_TRUE(ledger);
    const FullDisk full(fs::file_size(folder.ledger()) + 6000);
    for (int i = 60; i < 90; ++i) {
      const auto appended = loop.append(**ledger, sample_record(i, large_body(20'000)));
      ASSERT_TRUE(appended) << i << " " << appended.error().message;
    }
  }
  const auto verification = Reader::open(folder.ledger())->verify();
  ASSERT_TRUE(verification);
  EXPECT_FALSE(verification->fault) << verification->fault->message;
  EXPECT_EQ(verification->records, 90);
}

// A reader that stays in the past keeps the log from beginning anew for its time only.
TEST(Paced, BringsTheLogInAfterAReaderWasInTheWay) {
  const TestFolder folder;
  TestLoop loop;
  Options options = options_of(folder);
  options.checkpoint_pages = 50;
  auto ledger = open(options, loop.post());
  ASSERT_TRUE(loop.append(**ledger, sample_record(0)));
  auto reader = Database::open(folder.ledger(), OpenMode::ReadOnly, std::chrono::seconds{1});
  ASSERT_TRUE(reader && reader->exec("BEGIN") && reader->integer("SELECT count(*) FROM record"));
  const fs::path log = folder.ledger().string() + "-wal";
  int number = 1;
  for (; number < 200; ++number) {
    ASSERT_TRUE(loop.append(**ledger, sample_record(number, large_body(20'000))));
  }
  EXPECT_GT(fs::file_size(log), 1'000U * 4096);
  ASSERT_TRUE(reader->exec("COMMIT"));
  // The log began anew when its first bytes are others.
  const std::string before = bytes_of(log, 32);
  for (; number < 3000 && bytes_of(log, 32) == before; ++number) {
    ASSERT_TRUE(loop.append(**ledger, sample_record(number, large_body(20'000))));
  }
  EXPECT_LT(number, 3000);
  EXPECT_EQ(Reader::open(folder.ledger())->verify()->records, number);
}

}  // namespace
}  // namespace remit::ledger
