#pragma once

// The gateway's records of calls and sessions (ledger/record.h has the members), and waiting for a
// record to be durable.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "gateway/session.h"
#include "ledger/ledger.h"
#include "net/task.h"
#include "remit/session.h"

namespace remit::gateway {

struct CallDecision {
  std::string_view agent;
  std::string_view user;
  std::string_view upstream;
  std::string_view tool;
  std::string arguments_sha256;  // empty: the call had none that could be read
  std::string_view remit;        // empty when none covers the tool
  std::string_view role;
  bool allowed = false;
  std::string_view reason;  // of a denial
};

struct CallOutcome {
  std::string_view outcome;  // "result", "error", "cancelled", "lost"
  bool is_error = false;
  std::uint64_t refused = 0;
  std::chrono::milliseconds duration{0};
  std::string_view reason;
};

class Journal {
 public:
  Journal(net::Loop& loop, ledger::Ledger& ledger, const Clock& clock, Log& log)
      : loop_(loop), ledger_(ledger), clock_(clock), log_(log) {}

  // Returns when the record is durable, or with why it is not.
  net::Task<Result<>> write(ledger::Kind kind, std::string call, std::string body);
  // Appends without waiting; a failure is logged. For what does not allow anything.
  void note(ledger::Kind kind, std::string_view call, std::string body);

  static std::string started(std::string_view version, std::string_view catalogue_date,
                             std::string_view catalogue_sha256, std::string_view config_sha256,
                             std::string_view durability);
  static std::string decided(const CallDecision& decision);
  static std::string minted(const rules::SessionPlan& plan, const SessionCredentials& credentials,
                            bool reused);
  static std::string done(const CallOutcome& outcome);
  static std::string upstream_failed(std::string_view upstream, std::string_view reason);

 private:
  net::Loop& loop_;
  ledger::Ledger& ledger_;
  const Clock& clock_;
  Log& log_;
};

std::string iso8601(TimePoint time);  // "2026-11-21T15:04:05Z"

}  // namespace remit::gateway
