#include "ledger/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "ledger/paced.h"

namespace remit::ledger {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSchema = R"(
  CREATE TABLE record (
    seq     INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    call    TEXT NOT NULL,
    body    TEXT NOT NULL,
    hash    BLOB NOT NULL
  ) STRICT;
  CREATE INDEX record_call ON record(call)
    WHERE call <> '' AND kind NOT IN ('aws-decided', 'aws-done');
  CREATE TABLE head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;
  INSERT INTO head VALUES (1, 0, zeroblob(32));
)";

std::unexpected<Error> unsafe(const fs::path& path, std::string_view why) {
  return fail(ErrorCode::InvalidInput, fmt::format("{}: {}", path.string(), why));
}

std::unexpected<Error> system_failure(const fs::path& path, std::string_view what) {
  return fail(ErrorCode::Unavailable,
              fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
}

// Makes the missing folders of `folder`, each for its owner only.
Result<> make_folders(const fs::path& folder) {
  fs::path made;
  for (const fs::path& part : folder) {
    made /= part;
    if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR) {
      struct stat facts{};
      if (::stat(made.c_str(), &facts) != 0) return system_failure(made, "cannot make the folder");
    }
  }
  return {};
}

Result<> check_folder(const fs::path& folder) {
  struct stat facts{};
  if (::stat(folder.c_str(), &facts) != 0) return system_failure(folder, "cannot be examined");
  if (!S_ISDIR(facts.st_mode)) return unsafe(folder, "is not a folder");
  if (facts.st_uid != ::geteuid() && facts.st_uid != 0) {
    return unsafe(folder, "belongs to another user: the ledger must stand in a folder of yours");
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return unsafe(folder, "others may write to this folder: use one of mode 0700");
  }
  return {};
}

// lstat, not open: closing a second descriptor of the file would drop SQLite's locks on it.
Result<> check_file(const fs::path& path) {
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) return system_failure(path, "cannot be examined");
  if (S_ISLNK(facts.st_mode)) return unsafe(path, "is a symbolic link: name the file itself");
  if (!S_ISREG(facts.st_mode)) return unsafe(path, "is not a plain file");
  if (facts.st_uid != ::geteuid()) return unsafe(path, "belongs to another user");
  if (facts.st_nlink > 1) return unsafe(path, "has a second name (hard link)");
  if ((facts.st_mode & 0077) != 0) {
    return unsafe(path, "others may read or write it: chmod 600 first");
  }
  return {};
}

// Makes the file when it may, and says under which path SQLite shall open it (it takes no symbolic
// links in any part, folders included).
Result<fs::path> prepare_file(const fs::path& path, Store::IfAbsent if_absent) {
  const fs::path absolute = fs::absolute(path).lexically_normal();
  const bool create = if_absent == Store::IfAbsent::Create;
  if (create) REMIT_CHECKED(make_folders(absolute.parent_path()));
  REMIT_CHECKED(check_folder(absolute.parent_path()));
  std::error_code ec;
  const fs::path real = fs::canonical(absolute.parent_path(), ec) / absolute.filename();
  if (ec) return fail(ErrorCode::Unavailable, fmt::format("{}: {}", path.string(), ec.message()));
  if (create) {
    const int file = ::open(real.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file >= 0) {
      ::close(file);
    } else if (errno != EEXIST) {
      return system_failure(path, "cannot be made");
    }
  }
  REMIT_CHECKED(check_file(real));
  return real;
}

// Switching to WAL needs the file alone for a moment and does not wait for it by itself.
Result<> switch_to_wal(Database& database, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{5};
  for (auto waited = std::chrono::milliseconds{0};; waited += kPause) {
    auto switched = database.exec("PRAGMA journal_mode = WAL");
    if (switched || waited >= patience) return switched;
    std::this_thread::sleep_for(kPause);
  }
}

Result<> create_schema(Database& database) {
  REMIT_CHECKED(database.exec("BEGIN IMMEDIATE"));
  REMIT_TRY(const std::int64_t version, schema_version(database));
  if (version == 0) {
    REMIT_CHECKED(database.exec(std::string(kSchema)));
    REMIT_CHECKED(database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                            kApplicationId, kSchemaVersion)));
  }
  return database.exec("COMMIT");
}

