#pragma once

// Ending sessions at once, by a person: `remit revoke` appends a line to a file beside the ledger,
// and every gateway of that ledger reads it within a quarter of a second, drops the sessions that
// it names, ends the calls that act as them and says so in the ledger. A file, because it needs no
// listener that others could reach, holds for every gateway of the ledger, and is protected as the
// ledger is (docs/decisions/0011-revocation-by-file.md).

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace remit::gateway {

// What is revoked. Of several fields all must fit; none: everything.
struct Revocation {
  std::string id;  // of the order: the ledger's record repeats it
  std::string call;
  std::string remit;
  std::string role;
  std::string session_name;
  TimePoint time{};
  std::chrono::seconds hold{0};  // for so long nothing that fits is minted again
  std::string by;                // the user who ordered it

  bool fits(std::string_view its_call, std::string_view its_remit, std::string_view its_role,
            std::string_view its_session) const;
};

std::string to_line(const Revocation& revocation);  // JSON, with its line feed
Result<Revocation> parse_revocation(std::string_view line);

// "ledger.db" → "ledger.db.revoked".
std::filesystem::path revocation_file(const std::filesystem::path& ledger);

// Appends one order. The file is made with mode 0600; one that others may write is refused.
Result<> order(const std::filesystem::path& file, const Revocation& revocation);

// Reads what was appended since it was last asked.
class RevocationWatch {
 public:
  explicit RevocationWatch(std::filesystem::path file) : file_(std::move(file)) {}

  // At the start: orders given before are done, but what they hold may still be held.
  Result<std::vector<Revocation>> begin(TimePoint now);
  // An error is told once: the file cannot be trusted or read.
  Result<std::vector<Revocation>> poll();

 private:
  Result<std::vector<Revocation>> read();

  std::filesystem::path file_;
  std::uintmax_t offset_ = 0;
};

}  // namespace remit::gateway
