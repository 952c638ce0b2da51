#include "ledger/batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "json/json.h"
#include "ledger/for_tests.h"
#include "ledger/reader.h"

namespace remit::ledger {
namespace {

// As egress writes the record of an allowed request.
Record allowed(std::string_view call, std::string_view action, std::string_view session = "s-1") {
  Record record;
  record.kind = Kind::AwsDecided;
  record.call = call;
  record.body = R"({"actions":[")" + std::string(action) + R"("])";
  record.parts.own = static_cast<std::uint32_t>(record.body.size());
  record.body += R"(,"catalogue":"c","decision":"allowed")";
  record.parts.common = static_cast<std::uint32_t>(record.body.size());
  record.body += R"(,"host":"h","resources":["arn:aws:s3:::)" + std::string(action) + R"("])";
  record.parts.own_too = static_cast<std::uint32_t>(record.body.size());
  record.body += R"(,"session_name":")" + std::string(session) + R"("})";
  return record;
}

std::string own_of(std::string_view action) {
  return R"({"actions":[")" + std::string(action) + R"("],"host":"h","resources":["arn:aws:s3:::)" +
         std::string(action) + R"("]})";
}

std::vector<std::string> bodies_of(Batch& batch) {
  std::vector<std::string> bodies;
  for (const Record* record : batch.records()) bodies.push_back(record->body);
  return bodies;
}

TEST(LedgerBatch, WritesARecordOnItsOwnAsItIs) {
  const Record one = allowed("c1", "a");
  Batch batch;
  batch.add(one);
  EXPECT_EQ(bodies_of(batch), std::vector<std::string>{one.body});
  const Appended written[] = {{.sequence = 7}};
  EXPECT_EQ(batch.of(0, written).sequence, 7);
  EXPECT_EQ(batch.of(0, written).request, -1);
}

TEST(LedgerBatch, WritesNeighboursOfOneCallAsOneRecord) {
  const std::vector<Record> records = {allowed("c1", "a"), allowed("c1", "b"), allowed("c1", "c"),
                                       allowed("c2", "d"), allowed("c2", "e"), allowed("c1", "f")};
  Batch batch;
  for (int round = 0; round < 2; ++round) {  // its memory is used again
    batch.clear();
    for (const Record& record : records) batch.add(record);
    const std::string head = R"({"catalogue":"c","decision":"allowed","requests":[)";
    const std::string tail = R"(],"session_name":"s-1"})";
    EXPECT_EQ(
        bodies_of(batch),
        (std::vector<std::string>{head + own_of("a") + "," + own_of("b") + "," + own_of("c") + tail,
                                  head + own_of("d") + "," + own_of("e") + tail, records[5].body}));
    for (const Record* record : batch.records()) {
      const auto parsed = json::parse(record->body);
      ASSERT_TRUE(parsed);
      EXPECT_EQ(json::canonical(parsed->root()), record->body);
    }
    const Appended written[] = {{.sequence = 1}, {.sequence = 2}, {.sequence = 3}};
    const std::pair<std::int64_t, std::int32_t> places[] = {{1, 0}, {1, 1}, {1, 2},
                                                            {2, 0}, {2, 1}, {3, -1}};
    for (std::size_t i = 0; i < std::size(places); ++i) {
      EXPECT_EQ(batch.of(i, written).sequence, places[i].first) << i;
      EXPECT_EQ(batch.of(i, written).request, places[i].second) << i;
    }
  }
}

TEST(LedgerBatch, SharesOnlyWhatIsAlike) {
  Record other_kind = allowed("c1", "a");
  other_kind.kind = Kind::StartupDecided;
  Record whole = allowed("c1", "a");
  whole.parts = {};
  const std::pair<Record, std::string> seconds[] = {
      {allowed("c1", "a", "s-2"), "another session"},
      {allowed("c2", "a"), "another call"},
      {other_kind, "another kind"},
      {whole, "one that shares with none"},
  };
  for (const auto& [second, why] : seconds) {
    const Record first = allowed("c1", "a");
    Batch batch;
    batch.add(first);
    batch.add(second);
    batch.add(first);
    EXPECT_EQ(bodies_of(batch), (std::vector<std::string>{first.body, second.body, first.body}))
        << why;
  }
}

TEST(LedgerBatch, KeepsARecordReadable) {
  std::vector<Record> records;
  for (int i = 0; i < 1000; ++i) records.push_back(allowed("c1", std::to_string(i)));
  for (int i = 0; i < 40; ++i) records.push_back(allowed("c2", std::string(5000, 'x')));
  Batch batch;
  for (const Record& record : records) batch.add(record);
  std::size_t largest = 0;
  for (const Record* record : batch.records()) largest = std::max(largest, record->body.size());
  EXPECT_LT(largest, 64u << 10);
  EXPECT_EQ(batch.records().size(), 4u + 10u);  // 256 requests each; four of these pass 32 KiB
  std::vector<Appended> written(batch.records().size());
  EXPECT_EQ(batch.of(999, written).request, 999 - 3 * 256);
}

// What was appended in one turn comes back from the file as one record, and the chain holds.
TEST(LedgerBatch, TellsEachAppendItsPlaceInTheFile) {
  const TestFolder folder;
  TestLoop loop;
  Options options;
  options.path = folder.ledger();
  auto ledger = open(options, loop.post());
  ASSERT_TRUE(ledger) << ledger.error().message;
  std::vector<Appended> appended;
  for (const std::string_view action : {"a", "b", "c"}) {
    (*ledger)->append(allowed("c1", action), [&](Result<Appended> result) {
      ASSERT_TRUE(result) << result.error().message;
      appended.push_back(*result);
    });
  }
  while (appended.size() < 3) loop.run_some();
  for (std::size_t i = 0; i < appended.size(); ++i) {
    EXPECT_EQ(appended[i].sequence, 1);
    EXPECT_EQ(appended[i].request, static_cast<std::int32_t>(i));
  }
  const auto alone = loop.append(**ledger, allowed("c1", "d"));
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->sequence, 2);
  EXPECT_EQ(alone->request, -1);
  auto reader = Reader::open(folder.ledger());
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_FALSE(reader->verify()->fault);
  std::vector<std::string> bodies;
  ASSERT_TRUE(reader->each(1, [&](const Entry& entry) {
    bodies.push_back(entry.body);
    return true;
  }));
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_TRUE(bodies[0].contains(own_of("a") + "," + own_of("b") + "," + own_of("c")));
}

}  // namespace
}  // namespace remit::ledger
