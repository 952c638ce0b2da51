#include "gateway/egress/answers.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace remit::gateway {
namespace {

constexpr std::chrono::milliseconds kLongest{50};
constexpr std::size_t kLargestBody = 16 << 10;

}  // namespace

Answers::Answers(net::Loop& loop, ledger::Ledger& ledger, const Clock& clock, Log& log)
    : ledger_(ledger), clock_(clock), log_(log), timer_(loop) {}

Answers::~Answers() { write(); }

Answers::OfCall& Answers::of(const std::shared_ptr<Call>& call) {
  const auto found = std::ranges::find(gathered_, call, &OfCall::call);
  if (found != gathered_.end()) return *found;
  OfCall& made = gathered_.emplace_back();
  made.call = call;
  return made;
}

void Answers::add(const std::shared_ptr<Call>& call, const Done& done) {
  OfCall& gathered = of(call);
  gathered.body.add(done);
  if (call->over() || gathered.body.size() > kLargestBody) return write();
  // The story of a call ends with its end.
  if (gathered.token == 0) gathered.token = call->when_over([this] { write(); });
  write_later();
}

void Answers::write() {
  for (OfCall& gathered : std::exchange(gathered_, {})) append(std::move(gathered));
}

void Answers::append(OfCall gathered) {
  if (gathered.token != 0) gathered.call->forget(gathered.token);
  ledger::Record record;
  record.kind = ledger::Kind::AwsDone;
  record.time = clock_.now();
  record.call = gathered.call->facts().id;
  record.body = std::move(gathered.body).take();
  ledger_.append(std::move(record), [&log = log_](const Result<ledger::Appended>& appended) {
    if (!appended) log.error("ledger-append-failed", {{"reason", appended.error().message}});
  });
}

void Answers::write_later() {
  if (std::exchange(timer_runs_, true)) return;
  timer_.expires_after(kLongest);
  timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](const auto&) {
    if (alive.expired()) return;
    timer_runs_ = false;
    write();
  });
}

}  // namespace remit::gateway
