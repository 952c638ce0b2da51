#include "gateway/gateway.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "aws/catalogue.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/resident.h"
#include "gateway/aws_access.h"
#include "gateway/egress/egress.h"
#include "gateway/egress/unsafe.h"
#include "gateway/front.h"
#include "gateway/hardening.h"
#include "gateway/pace.h"
#include "gateway/prefetch.h"
#include "gateway/revoker.h"
#include "gateway/stdio_wire.h"
#include "gateway/tool_call.h"
#include "ledger/ledger.h"

namespace remit::gateway {
namespace {

constexpr std::chrono::milliseconds kTimeToDrain{2'000};
// From the start on: by then a client has its first answer, which must not wait for pages.
constexpr std::chrono::milliseconds kStarting{1'000};
constexpr std::string_view kInstructions =
    "Tools here act in AWS within limits set by people. A call or an AWS request beyond them is "
    "refused; the result then says which permission is missing and who decided it. Do not try the "
    "same request again, or by other means: ask the user.";

// A client that does not read our standard error must not stop the gateway: a line that the pipe
// has no room for is dropped. POLLOUT means room for PIPE_BUF bytes, and lines are shorter.
class DroppingLog final : public Log {
 public:
  explicit DroppingLog(Log& inner) : inner_(inner) {}
  void write(Level level, std::string_view event, std::initializer_list<LogField> fields) override {
    pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (poll(&room, 1, 0) == 0) return;
    inner_.write(level, event, fields);
  }

 private:
  Log& inner_;
};

ledger::Post post_to(net::Loop& loop) {
  return
      [&loop](std::move_only_function<void()> work) { boost::asio::post(loop, std::move(work)); };
}

// Everything, in the order of need; destroyed in reverse. The loop comes first and goes last but
// one: what it still holds refers to the rest, which is why the loop is stopped before.
class Gateway {
 public:
  Gateway(std::shared_ptr<const rules::Config> config, const GatewayOptions& options, Log& log)
      : config_(std::move(config)), options_(options), log_(log), signals_(loop_) {}

  Result<> build();
  Result<> run();

 private:
  Result<> build_credentials();
  Result<> build_egress();
  Result<> build_front();
  net::Task<> serve();
  void listen_for_signals();

  std::shared_ptr<const rules::Config> config_;
  const GatewayOptions& options_;
  Log& log_;
  SystemClock clock_;
  SystemRandom random_;
  net::Loop loop_{net::kOneThread};
  boost::asio::signal_set signals_;
  Result<> outcome_;
  std::optional<PrivateDirectory> directory_;
  std::optional<aws::Catalogue> catalogue_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::optional<Journal> journal_;
  std::unique_ptr<AwsAccess> aws_;
  std::optional<StsMinter> minter_;
  std::optional<PacedMinter> paced_;
  std::optional<Sessions> sessions_;
  std::optional<rules::Planner> planner_;
  rules::RateLimits limits_;
  LaneTable lanes_;
  std::unique_ptr<Egress> egress_;
  std::optional<Toolbox> toolbox_;
  std::optional<Upstreams> upstreams_;
  std::optional<Calls> calls_;
  std::optional<Revoker> revoker_;
  std::unique_ptr<Wire> wire_;
  std::optional<Front> front_;
};

Result<> Gateway::build() {
  REMIT_TRY(auto catalogue, aws::Catalogue::open(options_.catalogue_file));
  catalogue_.emplace(std::move(catalogue));
  ledger::Options ledger_options;
  ledger_options.path = config_->ledger_path;
  ledger_options.durability = config_->durability == rules::Durability::Disk
                                  ? ledger::Durability::Disk
                                  : ledger::Durability::Process;
  REMIT_TRY(ledger_, ledger::open(std::move(ledger_options), post_to(loop_)));
  journal_.emplace(loop_, *ledger_, clock_, log_);
  REMIT_CHECKED(build_credentials());
  REMIT_CHECKED(build_egress());
  return build_front();
}

Result<> Gateway::build_credentials() {
  REMIT_TRY(aws_, AwsAccess::open(loop_, *config_, {clock_, random_, log_}));
  minter_.emplace(aws_->base(), aws_->sts());
  paced_.emplace(*minter_, clock_, random_, log_);
  SessionParts parts{
      .loop = loop_, .clock = clock_, .random = random_, .log = log_, .minter = *paced_};
  SessionsOptions sessions;
  sessions.renew_jitter = 0.1;
  sessions_.emplace(parts, sessions);
  planner_.emplace(config_);
  return {};
}

Result<> Gateway::build_egress() {
  EgressParts parts{.loop = loop_,
                    .clock = clock_,
                    .random = random_,
                    .log = log_,
                    .lanes = lanes_,
                    .catalogue = *catalogue_,
                    .ledger = *ledger_,
                    .sts = &aws_->sts(),
                    .http = &aws_->http()};
  EgressOptions egress;
  egress.address = config_->egress_host;
  egress.port = config_->egress_port;
  egress.endpoints = config_->aws.endpoints;
  egress.observe = config_->observe;
  egress.client.ca_file = config_->aws.ca_bundle;
  REMIT_TRY(egress.unsafe_decision_off,
            UnsafeDecisionOff::ask(config_->unsafe_disable_decision, aws::process_environment()));
  REMIT_TRY(egress_, Egress::start(parts, std::move(egress)));
  return {};
}

Result<> Gateway::build_front() {
  const std::string below = runtime_directory();
  remove_stale_directories(below);
  REMIT_TRY(auto directory, PrivateDirectory::make(below, fmt::format("remit-{}", getpid())));
  directory_.emplace(std::move(directory));
  toolbox_.emplace(config_, log_);
  UpstreamParts upstream_parts{.loop = loop_,
                               .clock = clock_,
                               .random = random_,
                               .log = log_,
                               .lanes = lanes_,
                               .planner = *planner_,
                               .sessions = *sessions_,
                               .journal = *journal_,
                               .toolbox = *toolbox_};
  LaneSetting setting{.egress_port = egress_->port(),
                      .ca_pem = egress_->ca_pem(),
                      .directory = directory_->path().string(),
                      .version = options_.version,
                      .supervisor = Supervisor::ours(log_),
                      .open_metadata = [this](std::shared_ptr<Lane> lane, MayAsk may_ask) {
                        return egress_->open_metadata(std::move(lane), std::move(may_ask));
                      }};
  upstreams_.emplace(upstream_parts, config_, std::move(setting));
  CallParts call_parts{.loop = loop_,
                       .clock = clock_,
                       .random = random_,
                       .log = log_,
                       .planner = *planner_,
                       .limits = limits_,
                       .sessions = *sessions_,
                       .journal = *journal_,
                       .toolbox = *toolbox_,
                       .upstreams = *upstreams_};
  calls_.emplace(call_parts, config_);
  REMIT_TRY(wire_, make_stdio_wire(loop_));
  FrontParts front_parts{.loop = loop_,
                         .log = log_,
                         .wire = *wire_,
                         .calls = *calls_,
                         .toolbox = *toolbox_,
                         .upstreams = *upstreams_};
  mcp::ServerFacts facts{
      .name = "remit", .version = options_.version, .instructions = std::string(kInstructions)};
  front_.emplace(front_parts, std::make_unique<mcp::HandshakeEra>(std::move(facts)));
  return {};
}

void Gateway::listen_for_signals() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    log_.info("gateway.signal", {{"signal", signal}});
    front_->stop();
    listen_for_signals();
  });
}

net::Task<> slim_down() {
  co_await net::sleep_for(kStarting);
  forget_pages_of_start();
}

net::Task<> Gateway::serve() {
  auto started = Journal::started(options_.version, catalogue_->date(), catalogue_->sha256(),
                                  hex(config_->digest), rules::name_of(config_->durability));
  outcome_ = co_await journal_->write(ledger::Kind::GatewayStarted, "", std::move(started));
  if (outcome_) {
    log_.info("gateway.started", {{"config", std::string_view(options_.config_file)},
                                  {"egress_port", egress_->port()},
                                  {"ledger", std::string_view(config_->ledger_path)}});
    RevokerParts revoker{.clock = clock_,
                         .log = log_,
                         .sessions = *sessions_,
                         .lanes = lanes_,
                         .egress = *egress_,
                         .journal = *journal_};
    revoker_.emplace(revoker, revocation_file(config_->ledger_path));
    revoker_->begin();
    net::spawn(loop_, Revoker::run(*revoker_));
    net::spawn(loop_, slim_down());
    if (config_->aws.prefetch) {
      PrefetchParts prefetch{.log = log_,
                             .random = random_,
                             .planner = *planner_,
                             .sessions = *sessions_,
                             .journal = *journal_};
      net::spawn(loop_, prefetch_sessions(prefetch, config_));
    }
    co_await front_->serve();
    co_await upstreams_->drain(kTimeToDrain);
  }
  egress_->stop();
  loop_.stop();
}

Result<> Gateway::run() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
  listen_for_signals();
  net::spawn(loop_, serve());
  loop_.run();
  // What was cut at the end sees its error now, while everything it refers to is still there.
  loop_.restart();
  while (loop_.poll() > 0) {
  }
  log_.info("gateway.ended");
  return outcome_;
}

}  // namespace

Result<> run_gateway(std::shared_ptr<const rules::Config> config, const GatewayOptions& options,
                     Log& log) {
  if (const auto problems = rules::not_served(*config); !problems.empty()) {
    return fail(ErrorCode::InvalidInput, rules::to_string(problems.front(), options.config_file));
  }
  harden_process();
  DroppingLog dropping(log);
  Gateway gateway(std::move(config), options, dropping);
  REMIT_CHECKED(gateway.build());
  return gateway.run();
}

}  // namespace remit::gateway
