#pragma once

// The lanes of one upstream: at most `lanes` processes, each serving one call at a time, each owned
// by one key (isolate: the agent, the session key, or a single call). A call takes an idle lane of
// its own key, else one that served nobody yet, else a new one, else the place of an idle lane of
// another key; else it waits its turn. Destroy a pool only after drained() returned or its loop
// stopped.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "gateway/child.h"
#include "gateway/lane_process.h"
#include "net/task.h"
#include "remit/config.h"

namespace remit::gateway {

// What a pool needs of the gateway. All must outlive the pool.
class LaneHost {
 public:
  virtual ~LaneHost() = default;
  // What a new lane's process is told of the gateway.
  struct Facts {
    std::uint16_t egress_port = 0;
    std::string region;
    std::string ca_pem;
    std::string directory;                  // private directories are made below it
    std::string version;                    // of the gateway
    mcp::Revision revision = mcp::kNewest;  // spoken with the agent
    std::string capabilities = "{}";        // of the agent
    std::shared_ptr<const Supervisor> supervisor;
  };
  virtual Facts facts() const = 0;
  // The lane's own instance metadata, for processes that fetch their credentials there.
  virtual Result<std::unique_ptr<MetadataDoor>> open_metadata(std::shared_ptr<Lane> lane,
                                                              MayAsk may_ask) = 0;
  // The call in force while the process starts. An error keeps it from being started.
  virtual net::Task<Result<std::shared_ptr<Call>>> startup_call(
      const rules::Upstream& upstream) = 0;
  // Who hears what the process says unasked; lives as long as the process's connection runs.
  virtual std::unique_ptr<UpstreamEvents> listen(std::weak_ptr<LaneProcess> process) = 0;
};

struct PoolParts {
  net::Loop& loop;
  const Clock& clock;
  Random& random;
  Log& log;
  LaneTable& lanes;
  LaneHost& host;
};

class LanePool {
 public:
  LanePool(PoolParts parts, const rules::Upstream& upstream);
  ~LanePool();

  using Leased = std::shared_ptr<LaneProcess>;

  // A lane for a call of `owner`, marked busy, with no call in force yet. Errors: LimitExceeded
  // when no lane became free before `deadline`, Unavailable when the process does not start. The
  // awaiting caller keeps the pool alive. `cancelled` (may be null) ends the waiting.
  net::Task<Result<Leased>> acquire(std::string owner,
                                    std::chrono::steady_clock::time_point deadline,
                                    const bool* cancelled);
  // Gives it back. `reusable` false: the process is ended.
  void release(const Leased& process, bool reusable);

  // Starts a process and runs `ask` on it while its startup call is in force: for tools/list. The
  // process is idle afterwards and serves whoever comes first. Waits out the pause after failures.
  using Ask = std::function<net::Task<Result<>>(LaneProcess& process)>;
  net::Task<Result<>> ask(Ask ask);

  void wake();  // waiting calls look again: one of them was cancelled
  // Ends what is idle too long; called now and then.
  void sweep();
  // Asks all processes to end; nothing is started any more. drained() waits for their end.
  void begin_drain(std::chrono::milliseconds patience);
  net::Task<> drained() { return quiet_.wait(); }

  const rules::Upstream& upstream() const { return upstream_; }
  const std::vector<Leased>& processes() const { return processes_; }

 private:
  struct Waiter {
    explicit Waiter(net::Loop& loop) : turn(loop) {}
    net::Event turn;
  };
  using Ticket = std::shared_ptr<Waiter>;

  Leased take_idle(std::string_view owner);
  Leased longest_idle() const;
  bool room() const { return processes_.size() + starting_ + ending_ < upstream_.lanes; }
  net::Task<Result<Leased>> start(const Ask* while_starting);
  net::Task<Result<>> start_process(Leased process, const Ask* while_starting);
  Result<> prepare(const Leased& process, std::shared_ptr<Call> call, ChildOptions& options);
  net::Task<Result<>> open(Leased process, const Ask* while_starting);
  void purge();
  void take_away(const Leased& process);
  void end_later(Leased process, std::chrono::milliseconds patience);
  net::Task<> end(Leased process, std::chrono::milliseconds patience);
  void leave(const Ticket& ticket);
  void next_turn();
  void failed(Error error);

  PoolParts parts_;
  rules::Upstream upstream_;
  std::vector<Leased> processes_;  // alive, busy or idle
  std::vector<Leased> starting_processes_;
  std::uint32_t starting_ = 0;
  std::uint32_t ending_ = 0;
  net::Event quiet_;  // set whenever nothing starts or ends
  std::deque<Ticket> waiters_;
  std::uint64_t started_ = 0;
  std::uint32_t failures_ = 0;  // starts in a row that failed
  std::chrono::steady_clock::time_point retry_at_{};
  Error last_failure_;
  bool draining_ = false;
};

}  // namespace remit::gateway
