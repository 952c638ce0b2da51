#include "gateway/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"

namespace remit::gateway {
namespace {

constexpr std::size_t kReadSize = 64 << 10;
constexpr std::size_t kShownOfALine = 2000;
constexpr std::uint64_t kLogLinesAMinute = 300;
constexpr std::uint64_t kNoiseShown = 20;

// Control characters would let an upstream write into the terminal of who reads the log.
std::string printable(std::string_view text, std::size_t most) {
  std::string out(utf8_prefix(text, most));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return out;
}

}  // namespace

Connection::Connection(net::Loop& loop, const Clock& clock, Log& log, std::string name,
                       std::shared_ptr<Child> child, Limits limits)
    : loop_(loop),
      clock_(clock),
      log_(log),
      name_(std::move(name)),
      child_(std::move(child)),
      limits_(limits) {}

void Connection::run(UpstreamEvents* events) {
  events_ = events;
  net::spawn(loop_, read_messages(shared_from_this()));
  net::spawn(loop_, read_log(shared_from_this()));
}

std::shared_ptr<Pending> Connection::request(std::string_view method, std::string_view params) {
  auto pending = std::make_shared<Pending>(loop_, next_id_++);
  if (closed_) {
    pending->error = Error{ErrorCode::Unavailable, name_ + " " + child_->how_it_ended()};
    pending->done.set();
    return pending;
  }
  pending_.emplace(pending->id, pending);
  send(mcp::request_line(pending->id, method, params));
  return pending;
}

net::Task<Result<mcp::Message>> Connection::call(std::string method, std::string params,
                                                 std::chrono::milliseconds limit) {
  const auto pending = request(method, params);
  const bool answered = co_await pending->done.wait_for(limit);
  if (!answered) {
    forget(pending->id);
    co_return fail(ErrorCode::LimitExceeded,
                   fmt::format("{} did not answer {} within {} ms", name_, method, limit.count()));
  }
  if (pending->error) co_return std::unexpected(*pending->error);
  co_return std::move(*pending->message);
}

void Connection::notify(std::string_view method, std::string_view params) {
  send(mcp::notification_line(method, params));
}

void Connection::answer(std::string line) { send(std::move(line)); }

net::Task<Result<mcp::Initialized>> Connection::open(mcp::Revision revision,
                                                     std::string capabilities, std::string version,
                                                     std::chrono::milliseconds limit) {
  auto answer = co_await call(
      "initialize", mcp::initialize_params(revision, capabilities, "remit", version), limit);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (answer->error) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("{} refused initialize: {}", name_,
                               printable(answer->error->find("message")->string(), 500)));
  }
  auto facts = mcp::read_initialize_result(*answer->result);
  if (facts) notify("notifications/initialized", "");
  co_return facts;
}

void Connection::send(std::string line) {
  if (closed_) return;
  queued_ += line.size();
  if (queued_ > limits_.max_queued) {
    log_.warn("upstream.does-not-read", {{"upstream", name_}});
    return end("does not read what it is sent");
  }
  queue_.push_back(std::move(line));
  if (!std::exchange(writing_, true)) net::spawn(loop_, write_lines(shared_from_this()));
}

net::Task<> Connection::write_lines(std::shared_ptr<Connection> self) {
  while (!self->queue_.empty() && !self->closed_) {
    const std::string line = std::move(self->queue_.front());
    self->queue_.pop_front();
    const auto written = co_await self->child_->write(line);
    self->queued_ -= line.size();
    // Its end shows on its output: nothing to do about it here.
    if (!written) break;
  }
  self->writing_ = false;
}

net::Task<> Connection::read_messages(std::shared_ptr<Connection> self) {
  std::vector<char> buffer(kReadSize);
  mcp::LineReader lines(self->limits_.max_line);
  while (!self->closed_) {
    const std::size_t size = co_await self->child_->read_output(buffer);
    if (size == 0) break;
    lines.feed({buffer.data(), size});
    while (auto line = lines.next()) self->take(*std::move(line));
  }
  // Without output it can answer nothing more: its end follows, or is made.
  const bool gone = co_await self->child_->wait_for(std::chrono::milliseconds(500));
  if (!gone && !self->closing_) self->child_->kill();
  self->end(gone ? self->child_->how_it_ended() : "closed its output");
}

