// HTTP/2: our client and our server against each other, and hostile bytes against the server.

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/write.hpp>
#include <optional>

#include "net/http2_calm.h"
#include "net/http2_for_tests.h"
#include "net/http2_head.h"
#include "net/http2_server.h"
#include "net/pool.h"
#include "net/server.h"

namespace remit::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// What the served requests were, and what was refused by its form.
struct Seen {
  std::vector<http::RequestHead> heads;
  std::vector<std::string> malformed;
  int ended = 0;  // handlers
};

// "/big" answers 4 MiB, "/wait" never, "/early" before it reads the body, "/trailers" with
// trailers; everything else with the body it got.
Task<> answer_stream(Seen& seen, ServerConnection& stream) {
  struct Ended {
    explicit Ended(Seen& its) : all(its) {}
    Ended(const Ended&) = delete;
    Ended& operator=(const Ended&) = delete;
    ~Ended() { ++all.ended; }
    Seen& all;
  };
  const Ended ended(seen);
  http::RequestHead head;
  while (true) {
    auto more = co_await stream.read_request(head);
    if (!more || !*more) co_return;
    seen.heads.push_back(head);
    if (head.target == "/wait") {
      [[maybe_unused]] auto gone = co_await stream.wait_for_bytes();
      co_return;
    }
    std::string body;
    if (head.target != "/early") {
      [[maybe_unused]] auto asked = co_await stream.send_continue();
      while (!stream.body_done()) {
        auto piece = co_await stream.read_body();
        if (!piece) co_return;
        body.append(*piece);
      }
    }
    if (head.target == "/big") body.assign(4 << 20, 'b');
    http::ResponseHead answer;
    answer.status = 200;
    answer.fields = {{"X-Method", head.method}};
    const bool trailers = head.target == "/trailers";
    auto begun =
        stream.start_response(answer, trailers ? Framing{Framing::Kind::Chunked, 0}
                                               : Framing{Framing::Kind::Length, body.size()});
    if (!begun) co_return;
    if (head.method != "HEAD") {
      auto written = co_await stream.write_body(body);
      if (!written) co_return;
    }
    http::Fields behind;
    if (trailers) behind = stream.trailers();
    auto finished = co_await stream.finish_body(std::move(behind));
    if (!finished || !co_await stream.finish_exchange()) co_return;
  }
}

class Http2Test : public ::testing::Test {
 protected:
  void start(Timeouts timeouts = {}) {
    ServerOptions options;
    options.timeouts = timeouts;
    options.tick = milliseconds(5);
    auto made = Server::listen(
        loop, options, [this](ServerConnection& connection) { return take(*this, connection); });
    ASSERT_TRUE(made);
    server = *std::move(made);
    auto made_pool = ClientPool::make(loop, {});
    ASSERT_TRUE(made_pool);
    pool = *std::move(made_pool);
  }
  void TearDown() override {
    server.reset();
    loop.restart();
    loop.run_for(milliseconds(20));
    pool.reset();
  }

  static Task<> take(Http2Test& test, ServerConnection& connection) {
    http::RequestHead head;
    auto more = co_await connection.read_request(head);
    if (more || !connection.begins_http2()) co_return;
    Http2Serving serving;
    serving.serve = [&test](ServerConnection& stream) { return answer_stream(test.seen, stream); };
    serving.malformed = [&test](std::string_view reason) {
      test.seen.malformed.emplace_back(reason);
    };
    co_await serve_http2(test.loop, connection, std::move(serving));
    ++test.ended;
  }

  struct Http11Only {
    std::string greeted;  // what it says to HTTP/2's preface, before it hangs up
    int greetings = 0, requests = 0;
  };
  static Task<> serve_http11(ServerConnection& connection, std::shared_ptr<Http11Only> its) {
    http::RequestHead head;
    auto more = co_await connection.read_request(head);
    if (connection.begins_http2()) {
      ++its->greetings;
      [[maybe_unused]] auto ec = co_await connection.stream().write(its->greeted, {});
      co_return;
    }
    if (!more || !*more) co_return;
    ++its->requests;
    std::string body;
    while (!connection.body_done()) {
      auto piece = co_await connection.read_body();
      if (!piece) co_return;
      body.append(*piece);
    }
    body += " over HTTP/1.1";
    [[maybe_unused]] auto answered =
        co_await connection.respond(200, {}, body, ServerConnection::After::Close);
  }
  static Task<> say_nothing(ServerConnection& connection) {
    [[maybe_unused]] auto bytes = co_await connection.wait_for_bytes();
    co_await sleep_for(std::chrono::seconds(1));
  }

