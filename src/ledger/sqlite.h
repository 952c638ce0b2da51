#pragma once

// A thin layer over SQLite's C interface: owners for its handles, Results for its codes. One
// connection belongs to one thread at a time.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace remit::ledger {

enum class OpenMode : std::uint8_t { ReadOnly, ReadWrite };

// A prepared statement. Bound bytes must live until the next reset() or step() that follows.
class Statement {
 public:
  void bind(int index, std::int64_t number);
  void bind_text(int index, std::string_view text);
  void bind_blob(int index, std::span<const std::byte> bytes);

  Result<bool> step();  // true: a row stands ready
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step() or reset()
  std::string_view blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // The file must exist. `path` may not be a symbolic link. `vfs`: see paced_vfs(); null: SQLite's
  // own.
  static Result<Database> open(const std::filesystem::path& path, OpenMode mode,
                               std::chrono::milliseconds busy_timeout, const char* vfs = nullptr);

  Result<> exec(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  Result<std::int64_t> integer(std::string_view sql);  // the first column of the first row
  bool in_transaction() const;
  // How long statements wait for another connection's lock before they fail with is_busy().
  void set_busy_timeout(std::chrono::milliseconds busy_timeout);
  // The last failure was another connection's lock, not a fault.
  bool is_busy() const;
  // Commits no longer bring a grown log into the file: whoever calls this watches log_pages().
  void leave_log();
  int log_pages() const { return *log_pages_; }  // after the last commit
  // Changes when another connection committed; as of the transaction that is open.
  std::uint32_t data_version() const;
  void pace(bool paced);    // with paced_vfs() only
  Result<> sync();          // waits until the disk has what was written to the file itself
  bool file_moved() const;  // the path no longer names the open file

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<int> log_pages_ = std::make_unique<int>(0);  // SQLite holds its address
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace remit::ledger