void Connection::take(mcp::Line line) {
  if (line.too_long) {
    noise("too-long", "");
    const Error error{ErrorCode::LimitExceeded, fmt::format("{} answered with more than {} MiB",
                                                            name_, limits_.max_line >> 20)};
    for (auto& [id, pending] : std::exchange(pending_, {})) {
      pending->error = error;
      pending->done.set();
    }
    return;
  }
  auto message =
      mcp::read_message(std::string(line.text), {.max_bytes = limits_.max_line,
                                                 .max_depth = mcp::kMessageLimits.max_depth,
                                                 .max_values = mcp::kMessageLimits.max_values});
  if (!message) return noise(message.error().message, line.text);
  switch (message->kind) {
    case mcp::MessageKind::Response:
    case mcp::MessageKind::ErrorResponse:
      return take_response(*std::move(message));
    case mcp::MessageKind::Notification:
      if (events_ != nullptr) events_->on_notification(*message);
      return;
    case mcp::MessageKind::Request:
      if (message->method == "ping") return answer(mcp::result_line(message->raw_id(), "{}"));
      if (events_ != nullptr) return events_->on_request(*std::move(message));
      return answer(mcp::error_line(message->raw_id(), mcp::kMethodNotFound, "not available"));
  }
}

void Connection::take_response(mcp::Message message) {
  const auto id = message.id ? message.id->as_int64() : std::nullopt;
  const auto found = id ? pending_.find(*id) : pending_.end();
  // The answer to something that was cancelled or timed out, or to nothing we asked.
  if (found == pending_.end()) return;
  const auto pending = std::move(found->second);
  pending_.erase(found);
  pending->message = std::move(message);
  pending->done.set();
}

void Connection::noise(std::string_view what, std::string_view text) {
  ++noise_;
  if (noise_ <= kNoiseShown) {
    log_.warn(
        "upstream.noise",
        {{"upstream", name_}, {"fault", what}, {"line", std::string_view(printable(text, 200))}});
  }
  if (noise_ == limits_.max_noise) {
    log_.error("upstream.too-much-noise", {{"upstream", name_}});
    end("wrote too much to its output that is no message");
  }
}

net::Task<> Connection::read_log(std::shared_ptr<Connection> self) {
  std::vector<char> buffer(8 << 10);
  mcp::LineReader lines(16 << 10);
  while (true) {
    const std::size_t size = co_await self->child_->read_errors(buffer);
    if (size == 0) co_return;
    lines.feed({buffer.data(), size});
    while (auto line = lines.next()) self->log_line(line->too_long ? "(a long line)" : line->text);
  }
}

void Connection::log_line(std::string_view text) {
  last_log_line_ = printable(text, 300);
  const auto now = clock_.steady();
  if (now - log_minute_ > std::chrono::minutes(1)) {
    log_minute_ = now;
    log_lines_ = 0;
  }
  if (++log_lines_ > kLogLinesAMinute) {
    if (log_lines_ == kLogLinesAMinute + 1) {
      log_.warn("upstream.log-cut", {{"upstream", name_}});
    }
    return;
  }
  log_.info("upstream.log",
            {{"upstream", name_}, {"line", std::string_view(printable(text, kShownOfALine))}});
}

void Connection::end(std::string why) {
  if (std::exchange(closed_, true)) return;
  child_->kill();
  queue_.clear();
  const Error error{ErrorCode::Unavailable, fmt::format("upstream {} {}", name_, why)};
  for (auto& [id, pending] : std::exchange(pending_, {})) {
    pending->error = error;
    pending->done.set();
  }
  if (auto* events = std::exchange(events_, nullptr)) events->on_closed();
}

void Connection::kill() { end("was ended"); }

net::Task<> Connection::close(std::shared_ptr<Connection> self,
                              std::chrono::milliseconds patience) {
  self->closing_ = true;
  const auto child = self->child_;
  child->close_input();
  if (!co_await child->wait_for(patience)) {
    child->terminate();
    if (!co_await child->wait_for(patience)) child->kill();
  }
  co_await child->wait();
  self->end("was ended");
}

}  // namespace remit::gateway
