#include "net/tls.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <fstream>

#include "net/client.h"
#include "net/server.h"

namespace remit::net {
namespace {

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = PrivateCa::make(clock);
    ASSERT_TRUE(made) << made.error().message;
    ca = std::make_unique<PrivateCa>(*std::move(made));
    file = testing::TempDir() + "remit-ca-" + std::to_string(::getpid()) + ".pem";
    std::ofstream(file) << ca->ca_pem();
  }
  void TearDown() override { std::remove(file.c_str()); }

  static Task<> serve(ServerConnection& connection, PrivateCa& ca, std::string name) {
    auto context = ca.context_for(name);
    if (!context) co_return;
    auto started = co_await connection.start_tls(*context);
    if (!started) co_return;
    http::RequestHead head;
    while (true) {
      auto more = co_await connection.read_request(head);
      if (!more || !*more) co_return;
      auto answered = co_await connection.respond(200, {}, std::string(300'000, 'x'),
                                                  ServerConnection::After::KeepAlive);
      if (!co_await connection.finish_exchange()) co_return;
    }
  }

  Result<Response> get(const std::string& leaf, const std::string& ca_file) {
    ServerOptions options;
    auto server = Server::listen(
        loop, options, [&](ServerConnection& connection) { return serve(connection, *ca, leaf); });
    auto client = make_http_client(loop, {.ca_file = ca_file});
    if (!client) return std::unexpected(client.error());
    std::optional<Result<Response>> answer;
    struct Run {
      static Task<> it(HttpClient& its_client, std::string url,
                       std::optional<Result<Response>>& into, Loop& its_loop) {
        into = co_await its_client.request(url, "GET", {}, "", std::chrono::seconds(5));
        its_loop.stop();
      }
    };
    loop.restart();
    spawn(loop, Run::it(**client, "https://127.0.0.1:" + std::to_string((*server)->port()) + "/",
                        answer, loop));
    loop.run_for(std::chrono::seconds(10));
    server->reset();
    loop.restart();
    loop.run_for(std::chrono::milliseconds(20));
    return answer ? *std::move(answer) : fail(ErrorCode::Internal, "no answer");
  }

  SystemClock clock;
  Loop loop{1};
  std::unique_ptr<PrivateCa> ca;
  std::string file;
};

TEST_F(TlsTest, AClientThatTrustsTheAuthorityReadsTheAnswer) {
  const auto answer = get("127.0.0.1", file);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.size(), 300'000u);
}

TEST_F(TlsTest, AnotherNameInTheCertificateIsRefused) {
  const auto answer = get("127.0.0.2", file);
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("mismatch"), std::string::npos) << answer.error().message;
}

TEST_F(TlsTest, AnUnknownAuthorityIsRefused) { EXPECT_FALSE(get("127.0.0.1", "")); }

TEST_F(TlsTest, LeavesAreKeptPerHostAndHostsAreChecked) {
  const auto first = ca->context_for("s3.amazonaws.com");
  ASSERT_TRUE(first);
  EXPECT_EQ(ca->context_for("s3.amazonaws.com")->get(), first->get());
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(ca->context_for("host" + std::to_string(i) + ".amazonaws.com"));
  }
  EXPECT_NE(ca->context_for("s3.amazonaws.com")->get(), first->get());
  EXPECT_FALSE(ca->context_for("a,DNS:evil.com"));
  EXPECT_FALSE(ca->context_for(""));
}

TEST_F(TlsTest, AMissingAuthorityFileIsAnError) {
  EXPECT_FALSE(make_client_tls("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace remit::net
