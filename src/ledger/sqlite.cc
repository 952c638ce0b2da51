#include "ledger/sqlite.h"

#include <sqlite3.h>

#include "ledger/paced.h"

namespace remit::ledger {
namespace {

// SQLite's code in words that say what to do about it.
Error error_of(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {ErrorCode::Unavailable, "disk full"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::Unavailable, "another process has kept the ledger locked too long"};
    case SQLITE_READONLY:
      return {ErrorCode::Unavailable, "the file or its folder is read-only"};
    case SQLITE_CORRUPT:
      return {ErrorCode::InvalidInput, "the file is damaged"};
    case SQLITE_NOTADB:
      return {ErrorCode::InvalidInput, "the file is not a ledger"};
    case SQLITE_CANTOPEN:
      return {ErrorCode::Unavailable, "the file cannot be opened"};
    case SQLITE_IOERR:
      return {ErrorCode::Unavailable, "I/O error: " + std::string(sqlite3_errmsg(database))};
    default:
      return {ErrorCode::Unavailable, sqlite3_errmsg(database)};
  }
}

// SQLite counts its memory under one lock for the whole process, for figures that nobody asks for.
// May be said once, before its first use.
// https://www.sqlite.org/c3ref/c_config_covering_index_scan.html
void count_no_memory() {
  static const int kSaid = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(kSaid);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void Statement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), index, number);
}

void Statement::bind_text(int index, std::string_view text) {
  const char* const bytes = text.data() == nullptr ? "" : text.data();  // null would bind NULL
  sqlite3_bind_text64(statement_.get(), index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_blob(int index, std::span<const std::byte> bytes) {
  sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_STATIC);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = error_of(sqlite3_db_handle(statement_.get()));
  sqlite3_reset(statement_.get());
  return std::unexpected(std::move(error));
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Close::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::filesystem::path& path, OpenMode mode,
                                std::chrono::milliseconds busy_timeout, const char* vfs) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                    (mode == OpenMode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  count_no_memory();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs);
  Database database(handle);
  if (code != SQLITE_OK) {
    return std::unexpected(handle == nullptr ? Error{ErrorCode::Unavailable, "out of memory"}
                                             : error_of(handle));
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
  // A file from elsewhere must not run code of its own choosing through its schema.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

Result<> Database::exec(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(error_of(database_.get()));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(error_of(database_.get()));
  }
  return Statement(statement);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  REMIT_TRY(Statement statement, prepare(sql));
  REMIT_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

void Database::set_busy_timeout(std::chrono::milliseconds busy_timeout) {
  sqlite3_busy_timeout(database_.get(), static_cast<int>(busy_timeout.count()));
}

bool Database::is_busy() const {
  const int code = sqlite3_errcode(database_.get()) & 0xFF;
  return code == SQLITE_BUSY || code == SQLITE_LOCKED;
}

void Database::leave_log() {
  const auto note = [](void* pages, sqlite3*, const char*, int in_log) {
    *static_cast<int*>(pages) = in_log;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), note, log_pages_.get());
}

std::uint32_t Database::data_version() const {
  std::uint32_t version = 0;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_DATA_VERSION, &version);
  return version;
}

void Database::pace(bool paced) { set_paced(database_.get(), paced); }

Result<> Database::sync() {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_FILE_POINTER,
                       static_cast<void*>(&file));
  if (file == nullptr || file->pMethods == nullptr) {
    return fail(ErrorCode::Unavailable, "the file is not open");
  }
  if (file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) == SQLITE_OK)
    return {};
  return fail(ErrorCode::Unavailable, "I/O error: the file cannot be synced");
}

bool Database::file_moved() const {
  int moved = 0;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

}  // namespace remit::ledger