  struct Got {
    std::string error;
    http::ResponseHead head;
    std::string body;
    http::Fields trailers;
  };
  static Task<Result<>> exchange(ClientConnection& client, const http::RequestHead& head,
                                 const std::string& body, const http::Fields& trailers, Got& into) {
    const bool chunked = !trailers.empty();
    Framing framing{Framing::Kind::Length, body.size()};
    if (chunked) framing = Framing{Framing::Kind::Chunked, 0};
    if (body.empty() && !chunked) framing = Framing{};
    REMIT_CO_CHECKED(client.start_request(head, framing));
    REMIT_CO_CHECKED(co_await client.write_body(body));
    http::Fields behind = trailers;
    REMIT_CO_CHECKED(co_await client.finish_body(std::move(behind)));
    REMIT_CO_CHECKED(co_await client.read_response(into.head));
    while (!client.body_done()) {
      auto piece = co_await client.read_body();
      if (!piece) co_return std::unexpected(std::move(piece).error());
      into.body.append(*piece);
    }
    into.trailers = client.trailers();
    co_return Result<>{};
  }
  static Task<> ask(Http2Test& test, http::RequestHead head, std::string body,
                    http::Fields trailers, Got& into, int& left) {
    const Origin origin{false, "127.0.0.1", test.server->port()};
    auto lease = co_await test.pool->acquire_http2(origin);
    if (lease) {
      auto done = co_await exchange(*lease->connection, head, body, trailers, into);
      if (!done) into.error = done.error().message;
    } else {
      into.error = lease.error().message;
    }
    if (--left == 0) test.loop.stop();
  }
  Got ask(std::string method, std::string target, std::string body = {},
          http::Fields trailers = {}) {
    Got got;
    int left = 1;
    http::RequestHead head{std::move(method), std::move(target), 11, {{"Host", "h:1"}}};
    loop.restart();
    spawn(loop, ask(*this, std::move(head), std::move(body), std::move(trailers), got, left));
    loop.run_for(std::chrono::seconds(20));
    EXPECT_EQ(left, 0) << "the exchange did not end";
    return got;
  }

  // A raw client: sends its bytes, then reads until the end or until it is hung up.
  struct Talk {
    explicit Talk(Loop& loop) : socket(loop) {}
    Socket socket;
    std::string bytes;
    std::string answer;
    bool closed = false;
  };
  static Task<> talk_raw(Http2Test& test, std::shared_ptr<Talk> talk) {
    [[maybe_unused]] auto [ec] = co_await talk->socket.async_connect(
        asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), test.server->port()), kAwait);
    [[maybe_unused]] auto [write_ec, n] =
        co_await asio::async_write(talk->socket, asio::buffer(talk->bytes), kAwait);
    std::array<char, 4096> piece;
    while (true) {
      auto [read_ec, size] = co_await talk->socket.async_read_some(asio::buffer(piece), kAwait);
      if (read_ec == asio::error::operation_aborted) co_return;
      if (read_ec) break;
      talk->answer.append(piece.data(), size);
    }
    talk->closed = true;
    test.loop.stop();
  }
  std::shared_ptr<Talk> begin_raw(const std::string& bytes) {
    auto talk = std::make_shared<Talk>(loop);
    talk->bytes = std::string(frames::kPreface) + frames::settings() + bytes;
    loop.restart();
    spawn(loop, talk_raw(*this, talk));
    return talk;
  }
  struct Raw {
    std::vector<frames::Frame> frames;
    bool closed = false;
    const frames::Frame* of(std::uint8_t type, std::uint32_t stream) const {
      for (const auto& frame : frames) {
        if (frame.type == type && frame.stream == stream) return &frame;
      }
      return nullptr;
    }
  };
  Raw raw(const std::string& bytes, milliseconds limit = milliseconds(300)) {
    const auto talk = begin_raw(bytes);
    loop.run_for(limit);
    Raw got{frames::parse(talk->answer), talk->closed};
    talk->socket.close();
    loop.restart();
    loop.run_for(milliseconds(5));
    return got;
  }

  Loop loop{1};
  Seen seen;
  int ended = 0;
  std::unique_ptr<Server> server;
  std::unique_ptr<ClientPool> pool;
};

