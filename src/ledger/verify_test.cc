#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/encoding.h"
#include "ledger/for_tests.h"
#include "ledger/reader.h"

namespace remit::ledger {
namespace {

void tamper(const std::filesystem::path& path, std::string_view sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(database, std::string(sql).c_str(), nullptr, nullptr, &message), SQLITE_OK)
      << message;
  sqlite3_close(database);
}

void fill(const std::filesystem::path& path) {
  TestLoop loop;
  Options options;
  options.path = path;
  options.durability = Durability::Process;
  auto ledger = open(options, loop.post());
  ASSERT_TRUE(ledger);
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(loop.append(**ledger, sample_record(i)));
}

TEST(LedgerVerify, FrameIsAsDocumented) {
  // Computed with Python's hashlib from the framing of record.h.
  Chain chain;
  const Digest hash = chain.next(Digest{}, 1, TimePoint(std::chrono::milliseconds(1'000)),
                                 "call-decided", "c1", "{}");
  EXPECT_EQ(hex(hash), "9c4e162d80f0de9a7b3306e70f26e87c2333d8187551850d504a387470e39702");
}

TEST(LedgerVerify, NamesTheFirstBrokenRecordAndHow) {
  struct Case {
    std::string_view what, sql;
    std::int64_t sequence;
    Damage damage;
    std::string_view message;
  };
  const Case cases[] = {
      {"body", "UPDATE record SET body = '{}' WHERE seq = 4", 4, Damage::Changed,
       "record 4 was changed"},
      {"first body", "UPDATE record SET body = '{}' WHERE seq = 1", 1, Damage::Changed,
       "record 1 was changed: its content does not fit its hash"},
      {"last body", "UPDATE record SET body = '{}' WHERE seq = 10", 10, Damage::Changed,
       "record 10 was changed"},
      {"time", "UPDATE record SET time_ms = time_ms + 1 WHERE seq = 4", 4, Damage::Changed,
       "record 4 was changed"},
      {"kind", "UPDATE record SET kind = 'refused' WHERE seq = 4", 4, Damage::Changed,
       "record 4 was changed"},
      {"call", "UPDATE record SET call = '' WHERE seq = 4", 4, Damage::Changed,
       "record 4 was changed"},
      {"hash", "UPDATE record SET hash = zeroblob(32) WHERE seq = 4", 4, Damage::Changed,
       "record 4 does not follow"},
      {"row", "DELETE FROM record WHERE seq = 4", 4, Damage::Missing, "record 4 is missing"},
      {"rows", "DELETE FROM record WHERE seq BETWEEN 1 AND 3", 1, Damage::Missing,
       "records 1 to 3 are missing"},
      {"row, the rest renumbered",
       "DELETE FROM record WHERE seq = 4; UPDATE record SET seq = seq - 1 WHERE seq > 4", 4,
       Damage::Missing, "1 records are missing before record 4, and those after were renumbered"},
      {"two rows swapped",
       "UPDATE record SET seq = 100 WHERE seq = 4; UPDATE record SET seq = 4 WHERE seq = 7;"
       "UPDATE record SET seq = 7 WHERE seq = 100",
       4, Damage::Moved, "what belongs at 4 stands at 7"},
      {"contents swapped under their hashes",
       "CREATE TEMP TABLE old AS SELECT * FROM record; UPDATE record SET (time_ms, call, body) = "
       "(SELECT time_ms, call, body FROM old WHERE old.seq = 13 - record.seq) "
       "WHERE seq IN (6, 7)",
       6, Damage::Moved, "what belongs at 6 stands at 7"},
      {"tail", "DELETE FROM record WHERE seq > 8", 9, Damage::CutTail,
       "records 9 to 10 are missing from the end"},
      {"everything", "DELETE FROM record", 1, Damage::CutTail,
       "records 1 to 10 are missing from the end"},
      {"record put in",
       "INSERT INTO record SELECT 11, time_ms, kind, call, body, hash FROM record "
       "WHERE seq = 10",
       11, Damage::Changed, "record 11 was changed"},
      {"head", "UPDATE head SET seq = 9", 10, Damage::Changed, "head does not name the last"},
      {"number below one", "UPDATE record SET seq = -5 WHERE seq = 1", 1, Damage::Missing,
       "missing"},
  };
  for (const auto& [what, sql, sequence, damage, message] : cases) {
    const TestFolder folder;
    fill(folder.ledger());
    tamper(folder.ledger(), sql);
    auto result = Reader::open(folder.ledger())->verify();
    ASSERT_TRUE(result) << what << result.error().message;
    ASSERT_TRUE(result->fault) << what;
    EXPECT_EQ(result->fault->sequence, sequence) << what << ": " << result->fault->message;
    EXPECT_EQ(name_of(result->fault->damage), name_of(damage)) << what;
    EXPECT_THAT(result->fault->message, testing::HasSubstr(message)) << what;
  }
}

TEST(LedgerVerify, FindsWhatOnlyAnAnchorShows) {
  const TestFolder folder;
  fill(folder.ledger());
  auto reader = Reader::open(folder.ledger());
  const auto whole = reader->verify();
  ASSERT_TRUE(whole && !whole->fault);
  EXPECT_EQ(whole->records, 10);
  EXPECT_FALSE(reader->verify(whole->last)->fault);

  tamper(folder.ledger(),
         "DELETE FROM record WHERE seq > 8;"
         "UPDATE head SET seq = 8, hash = (SELECT hash FROM record WHERE seq = 8)");
  EXPECT_FALSE(reader->verify()->fault);  // nothing inside the file shows it
  EXPECT_EQ(reader->verify(whole->last)->fault->damage, Damage::CutTail);

  const TestFolder other;
  TestLoop loop;
  Options options;
  options.path = other.ledger();
  auto ledger = open(options, loop.post());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(loop.append(**ledger, sample_record(i, "{\"new\":1}")));
  EXPECT_EQ(Reader::open(other.ledger())->verify(whole->last)->fault->damage, Damage::Anchor);
}

TEST(LedgerVerify, ReadsAnchors) {
  const std::string hash(64, 'a');
  EXPECT_EQ(parse_anchor("12:" + hash)->sequence, 12);
  const std::string broken[] = {"", "12", "12:", "0:" + hash, "x:" + hash, "1:" + hash + "00"};
  for (const std::string& text : broken) {
    EXPECT_FALSE(parse_anchor(text)) << text;
  }
}

}  // namespace
}  // namespace remit::ledger
