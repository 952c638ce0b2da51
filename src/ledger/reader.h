#pragma once

// Reading a ledger while gateways append to it: never blocks them.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/record.h"
#include "ledger/sqlite.h"

namespace remit::ledger {

// A record as it was at some time, kept outside the ledger: verify() against it finds what a
// ledger alone cannot show, a tail cut off together with its traces or a chain written anew.
struct Anchor {
  std::int64_t sequence = 0;
  Digest hash{};
};
std::optional<Anchor> parse_anchor(std::string_view text);  // "SEQ:HASH"

enum class Damage : std::uint8_t {
  Missing,  // records between two others, or before the first
  Changed,  // a record does not fit its hash, or its hash does not follow from the one before
  Moved,    // the record that belongs here stands elsewhere
  CutTail,  // records at the end
  Anchor,   // the chain is whole but is not the one that the anchor was taken from
};
std::string_view name_of(Damage damage);  // "missing", "changed", "moved", "cut-tail", "anchor"

struct Verification {
  struct Fault {
    std::int64_t sequence = 0;  // the first record that is not as it was written
    Damage damage = Damage::Changed;
    std::string message;
  };
  std::int64_t records = 0;  // that are proved good
  Anchor last;               // the last good one
  std::optional<Fault> fault;
};

class Reader {
 public:
  static Result<Reader> open(const std::filesystem::path& path);

  // Records from `from` on in their order, until `visit` answers false.
  using Visit = std::function<bool(const Entry&)>;
  Result<> each(std::int64_t from, const Visit& visit);
  // The index knows where a call begins and ends, not each of its AWS requests: what is between is
  // read through, and of a call without an end all that follows its beginning.
  Result<std::vector<Entry>> of_call(std::string_view call);
  Result<std::int64_t> last_sequence();

  // Reads everything once, in one snapshot: about 1.5 million records a second.
  Result<Verification> verify(std::optional<Anchor> anchor = std::nullopt);

 private:
  explicit Reader(Database database) : database_(std::move(database)) {}
  Result<Verification> verify_snapshot(const std::optional<Anchor>& anchor);
  struct Span {
    std::int64_t first = 1;
    std::int64_t last = std::numeric_limits<std::int64_t>::max();
    std::optional<TimePoint> ended;
  };
  Result<Span> span_of(std::string_view call);
  Result<> late_records(std::string_view call, const Span& span, std::vector<Entry>& entries);
  Result<> check_end(const std::optional<Anchor>& anchor, Verification& result);
  Result<Verification::Fault> explain_mismatch(const Digest& before, const Entry& entry);

  Database database_;
};

// {"seq":1,"time":"2026-11-21T15:30:00.123Z","kind":"...","call":"...","hash":"<hex>","body":{...}}
std::string to_json(const Entry& entry);

}  // namespace remit::ledger
