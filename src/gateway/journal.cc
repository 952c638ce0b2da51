#include "gateway/journal.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <utility>

#include "json/json.h"
#include "json/writer.h"

namespace remit::gateway {
namespace {

// A body in canonical form: keys sorted, absent members left out.
class Body {
 public:
  Body& text(std::string_view key, std::string_view value) {
    if (value.empty()) return *this;
    std::string json;
    json::append_string(json, value);
    members_.insert_or_assign(std::string(key), std::move(json));
    return *this;
  }
  Body& number(std::string_view key, std::int64_t value) {
    members_.insert_or_assign(std::string(key), std::to_string(value));
    return *this;
  }
  Body& flag(std::string_view key, bool value) {
    members_.insert_or_assign(std::string(key), value ? "true" : "false");
    return *this;
  }
  Body& raw(std::string_view key, std::string json) {
    members_.insert_or_assign(std::string(key), std::move(json));
    return *this;
  }
  std::string take() const {
    json::Writer w;
    w.begin_object();
    for (const auto& [key, value] : members_) w.key(key).raw(value);
    w.end_object();
    return std::move(w).take();
  }

 private:
  std::map<std::string, std::string> members_;
};

struct Waiting {
  explicit Waiting(net::Loop& loop) : done(loop) {}
  net::Event done;
  Result<> result;
};

}  // namespace

std::string iso8601(TimePoint time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z",
                     std::chrono::time_point_cast<std::chrono::seconds>(time));
}

net::Task<Result<>> Journal::write(ledger::Kind kind, std::string call, std::string body) {
  const auto waiting = std::make_shared<Waiting>(loop_);
  ledger::Completion done = [waiting](Result<ledger::Appended> appended) {
    if (!appended) waiting->result = std::unexpected(std::move(appended).error());
    waiting->done.set();
  };
  ledger::Record record{
      .kind = kind, .time = clock_.now(), .call = std::move(call), .body = std::move(body)};
  ledger_.append(std::move(record), std::move(done));
  co_await waiting->done.wait();
  co_return waiting->result;
}

void Journal::note(ledger::Kind kind, std::string_view call, std::string body) {
  ledger::Record record{
      .kind = kind, .time = clock_.now(), .call = std::string(call), .body = std::move(body)};
  ledger::Completion done = [&log = log_, kind](Result<ledger::Appended> appended) {
    if (appended) return;
    log.error("ledger.not-written", {{"kind", ledger::name_of(kind)},
                                     {"reason", std::string_view(appended.error().message)}});
  };
  ledger_.append(std::move(record), std::move(done));
}

std::string Journal::started(std::string_view version, std::string_view catalogue_date,
                             std::string_view catalogue_sha256, std::string_view config_sha256,
                             std::string_view durability) {
  return Body()
      .text("version", version)
      .text("catalogue", catalogue_date)
      .text("catalogue_sha256", catalogue_sha256)
      .text("config", config_sha256)
      .text("durability", durability)
      .number("pid", getpid())
      .take();
}

std::string Journal::decided(const CallDecision& decision) {
  return Body()
      .text("agent", decision.agent)
      .text("user", decision.user)
      .text("upstream", decision.upstream)
      .text("tool", decision.tool)
      .text("arguments", decision.arguments_sha256)
      .text("remit", decision.remit)
      .text("role", decision.role)
      .text("decision", decision.allowed ? "allowed" : "denied")
      .text("reason", decision.reason)
      .take();
}

std::string Journal::minted(const rules::SessionPlan& plan, const SessionCredentials& credentials,
                            bool reused) {
  Body tags;
  for (const auto& [key, value] : plan.tags) tags.text(key, value);
  Body body;
  body.text("remit", plan.remit)
      .text("role", plan.role)
      .text("session_name", credentials.session_name)
      .text("source_identity", plan.source_identity.value_or(""))
      .raw("tags", tags.take())
      .text("expires", iso8601(credentials.expires))
      .number("packed_policy_size", credentials.packed_policy_percent)
      .text("access_key_id", credentials.credentials.access_key_id)
      .flag("reused", reused);
  if (json::parse(plan.policy)) body.raw("policy", plan.policy);
  if (!plan.in_policy.empty()) {  // for `remit learn`; the values stand in the policy anyway
    Body bound;
    for (const auto& [name, value] : plan.in_policy) bound.text(name, value);
    body.raw("bound", bound.take());
  }
  return body.take();
}

std::string Journal::done(const CallOutcome& outcome) {
  return Body()
      .text("outcome", outcome.outcome)
      .flag("is_error", outcome.is_error)
      .number("refused", static_cast<std::int64_t>(outcome.refused))
      .number("duration_ms", outcome.duration.count())
      .text("reason", outcome.reason)
      .take();
}

std::string Journal::upstream_failed(std::string_view upstream, std::string_view reason) {
  return Body().text("upstream", upstream).text("reason", reason).take();
}

}  // namespace remit::gateway