TEST_F(Http2Test, CarriesExchangesBothWays) {
  start();
  const Got get = ask("GET", "/a?b=c");
  EXPECT_EQ(get.error, "");
  EXPECT_EQ(get.head.status, 200);
  EXPECT_EQ(http::find(get.head.fields, "x-method")->value, "GET");
  ASSERT_EQ(seen.heads.size(), 1u);
  EXPECT_EQ(seen.heads[0].target, "/a?b=c");
  EXPECT_EQ(http::find(seen.heads[0].fields, "host")->value, "h:1");
  EXPECT_EQ(ask("POST", "/", "hello").body, "hello");
  const Got head = ask("HEAD", "/");
  EXPECT_EQ(head.error, "");
  EXPECT_EQ(head.body, "");
}

// Servers that do not know HTTP/2 say so in many ways.
TEST_F(Http2Test, SpeaksHttp11WithAServerThatDoesNotGreetBack) {
  start();
  for (const std::string greeted :
       {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "<html>505", "", "HT"}) {
    const auto its = std::make_shared<Http11Only>(Http11Only{greeted});
    const auto handler = [its](ServerConnection& client) { return serve_http11(client, its); };
    auto listening = Server::listen(loop, {}, handler);
    ASSERT_TRUE(listening);
    server = *std::move(listening);
    const Got got = ask("POST", "/x", "body");
    EXPECT_EQ(got.error, "") << greeted;
    EXPECT_EQ(got.head.status, 200) << greeted;
    EXPECT_EQ(got.body, "body over HTTP/1.1") << greeted;
    EXPECT_EQ(ask("GET", "/y").head.status, 200);
    EXPECT_EQ(its->requests, 2);
    EXPECT_EQ(its->greetings, greeted.empty() ? 2 : 1) << "who only hangs up is asked again";
  }
}

TEST_F(Http2Test, AServerThatSaysNothingIsNotWaitedForForEver) {
  ClientOptions options;
  options.connect_timeout = milliseconds(50);
  auto made = ClientPool::make(loop, options, Timeouts{});
  ASSERT_TRUE(made);
  pool = *std::move(made);
  const auto handler = [](ServerConnection& client) { return say_nothing(client); };
  auto listening = Server::listen(loop, {}, handler);
  ASSERT_TRUE(listening);
  server = *std::move(listening);
  EXPECT_NE(ask("GET", "/").error.find("says nothing"), std::string::npos);
}

TEST_F(Http2Test, CarriesLargeBodiesAndTrailers) {
  start();
  const std::string body(5 << 20, 'u');
  EXPECT_EQ(ask("PUT", "/", body).body, body);
  EXPECT_EQ(ask("GET", "/big").body, std::string(4 << 20, 'b'));
  const Got got = ask("POST", "/trailers", "x", {{"x-sum", "1"}});
  EXPECT_EQ(got.error, "");
  ASSERT_EQ(got.trailers.size(), 1u);
  EXPECT_EQ(got.trailers[0].value, "1");
}

TEST_F(Http2Test, AnAnswerMayComeBeforeTheBodysEnd) {
  start();
  using namespace frames;
  Fields fields = get("/early");
  fields[0].second = "POST";
  const Raw answered = raw(request(1, fields, false) + frame(kData, 0, 1, "part"));
  ASSERT_NE(answered.of(kHeaders, 1), nullptr);
  const auto* reset = answered.of(kRstStream, 1);
  ASSERT_NE(reset, nullptr);
  EXPECT_EQ(error_of(*reset), 0u);
  EXPECT_FALSE(answered.closed);
}

