#pragma once

// Carries out what `remit revoke` orders (revocation.h): drops the sessions that fit, ends the
// calls that act as them, holds back new ones, and records it.

#include <filesystem>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/egress/egress.h"
#include "gateway/journal.h"
#include "gateway/lane.h"
#include "gateway/revocation.h"
#include "gateway/sessions.h"
#include "net/task.h"

namespace remit::gateway {

// All must outlive the Revoker.
struct RevokerParts {
  const Clock& clock;
  Log& log;
  Sessions& sessions;
  LaneTable& lanes;
  Egress& egress;
  Journal& journal;
};

class Revoker {
 public:
  Revoker(RevokerParts parts, std::filesystem::path file)
      : parts_(parts), watch_(std::move(file)) {}

  // Reads what is held from before. Then look() now and then: run() does so for ever.
  void begin();
  void look();
  static net::Task<> run(Revoker& self);

  static constexpr std::chrono::milliseconds kEvery{250};

 private:
  void carry_out(const Revocation& order);
  void distrust(const Error& error);

  RevokerParts parts_;
  RevocationWatch watch_;
  std::string last_complaint_;
};

}  // namespace remit::gateway
