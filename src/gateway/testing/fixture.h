#pragma once

// For the gateway's own tests: a whole front with real child processes, a scripted upstream, a
// ledger and an STS that are told what to do. Nothing here is part of the product.

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "gateway/front.h"
#include "gateway/stdio_wire.h"
#include "json/json.h"

namespace remit::gateway::testing {

class FakeLedger final : public ledger::Ledger {
 public:
  explicit FakeLedger(net::Loop& loop) : loop_(loop) {}
  void append(ledger::Record record, ledger::Completion done) override {
    Result<ledger::Appended> outcome = ledger::Appended{};
    if (full) {
      outcome = fail(ErrorCode::Unavailable, "the disk is full");
    } else {
      records.push_back(std::move(record));
    }
    boost::asio::post(loop_, [done = std::move(done), outcome]() mutable { done(outcome); });
  }
  std::size_t count(ledger::Kind kind) const {
    std::size_t n = 0;
    for (const auto& record : records) n += record.kind == kind ? 1U : 0U;
    return n;
  }
  std::string last(ledger::Kind kind) const {
    std::string body;
    for (const auto& record : records) {
      if (record.kind == kind) body = record.body;
    }
    return body;
  }

  bool full = false;
  std::vector<ledger::Record> records;

 private:
  net::Loop& loop_;
};

class FakeMinter final : public Minter {
 public:
  explicit FakeMinter(const Clock& clock) : clock_(clock) {}
  net::Task<Result<aws::AssumedRole>> mint(
      std::shared_ptr<const rules::SessionPlan> plan) override {
    ++asked;
    if (pause.count() > 0) co_await net::sleep_for(pause);
    if (error) co_return std::unexpected(*error);
    aws::AssumedRole role;
    role.credentials.access_key_id = "ASIAREALKEY" + std::to_string(asked);
    role.credentials.secret_access_key = Secret("real-secret-of-a-session");
    role.credentials.session_token = Secret("real-token-of-a-session");
    role.credentials.expiration = clock_.now() + plan->duration;
    role.arn = "arn:aws:sts::111122223333:assumed-role/r/" + plan->session_name;
    role.packed_policy_percent = 7;
    co_return role;
  }

  int asked = 0;
  std::optional<Error> error;
  std::chrono::milliseconds pause{0};

 private:
  const Clock& clock_;
};

inline std::string upstream_script() {
  return std::string(REMIT_SOURCE_DIR) + "/src/gateway/testing/fake_upstream.py";
}

inline std::shared_ptr<const rules::Config> load(const std::string& yaml) {
  auto loaded = rules::load_config(yaml, {.home = "/nonexistent"});
  for (const auto& problem : loaded.problems) {
    ADD_FAILURE() << rules::to_string(problem, "test.yaml");
  }
  return loaded.config;
}

// One upstream `fake` and a remit for each of two sets of its tools; `more` goes into the upstream.
inline std::string config_text(const std::string& more = "", const std::string& flags = "") {
  return "agent: { name: tester, user: jane }\n"
         "aws: { region: eu-west-1 }\n"
         "upstreams:\n"
         "  fake:\n"
         "    command: [/usr/bin/python3, " +
         upstream_script() + flags + "]\n" + more +
         "remits:\n"
         "  - name: work\n"
         "    tools: [fake/echo, fake/env, fake/s*, fake/crash, fake/hang, fake/garbage, "
         "fake/flood,"
         " fake/huge, fake/fork, fake/progress, fake/ask, fake/error, fake/change]\n"
         "    role: arn:aws:iam::111122223333:role/work\n"
         "    session: [{ Effect: Allow, Action: s3:GetObject, Resource: \"*\" }]\n"
         "  - name: per-bucket\n"
         "    tools: [\"fake/pid*\"]\n"
         "    role: arn:aws:iam::111122223333:role/buckets\n"
         "    arguments: { bucket: { grammar: bucket } }\n"
         "    session:\n"
         "      - { Effect: Allow, Action: s3:GetObject, Resource: "
         "\"arn:aws:s3:::${arg:bucket}/*\" }\n"
         "    limits: { calls: 20/min }\n"
         "ledger: { path: /nonexistent/ledger.db }\n";
}

// Keeps the names of what was told.
class EventLog final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<LogField>) override {
    events.emplace_back(event);
  }
  std::vector<std::string> events;
};

