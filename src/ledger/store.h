#pragma once

// The ledger's file: makes it, guards it, appends batches to it. Used by one thread at a time.

#include <optional>
#include <span>
#include <vector>

#include "base/file_handle.h"
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

  // All of them or none, in one transaction, which survives the end of this process on return, and
  // a power cut once sync() came back. Writes what each became to `out`.
  Result<> append(std::span<const Record* const> batch, std::vector<Appended>& out);

  enum class Attempt : std::uint8_t { Done, Busy };
  // The same without ever waiting for another connection's lock. Busy: nothing was written.
  Result<Attempt> try_append(std::span<const Record* const> batch, std::vector<Appended>& out);

  // Waits until the disk has all that was appended. Only with Durability::Disk. May be called from
  // another thread than the one that appended, but not beside an append.
  Result<> sync();

  // Of the log, after the last commit.
  int log_pages() const { return database_.log_pages(); }

 private:
  struct Statements {
    Statement last, head, insert, set_head, begin, commit, rollback;
  };
  Store(Database database, Statements statements, std::chrono::milliseconds busy_timeout,
        FileHandle log)
      : database_(std::move(database)),
        statements_(std::move(statements)),
        busy_timeout_(busy_timeout),
        log_(std::move(log)) {}
  Result<> begin();
  Result<Appended> last_record();
  Result<> append_in_transaction(std::span<const Record* const> batch, std::vector<Appended>& out);
  Result<> write(std::span<const Record* const> batch, std::vector<Appended>& out);

  Database database_;
  Statements statements_;  // after database_: finalized before it is closed
  std::chrono::milliseconds busy_timeout_;
  FileHandle log_;                    // the log itself, to be synced; never the database, whose
                                      // locks SQLite loses when any descriptor of it is closed
  std::optional<Appended> own_last_;  // what our last commit left, and the version it is true of
  std::uint32_t own_version_ = 0;
  Chain chain_;
};

// A second connection to the same file, for the thread that brings the log into it while the first
// goes on to append.
class LogKeeper {
 public:
  static Result<LogKeeper> open(const Options& options);
  // Both wait for the disk. copy() brings the log into the file while appends go on, and tells how
  // many pages it found in the log; restart() what came meanwhile, and the log begins anew: nobody
  // may append then. Paced, copy() leaves the processor to others between pieces, and what it wrote
  // has reached the disk, so that restart() is short.
  Result<std::int64_t> copy(bool paced = true);
  Result<> restart();

 private:
  LogKeeper(Database database, FileHandle log)
      : database_(std::move(database)), log_(std::move(log)) {}
  void start_writing_log();

  Database database_;
  FileHandle log_;
  std::int64_t copied_bytes_ = 0;  // of the log, since it began anew
};

}  // namespace remit::ledger
