#include "gateway/lane_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "aws/base_credentials.h"
#include "gateway/process_tree.h"

namespace remit::gateway {
namespace {

constexpr std::chrono::milliseconds kPatience{500};
constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{30'000};

// Who asks for a lane's metadata must be one of its processes, whatever that started.
MayAsk only_processes_of(const std::shared_ptr<LaneProcess>& process) {
  return [weak = std::weak_ptr<LaneProcess>(process)](const net::PeerSocket& peer) {
    const auto its = weak.lock();
    return its && its->connection &&
           tree_holds_socket(its->connection->child().supervisor_id(), peer.inode);
  };
}

}  // namespace

LanePool::LanePool(PoolParts parts, const rules::Upstream& upstream)
    : parts_(parts), upstream_(upstream), quiet_(parts.loop) {
  quiet_.set();
}
LanePool::~LanePool() = default;

net::Task<Result<LanePool::Leased>> LanePool::acquire(
    std::string owner, std::chrono::steady_clock::time_point deadline, const bool* cancelled) {
  Ticket ticket;
  while (true) {
    purge();
    std::optional<Error> stop;
    if (cancelled != nullptr && *cancelled) {
      stop = Error{ErrorCode::Unavailable, "the call was cancelled"};
    } else if (draining_) {
      stop = Error{ErrorCode::Unavailable, "the gateway is ending"};
    }
    if (stop) {
      leave(ticket);
      co_return std::unexpected(*std::move(stop));
    }
    if (ticket ? waiters_.front() == ticket : waiters_.empty()) {
      if (auto idle = take_idle(owner)) {
        leave(ticket);
        co_return idle;
      }
      if (room()) {
        leave(ticket);
        auto fresh = co_await start(nullptr);
        if (fresh) (*fresh)->owner = owner;
        co_return fresh;
      }
      if (auto victim = longest_idle()) {
        take_away(victim);
        end_later(std::move(victim), kPatience);
      }
    }
    if (!ticket) {
      ticket = std::make_shared<Waiter>(parts_.loop);
      waiters_.push_back(ticket);
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - parts_.clock.steady());
    const bool woken = left.count() > 0 && co_await ticket->turn.wait_for(left);
    ticket->turn.reset();
    if (!woken) {
      leave(ticket);
      co_return fail(ErrorCode::LimitExceeded,
                     fmt::format("no lane of upstream {} became free in time: all {} are busy",
                                 upstream_.name, upstream_.lanes));
    }
  }
}

LanePool::Leased LanePool::take_idle(std::string_view owner) {
  Leased unowned;
  for (const auto& process : processes_) {
    if (process->busy) continue;
    if (process->owner == owner) {
      process->busy = true;
      return process;
    }
    if (process->owner.empty()) unowned = process;
  }
  if (!unowned) return nullptr;
  unowned->owner = owner;
  unowned->busy = true;
  return unowned;
}

LanePool::Leased LanePool::longest_idle() const {
  Leased found;
  for (const auto& process : processes_) {
    if (process->busy) continue;
    if (!found || process->idle_since < found->idle_since) found = process;
  }
  return found;
}

void LanePool::release(const Leased& process, bool reusable) {
  process->lane->clear();
  process->busy = false;
  process->idle_since = parts_.clock.steady();
  if (!reusable || draining_ || process->connection->closed()) {
    take_away(process);
    // What was cancelled or got stuck is not asked to end in an orderly way.
    if (!reusable) process->connection->kill();
    end_later(process, kPatience);
  } else if (upstream_.isolate == rules::Isolate::Call) {
    take_away(process);
    end_later(process, kPatience);
  }
  next_turn();
}

void LanePool::purge() {
  const auto dead = [](const Leased& process) {
    return !process->busy && process->connection->closed();
  };
  std::vector<Leased> gone;
  std::ranges::copy_if(processes_, std::back_inserter(gone), dead);
  for (auto& process : gone) {
    parts_.log.warn("lane.lost",
                    {{"lane", std::string_view(process->name)},
                     {"how", std::string_view(process->connection->child().how_it_ended())}});
    take_away(process);
    end_later(std::move(process), kPatience);
  }
}

void LanePool::take_away(const Leased& process) {
  process->metadata.reset();
  parts_.lanes.remove(process->lane->placeholder().access_key_id);
  std::erase(processes_, process);
}

void LanePool::end_later(Leased process, std::chrono::milliseconds patience) {
  ++ending_;
  quiet_.reset();
  net::spawn(parts_.loop, end(std::move(process), patience));
}

net::Task<> LanePool::end(Leased process, std::chrono::milliseconds patience) {
  co_await Connection::close(process->connection, patience);
  process->connection->detach();
  parts_.log.info("lane.ended",
                  {{"lane", std::string_view(process->name)},
                   {"how", std::string_view(process->connection->child().how_it_ended())}});
  process.reset();
  --ending_;
  if (ending_ == 0 && starting_ == 0) quiet_.set();
  next_turn();
}

void LanePool::leave(const Ticket& ticket) {
  if (!ticket) return;
  std::erase(waiters_, ticket);
  next_turn();
}

void LanePool::next_turn() {
  if (!waiters_.empty()) waiters_.front()->turn.set();
}

void LanePool::wake() {
  for (const auto& waiter : waiters_) waiter->turn.set();
}

void LanePool::failed(Error error) {
  const auto pause = std::min(kFirstPause * (1U << std::min(failures_, 10U)), kLongestPause);
  ++failures_;
  retry_at_ = parts_.clock.steady() + pause;
  parts_.log.error("lane.not-started", {{"upstream", std::string_view(upstream_.name)},
                                        {"reason", std::string_view(error.message)},
                                        {"pause_ms", pause.count()}});
  last_failure_ = std::move(error);
}

net::Task<Result<LanePool::Leased>> LanePool::start(const Ask* while_starting) {
  const auto now = parts_.clock.steady();
  if (failures_ > 0 && now < retry_at_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(retry_at_ - now);
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("{}; it is started again in {} ms at the earliest",
                               last_failure_.message, left.count()));
  }
  ++starting_;
  quiet_.reset();
  auto process = std::make_shared<LaneProcess>();
  process->name = fmt::format("{}#{}", upstream_.name, ++started_);
  process->busy = true;
  starting_processes_.push_back(process);
  auto ready = co_await start_process(process, while_starting);
  std::erase(starting_processes_, process);
  --starting_;
  // What a process says that was told to end is no failure of its start.
  if (draining_) ready = fail(ErrorCode::Unavailable, "the gateway is ending");
  if (!ready) {
    if (!draining_) failed(ready.error());
    process->metadata.reset();
    if (process->lane) parts_.lanes.remove(process->lane->placeholder().access_key_id);
    if (process->connection) {
      process->connection->kill();
      end_later(process, kPatience);
    } else if (ending_ == 0 && starting_ == 0) {
      quiet_.set();
    }
    next_turn();
    co_return std::unexpected(std::move(ready).error());
  }
  failures_ = 0;
  if (ending_ == 0 && starting_ == 0) quiet_.set();
  processes_.push_back(process);
  co_return process;
}

Result<> LanePool::prepare(const Leased& process, std::shared_ptr<Call> call,
                           ChildOptions& options) {
  const auto facts = parts_.host.facts();
  REMIT_TRY(auto directory, PrivateDirectory::make(facts.directory, "lane"));
  process->directory.emplace(std::move(directory));
  process->lane = std::make_shared<Lane>(upstream_.name, make_placeholder(parts_.random),
                                         upstream_.public_hosts);
  if (upstream_.credentials == rules::CredentialsFrom::Imds) {
    REMIT_TRY(process->metadata,
              parts_.host.open_metadata(process->lane, only_processes_of(process)));
  }
  EnvironmentPlan plan{
      .placeholder = &process->lane->placeholder(),
      .egress_port = facts.egress_port,
      .credentials = upstream_.credentials,
      .metadata_port = process->metadata ? process->metadata->port() : std::uint16_t{0},
      .program = own_program(),
      .region = facts.region,
      .ca_pem = facts.ca_pem,
      .extra = upstream_.env};
  REMIT_TRY(options.environment,
            prepare_environment(plan, process->directory->path(), aws::process_environment()));
  options.command = upstream_.command;
  options.cwd = upstream_.cwd;
  options.supervisor = facts.supervisor;
  parts_.lanes.add(process->lane);
  process->lane->put_in_force(std::move(call));
  return {};
}

net::Task<Result<>> LanePool::start_process(Leased process, const Ask* while_starting) {
  REMIT_CO_TRY(auto call, co_await parts_.host.startup_call(upstream_));
  ChildOptions options;
  REMIT_CO_CHECKED(prepare(process, std::move(call), options));
  REMIT_CO_TRY(auto child, Child::start(parts_.loop, std::move(options)));
  process->connection = std::make_shared<Connection>(parts_.loop, parts_.clock, parts_.log,
                                                     process->name, child, Connection::Limits{});
  process->events = parts_.host.listen(process);
  process->connection->run(process->events.get());
  REMIT_CO_CHECKED(co_await child->started());
  auto opened = co_await open(process, while_starting);
  if (!opened && !process->connection->last_log_line().empty()) {
    opened.error().message +=
        fmt::format(" (its log ends: {})", process->connection->last_log_line());
  }
  if (!opened) co_return std::unexpected(std::move(opened).error());
  process->lane->clear();
  process->idle_since = parts_.clock.steady();
  parts_.log.info("lane.started",
                  {{"lane", std::string_view(process->name)},
                   {"pid", child->process_id()},
                   {"placeholder", std::string_view(process->lane->placeholder().access_key_id)}});
  co_return Result<>{};
}

net::Task<Result<>> LanePool::open(Leased process, const Ask* while_starting) {
  const auto facts = parts_.host.facts();
  REMIT_CO_TRY(process->facts,
               co_await process->connection->open(facts.revision, facts.capabilities, facts.version,
                                                  upstream_.timeouts.start));
  if (while_starting == nullptr) co_return Result<>{};
  co_return co_await (*while_starting)(*process);
}

net::Task<Result<>> LanePool::ask(Ask ask) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(retry_at_ - parts_.clock.steady());
  if (failures_ > 0 && left.count() > 0) {
    co_await net::sleep_for(left + std::chrono::milliseconds(1));
  }
  if (draining_) co_return fail(ErrorCode::Unavailable, "the gateway is ending");
  auto process = co_await start(&ask);
  if (!process) co_return std::unexpected(std::move(process).error());
  (*process)->busy = false;
  next_turn();
  co_return Result<>{};
}

void LanePool::sweep() {
  purge();
  const auto now = parts_.clock.steady();
  std::vector<Leased> old;
  for (const auto& process : processes_) {
    if (!process->busy && now - process->idle_since > upstream_.timeouts.idle) {
      old.push_back(process);
    }
  }
  for (auto& process : old) {
    take_away(process);
    end_later(std::move(process), kPatience);
  }
}

void LanePool::begin_drain(std::chrono::milliseconds patience) {
  draining_ = true;
  wake();
  for (const auto& process : std::vector<Leased>(processes_)) {
    take_away(process);
    end_later(process, patience);
  }
  for (const auto& process : starting_processes_) {
    if (process->connection) process->connection->kill();
  }
}

}  // namespace remit::gateway