// A gateway without egress, and the agent's end of its wire. The loop runs only inside the helpers.
class World {
 public:
  explicit World(const std::string& yaml) : config(load(yaml)), ledger(loop), minter(clock) {
    std::signal(SIGPIPE, SIG_IGN);  // as harden_process() does
    std::array<int, 2> fds{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) std::abort();
    agent = make_wire(loop, fds[0], fcntl(fds[0], F_DUPFD_CLOEXEC, 10));
    wire = make_wire(loop, fds[1], fcntl(fds[1], F_DUPFD_CLOEXEC, 10));
    journal.emplace(loop, ledger, clock, log);
    sessions.emplace(SessionParts{loop, clock, random, log, minter}, SessionsOptions{});
    planner.emplace(config);
    toolbox.emplace(config, log);
    auto made = PrivateDirectory::make("/tmp", "remit-test");
    directory.emplace(*std::move(made));
    upstreams.emplace(
        UpstreamParts{loop, clock, random, log, lanes, *planner, *sessions, *journal, *toolbox},
        config,
        LaneSetting{.egress_port = 1,
                    .ca_pem = "",
                    .directory = directory->path().string(),
                    .version = "0",
                    .supervisor = Supervisor::ours(log)});
    calls.emplace(CallParts{loop, clock, random, log, *planner, limits, *sessions, *journal,
                            *toolbox, *upstreams},
                  config);
    front.emplace(FrontParts{loop, log, *wire, *calls, *toolbox, *upstreams},
                  std::make_unique<mcp::HandshakeEra>(
                      mcp::ServerFacts{.name = "remit", .version = "0", .instructions = ""}));
    net::spawn(loop, serve(*this));
    net::spawn(loop, listen(*this));
  }
  ~World() {
    if (!served) stop();
  }

  // Runs the loop until `done` or for at most a minute.
  template <class Done>
  bool run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done() && std::chrono::steady_clock::now() < end) {
      loop.run_one_for(std::chrono::milliseconds(50));
      if (loop.stopped()) loop.restart();
    }
    return done();
  }

  void send(const std::string& text) { net::spawn(loop, write(*this, text + "\n")); }
  void initialize(const std::string& capabilities = "{}") {
    send(R"({"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":)"
         R"("2025-11-25","capabilities":)" +
         capabilities + R"(,"clientInfo":{"name":"t","version":"1"}}})");
    answer("\"init\"");
    send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  }
  void call(int id, const std::string& tool, const std::string& arguments = "{}",
            const std::string& meta = "") {
    send(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":)" + arguments +
         meta + "}}");
  }
  // The answer with this raw id: result or error object as text.
  std::string answer(const std::string& raw_id) {
    std::string found;
    run_until([&] {
      for (const auto& line : heard) {
        const auto document = json::parse(line);
        const auto id = document->root().find("id");
        if (!id || id->raw() != raw_id || document->root().find("method")) continue;
        const auto result = document->root().find("result");
        found = std::string(result ? result->raw() : document->root().find("error")->raw());
      }
      return !found.empty();
    });
    return found;
  }
  std::string ask(int id, const std::string& tool, const std::string& arguments = "{}") {
    call(id, tool, arguments);
    return answer(std::to_string(id));
  }
  // The text of the first content block of a result.
  static std::string text_of(const std::string& result) {
    const auto document = json::parse(result);
    const auto content = document ? document->root().find("content") : std::nullopt;
    if (!content || content->size() == 0) return "(no content) " + result;
    return std::string((*content->elements().begin()).find("text")->string());
  }
  bool stop() {
    front->stop();
    return run_until([this] { return served; });
  }

  net::Loop loop{1};
  SystemClock clock;
  SystemRandom random;
  EventLog log;
  std::shared_ptr<const rules::Config> config;
  FakeLedger ledger;
  FakeMinter minter;
  LaneTable lanes;
  rules::RateLimits limits;
  std::unique_ptr<Wire> agent;
  std::unique_ptr<Wire> wire;
  std::optional<PrivateDirectory> directory;
  std::optional<Journal> journal;
  std::optional<Sessions> sessions;
  std::optional<rules::Planner> planner;
  std::optional<Toolbox> toolbox;
  std::optional<Upstreams> upstreams;
  std::optional<Calls> calls;
  std::optional<Front> front;
  std::vector<std::string> heard;
  bool served = false;

 private:
  static net::Task<> serve(World& world) {
    co_await world.front->serve();
    co_await world.upstreams->drain(std::chrono::milliseconds(500));
    world.served = true;
  }
  static net::Task<> listen(World& world) {
    std::vector<char> buffer(64 << 10);
    mcp::LineReader lines(std::size_t{64} << 20);
    while (const std::size_t size = co_await world.agent->read(buffer)) {
      lines.feed({buffer.data(), size});
      while (auto line = lines.next()) world.heard.push_back(std::move(line->text));
    }
  }
  static net::Task<> write(World& world, std::string text) { co_await world.agent->write(text); }
};

}  // namespace remit::gateway::testing
