#pragma once

// Mints the sessions that are known beforehand, so that the first call of a remit need not wait for
// STS (`aws.prefetch`): those of remits whose session depends on no argument. One after the other,
// in the background, a little apart.

#include <memory>

#include "base/log.h"
#include "base/random.h"
#include "gateway/journal.h"
#include "gateway/sessions.h"
#include "net/task.h"
#include "remit/config.h"
#include "remit/session.h"

namespace remit::gateway {

// All must outlive the coroutine.
struct PrefetchParts {
  Log& log;
  Random& random;
  rules::Planner& planner;
  Sessions& sessions;
  Journal& journal;
};

net::Task<> prefetch_sessions(PrefetchParts parts, std::shared_ptr<const rules::Config> config);

}  // namespace remit::gateway
