#pragma once

// The gateway as MCP client of one upstream process over stdio: requests and their answers, what
// the upstream asks or tells by itself, its noise and its log. Nothing of AWS here.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "gateway/child.h"
#include "mcp/era.h"
#include "mcp/framing.h"
#include "mcp/message.h"
#include "net/task.h"

namespace remit::gateway {

// What an upstream says unasked. Called on the loop; may start work, must not wait.
class UpstreamEvents {
 public:
  virtual ~UpstreamEvents() = default;
  virtual void on_notification(const mcp::Message& notification) = 0;
  // Answer with Connection::answer, now or later.
  virtual void on_request(mcp::Message request) = 0;
  virtual void on_closed() = 0;  // the process ended or its output did; once
};

// A request that was sent. `done` is set when `message` or `error` is there.
struct Pending {
  explicit Pending(net::Loop& loop, std::int64_t number) : id(number), done(loop) {}
  std::int64_t id;
  net::Event done;
  std::optional<mcp::Message> message;  // Response or ErrorResponse
  std::optional<Error> error;           // the upstream is gone, or its answer was unusable
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Limits {
    std::size_t max_line = mcp::kMaxLine;
    std::uint64_t max_noise = 10'000;                // lines on stdout that are no messages
    std::size_t max_queued = std::size_t{64} << 20;  // bytes it does not read
  };
  Connection(net::Loop& loop, const Clock& clock, Log& log, std::string name,
             std::shared_ptr<Child> child, Limits limits);

  // Starts to read. `events` must outlive the connection or be taken away by detach().
  void run(UpstreamEvents* events);
  void detach() { events_ = nullptr; }

  std::shared_ptr<Pending> request(std::string_view method, std::string_view params);
  // Waits for an answer; Unavailable when the upstream goes, LimitExceeded when `limit` passes.
  net::Task<Result<mcp::Message>> call(std::string method, std::string params,
                                       std::chrono::milliseconds limit);
  void forget(std::int64_t id) { pending_.erase(id); }
  void notify(std::string_view method, std::string_view params);
  void answer(std::string line);  // a whole line: mcp::result_line, mcp::error_line

  // initialize and notifications/initialized.
  net::Task<Result<mcp::Initialized>> open(mcp::Revision revision, std::string capabilities,
                                           std::string version, std::chrono::milliseconds limit);

  // Closes its input, waits, SIGTERM, waits, kills. Returns when it is gone.
  static net::Task<> close(std::shared_ptr<Connection> self, std::chrono::milliseconds patience);
  void kill();

  bool closed() const { return closed_; }
  const std::string& name() const { return name_; }
  const std::string& last_log_line() const { return last_log_line_; }
  Child& child() { return *child_; }

 private:
  static net::Task<> read_messages(std::shared_ptr<Connection> self);
  static net::Task<> read_log(std::shared_ptr<Connection> self);
  static net::Task<> write_lines(std::shared_ptr<Connection> self);
  void take(mcp::Line line);
  void take_response(mcp::Message message);
  void noise(std::string_view what, std::string_view text);
  void send(std::string line);
  void end(std::string why);
  void log_line(std::string_view text);

  net::Loop& loop_;
  const Clock& clock_;
  Log& log_;
  std::string name_;
  std::shared_ptr<Child> child_;
  Limits limits_;
  UpstreamEvents* events_ = nullptr;
  std::int64_t next_id_ = 1;
  std::map<std::int64_t, std::shared_ptr<Pending>> pending_;
  std::deque<std::string> queue_;
  std::size_t queued_ = 0;
  bool writing_ = false;
  bool closed_ = false;
  bool closing_ = false;
  std::uint64_t noise_ = 0;
  std::uint64_t log_lines_ = 0;
  std::string last_log_line_;
  std::chrono::steady_clock::time_point log_minute_{};
};

}  // namespace remit::gateway
