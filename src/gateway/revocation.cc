#include "gateway/revocation.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "aws/credentials.h"
#include "base/file_handle.h"
#include "json/json.h"
#include "json/writer.h"

namespace remit::gateway {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::uintmax_t kMostAtOnce = 1 << 20;

std::string error_text(int error) { return std::generic_category().message(error); }

// Whoever may write the file ends calls of others: only its owner may, and we must be that.
Result<> check_owner(int fd, const std::filesystem::path& file) {
  struct stat about{};
  if (fstat(fd, &about) != 0) return fail(ErrorCode::Unavailable, error_text(errno));
  if (!S_ISREG(about.st_mode) || about.st_uid != geteuid() || (about.st_mode & 022) != 0) {
    return fail(ErrorCode::Denied,
                file.string() + ": must be a file of ours that nobody else may write");
  }
  return {};
}

}  // namespace

bool Revocation::fits(std::string_view its_call, std::string_view its_remit,
                      std::string_view its_role, std::string_view its_session) const {
  const auto fit = [](const std::string& wanted, std::string_view is) {
    return wanted.empty() || wanted == is;
  };
  return fit(call, its_call) && fit(remit, its_remit) && fit(role, its_role) &&
         fit(session_name, its_session);
}

std::string to_line(const Revocation& revocation) {
  json::Writer writer;
  writer.begin_object();
  writer.key("by").string(revocation.by);
  writer.key("call").string(revocation.call);
  writer.key("hold_seconds").integer(revocation.hold.count());
  writer.key("id").string(revocation.id);
  writer.key("remit").string(revocation.remit);
  writer.key("role").string(revocation.role);
  writer.key("session_name").string(revocation.session_name);
  writer.key("time").string(
      fmt::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(revocation.time)));
  writer.end_object();
  return std::move(writer).take() + "\n";
}

Result<Revocation> parse_revocation(std::string_view line) {
  const auto malformed = [] { return fail(ErrorCode::InvalidInput, "no order to revoke"); };
  if (line.size() > kLongestLine) return malformed();
  const auto read = json::parse(std::string(line));
  if (!read || !read->root().is(json::Kind::Object)) return malformed();
  Revocation revocation;
  // A member that is not known could narrow what is revoked: do not guess.
  for (const json::Member member : read->root().members()) {
    const std::pair<std::string_view, std::string*> texts[] = {
        {"by", &revocation.by},     {"call", &revocation.call},
        {"id", &revocation.id},     {"remit", &revocation.remit},
        {"role", &revocation.role}, {"session_name", &revocation.session_name},
    };
    bool known = false;
    for (const auto& [name, field] : texts) {
      if (member.key != name) continue;
      const auto text = member.value.as_string();
      if (!text) return malformed();
      *field = *text;
      known = true;
    }
    if (member.key == "hold_seconds") {
      const auto seconds = member.value.as_int64();
      if (!seconds || *seconds < 0) return malformed();
      revocation.hold = std::chrono::seconds(*seconds);
      known = true;
    }
    if (member.key == "time") {
      const auto text = member.value.as_string();
      if (!text) return malformed();
      REMIT_TRY(revocation.time, aws::parse_iso8601(*text));
      known = true;
    }
    if (!known) return malformed();
  }
  if (revocation.id.empty()) return malformed();
  return revocation;
}

std::filesystem::path revocation_file(const std::filesystem::path& ledger) {
  return ledger.string() + ".revoked";
}

Result<> order(const std::filesystem::path& file, const Revocation& revocation) {
  const FileHandle opened(
      open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (opened.get() < 0) {
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot write {}: {}", file.string(), error_text(errno)));
  }
  REMIT_CHECKED(check_owner(opened.get(), file));
  const std::string line = to_line(revocation);
  if (line.size() > kLongestLine) return fail(ErrorCode::InvalidInput, "the order is too long");
  // One write of an append is not mixed with another's.
  const ssize_t size = write(opened.get(), line.data(), line.size());
  if (size == static_cast<ssize_t>(line.size()) && fsync(opened.get()) == 0) return {};
  return fail(ErrorCode::Unavailable,
              fmt::format("cannot write {}: {}", file.string(), error_text(errno)));
}

Result<std::vector<Revocation>> RevocationWatch::read() {
  std::vector<Revocation> orders;
  struct stat about{};
  if (stat(file_.c_str(), &about) != 0) {
    if (errno != ENOENT) {
      return fail(ErrorCode::Unavailable,
                  fmt::format("cannot look at {}: {}", file_.string(), error_text(errno)));
    }
    offset_ = 0;  // nobody has ordered anything, or the file was put away
    return orders;
  }
  const auto size = static_cast<std::uintmax_t>(about.st_size);
  if (size < offset_) offset_ = 0;
  if (size == offset_) return orders;
  const FileHandle opened(open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (opened.get() < 0) {
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot read {}: {}", file_.string(), error_text(errno)));
  }
  REMIT_CHECKED(check_owner(opened.get(), file_));
  std::string text(static_cast<std::size_t>(std::min(size - offset_, kMostAtOnce)), '\0');
  const ssize_t got = pread(opened.get(), text.data(), text.size(), static_cast<off_t>(offset_));
  if (got < 0) return fail(ErrorCode::Unavailable, error_text(errno));
  text.resize(static_cast<std::size_t>(got));
  std::string_view rest = text;
  for (std::size_t end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    auto one = parse_revocation(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    offset_ += end + 1;
    if (one) {
      orders.push_back(*std::move(one));
      continue;
    }
    // Somebody wanted something ended, and nobody can tell what: all of it.
    Revocation everything;
    everything.id = "unreadable";
    orders.push_back(std::move(everything));
  }
  if (rest.size() > kLongestLine) offset_ += rest.size();
  return orders;
}

Result<std::vector<Revocation>> RevocationWatch::begin(TimePoint now) {
  std::vector<Revocation> held;
  while (true) {
    const auto before = offset_;
    REMIT_TRY(std::vector<Revocation> orders, read());
    for (Revocation& one : orders) {
      if (one.hold.count() > 0 && one.time + one.hold > now) held.push_back(std::move(one));
    }
    if (offset_ == before) return held;
  }
}

Result<std::vector<Revocation>> RevocationWatch::poll() { return read(); }

}  // namespace remit::gateway