TEST_F(Http2Test, ServesManyStreamsOfOneConnectionAtOnce) {
  start();
  using namespace frames;
  std::string all;
  for (std::uint32_t i = 0; i < 100; ++i) {
    Fields fields = get("/" + std::to_string(i));
    fields[0].second = "POST";
    all += request(2 * i + 1, fields, false);
  }
  for (std::uint32_t i = 100; i-- > 0;) {
    all += frame(kData, kEndStream, 2 * i + 1, "body " + std::to_string(i));
  }
  const Raw answered = raw(all);
  EXPECT_EQ(seen.heads.size(), 100u);
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto* data = answered.of(kData, 2 * i + 1);
    ASSERT_NE(data, nullptr) << i;
    EXPECT_EQ(data->payload, "body " + std::to_string(i));
  }
}

TEST_F(Http2Test, OneStreamMoreThanAllowedIsRefused) {
  start();
  using namespace frames;
  std::string all;
  for (std::uint32_t i = 0; i < 101; ++i) all += request(2 * i + 1, get("/wait"));
  const Raw answered = raw(all);
  EXPECT_LE(seen.heads.size(), 100u);
  const auto* refused = answered.of(kRstStream, 201);
  const auto* goaway = answered.of(kGoaway, 0);
  EXPECT_TRUE(refused != nullptr || goaway != nullptr);
}

TEST_F(Http2Test, AResetStreamIsCutFromWhoServesIt) {
  start();
  using namespace frames;
  const auto talk = begin_raw(request(1, get("/wait")));
  loop.run_for(milliseconds(30));
  EXPECT_EQ(seen.heads.size(), 1u);
  EXPECT_EQ(seen.ended, 0);
  asio::write(talk->socket, asio::buffer(frame(kRstStream, 0, 1, number(8))));
  loop.restart();
  loop.run_for(milliseconds(30));
  EXPECT_EQ(seen.ended, 1);
}

