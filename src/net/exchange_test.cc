// Server and client against each other and against raw peers, on loopback.

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "net/client.h"
#include "net/pool.h"
#include "net/server.h"
#include "net/tls.h"

namespace remit::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// Runs one task to its end.
template <class T>
T run(Loop& loop, Task<T> task) {
  std::optional<T> result;
  auto store = [](Task<T> inner, std::optional<T>& into, Loop& its_loop) -> Task<> {
    into = co_await std::move(inner);
    its_loop.stop();
  };
  loop.restart();
  spawn(loop, store(std::move(task), result, loop));
  loop.run_for(std::chrono::seconds(20));
  if (!result) ADD_FAILURE() << "the task did not end";
  return result ? *std::move(result) : T{};
}

// Sends `bytes`, then reads until the peer closes.
Task<std::string> talk(Loop& loop, std::uint16_t port, std::string bytes) {
  Socket socket(loop);
  auto [ec] = co_await socket.async_connect(
      asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), port), kAwait);
  if (ec) co_return "no connection: " + ec.message();
  [[maybe_unused]] auto [write_ec, sent] =
      co_await asio::async_write(socket, asio::buffer(bytes), kAwait);
  std::string answer;
  std::array<char, 4096> piece;
  while (true) {
    auto [read_ec, n] = co_await socket.async_read_some(asio::buffer(piece), kAwait);
    if (read_ec) break;
    answer.append(piece.data(), n);
  }
  co_return answer;
}

// Answers with method, target and body; "/close" closes after it, "/refuse" leaves the body alone.
Task<> echo(ServerConnection& connection) {
  http::RequestHead head;
  while (true) {
    auto more = co_await connection.read_request(head);
    if (!more && more.error().code != ErrorCode::Unavailable) {
      auto refused =
          co_await connection.respond(400, {}, "malformed", ServerConnection::After::Close);
      if (refused) co_await connection.finish_exchange();
    }
    if (!more || !*more) co_return;
    std::string body;
    if (head.target != "/refuse") {
      auto go_on = co_await connection.send_continue();
      while (!connection.body_done()) {
        auto piece = co_await connection.read_body();
        if (!piece) co_return;
        body.append(*piece);
      }
    }
    const std::string text = head.method + " " + head.target + " " + body;
    const auto after = head.target == "/close" ? ServerConnection::After::Close
                                               : ServerConnection::After::KeepAlive;
    auto answered = co_await connection.respond(200, {}, text, after);
    if (!co_await connection.finish_exchange()) co_return;
  }
}

struct Served : testing::Test {
  void serve(ServerOptions options = {}, Server::Handler handler = echo) {
    options.tick = milliseconds(5);
    auto made = Server::listen(loop, options, std::move(handler));
    ASSERT_TRUE(made) << made.error().message;
    server = *std::move(made);
  }
  std::string url(std::string_view target) {
    return "http://127.0.0.1:" + std::to_string(server->port()) + std::string(target);
  }

  Loop loop{1};
  std::unique_ptr<Server> server;
};

