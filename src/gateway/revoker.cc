#include "gateway/revoker.h"

#include <string_view>
#include <utility>

#include "json/writer.h"
#include "remit/session.h"

namespace remit::gateway {
namespace {

std::string body_of(const Revocation& order, std::size_t sessions, std::size_t calls) {
  json::Writer body;
  body.begin_object();
  const auto text = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) body.key(key).string(value);
  };
  text("by", order.by);
  text("call", order.call);
  body.key("calls").integer(static_cast<std::int64_t>(calls));
  body.key("hold_seconds").integer(order.hold.count());
  text("id", order.id);
  text("remit", order.remit);
  text("role", order.role);
  text("session_name", order.session_name);
  body.key("sessions").integer(static_cast<std::int64_t>(sessions));
  body.end_object();
  return std::move(body).take();
}

// A call id names a call, not a session that others may share.
bool fits(const Revocation& order, const rules::SessionPlan& plan) {
  return order.call.empty() && order.fits({}, plan.remit, plan.role, plan.session_name);
}

}  // namespace

// Nobody can tell what was ordered: nothing goes on, and nothing begins while that is so.
void Revoker::distrust(const Error& error) {
  parts_.sessions.hold([](const auto&) { return true; }, parts_.clock.now() + 4 * kEvery);
  if (std::exchange(last_complaint_, error.message) == error.message) return;
  parts_.log.error("revocation.not-read", {{"reason", std::string_view(error.message)}});
  Revocation everything;
  everything.id = "unreadable";
  carry_out(everything);
}

void Revoker::begin() {
  auto held = watch_.begin(parts_.clock.now());
  if (!held) return distrust(held.error());
  for (const Revocation& order : *held) {
    parts_.sessions.hold([order](const auto& plan) { return fits(order, plan); },
                         order.time + order.hold);
  }
}

void Revoker::look() {
  auto orders = watch_.poll();
  if (!orders) return distrust(orders.error());
  last_complaint_.clear();
  for (const Revocation& order : *orders) carry_out(order);
}

void Revoker::carry_out(const Revocation& order) {
  if (order.hold.count() > 0) {
    parts_.sessions.hold([order](const auto& plan) { return fits(order, plan); },
                         parts_.clock.now() + order.hold);
  }
  std::size_t sessions =
      parts_.sessions.revoke_if([&](const auto& plan) { return fits(order, plan); });
  // Also those whose session was let go of, because it was the least recently used.
  const std::size_t calls = parts_.lanes.end_calls([&](const CallFacts& facts) {
    return !facts.role_arn.empty() &&
           order.fits(facts.id, facts.remit, facts.role_arn, facts.session_name);
  });
  // A role that a call assumed ends even where the call itself goes on.
  sessions += parts_.egress.end_derived([&](const CallFacts& facts) {
    return order.fits(facts.id, facts.remit, facts.role_arn, facts.session_name);
  });
  parts_.log.warn("sessions.revoked", {{"order", std::string_view(order.id)},
                                       {"sessions", static_cast<std::int64_t>(sessions)},
                                       {"calls", static_cast<std::int64_t>(calls)}});
  parts_.journal.note(ledger::Kind::Revoked, "", body_of(order, sessions, calls));
}

net::Task<> Revoker::run(Revoker& self) {
  while (true) {
    self.look();
    co_await net::sleep_for(kEvery);
  }
}

}  // namespace remit::gateway