TEST_F(Http2Test, RefusesMalformedRequests) {
  start();
  using namespace frames;
  const auto with = [](std::string name, std::string value) {
    Fields fields = get();
    fields.emplace_back(std::move(name), std::move(value));
    return fields;
  };
  const auto changed = [](std::size_t i, std::string value) {
    Fields fields = get();
    fields[i].second = std::move(value);
    return fields;
  };
  const std::vector<std::pair<std::string, Fields>> cases = {
      {"CR in a value", with("x", "a\r\nHost: b")},
      {"NUL in a value", with("x", std::string("a\0b", 3))},
      {"LF in a name", with("x\ny", "a")},
      {"colon in a name", with("x:y", "a")},
      {"space in a name", with("x y", "a")},
      {"upper case", with("X-A", "a")},
      {"blank around a value", with("x", " a ")},
      {"empty name", with("", "a")},
      {"connection", with("connection", "close")},
      {"keep-alive", with("keep-alive", "1")},
      {"transfer-encoding", with("transfer-encoding", "chunked")},
      {"upgrade", with("upgrade", "h2c")},
      {"proxy-connection", with("proxy-connection", "close")},
      {"http2-settings", with("http2-settings", "AAMAAABk")},
      {"te", with("te", "gzip")},
      {"another host", with("host", "other")},
      {"content-length without content", with("content-length", "5")},
      {"content-length of two numbers", with("content-length", "0, 0")},
      {"content-length with a zero before", with("content-length", "00")},
      {"unknown pseudo-field", with(":protocol", "websocket")},
      {"pseudo-field behind a field",
       {{":method", "GET"}, {":scheme", "http"}, {"x", "y"}, {":authority", "h"}, {":path", "/"}}},
      {"twice :path", with(":path", "/b")},
      {"no :path", {{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}}},
      {"no :authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}},
      {":status", with(":status", "200")},
      {"another scheme", changed(1, "https")},
      {"CONNECT", {{":method", "CONNECT"}, {":authority", "h:443"}}},
      {"the preface's method", changed(0, "PRI")},
      {"method with a blank", changed(0, "GET /x HTTP/1.1")},
      {"path without slash", changed(3, "a")},
      {"path of another host", changed(3, "http://other/")},
      {"path with a blank", changed(3, "/ HTTP/1.1")},
      {"path with CR LF", changed(3, "/\r\nx: y")},
      {"asterisk", changed(3, "*")},
      {"authority with a user", changed(2, "a@h")},
      {"authority with a path", changed(2, "h/x")},
      {"two authorities", changed(2, "h,g")},
  };
  for (const auto& [name, fields] : cases) {
    seen = {};
    const Raw answered = raw(request(1, fields) + request(3, get("/good")), milliseconds(60));
    EXPECT_NE(answered.of(kRstStream, 1), nullptr) << name;
    EXPECT_EQ(answered.of(kHeaders, 1), nullptr) << name;
    EXPECT_GE(seen.malformed.size(), 1u) << name;
    ASSERT_EQ(seen.heads.size(), 1u) << name;
    EXPECT_EQ(seen.heads[0].target, "/good") << name;
  }
}

TEST_F(Http2Test, RefusesABodyOfAnotherLengthThanItsHeadSays) {
  start();
  using namespace frames;
  for (const std::string& body : {std::string("abc"), std::string("abcdefgh")}) {
    seen = {};
    Fields fields = get("/");
    fields[0].second = "POST";
    fields.emplace_back("content-length", "5");
    const Raw answered =
        raw(request(1, fields, false) + frame(kData, kEndStream, 1, body), milliseconds(60));
    EXPECT_NE(answered.of(kRstStream, 1), nullptr) << body;
    EXPECT_EQ(answered.of(kHeaders, 1), nullptr) << body;
  }
}

TEST_F(Http2Test, RefusesTrailersThatBelongBeforeTheBody) {
  start();
  using namespace frames;
  Fields fields = get("/");
  fields[0].second = "POST";
  for (const char* name : {"host", "content-length", "connection", "transfer-encoding", ":path"}) {
    seen = {};
    const Raw answered =
        raw(request(1, fields, false) + frame(kData, 0, 1, "abc") + request(1, {{name, "1"}}),
            milliseconds(60));
    EXPECT_NE(answered.of(kRstStream, 1), nullptr) << name;
    EXPECT_EQ(answered.of(kHeaders, 1), nullptr) << name;
  }
}

TEST_F(Http2Test, SendsAwayWhoeverFloodsIt) {
  Timeouts timeouts;
  timeouts.head = milliseconds(500);
  start(timeouts);
  using namespace frames;
  const auto many = [](int times, const std::string& one) {
    std::string all;
    for (int i = 0; i < times; ++i) all += one;
    return all;
  };
  std::string resets;
  for (std::uint32_t i = 0; i < 600; ++i) {
    resets += request(2 * i + 1, get("/wait")) + frame(kRstStream, 0, 2 * i + 1, number(8));
  }
  const std::string open = request(1, get("/wait"), false);
  std::string continuations = frame(kHeaders, kEndStream, 1, block(get()));
  for (int i = 0; i < 2000; ++i) continuations += frame(kContinuation, 0, 1, block({{"a", "b"}}));
  std::string large = frame(kHeaders, kEndStream, 1, block(get()));
  for (int i = 0; i < 7; ++i) {
    large += frame(kContinuation, 0, 1, block({{"a", std::string(15000, 'x')}}));
  }
  large += frame(kContinuation, kEndHeaders, 1, "");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"PING", many(5000, frame(kPing, 0, 0, "12345678"))},
      {"SETTINGS", many(5000, settings())},
      {"PRIORITY", many(5000, frame(kPriority, 0, 5, number(0) + "\x01"))},
      {"empty DATA", open + many(5000, frame(kData, 0, 1, ""))},
      {"WINDOW_UPDATE", open + many(5000, frame(kWindowUpdate, 0, 1, number(1)))},
      {"rapid reset", resets},
      {"CONTINUATION", continuations},
      {"large head", large},
      {"a window that overflows", frame(kWindowUpdate, 0, 0, number(0x7fffffff))},
  };
  for (const auto& [name, bytes] : cases) {
    seen = {};
    const Raw answered = raw(bytes, milliseconds(2000));
    if (name == "large head") {
      const auto* reset = answered.of(kRstStream, 1);
      ASSERT_NE(reset, nullptr);
      EXPECT_EQ(error_of(*reset), 11u);
      EXPECT_TRUE(seen.heads.empty());
      continue;
    }
    EXPECT_TRUE(answered.closed) << name;
    EXPECT_LE(seen.heads.size(), 210u) << name;
    loop.restart();
    loop.run_for(milliseconds(20));
    EXPECT_EQ(static_cast<std::size_t>(seen.ended), seen.heads.size()) << name;
  }
}

