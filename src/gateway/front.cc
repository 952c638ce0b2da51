#include "gateway/front.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "json/writer.h"

namespace remit::gateway {
namespace {

constexpr std::size_t kReadAtOnce = 64 << 10;
constexpr std::chrono::milliseconds kLastWords{1'000};

}  // namespace

Front::Front(FrontParts parts, std::unique_ptr<mcp::Era> era)
    : parts_(parts), era_(std::move(era)), less_(parts.loop) {}

net::Task<> Front::serve() {
  std::vector<char> buffer(kReadAtOnce);
  mcp::LineReader lines;
  while (!gone_) {
    const std::size_t size = co_await parts_.wire.read(buffer);
    if (size == 0) break;
    lines.feed({buffer.data(), size});
    while (!gone_) {
      auto line = lines.next();
      if (!line) break;
      take(*std::move(line));
      co_await room_to_read();
    }
  }
  // Its input has ended; it may still read what was answered already.
  while (writing_ && !gone_) {
    less_.reset();
    if (!co_await less_.wait_for(kLastWords)) break;
  }
  agent_is_gone();
  while (!calls_.empty() || lists_ > 0 || writing_) {
    less_.reset();
    co_await less_.wait();
  }
}

void Front::stop() { agent_is_gone(); }

void Front::agent_is_gone() {
  if (std::exchange(gone_, true)) return;
  parts_.wire.close();
  unread_.clear();
  for (auto& [id, question] : std::exchange(questions_, {})) question->done.set();
  for (auto& [key, call] : calls_) parts_.calls.cancel(*call);
  less_.set();
}

net::Task<> Front::room_to_read() {
  const auto full = [this] {
    return calls_.size() >= kMaxCalls || held_ >= kMaxHeld || unread_bytes_ >= kMaxUnread ||
           lists_ >= kMaxCalls;
  };
  while (!gone_ && full()) {
    less_.reset();
    co_await less_.wait();
  }
}

void Front::take(mcp::Line line) {
  auto message =
      line.too_long
          ? std::expected<mcp::Message, mcp::Malformed>(std::unexpected(mcp::Malformed{
                .code = mcp::kInvalidRequest,
                .message = fmt::format("a message is longer than {} MiB", mcp::kMaxLine >> 20)}))
          : mcp::read_message(std::move(line.text));
  if (!message) {
    ++garbage_;
    parts_.log.warn("agent.malformed", {{"reason", std::string_view(message.error().message)}});
    send(mcp::error_line(message.error().raw_id, message.error().code, message.error().message));
    if (garbage_ >= kMaxGarbage) {
      parts_.log.error("agent.too-much-garbage");
      agent_is_gone();
    }
    return;
  }
  if (message->kind == mcp::MessageKind::Response ||
      message->kind == mcp::MessageKind::ErrorResponse) {
    return take_answer(*std::move(message));
  }
  auto admission = era_->admit(*message);
  if (auto* answered = std::get_if<mcp::Answered>(&admission)) {
    send(std::move(answered->line));
    if (era_->caller()) parts_.upstreams.begin(*this);
    return;
  }
  if (std::holds_alternative<mcp::Ignored>(admission)) return;
  if (message->kind == mcp::MessageKind::Notification) return take_notification(*message);
  take_request(*std::move(message));
}

void Front::take_request(mcp::Message message) {
  if (message.method == "tools/call") return start_call(std::move(message));
  if (message.method == "tools/list") {
    ++lists_;
    return net::spawn(parts_.loop, list_tools(std::move(message)));
  }
  if (message.method == "logging/setLevel") {
    const auto level = message.params ? message.params->find("level") : std::nullopt;
    if (!level || !level->is(json::Kind::String)) {
      return send(mcp::error_line(message.raw_id(), mcp::kInvalidParams, "a level is needed"));
    }
    parts_.upstreams.set_log_level(std::string(message.raw_params()));
    return send(mcp::result_line(message.raw_id(), "{}"));
  }
  send(mcp::error_line(message.raw_id(), mcp::kMethodNotFound,
                       fmt::format("method not found: {:.128}", message.method)));
}

void Front::take_notification(const mcp::Message& message) {
  if (message.method == "notifications/cancelled") return cancel(message);
  if (message.method == "notifications/roots/list_changed") return parts_.upstreams.roots_changed();
}

void Front::cancel(const mcp::Message& message) {
  const auto id = message.params ? message.params->find("requestId") : std::nullopt;
  if (!id) return;
  const auto found = calls_.find(mcp::id_key(*id));
  if (found != calls_.end()) parts_.calls.cancel(*found->second);
}

void Front::start_call(mcp::Message message) {
  std::string key = mcp::id_key(*message.id);
  if (calls_.contains(key)) {
    return send(mcp::error_line(message.raw_id(), mcp::kInvalidRequest, "the id is in use"));
  }
  auto call = std::make_shared<ToolCall>(std::move(message));
  held_ += call->request.document.text().size();
  calls_.emplace(key, call);
  net::spawn(parts_.loop, run_call(std::move(call), std::move(key)));
}

net::Task<> Front::run_call(std::shared_ptr<ToolCall> call, std::string key) {
  std::string line = co_await parts_.calls.run(call);
  calls_.erase(key);
  held_ -= call->request.document.text().size();
  if (!line.empty()) send(std::move(line));
  less_.set();
}

net::Task<> Front::list_tools(mcp::Message message) {
  co_await parts_.upstreams.known();
  const auto cursor = message.params ? message.params->find("cursor") : std::nullopt;
  const auto page = cursor && !cursor->is(json::Kind::String)
                        ? Result<std::string>(fail(ErrorCode::InvalidInput, "cursor is no string"))
                        : parts_.toolbox.page(cursor ? cursor->as_string() : std::nullopt);
  send(page ? mcp::result_line(message.raw_id(), *page)
            : mcp::error_line(message.raw_id(), mcp::kInvalidParams, page.error().message));
  --lists_;
  less_.set();
}

void Front::take_answer(mcp::Message message) {
  const auto id = message.id ? message.id->as_int64() : std::nullopt;
  const auto found = id ? questions_.find(*id) : questions_.end();
  if (found == questions_.end()) return;
  const auto question = std::move(found->second);
  questions_.erase(found);
  question->answer = std::move(message);
  question->done.set();
}

void Front::notify(std::string_view method, std::string_view params) {
  send(mcp::notification_line(method, params));
}

void Front::notify_if_it_reads(std::string_view method, std::string_view params) {
  if (unread_bytes_ < kMaxUnreadTalk) notify(method, params);
}

std::shared_ptr<Question> Front::ask(std::string_view method, std::string_view params) {
  auto question = std::make_shared<Question>(parts_.loop, next_question_++);
  if (gone_) {
    question->done.set();
    return question;
  }
  questions_.emplace(question->id, question);
  send(mcp::request_line(question->id, method, params));
  return question;
}

void Front::withdraw(const std::shared_ptr<Question>& question, std::string_view reason) {
  if (questions_.erase(question->id) == 0) return;
  json::Writer w;
  w.begin_object().key("requestId").integer(question->id).key("reason").string(reason).end_object();
  notify("notifications/cancelled", std::move(w).take());
  question->done.set();
}

void Front::send(std::string line) {
  if (gone_) return;
  unread_bytes_ += line.size();
  unread_.push_back(std::move(line));
  if (!std::exchange(writing_, true)) net::spawn(parts_.loop, write_lines());
}

net::Task<> Front::write_lines() {
  while (!unread_.empty()) {
    const std::string line = std::move(unread_.front());
    unread_.pop_front();
    const bool written = co_await parts_.wire.write(line);
    unread_bytes_ -= line.size();
    less_.set();
    if (!written) break;
  }
  writing_ = false;
  less_.set();
}

}  // namespace remit::gateway
