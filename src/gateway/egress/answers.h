#pragma once

// What AWS answered, on its way into the ledger. Nothing waits for these records, so the answers of
// a call gather until the next decision is recorded, the call ends or 50 ms pass, and then share
// one record and its commit. Internal to src/gateway/egress; the event loop's thread.

#include <memory>
#include <vector>

#include "gateway/call.h"
#include "gateway/egress/records.h"
#include "ledger/ledger.h"
#include "net/task.h"

namespace remit {
class Clock;
class Log;
}  // namespace remit

namespace remit::gateway {

class Answers {
 public:
  Answers(net::Loop& loop, ledger::Ledger& ledger, const Clock& clock, Log& log);
  ~Answers();  // writes what is left
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;

  void add(const std::shared_ptr<Call>& call, const Done& done);
  void write();  // all of them, now

 private:
  struct OfCall {
    std::shared_ptr<Call> call;
    Call::Token token = 0;
    DoneBody body;
  };
  OfCall& of(const std::shared_ptr<Call>& call);
  void append(OfCall gathered);
  void write_later();

  ledger::Ledger& ledger_;
  const Clock& clock_;
  Log& log_;
  std::vector<OfCall> gathered_;
  net::Timer timer_;
  bool timer_runs_ = false;
  // Expired tells a timer's handler that we are gone.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace remit::gateway