TEST_F(Served, PipelinedRequestsAreAnsweredInOrder) {
  serve();
  const std::string answer = run(
      loop,
      talk(loop, server->port(),
           "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
           "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
           "GET /close HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(answer,
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nPOST /1 abc"
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nPOST /2 de"
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nGET /close ");
}

TEST_F(Served, MalformedRequestsAreAnsweredOnceAndTheConnectionEnds) {
  serve();
  const std::string answer =
      run(loop, talk(loop, server->port(),
                     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n"
                     "abcGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(answer.find("smuggled"), std::string::npos);
}

TEST_F(Served, ContinueIsSentOnlyWhenTheHandlerAsksForTheBody) {
  serve();
  const std::string refused = run(
      loop,
      talk(loop, server->port(),
           "PUT /refuse HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 200 ")) << refused;
  EXPECT_NE(refused.find("Connection: close"), std::string::npos);
  const std::string taken = run(loop, talk(loop, server->port(),
                                           "PUT /close HTTP/1.1\r\nHost: a\r\nExpect: "
                                           "100-continue\r\nContent-Length: 3\r\n\r\nabc"));
  EXPECT_TRUE(taken.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")) << taken;
}

TEST_F(Served, ASlowHeadIsCutOff) {
  ServerOptions options;
  options.timeouts.head = milliseconds(20);
  serve(options);
  EXPECT_EQ(run(loop, talk(loop, server->port(), "GET / HTTP/1.1\r\nHo")), "");
}

TEST_F(Served, ABodyThatStallsIsCutOff) {
  ServerOptions options;
  options.timeouts.stall = milliseconds(20);
  serve(options);
  EXPECT_EQ(run(loop, talk(loop, server->port(),
                           "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")),
            "");
}

TEST_F(Served, AHeadLargerThan64KiBIsRefused) {
  serve();
  const std::string answer =
      run(loop, talk(loop, server->port(), "GET / HTTP/1.1\r\nX: " + std::string(70 << 10, 'x')));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
}

TEST_F(Served, TheClientExchangesBodiesAndReusesItsConnection) {
  serve();
  auto client = make_http_client(loop, {});
  ASSERT_TRUE(client);
  for (int i = 0; i < 3; ++i) {
    auto answer = run(loop, (*client)->request(url("/x?y=1"), "POST", {{"X-A", "b"}},
                                               std::string(100'000, 'z'), milliseconds(5000)));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->head.status, 200);
    EXPECT_EQ(answer->body.size(), 100'000 + std::string("POST /x?y=1 ").size());
  }
  EXPECT_EQ(server->connections(), 1u);
}

TEST_F(Served, TheClientTriesAgainOnlyAStaleConnectionWithoutABody) {
  serve();
  auto client = make_http_client(loop, {});
  ASSERT_TRUE(client);
  ASSERT_TRUE(run(loop, (*client)->request(url("/a"), "GET", {}, "", milliseconds(5000))));
  const auto port = server->port();
  server.reset();
  loop.restart();
  loop.run_for(milliseconds(20));
  ServerOptions again;
  again.port = port;
  serve(again);
  auto answer = run(loop, (*client)->request(url("/b"), "GET", {}, "", milliseconds(5000)));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "GET /b ");
}

TEST_F(Served, AnAnswerThatDoesNotComeIsAnErrorInTime) {
  serve({}, [](ServerConnection& connection) -> Task<> {
    http::RequestHead head;
    [[maybe_unused]] auto more = co_await connection.read_request(head);
    co_await sleep_for(std::chrono::hours(1));
  });
  auto client = make_http_client(loop, {});
  auto answer = run(loop, (*client)->request(url("/"), "GET", {}, "", milliseconds(60)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
}

TEST_F(Served, APeerThatGoesAwayCutsWhatIsDoneForIt) {
  struct Pair {
    ServerConnection* connection = nullptr;
    bool cut = false;
  } pair;
  serve({}, [&](ServerConnection& connection) {
    struct Body {
      static Task<> run(ServerConnection& of, Pair& into, Loop& its_loop) {
        http::RequestHead head;
        [[maybe_unused]] auto more = co_await of.read_request(head);
        asio::ip::tcp::endpoint nowhere;
        DeadlineSweep sweep(its_loop, milliseconds(5));
        ServerConnection other(Stream(Socket(its_loop)), sweep, {});
        of.watch_peer_for(&other);
        while (of.is_open()) co_await sleep_for(milliseconds(5));
        into.cut = true;
        its_loop.stop();
      }
    };
    return Body::run(connection, pair, loop);
  });
  struct Gone {
    static Task<> run(Loop& its_loop, std::uint16_t port) {
      Socket socket(its_loop);
      [[maybe_unused]] auto [ec] = co_await socket.async_connect(
          asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), port), kAwait);
      const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
      [[maybe_unused]] auto [write_ec, n] =
          co_await asio::async_write(socket, asio::buffer(bytes), kAwait);
    }
  };
  spawn(loop, Gone::run(loop, server->port()));
  loop.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(pair.cut);
}

TEST(Urls, AreReadStrictly) {
  const auto url = parse_url("https://Sts.Amazonaws.com/a?b=c");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin, (Origin{true, "sts.amazonaws.com", 443}));
  EXPECT_EQ(url->authority, "sts.amazonaws.com");
  EXPECT_EQ(url->target, "/a?b=c");
  EXPECT_EQ(parse_url("http://127.0.0.1:8000")->authority, "127.0.0.1:8000");
  EXPECT_EQ(parse_url("http://127.0.0.1:8000")->target, "/");
  EXPECT_EQ(parse_url("http://[::1]:8000/")->authority, "[::1]:8000");
  for (const std::string_view bad :
       {"ftp://a/", "http://", "http://a:0/", "http://a:99999/", "http://u:p@a/", "http://a/#f",
        "http://a b/", "http://a/\r\n", "http://a:80:80/", "//a/", "http://[::1/", "http://[a]/"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace remit::net
