#pragma once

// Egress on loopback with stand-ins for everything around it: a lane, a session, a ledger, a
// scripted AWS. For tests only.

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/sigv4.h"
#include "base/encoding.h"
#include "gateway/egress/egress.h"
#include "gateway/lane.h"
#include "gateway/session.h"
#include "iam/policy.h"
#include "net/server.h"
#include "remit/session.h"

namespace remit::gateway {

class TestClock final : public Clock {
 public:
  TimePoint now() const override { return system_.now() + offset; }
  std::chrono::steady_clock::time_point steady() const override { return system_.steady(); }
  std::chrono::milliseconds offset{0};

 private:
  SystemClock system_;
};

// Keeps records in memory; fails or holds on demand.
class TestLedger final : public ledger::Ledger {
 public:
  explicit TestLedger(net::Loop& loop) : loop_(loop) {}
  void append(ledger::Record record, ledger::Completion done) override {
    const bool fails = failing;
    if (!fails) records.push_back(std::move(record));
    boost::asio::post(loop_, [done = std::move(done), fails]() mutable {
      if (fails) {
        done(fail(ErrorCode::Unavailable, "disk full"));
      } else {
        done(ledger::Appended{});
      }
    });
  }
  std::vector<ledger::Record> of(ledger::Kind kind) const {
    std::vector<ledger::Record> found;
    for (const auto& record : records) {
      if (record.kind == kind) found.push_back(record);
    }
    return found;
  }
  std::vector<ledger::Record> records;
  bool failing = false;

 private:
  net::Loop& loop_;
};

class TestSession final : public Session {
 public:
  explicit TestSession(std::string key) {
    auto made = std::make_shared<SessionCredentials>();
    made->credentials.access_key_id = std::move(key);
    made->credentials.secret_access_key = Secret("real-secret-real-secret-real-secret-real");
    made->credentials.session_token = Secret("real-session-token");
    made->assumed_role_arn = "arn:aws:sts::111122223333:assumed-role/invoices/remit-test";
    made->assumed_role_id = "AROAEXAMPLE:remit-test";
    made->account = "111122223333";
    credentials_ = std::move(made);
  }
  std::shared_ptr<const SessionCredentials> current() const override {
    return expired ? nullptr : credentials_;
  }
  net::Task<Result<std::shared_ptr<const SessionCredentials>>> credentials() override {
    ++renewals;
    if (!renewed) co_return fail(ErrorCode::Unavailable, "sts is down");
    expired = false;
    credentials_ = renewed;
    co_return credentials_;
  }
  void rejected(const SessionCredentials&) override { ++rejections; }
  bool expired = false;
  int renewals = 0;
  int rejections = 0;
  std::shared_ptr<const SessionCredentials> renewed;

 private:
  std::shared_ptr<const SessionCredentials> credentials_;
};

// What arrived at the scripted AWS.
struct Arrived {
  http::RequestHead head;
  std::string body;
  bool whole = false;
};

struct Answered {
  int status = 0;  // 0: the connection ended without an answer
  http::Fields fields;
  std::string body;
  std::string raw;
};

class EgressTest : public ::testing::Test {
 protected:
  using Answer = std::function<net::Task<>(net::ServerConnection&, Arrived&)>;

  void SetUp() override {
    auto opened = aws::Catalogue::embedded();
    ASSERT_TRUE(opened) << opened.error().message;
    catalogue = std::make_unique<aws::Catalogue>(*std::move(opened));
    upstream = listen_upstream();
    placeholder.access_key_id = "AKIAREMITAAAAAAAAAAA";
    placeholder.secret_access_key = Secret("placeholder-secret-placeholder-secret-xx");
    Placeholder its_own;
    its_own.access_key_id = placeholder.access_key_id;
    its_own.secret_access_key = placeholder.secret_access_key.clone();
    its_own.proxy_token = Secret("proxy-token");
    its_own.credential_token = Secret("credential-token");
    lane = std::make_shared<Lane>("api", std::move(its_own),
                                  std::vector<std::string>{"public.example.com"});
    lanes.add(lane);
    options.endpoints = {{"*", "http://127.0.0.1:" + std::to_string(upstream->port())}};
    options.tick = std::chrono::milliseconds(5);
  }
  void TearDown() override {
    if (lane) lane->clear();
    egress.reset();
    upstream.reset();
    loop.restart();
    loop.run_for(std::chrono::milliseconds(5));
  }