Result<Database> open_database(const fs::path& path, const Options& options) {
  REMIT_TRY(Database database, Database::open(path, OpenMode::ReadWrite, options.busy_timeout));
  REMIT_TRY(const std::int64_t version, schema_version(database));
  REMIT_CHECKED(switch_to_wal(database, options.busy_timeout));
  // Commits do not wait for the disk: with Durability::Disk, Store::sync() does, off the loop.
  REMIT_CHECKED(database.exec("PRAGMA synchronous = NORMAL"));
  // The tail's page stands in the log once a commit and is copied once a checkpoint: rarer is
  // cheaper.
  REMIT_CHECKED(
      database.exec(fmt::format("PRAGMA wal_autocheckpoint = {}", options.checkpoint_pages)));
  database.leave_log();
  // Appending needs the tails of a table and an index; SQLite would keep 2 MiB.
  REMIT_CHECKED(database.exec("PRAGMA cache_size = -256"));
  if (version == 0) REMIT_CHECKED(create_schema(database));
  if (options.max_pages != 0) {
    REMIT_CHECKED(database.exec(fmt::format("PRAGMA max_page_count = {}", options.max_pages)));
  }
  return database;
}

// SQLite made the log with the first statement that looked into the file. That both have a name
// must survive a power cut as well.
Result<FileHandle> open_log(const fs::path& path) {
  FileHandle log(::open((path.string() + "-wal").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (log.get() < 0) return system_failure(path, "its log cannot be opened");
  const FileHandle folder(
      ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) {
    return system_failure(path.parent_path(), "cannot be synced");
  }
  return log;
}

Digest digest_of(std::string_view bytes) {
  Digest digest{};
  std::memcpy(digest.data(), bytes.data(), std::min(bytes.size(), digest.size()));
  return digest;
}

}  // namespace

Result<std::int64_t> schema_version(Database& database) {
  // Of one moment: another process may be making the schema now.
  REMIT_CHECKED(database.exec("SAVEPOINT schema_version"));
  REMIT_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  REMIT_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
  REMIT_TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_master"));
  REMIT_CHECKED(database.exec("RELEASE schema_version"));
  if (application == 0 && version == 0 && tables == 0) return 0;
  if (application != kApplicationId) {
    return fail(ErrorCode::InvalidInput, "the file is a database but not a ledger of Remit");
  }
  if (version > kSchemaVersion) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("the ledger has form {}, this Remit knows forms up to {}: use the "
                            "newer Remit that wrote it",
                            version, kSchemaVersion));
  }
  return version;
}

Result<Store> Store::open(const Options& options, IfAbsent if_absent) {
  REMIT_TRY(const fs::path path, prepare_file(options.path, if_absent));
  auto opened = open_database(path, options);
  if (!opened) return wrap(path.string(), std::move(opened).error());
  Database database = *std::move(opened);
  REMIT_TRY(Statement last,
            database.prepare("SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1"));
  REMIT_TRY(Statement head, database.prepare("SELECT seq, hash FROM head"));
  REMIT_TRY(Statement insert, database.prepare("INSERT INTO record(seq, time_ms, kind, call, body, "
                                               "hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  REMIT_TRY(Statement set_head, database.prepare("UPDATE head SET seq = ?1, hash = ?2"));
  REMIT_TRY(Statement begin, database.prepare("BEGIN IMMEDIATE"));
  REMIT_TRY(Statement commit, database.prepare("COMMIT"));
  REMIT_TRY(Statement rollback, database.prepare("ROLLBACK"));
  FileHandle log;
  if (options.durability == Durability::Disk) {
    REMIT_TRY(log, open_log(path));
  }
  return Store(std::move(database),
               Statements{std::move(last), std::move(head), std::move(insert), std::move(set_head),
                          std::move(begin), std::move(commit), std::move(rollback)},
               options.busy_timeout, std::move(log));
}

Result<> Store::sync() {
  if (::fdatasync(log_.get()) == 0) return {};
  return fail(ErrorCode::Unavailable, fmt::format("cannot be synced: {}", std::strerror(errno)));
}

Result<> Store::begin() {
  if (database_.file_moved()) {
    return fail(ErrorCode::Unavailable, "the file was removed or replaced while in use");
  }
  auto begun = statements_.begin.step();
  statements_.begin.reset();
  if (!begun) return std::unexpected(std::move(begun).error());
  return {};
}

Result<> Store::append(std::span<const Record* const> batch, std::vector<Appended>& out) {
  database_.set_busy_timeout(busy_timeout_);
  REMIT_CHECKED(begin());
  return append_in_transaction(batch, out);
}

Result<Store::Attempt> Store::try_append(std::span<const Record* const> batch,
                                         std::vector<Appended>& out) {
  database_.set_busy_timeout(std::chrono::milliseconds{0});
  if (auto begun = begin(); !begun) {
    if (database_.is_busy()) return Attempt::Busy;
    return std::unexpected(std::move(begun).error());
  }
  // Whoever may begin to write may also commit: in WAL mode readers never stand in the way.
  REMIT_CHECKED(append_in_transaction(batch, out));
  return Attempt::Done;
}

Result<> Store::append_in_transaction(std::span<const Record* const> batch,
                                      std::vector<Appended>& out) {
  out.clear();
  auto appended = write(batch, out);
  if (appended) {
    own_last_ = out.empty() ? own_last_ : out.back();
    own_version_ = database_.data_version();
    return appended;
  }
  own_last_.reset();
  if (database_.in_transaction()) {
    (void)statements_.rollback.step();
    statements_.rollback.reset();
  }
  return appended;
}

Result<> Store::write(std::span<const Record* const> batch, std::vector<Appended>& out) {
  REMIT_TRY(Appended last, last_record());
  Statement& insert = statements_.insert;
  for (const Record* record : batch) {
    const std::string_view kind = name_of(record->kind);
    ++last.sequence;
    last.hash =
        chain_.next(last.hash, last.sequence, record->time, kind, record->call, record->body);
    insert.bind(1, last.sequence);
    insert.bind(2, record->time.time_since_epoch().count());
    insert.bind_text(3, kind);
    insert.bind_text(4, record->call);
    insert.bind_text(5, record->body);
    insert.bind_blob(6, last.hash);
    REMIT_CHECKED(insert.step());
    insert.reset();
    out.push_back(last);
  }
  statements_.set_head.bind(1, last.sequence);
  statements_.set_head.bind_blob(2, last.hash);
  REMIT_CHECKED(statements_.set_head.step());
  statements_.set_head.reset();
  auto committed = statements_.commit.step();
  statements_.commit.reset();
  if (!committed) return std::unexpected(std::move(committed).error());
  return {};
}

// What the next record follows. The head, written with every commit, must name the last record:
// going on after a cut tail would wipe the trace of the cut.
Result<Appended> Store::last_record() {
  if (own_last_ && own_version_ == database_.data_version()) return *own_last_;
  const auto read = [](Statement& statement) -> Result<Appended> {
    REMIT_TRY(const bool row, statement.step());
    Appended found;
    if (row) found = {statement.integer(0), digest_of(statement.blob(1))};
    statement.reset();
    return found;
  };
  REMIT_TRY(const Appended last, read(statements_.last));
  REMIT_TRY(const Appended head, read(statements_.head));
  if (last.sequence != head.sequence || last.hash != head.hash) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("its end was changed by something else: the head names record {}, the "
                            "last record is {} (see remit ledger verify)",
                            head.sequence, last.sequence));
  }
  return last;
}

