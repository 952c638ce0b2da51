#pragma once

// The ledger's file: makes it, guards it, appends batches to it. Blocks; used by one thread.

#include <optional>
#include <span>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/sqlite.h"

namespace remit::ledger {

inline constexpr std::int64_t kApplicationId = 0x524D4C47;  // "RMLG", in the file's header
inline constexpr std::int64_t kSchemaVersion = 1;

// Refuses a file that is no ledger or is one of a newer version. 0: an empty file.
Result<std::int64_t> schema_version(Database& database);

class Store {
 public:
  enum class IfAbsent : std::uint8_t { Create, Refuse };
  static Result<Store> open(const Options& options, IfAbsent if_absent);

  // All of them or none, in one transaction, durable on return. Writes what each became to `out`.
  Result<> append(std::span<const Record* const> batch, std::vector<Appended>& out);

 private:
  struct Statements {
    Statement last, head, insert, set_head, begin, commit, rollback;
  };
  Store(Database database, Statements statements)
      : database_(std::move(database)), statements_(std::move(statements)) {}
  Result<Appended> last_record();
  Result<> append_in_transaction(std::span<const Record* const> batch, std::vector<Appended>& out);

  Database database_;
  Statements statements_;  // after database_: finalized before it is closed
  Chain chain_;
};

}  // namespace remit::ledger
