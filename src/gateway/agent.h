#pragma once

// The agent as the rest of the gateway sees it: somebody who can be told and asked things.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mcp/era.h"
#include "mcp/message.h"
#include "net/task.h"

namespace remit::gateway {

// Something an upstream asked the agent (sampling, elicitation, roots). `done` is set when the
// agent answered or can no longer do so.
struct Question {
  explicit Question(net::Loop& loop, std::int64_t number) : id(number), done(loop) {}
  std::int64_t id;
  net::Event done;
  std::optional<mcp::Message> answer;  // Response or ErrorResponse; absent: withdrawn, agent gone
};

class Agent {
 public:
  virtual ~Agent() = default;
  // Null until it has said who it is.
  virtual std::shared_ptr<const mcp::Caller> caller() const = 0;
  virtual void notify(std::string_view method, std::string_view params) = 0;
  // The same for what may be lost when the agent does not read: log messages, progress.
  virtual void notify_if_it_reads(std::string_view method, std::string_view params) = 0;
  virtual std::shared_ptr<Question> ask(std::string_view method, std::string_view params) = 0;
  virtual void withdraw(const std::shared_ptr<Question>& question, std::string_view reason) = 0;
};

}  // namespace remit::gateway