Result<LogKeeper> LogKeeper::open(const Options& options) {
  // Long enough for another gateway's commit, short enough not to hold up ours for a slow reader.
  constexpr std::chrono::milliseconds kPatience{10};
  REMIT_TRY(const fs::path path, prepare_file(options.path, Store::IfAbsent::Refuse));
  auto opened = Database::open(path, OpenMode::ReadWrite, kPatience, paced_vfs());
  if (!opened) return wrap(path.string(), std::move(opened).error());
  Database database = *std::move(opened);
  REMIT_CHECKED(database.exec("PRAGMA synchronous = NORMAL"));
  FileHandle log(::open((path.string() + "-wal").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (log.get() < 0) return system_failure(path, "its log cannot be opened");
  return LogKeeper(std::move(database), std::move(log));
}

// SQLite syncs the log before it copies of it. Thousands of pages in one sync keep the processor
// for milliseconds, so most of them are on their way before. Only a hint: the sync waits for all,
// and is told of what failed.
void LogKeeper::start_writing_log() {
  constexpr std::int64_t kPiece = std::int64_t{kPacedPages} * 4096 * 2;
  struct stat facts{};
  if (::fstat(log_.get(), &facts) != 0) return;
  for (std::int64_t at = copied_bytes_; at < facts.st_size; at += kPiece) {
    if (::sync_file_range(log_.get(), at, kPiece, SYNC_FILE_RANGE_WRITE) != 0) return;
    pace();
  }
}

// https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
Result<std::int64_t> LogKeeper::copy(bool paced) {
  constexpr std::int64_t kFrame = 4096 + 24;  // a page in the log
  database_.pace(paced);
  if (paced) start_writing_log();
  REMIT_TRY(Statement checkpoint, database_.prepare("PRAGMA wal_checkpoint(PASSIVE)"));
  REMIT_TRY([[maybe_unused]] const bool row, checkpoint.step());
  const std::int64_t pages = checkpoint.integer(1);
  checkpoint.reset();
  copied_bytes_ = std::max<std::int64_t>(pages, 0) * kFrame;
  // Unless it copied everything, SQLite leaves this to the next checkpoint, which is restart().
  if (paced) REMIT_CHECKED(database_.sync());
  return pages;
}

Result<> LogKeeper::restart() {
  copied_bytes_ = 0;
  database_.pace(false);
  return database_.exec("PRAGMA wal_checkpoint(RESTART)");
}

}  // namespace remit::ledger