TEST_F(Http2Test, ASlowPeerIsCutOff) {
  Timeouts timeouts;
  timeouts.head = timeouts.stall = timeouts.idle = milliseconds(100);
  start(timeouts);
  using namespace frames;
  // Half a header block; a window that never opens; nothing at all.
  EXPECT_TRUE(raw(frame(kHeaders, kEndStream, 1, block(get())), milliseconds(3000)).closed);
  const std::string no_window = frame(kSettings, 0, 0, std::string("\0\x04", 2) + number(0));
  const Raw slow = raw(no_window + request(1, get("/big")), milliseconds(3000));
  ASSERT_NE(slow.of(kRstStream, 1), nullptr);
  EXPECT_EQ(slow.of(kData, 1), nullptr);
  EXPECT_TRUE(slow.closed);  // idle, then
  EXPECT_TRUE(raw("", milliseconds(3000)).closed);
}

TEST_F(Http2Test, TheServersEndCutsEverything) {
  start();
  using namespace frames;
  const auto talk = begin_raw(request(1, get("/wait")) + request(3, get("/wait")));
  loop.run_for(milliseconds(50));
  EXPECT_EQ(seen.heads.size(), 2u);
  server->stop();
  loop.restart();
  loop.run_for(milliseconds(200));
  loop.restart();
  loop.run_for(milliseconds(20));
  EXPECT_TRUE(talk->closed);
  EXPECT_EQ(seen.ended, 2);
  EXPECT_EQ(ended, 1);
}

TEST(Http2Calm, IsLostByIdleFramesAndRegainedByWorkAndTime) {
  Http2Calm::Instant now{};
  Http2Calm calm(now);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(calm.spend(1, now));
  EXPECT_FALSE(calm.spend(1, now));
  now += std::chrono::seconds(1);
  EXPECT_TRUE(calm.spend(40, now));
  EXPECT_FALSE(calm.spend(40, now));
  calm.earn(100);
  EXPECT_TRUE(calm.spend(40, now));
}

TEST(Http2Head, MakesOneCookieOfItsPiecesAndTakesHostForAuthority) {
  Http2Block block;
  for (const auto& [name, value] : frames::Fields{{":method", "GET"},
                                                  {":scheme", "https"},
                                                  {":path", "/"},
                                                  {"host", "h"},
                                                  {"cookie", "a=1"},
                                                  {"te", "trailers"},
                                                  {"cookie", "b=2"}}) {
    ASSERT_TRUE(block.add(name, value));
  }
  const auto request = to_request(std::move(block), true, "https");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->head.version, 20);
  EXPECT_EQ(http::find(request->head.fields, "cookie")->value, "a=1; b=2");
  EXPECT_EQ(http::find(request->head.fields, "host")->value, "h");
}

TEST(Http2Head, RefusesAnswersThatAreNone) {
  for (const auto& fields : std::vector<frames::Fields>{{{":status", "20"}},
                                                        {{":status", "101"}},
                                                        {{":status", "999"}},
                                                        {{"x", "y"}},
                                                        {{":status", "200"}, {"connection", "x"}},
                                                        {{":status", "200"}, {"x", "a\nb"}}}) {
    Http2Block block;
    bool added = true;
    for (const auto& [name, value] : fields) added = added && block.add(name, value);
    EXPECT_FALSE(added && to_response(std::move(block), false));
  }
}

}  // namespace
}  // namespace remit::net
