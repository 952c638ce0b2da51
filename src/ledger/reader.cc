#include "ledger/reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/encoding.h"
#include "json/json.h"
#include "json/writer.h"
#include "ledger/store.h"
#include "ledger/text.h"

namespace remit::ledger {
namespace {

constexpr std::string_view kColumns = "SELECT seq, time_ms, kind, call, body, hash FROM record ";

void read_row(const Statement& row, Entry& entry) {
  entry.sequence = row.integer(0);
  entry.time = TimePoint(std::chrono::milliseconds(row.integer(1)));
  entry.kind = row.text(2);
  entry.call = row.text(3);
  entry.body = row.text(4);
  const std::string_view hash = row.blob(5);
  entry.hash = {};
  std::memcpy(entry.hash.data(), hash.data(), std::min(hash.size(), entry.hash.size()));
}

}  // namespace

std::optional<Anchor> parse_anchor(std::string_view text) {
  Anchor anchor;
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const auto number = std::from_chars(text.data(), text.data() + colon, anchor.sequence);
  if (number.ec != std::errc{} || number.ptr != text.data() + colon) return std::nullopt;
  const auto hash = unhex(text.substr(colon + 1));
  if (!hash || hash->size() != anchor.hash.size() || anchor.sequence < 1) return std::nullopt;
  std::memcpy(anchor.hash.data(), hash->data(), hash->size());
  return anchor;
}

Result<Reader> Reader::open(const std::filesystem::path& path) {
  std::error_code ec;
  const auto real = std::filesystem::canonical(path, ec);
  if (ec) {
    return fail(ErrorCode::InvalidInput, path.string() + ": no ledger here: " + ec.message());
  }
  constexpr std::chrono::milliseconds kPatience{5000};
  auto database = Database::open(real, OpenMode::ReadOnly, kPatience);
  if (!database) return wrap(path.string(), std::move(database).error());
  const auto version = schema_version(*database);
  if (!version) return wrap(path.string(), version.error());
  if (*version == 0) return fail(ErrorCode::InvalidInput, path.string() + ": the file is empty");
  return Reader(*std::move(database));
}

Result<> Reader::each(std::int64_t from, const Visit& visit) {
  REMIT_TRY(Statement rows,
            database_.prepare(std::string(kColumns) + "WHERE seq >= ?1 ORDER BY seq"));
  rows.bind(1, from);
  Entry entry;
  while (true) {
    REMIT_TRY(const bool row, rows.step());
    if (!row) return {};
    read_row(rows, entry);
    if (!visit(entry)) return {};
  }
}

// By the partial index, and as fast by the full one of older ledgers.
Result<Reader::Span> Reader::span_of(std::string_view call) {
  REMIT_TRY(
      Statement rows,
      database_.prepare("SELECT seq, time_ms, kind FROM record WHERE call = ?1 AND call <> '' "
                        "AND kind NOT IN ('aws-decided', 'aws-done') ORDER BY seq"));
  rows.bind_text(1, call);
  Span span;
  for (bool begun = false;; begun = true) {
    REMIT_TRY(const bool row, rows.step());
    if (!row) return span;
    if (!begun) span.first = rows.integer(0);
    if (rows.text(2) != name_of(Kind::CallDone)) continue;
    span.last = rows.integer(0);
    span.ended = TimePoint(std::chrono::milliseconds(rows.integer(1)));
  }
}

Result<std::vector<Entry>> Reader::of_call(std::string_view call) {
  std::vector<Entry> entries;
  if (call.empty()) return entries;
  REMIT_TRY(const Span span, span_of(call));
  REMIT_TRY(Statement rows,
            database_.prepare(std::string(kColumns) + "WHERE seq BETWEEN ?1 AND ?2 AND call = ?3 "
                                                      "AND call <> '' ORDER BY seq"));
  rows.bind(1, span.first);
  rows.bind(2, span.last);
  rows.bind_text(3, call);
  while (true) {
    REMIT_TRY(const bool row, rows.step());
    if (!row) break;
    read_row(rows, entries.emplace_back());
  }
  if (span.ended) REMIT_CHECKED(late_records(call, span, entries));
  return entries;
}

// A request that its call's end cut short is told within moments after it.
Result<> Reader::late_records(std::string_view call, const Span& span,
                              std::vector<Entry>& entries) {
  constexpr std::chrono::minutes kLatest{5};
  return each(span.last + 1, [&](const Entry& entry) {
    if (entry.call == call) entries.push_back(entry);
    return entry.time <= *span.ended + kLatest;
  });
}

Result<std::int64_t> Reader::last_sequence() {
  return database_.integer("SELECT max(seq) FROM record");
}

std::string to_json(const Entry& entry) {
  json::Writer w;
  w.begin_object();
  w.key("seq").integer(entry.sequence);
  w.key("time").string(iso8601(entry.time));
  w.key("kind").string(entry.kind);
  w.key("call").string(entry.call);
  w.key("hash").string(hex(entry.hash));
  w.key("body");
  if (json::parse(entry.body)) {
    w.raw(entry.body);
  } else {
    w.string(entry.body);
  }
  w.end_object();
  return std::move(w).take();
}

}  // namespace remit::ledger
