#include "gateway/upstreams.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/relay.h"
#include "json/writer.h"

namespace remit::gateway {
namespace {

constexpr int kMaxPages = 100;
constexpr std::size_t kMaxTools = 2'000;
constexpr std::size_t kMaxToolBytes = std::size_t{8} << 20;
constexpr int kDiscoveryAttempts = 8;
constexpr std::chrono::milliseconds kSweep{5'000};

std::string cursor_params(std::string_view cursor) {
  if (cursor.empty()) return "{}";
  json::Writer w;
  w.begin_object().key("cursor").string(cursor).end_object();
  return std::move(w).take();
}

}  // namespace

std::string make_call_id(const Clock& clock, Random& random) {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  auto left = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  std::string time(9, '0');
  for (auto digit = time.rbegin(); digit != time.rend(); ++digit) {
    *digit = kDigits[left % 32];
    left /= 32;
  }
  std::string tail = random.base32(8);
  for (char& c : tail) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return fmt::format("c{}{}", time, tail);
}

void add_session_facts(CallFacts& facts, const rules::SessionPlan& plan,
                       const SessionCredentials& credentials) {
  // arn:aws-cn:iam::...: the partition stands between the first two colons.
  const auto first = plan.role.find(':');
  const auto second = plan.role.find(':', first + 1);
  if (first != std::string::npos && second != std::string::npos) {
    facts.partition = plan.role.substr(first + 1, second - first - 1);
  }
  facts.account = plan.account;
  facts.role_arn = plan.role;
  facts.session_name = credentials.session_name;
  facts.source_identity = plan.source_identity.value_or("");
  for (const auto& [key, value] : plan.tags) facts.tags.emplace(key, value);
  facts.transitive = plan.transitive;
  facts.session_policy = plan.compiled;
}

Upstreams::Upstreams(UpstreamParts parts, std::shared_ptr<const rules::Config> config,
                     LaneSetting setting)
    : parts_(parts), config_(std::move(config)), setting_(std::move(setting)) {
  PoolParts pool_parts{.loop = parts_.loop,
                       .clock = parts_.clock,
                       .random = parts_.random,
                       .log = parts_.log,
                       .lanes = parts_.lanes,
                       .host = *this};
  for (const auto& upstream : config_->upstreams) {
    servers_.emplace(upstream.name, std::make_unique<Server>(parts_.loop, pool_parts, upstream));
  }
}

void Upstreams::begin(Agent& agent) {
  if (std::exchange(agent_, &agent) != nullptr) return;
  for (auto& [name, server] : servers_) net::spawn(parts_.loop, discover(*server));
  net::spawn(parts_.loop, sweep());
}

net::Task<> Upstreams::known() {
  for (auto& [name, server] : servers_) co_await server->known.wait();
}

LanePool* Upstreams::find(std::string_view upstream) {
  const auto found = servers_.find(upstream);
  return found == servers_.end() ? nullptr : &found->second->pool;
}

void Upstreams::wake() {
  for (auto& [name, server] : servers_) server->pool.wake();
}

template <class Visit>
void Upstreams::each_process(Visit visit) {
  for (auto& [name, server] : servers_) {
    for (const auto& process : server->pool.processes()) visit(*process);
  }
}

void Upstreams::set_log_level(std::string params) {
  log_level_ = std::move(params);
  each_process([&](LaneProcess& process) {
    const auto capabilities = json::parse(process.facts.capabilities);
    if (!capabilities || !capabilities->root().find("logging")) return;
    (void)process.connection->request("logging/setLevel", log_level_);
  });
}

void Upstreams::roots_changed() {
  each_process([](LaneProcess& process) {
    process.connection->notify("notifications/roots/list_changed", "");
  });
}

net::Task<> Upstreams::drain(std::chrono::milliseconds patience) {
  *draining_ = true;
  for (auto& [name, server] : servers_) server->known.set();
  // All are asked to end before the first is waited for.
  for (auto& [name, server] : servers_) server->pool.begin_drain(patience);
  for (auto& [name, server] : servers_) co_await server->pool.drained();
}

net::Task<> Upstreams::sweep() {
  const auto draining = draining_;
  while (!*draining) {
    co_await net::sleep_for(kSweep);
    if (*draining) break;
    for (auto& [name, server] : servers_) server->pool.sweep();
  }
}

LaneHost::Facts Upstreams::facts() const {
  const auto caller = agent_ != nullptr ? agent_->caller() : nullptr;
  return {.egress_port = setting_.egress_port,
          .region = config_->aws.region,
          .ca_pem = setting_.ca_pem,
          .directory = setting_.directory,
          .version = setting_.version,
          .revision = caller ? caller->revision : mcp::kNewest,
          .capabilities = caller ? caller->capabilities : "{}",
          .supervisor = setting_.supervisor};
}

Result<std::unique_ptr<MetadataDoor>> Upstreams::open_metadata(std::shared_ptr<Lane> lane,
                                                               MayAsk may_ask) {
  if (!setting_.open_metadata) return fail(ErrorCode::Unavailable, "no instance metadata here");
  return setting_.open_metadata(std::move(lane), std::move(may_ask));
}

net::Task<Result<std::shared_ptr<Call>>> Upstreams::startup_call(const rules::Upstream& upstream) {
  CallFacts facts;
  facts.id = make_call_id(parts_.clock, parts_.random);
  facts.kind = CallKind::Startup;
  facts.agent = config_->agent.name;
  facts.upstream = upstream.name;
  facts.remit = "startup:" + upstream.name;
  facts.region = config_->aws.region;
  facts.public_hosts = upstream.public_hosts;
  if (!upstream.startup) co_return std::make_shared<Call>(std::move(facts), nullptr);
  const auto& remit = *upstream.startup;
  REMIT_CO_TRY(auto plan, parts_.planner.plan(remit, std::nullopt));
  REMIT_CO_TRY(auto acquired, co_await parts_.sessions.acquire(plan));
  parts_.journal.note(ledger::Kind::SessionMinted, facts.id,
                      Journal::minted(*plan, *acquired.credentials, acquired.reused));
  facts.plan = plan;
  add_session_facts(facts, *plan, *acquired.credentials);
  facts.approve = remit.approve;
  facts.pins = remit.pins;
  co_return std::make_shared<Call>(std::move(facts), acquired.session);
}

std::unique_ptr<UpstreamEvents> Upstreams::listen(std::weak_ptr<LaneProcess> process) {
  auto changed = [this](std::shared_ptr<LaneProcess> changed_process) {
    const auto found = servers_.find(changed_process->lane->upstream());
    if (found == servers_.end() || changed_process->relisting) return;
    changed_process->relisting = true;
    net::spawn(parts_.loop, relist(*found->second, std::move(changed_process)));
  };
  return std::make_unique<Relay>(parts_.loop, *agent_, parts_.log, std::move(process),
                                 std::move(changed));
}

net::Task<> Upstreams::discover(Server& server) {
  const auto draining = draining_;
  const auto& upstream = server.pool.upstream();
  const LanePool::Ask ask = [this, &upstream](LaneProcess& process) {
    return read_tools(*this, upstream.name, process, upstream.timeouts.start);
  };
  for (int attempt = 0; attempt < kDiscoveryAttempts && !*draining; ++attempt) {
    auto found = co_await server.pool.ask(ask);
    if (*draining) break;
    server.known.set();
    if (found) co_return;
    parts_.log.error("upstream.no-tools", {{"upstream", std::string_view(upstream.name)},
                                           {"reason", std::string_view(found.error().message)}});
    if (attempt == 0) {
      parts_.journal.note(ledger::Kind::Refused, "",
                          Journal::upstream_failed(upstream.name, found.error().message));
    }
  }
  server.known.set();
}

net::Task<> Upstreams::relist(Server& server, std::shared_ptr<LaneProcess> process) {
  const auto& upstream = server.pool.upstream();
  auto listed = co_await read_tools(*this, upstream.name, *process, upstream.timeouts.start);
  process->relisting = false;
  if (!listed) {
    parts_.log.warn("upstream.not-listed", {{"upstream", std::string_view(upstream.name)},
                                            {"reason", std::string_view(listed.error().message)}});
  }
}

net::Task<Result<>> Upstreams::read_tools(Upstreams& self, std::string upstream,
                                          LaneProcess& process, std::chrono::milliseconds limit) {
  const auto connection = process.connection;
  const auto capabilities = json::parse(process.facts.capabilities);
  if (!capabilities || !capabilities->root().find("tools")) {
    self.tools_are(upstream, {});
    co_return Result<>{};
  }
  if (!self.log_level_.empty() && capabilities->root().find("logging")) {
    (void)connection->request("logging/setLevel", self.log_level_);
  }
  std::vector<std::string> definitions;
  std::size_t bytes = 0;
  std::string cursor;
  for (int page = 0; page < kMaxPages; ++page) {
    auto answer = co_await connection->call("tools/list", cursor_params(cursor), limit);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    const auto tools = answer->result ? answer->result->find("tools") : std::nullopt;
    if (!tools || !tools->is(json::Kind::Array)) {
      co_return fail(ErrorCode::InvalidInput, upstream + " did not list its tools");
    }
    for (const json::Value tool : tools->elements()) {
      definitions.emplace_back(tool.raw());
      bytes += tool.raw().size();
    }
    if (definitions.size() > kMaxTools || bytes > kMaxToolBytes) {
      co_return fail(ErrorCode::LimitExceeded, upstream + " lists more than 2,000 tools or 8 MiB");
    }
    const auto next = answer->result->find("nextCursor");
    if (!next || !next->as_string() || next->string().empty()) break;
    cursor = std::string(next->string());
  }
  self.tools_are(upstream, definitions);
  co_return Result<>{};
}

void Upstreams::tools_are(std::string_view upstream, const std::vector<std::string>& definitions) {
  const bool changed = parts_.toolbox.set(upstream, definitions);
  parts_.log.info("upstream.tools", {{"upstream", upstream},
                                     {"tools", static_cast<std::int64_t>(definitions.size())}});
  const auto found = servers_.find(upstream);
  const bool listed_before = found != servers_.end() && found->second->known.is_set();
  if (changed && listed_before && agent_ != nullptr) {
    agent_->notify("notifications/tools/list_changed", "");
  }
}

}  // namespace remit::gateway