  std::unique_ptr<net::Server> listen_upstream() {
    net::ServerOptions server_options;
    server_options.tick = std::chrono::milliseconds(5);
    auto made = net::Server::listen(loop, server_options, [this](net::ServerConnection& client) {
      return serve_upstream(*this, client);
    });
    return made ? *std::move(made) : nullptr;
  }

  // Answers 200 "hello" once the body is there, unless `answer` says otherwise.
  static net::Task<> serve_upstream(EgressTest& test, net::ServerConnection& client) {
    while (true) {
      auto arrived = std::make_unique<Arrived>();
      auto more = co_await client.read_request(arrived->head);
      if (!more || !*more) co_return;
      Arrived& here = *arrived;
      test.arrived.push_back(std::move(arrived));
      if (test.answer) {
        co_await test.answer(client, here);
      } else {
        co_await read_all(client, here);
        if (!here.whole) co_return;
        http::Fields fields = {{"x-amz-request-id", "AWSID123"}};
        [[maybe_unused]] auto done = co_await client.respond(
            200, std::move(fields), "hello", net::ServerConnection::After::KeepAlive);
      }
      if (!co_await client.finish_exchange()) co_return;
    }
  }
  static net::Task<> end_call(net::ServerConnection&, std::shared_ptr<Lane> of) {
    of->clear();
    co_await net::sleep_for(std::chrono::seconds(1));
  }
  static net::Task<> note_the_end(net::ServerConnection& client, bool& ended, net::Loop& its_loop) {
    auto more = co_await client.wait_for_bytes();
    ended = !more;
    its_loop.stop();
  }
  static net::Task<> ask_and_leave(net::Loop& its_loop, std::uint16_t port, std::string bytes) {
    net::Socket socket(its_loop);
    [[maybe_unused]] auto [ec] = co_await socket.async_connect(
        {boost::asio::ip::make_address("127.0.0.1"), port}, net::kAwait);
    [[maybe_unused]] auto [write_ec, n] =
        co_await boost::asio::async_write(socket, boost::asio::buffer(bytes), net::kAwait);
    co_await net::sleep_for(std::chrono::milliseconds(20));
  }
  static net::Task<> read_all(net::ServerConnection& client, Arrived& into) {
    while (!client.body_done()) {
      auto piece = co_await client.read_body();
      if (!piece) co_return;
      into.body.append(*piece);
    }
    into.whole = true;
  }

  void start() {
    auto started = Egress::start({.loop = loop,
                                  .clock = clock,
                                  .random = random,
                                  .log = log,
                                  .lanes = lanes,
                                  .catalogue = *catalogue,
                                  .ledger = ledger,
                                  .sts = sts,
                                  .http = http},
                                 std::move(options));
    ASSERT_TRUE(started) << started.error().message;
    egress = *std::move(started);
  }

