#pragma once

// The append-only record of decisions. A decision is durable before its effect: callers forward
// nothing until their record's completion came with success.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/digest.h"
#include "base/result.h"
#include "ledger/record.h"

namespace remit::ledger {

enum class Durability : std::uint8_t {
  Disk,     // acknowledged records survive a power cut: the disk is synced before
  Process,  // acknowledged records survive the end of any process, not that of the machine
};

// What a record became.
struct Appended {
  std::int64_t sequence = 0;
  Digest hash{};
  std::int32_t request = -1;  // which of the record's requests; -1: it shares the record with none
};

using Completion = std::move_only_function<void(Result<Appended>)>;

class Ledger {
 public:
  virtual ~Ledger() = default;

  // Returns at once, never blocks; from any thread. `done` comes exactly once, through Post, after
  // the record is durable or with an error. Records are written in the order of the calls to
  // append(), and their completions come in that order. While the ledger cannot write (disk full,
  // I/O error, locked too long, file removed) every append fails with an error that says so; it
  // tries again by itself and works again when writing does. A record whose append failed is not in
  // the ledger, except that after a failure in the very act of committing it may be.
  virtual void append(Record record, Completion done) = 0;
};

// Hands a function to the thread that owns the ledger (asio::post to its loop), which runs it after
// what is ready to run there. Called from the ledger's thread and from within append(); must not
// run the function before it returns.
using Post = std::function<void(std::move_only_function<void()>)>;

struct Options {
  std::filesystem::path path;
  Durability durability = Durability::Disk;

  // How long to wait for another gateway's commit on the same file.
  std::chrono::milliseconds busy_timeout{5000};
  // After a failure: appends within this time fail without another attempt.
  std::chrono::milliseconds retry_after{250};
  // How long the log may grow before it is brought into the file, on a thread for that. Pages of
  // 4 KiB; a longer log makes stalls rarer and reading it slower.
  int checkpoint_pages = 2000;
  // Appends beyond either bound fail at once.
  std::size_t max_queued = 65'536;
  std::size_t max_queued_bytes = std::size_t{64} << 20;
  // For tests of a full disk: SQLite's page limit; 0 is none.
  std::uint32_t max_pages = 0;
};

// Opens or creates the ledger: SQLite in WAL mode, file 0600 in a directory 0700 made when absent.
// Refuses symbolic links, files and directories of another owner or writable by others, files
// that are no ledger and ledgers of a newer version. Several gateways may append to one file: each
// commit takes the write lock and continues the chain from the last record. To be destroyed on the
// thread that Post hands to: that writes what was appended, then drops completions that did not
// come yet.
//
// Who does what: the owner's thread commits, once for all records of a turn of its loop, because
// handing a record to another thread and back costs more than writing it. What may block goes to a
// thread of the ledger's own: with Durability::Disk the sync, during which the next records gather;
// another gateway's lock; opening the file again. A second one brings the log into the file, in
// small pieces with pauses between; appends wait only for the last of it, a few syncs of the disk.
Result<std::unique_ptr<Ledger>> open(Options options, Post post);

// $XDG_STATE_HOME/remit/ledger.db, or below ~/.local/state.
std::filesystem::path default_path();

}  // namespace remit::ledger
