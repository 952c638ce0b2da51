#include <fmt/format.h>

#include <cstring>

#include "ledger/reader.h"

namespace remit::ledger {
namespace {

std::string records(std::int64_t first, std::int64_t last) {
  return first == last ? fmt::format("record {} is missing", first)
                       : fmt::format("records {} to {} are missing", first, last);
}

Digest hash_at(Chain& chain, const Digest& before, std::int64_t sequence, const Entry& entry) {
  return chain.next(before, sequence, entry.time, entry.kind, entry.call, entry.body);
}

}  // namespace

std::string_view name_of(Damage damage) {
  switch (damage) {
    case Damage::Missing:
      return "missing";
    case Damage::Changed:
      return "changed";
    case Damage::Moved:
      return "moved";
    case Damage::CutTail:
      return "cut-tail";
    case Damage::Anchor:
      return "anchor";
  }
  return "changed";
}

Result<Verification> Reader::verify(std::optional<Anchor> anchor) {
  REMIT_CHECKED(database_.exec("BEGIN"));
  auto result = verify_snapshot(anchor);
  REMIT_CHECKED(database_.exec("COMMIT"));
  return result;
}

Result<Verification> Reader::verify_snapshot(const std::optional<Anchor>& anchor) {
  Verification result;
  Chain chain;
  std::optional<Entry> mismatch;
  const auto check = [&](const Entry& entry) {
    const std::int64_t expected = result.last.sequence + 1;
    if (entry.sequence != expected) {
      result.fault = {expected, Damage::Missing, records(expected, entry.sequence - 1)};
      return false;
    }
    if (hash_at(chain, result.last.hash, expected, entry) != entry.hash) {
      mismatch = entry;
      return false;
    }
    if (anchor && anchor->sequence == expected && anchor->hash != entry.hash) {
      result.fault = {expected, Damage::Anchor,
                      fmt::format("record {} is not the one the anchor names: the ledger was "
                                  "written anew, at this record or before it",
                                  expected)};
      return false;
    }
    ++result.records;
    result.last = {entry.sequence, entry.hash};
    return true;
  };
  constexpr auto kFromTheFirst = std::numeric_limits<std::int64_t>::min();
  REMIT_CHECKED(each(kFromTheFirst, check));
  if (mismatch) {
    REMIT_TRY(result.fault, explain_mismatch(result.last.hash, *mismatch));
  }
  if (!result.fault) REMIT_CHECKED(check_end(anchor, result));
  return result;
}

// A chain that is whole so far may still have lost its tail.
Result<> Reader::check_end(const std::optional<Anchor>& anchor, Verification& result) {
  const std::int64_t last = result.last.sequence;
  REMIT_TRY(Statement statement, database_.prepare("SELECT seq, hash FROM head"));
  REMIT_TRY(const bool row, statement.step());
  const std::int64_t head = row ? statement.integer(0) : 0;
  const std::string_view hash = row ? statement.blob(1) : std::string_view{};
  if (head > last) {
    result.fault = {last + 1, Damage::CutTail, records(last + 1, head) + " from the end"};
  } else if (anchor && anchor->sequence > last) {
    result.fault = {
        last + 1, Damage::CutTail,
        fmt::format("the anchor names record {}, the ledger ends at {}", anchor->sequence, last)};
  } else if (head < last || hash.size() != result.last.hash.size() ||
             std::memcmp(hash.data(), result.last.hash.data(), hash.size()) != 0) {
    result.fault = {last, Damage::Changed,
                    fmt::format("the head does not name the last record, {}: something other than "
                                "Remit wrote to the ledger",
                                last)};
  }
  return {};
}

// Which of the ways to break a chain fits what is seen. `entry` does not follow from `before`.
Result<Verification::Fault> Reader::explain_mismatch(const Digest& before, const Entry& entry) {
  const std::int64_t sequence = entry.sequence;
  Chain chain;
  std::optional<Entry> next;
  std::optional<std::int64_t> moved_to;
  const auto look = [&](const Entry& other) {
    if (!next) next = other;
    const Digest here = hash_at(chain, before, sequence, other);
    if (here == other.hash || here == entry.hash) moved_to = other.sequence;
    return !moved_to;
  };
  REMIT_CHECKED(each(sequence + 1, look));
  if (moved_to) {
    return Verification::Fault{
        sequence, Damage::Moved,
        fmt::format("the records were reordered: what belongs at {} stands at {}", sequence,
                    *moved_to)};
  }
  constexpr std::int64_t kMostRemoved = 1000;
  for (std::int64_t gone = 1; next && gone <= kMostRemoved; ++gone) {
    if (hash_at(chain, entry.hash, next->sequence + gone, *next) != next->hash) continue;
    return Verification::Fault{
        sequence, Damage::Missing,
        fmt::format("{} records are missing before record {}, and those after were renumbered",
                    gone, sequence)};
  }
  if (!next || hash_at(chain, entry.hash, next->sequence, *next) == next->hash) {
    return Verification::Fault{
        sequence, Damage::Changed,
        fmt::format("record {} was changed: its content does not fit its hash{}", sequence,
                    sequence > 1 ? ", or the one before was replaced together with its hash" : "")};
  }
  return Verification::Fault{
      sequence, Damage::Changed,
      fmt::format("record {} does not follow from the one before: its content, time or hash was "
                  "changed",
                  sequence)};
}

}  // namespace remit::ledger