  // Puts a call in force that may do what `policy` says.
  std::shared_ptr<Call> begin_call(std::string_view policy) {
    auto compiled = iam::compile(policy, iam::PolicyKind::Session, "session policy of remit test");
    EXPECT_TRUE(compiled) << (compiled ? "" : iam::to_text(compiled.error().front()));
    CallFacts facts;
    facts.id = "call-1";
    facts.upstream = "api";
    facts.tool = "call_aws";
    facts.remit = "read-invoices";
    facts.account = "111122223333";
    facts.role_arn = "arn:aws:iam::111122223333:role/agents/invoices";
    facts.session_name = "remit-test";
    facts.region = "us-east-1";
    facts.tags = {{"AccessType", "AI"}};
    auto plan = std::make_shared<rules::SessionPlan>();
    plan->policy = policy;
    facts.plan = std::move(plan);
    facts.transitive = {"AccessType"};
    if (compiled) facts.session_policy = std::make_shared<const iam::Policy>(*std::move(compiled));
    session = std::make_shared<TestSession>("ASIAREALKEYREALKEY00");
    auto call = std::make_shared<Call>(std::move(facts), session);
    lane->put_in_force(call);
    return call;
  }
  static constexpr std::string_view kReadInvoices =
      R"({"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow",)"
      R"("Action":["s3:GetObject","s3:ListBucket"],)"
      R"("Resource":["arn:aws:s3:::invoices","arn:aws:s3:::invoices/*"]}]})";
  static constexpr std::string_view kAllS3 =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})";

  std::string own_host() const { return "127.0.0.1:" + std::to_string(egress->port()); }

  // A request as an SDK makes it, signed with the placeholder.
  http::RequestHead request(std::string method, std::string target, std::string_view body,
                            std::string_view service = "s3",
                            aws::Payload payload = aws::Payload::Hash, http::Fields more = {}) {
    http::RequestHead head;
    head.method = std::move(method);
    head.target = std::move(target);
    head.fields = std::move(more);
    if (http::find(head.fields, "host") == nullptr) {
      head.fields.insert(head.fields.begin(), {"Host", own_host()});
    }
    const std::string hash = sha256_hex(body);
    if (payload == aws::Payload::Hash) http::set(head.fields, "X-Amz-Content-Sha256", hash);
    aws::SignInput input;
    input.region = "us-east-1";
    input.service = service;
    input.now = clock.now() + client_clock_error;
    input.payload = payload;
    input.payload_hash = hash;
    aws::Credentials credentials;
    credentials.access_key_id = placeholder.access_key_id;
    credentials.secret_access_key = placeholder.secret_access_key.clone();
    credentials.session_token = Secret(token);
    input.express_session = express_token;
    auto done = signer.sign(head, credentials, input);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return head;
  }

  static std::string text(const http::RequestHead& head) {
    std::string out = head.method + " " + head.target + " HTTP/1.1\r\n";
    for (const auto& field : head.fields) out += field.name + ": " + field.value + "\r\n";
    return out;
  }
  static std::string with_body(const http::RequestHead& head, std::string_view body) {
    return text(head) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }

  // Sends bytes, reads one answer (or the end of the connection).
  static net::Task<> talk(EgressTest& test, std::string bytes, Answered& into) {
    net::Socket socket(test.loop);
    auto [ec] = co_await socket.async_connect(
        {boost::asio::ip::make_address("127.0.0.1"), test.port ? *test.port : test.egress->port()},
        net::kAwait);
    if (!ec) {
      [[maybe_unused]] auto [write_ec, n] =
          co_await boost::asio::async_write(socket, boost::asio::buffer(bytes), net::kAwait);
      std::array<char, 16384> piece;
      while (!complete(into)) {
        auto [read_ec, size] =
            co_await socket.async_read_some(boost::asio::buffer(piece), net::kAwait);
        if (read_ec) break;
        into.raw.append(piece.data(), size);
      }
    }
    test.loop.stop();
  }

  // Whether a whole answer with Content-Length is there; fills in its parts.
  static bool complete(Answered& answered) {
    std::string_view raw = answered.raw;
    while (raw.starts_with("HTTP/1.1 100")) raw.remove_prefix(raw.find("\r\n\r\n") + 4);
    const auto end = raw.find("\r\n\r\n");
    if (end == raw.npos) return false;
    http::ResponseHead head;
    if (!net::parse_response_head(raw.substr(0, end + 4), head)) return true;
    answered.status = head.status;
    answered.fields = head.fields;
    answered.body = raw.substr(end + 4);
    const auto* length = http::find(head.fields, "content-length");
    if (length == nullptr) return answered.body.ends_with("0\r\n\r\n");
    return answered.body.size() >= std::stoul(length->value);
  }

  Answered exchange(std::string bytes) {
    Answered answered;
    loop.restart();
    net::spawn(loop, talk(*this, std::move(bytes), answered));
    loop.run_for(std::chrono::seconds(20));
    settle();
    return answered;
  }
  // Lets what is posted happen.
  void settle() {
    loop.restart();
    loop.run_for(std::chrono::milliseconds(2));
  }

  net::Loop loop{1};
  TestClock clock;
  SystemRandom random;
  NoLog log;
  LaneTable lanes;
  TestLedger ledger{loop};
  std::unique_ptr<aws::Catalogue> catalogue;
  std::unique_ptr<net::Server> upstream;
  std::shared_ptr<Lane> lane;
  std::shared_ptr<TestSession> session;
  Placeholder placeholder;
  std::string token;           // sent with `placeholder`, when it is a derived one
  bool express_token = false;  // as X-Amz-S3session-Token
  aws::StsClient* sts = nullptr;
  net::HttpClient* http = nullptr;
  EgressOptions options;
  std::unique_ptr<Egress> egress;
  std::optional<std::uint16_t> port;  // that exchange() talks to; empty: egress's
  aws::Signer signer;
  std::chrono::milliseconds client_clock_error{0};
  std::deque<std::unique_ptr<Arrived>> arrived;
  Answer answer;
};

}  // namespace remit::gateway
