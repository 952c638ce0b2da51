#pragma once

// One tools/call from its arrival to its answer: decide, record, mint, take a lane, forward,
// finish. Nothing is forwarded before the decision is durable in the ledger.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "gateway/journal.h"
#include "gateway/sessions.h"
#include "gateway/toolbox.h"
#include "gateway/upstreams.h"
#include "mcp/message.h"
#include "remit/config.h"
#include "remit/limits.h"
#include "remit/session.h"

namespace remit::gateway {

// A call as the front keeps it while it runs.
struct ToolCall {
  explicit ToolCall(mcp::Message request_message) : request(std::move(request_message)) {}

  mcp::Message request;
  std::string id;                    // in ledger and receipt
  std::shared_ptr<Pending> pending;  // the upstream's answer, while one is awaited
  bool cancelled = false;
};

// All must outlive the Calls.
struct CallParts {
  net::Loop& loop;
  const Clock& clock;
  Random& random;
  Log& log;
  rules::Planner& planner;
  rules::RateLimits& limits;
  Sessions& sessions;
  Journal& journal;
  Toolbox& toolbox;
  Upstreams& upstreams;
};

class Calls {
 public:
  Calls(CallParts parts, std::shared_ptr<const rules::Config> config)
      : parts_(parts), config_(std::move(config)) {}

  // The whole line to answer with; empty when the call was cancelled. The awaiting caller keeps the
  // Calls alive.
  net::Task<std::string> run(std::shared_ptr<ToolCall> call);
  void cancel(ToolCall& call);

 private:
  struct Decision {
    std::shared_ptr<const Tool> tool;  // null: unknown to this agent
    std::string asked_for;             // the name as the agent wrote it
    std::shared_ptr<const rules::SessionPlan> plan;
    std::optional<int> protocol_error;  // JSON-RPC code instead of a tool result
    std::string denied;                 // reason; empty: allowed
  };
  struct Answer {
    std::string line;
    CallOutcome outcome;
    std::string reason;
  };

  Decision decide(const ToolCall& call);
  void bind(const mcp::Message& request, Decision& decision);
  net::Task<Result<>> record(const ToolCall& call, const Decision& decision);
  net::Task<Answer> perform(std::shared_ptr<ToolCall> call, Decision decision);
  net::Task<Answer> forward(std::shared_ptr<ToolCall> call, Decision decision,
                            LanePool::Leased process, std::shared_ptr<Call> in_force,
                            std::chrono::steady_clock::time_point deadline);
  std::shared_ptr<Call> make_call(const ToolCall& call, const Decision& decision,
                                  const Sessions::Acquired& acquired, const LanePool& pool);
  Answer finish(const ToolCall& call, const mcp::Message& answer, const Call& in_force) const;
  Answer failure(const ToolCall& call, const Decision& decision, const Call* in_force,
                 std::string_view outcome, std::string reason) const;
  std::string denial_line(const ToolCall& call, const Decision& decision) const;

  CallParts parts_;
  std::shared_ptr<const rules::Config> config_;
  std::int64_t next_progress_ = 1;
};

}  // namespace remit::gateway
