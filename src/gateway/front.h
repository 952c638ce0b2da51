#pragma once

// The agent's side of the gateway: one MCP client over one connection. Reads its messages, answers
// what the gateway answers itself, runs tool calls side by side, carries questions of upstreams to
// the agent and its answers back.
//
// A flooding agent costs a bounded amount: kMaxCalls run, kMaxWaiting more are kept; while that
// many are there, or the agent does not read its answers, nothing more is read from it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/log.h"
#include "gateway/agent.h"
#include "gateway/tool_call.h"
#include "gateway/toolbox.h"
#include "gateway/upstreams.h"
#include "mcp/era.h"
#include "mcp/framing.h"
#include "net/task.h"

namespace remit::gateway {

// Where the agent's bytes come from and go to.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual net::Task<std::size_t> read(std::span<char> into) = 0;  // 0: the agent is gone
  virtual net::Task<bool> write(std::string_view bytes) = 0;      // all; false: it is gone
  virtual void close() = 0;                                       // pending reads end
};

struct FrontParts {
  net::Loop& loop;
  Log& log;
  Wire& wire;
  Calls& calls;
  Toolbox& toolbox;
  Upstreams& upstreams;
};

class Front final : public Agent {
 public:
  Front(FrontParts parts, std::unique_ptr<mcp::Era> era);

  static constexpr std::size_t kMaxCalls = 256;                     // at once, running or waiting
  static constexpr std::size_t kMaxHeld = std::size_t{96} << 20;    // bytes of their messages
  static constexpr std::size_t kMaxUnread = std::size_t{64} << 20;  // bytes the agent does not read
  static constexpr std::size_t kMaxUnreadTalk = std::size_t{1} << 20;  // for what may be lost
  static constexpr std::uint64_t kMaxGarbage = 1'000;                  // lines that are no messages

  // Serves until the agent is gone or stop() was called; then all calls have ended.
  net::Task<> serve();
  void stop();

  std::shared_ptr<const mcp::Caller> caller() const override { return era_->caller(); }
  void notify(std::string_view method, std::string_view params) override;
  void notify_if_it_reads(std::string_view method, std::string_view params) override;
  std::shared_ptr<Question> ask(std::string_view method, std::string_view params) override;
  void withdraw(const std::shared_ptr<Question>& question, std::string_view reason) override;

 private:
  void take(mcp::Line line);
  void take_request(mcp::Message message);
  void take_notification(const mcp::Message& message);
  void take_answer(mcp::Message message);
  void cancel(const mcp::Message& message);
  void start_call(mcp::Message message);
  net::Task<> run_call(std::shared_ptr<ToolCall> call, std::string key);
  net::Task<> list_tools(mcp::Message message);
  net::Task<> room_to_read();
  net::Task<> write_lines();
  void send(std::string line);
  void agent_is_gone();

  FrontParts parts_;
  std::unique_ptr<mcp::Era> era_;
  std::map<std::string, std::shared_ptr<ToolCall>> calls_;  // by the agent's id
  std::size_t held_ = 0;                                    // bytes of their messages
  std::size_t lists_ = 0;                                   // tools/list being answered
  std::map<std::int64_t, std::shared_ptr<Question>> questions_;
  std::int64_t next_question_ = 1;
  std::deque<std::string> unread_;
  std::size_t unread_bytes_ = 0;
  bool writing_ = false;
  bool gone_ = false;
  std::uint64_t garbage_ = 0;
  net::Event less_;  // set when something ended or was read
};

}  // namespace remit::gateway
