// Bodies that stream, peers that go away, and everything that is slow.

#include "gateway/egress/test_fixture.h"

namespace remit::gateway {
namespace {

TEST_F(EgressTest, StreamsALargeBodyEachWay) {
  start();
  begin_call(kAllS3);
  const std::string body(5 << 20, 'b');
  answer = [](net::ServerConnection& client, Arrived& here) -> net::Task<> {
    co_await read_all(client, here);
    if (!here.whole) co_return;
    [[maybe_unused]] auto done = co_await client.respond(200, {}, std::string(5 << 20, 'c'),
                                                         net::ServerConnection::After::KeepAlive);
  };
  const Answered answered = exchange(with_body(request("PUT", "/b/k", body), body));
  EXPECT_EQ(answered.status, 200);
  EXPECT_EQ(answered.body, std::string(5 << 20, 'c'));
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0]->body, body);
}

TEST_F(EgressTest, CutsAnUploadWhoseHashTurnsOutWrongBeforeItsEnd) {
  start();
  begin_call(kAllS3);
  const std::string body(1 << 20, 'b');
  const std::string other(1 << 20, 'x');
  const Answered answered = exchange(with_body(request("PUT", "/b/k", body), other));
  EXPECT_NE(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_FALSE(arrived[0]->whole);
  EXPECT_LT(arrived[0]->body.size(), other.size());
}

TEST_F(EgressTest, AsksForTheBodyOnlyAfterAuthorising) {
  start();
  begin_call(kReadInvoices);
  auto head = request("PUT", "/invoices/a", "data");
  head.fields.push_back({"Expect", "100-continue"});
  const Answered refused = exchange(text(head) + "Content-Length: 4\r\n\r\n");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.raw.find("100 Continue"), std::string::npos);
  lane->clear();
  begin_call(kAllS3);
  const Answered taken = exchange(text(head) + "Content-Length: 4\r\n\r\ndata");
  EXPECT_TRUE(taken.raw.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) << taken.raw;
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(http::find(arrived.back()->head.fields, "expect"), nullptr);
}

TEST_F(EgressTest, PassesAnUnsignedTrailerUploadInsideChunkedCoding) {
  start();
  begin_call(kAllS3);
  const auto head = request("PUT", "/b/k", "", "s3", aws::Payload::StreamingUnsignedTrailer,
                            {{"Content-Encoding", "aws-chunked"},
                             {"X-Amz-Decoded-Content-Length", "5"},
                             {"X-Amz-Trailer", "x-amz-checksum-crc32"}});
  const std::string content = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
  // The two codings are cut at different places.
  std::string coded;
  for (std::size_t at = 0; at < content.size(); at += 7) {
    const std::string piece = content.substr(at, 7);
    coded += std::string(1, "0123456789"[piece.size()]) + "\r\n" + piece + "\r\n";
  }
  coded += "0\r\n\r\n";
  const Answered answered = exchange(text(head) + "Transfer-Encoding: chunked\r\n\r\n" + coded);
  EXPECT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0]->body, content);
}

TEST_F(EgressTest, AnAnswerBeforeTheBodysEndIsPassedOn) {
  start();
  begin_call(kAllS3);
  answer = [](net::ServerConnection& client, Arrived&) -> net::Task<> {
    [[maybe_unused]] auto done =
        co_await client.respond(400, {}, "too early", net::ServerConnection::After::Close);
  };
  const std::string body(64 << 20, 'b');
  const Answered answered =
      exchange(with_body(request("PUT", "/b/k", body, "s3", aws::Payload::Unsigned), body));
  EXPECT_EQ(answered.status, 400);
  EXPECT_EQ(answered.body, "too early");
}

TEST_F(EgressTest, AnUpstreamThatIsGoneIsToldInTheProtocolsForm) {
  start();
  const auto call = begin_call(kAllS3);
  upstream.reset();
  settle();
  const Answered answered = exchange(text(request("GET", "/b/k", "")) + "\r\n");
  EXPECT_EQ(answered.status, 503) << answered.raw;
  EXPECT_NE(answered.body.find("<Code>"), std::string::npos);
  call->end();
  const auto done = ledger.of(ledger::Kind::AwsDone);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_NE(done[0].body.find("error_code"), std::string::npos);
}

TEST_F(EgressTest, AnUpstreamThatClosesAtAnyStepNeverLooksLikeAWholeAnswer) {
  start();
  begin_call(kAllS3);
  // After the head was read; in the middle of an answer's body.
  answer = [](net::ServerConnection& client, Arrived&) -> net::Task<> {
    client.close();
    co_return;
  };
  EXPECT_EQ(exchange(text(request("GET", "/b/k", "")) + "\r\n").status, 503);
  answer = [](net::ServerConnection& client, Arrived&) -> net::Task<> {
    http::ResponseHead head;
    head.status = 200;
    [[maybe_unused]] auto started = client.start_response(head, {net::Framing::Kind::Length, 1000});
    [[maybe_unused]] auto written = co_await client.write_body("only this");
    [[maybe_unused]] auto flushed = co_await client.flush();
    client.close();
  };
  const Answered cut = exchange(text(request("GET", "/b/k", "")) + "\r\n");
  EXPECT_LT(cut.body.size(), 1000u);
}

TEST_F(EgressTest, AnUpstreamThatDoesNotAnswerIsGivenUp) {
  options.answer_limit = std::chrono::milliseconds(30);
  start();
  begin_call(kAllS3);
  answer = [](net::ServerConnection& client, Arrived&) -> net::Task<> {
    co_await net::sleep_for(std::chrono::hours(1));
    client.close();
  };
  const Answered answered = exchange(text(request("GET", "/b/k", "")) + "\r\n");
  EXPECT_EQ(answered.status, 503) << answered.raw;
  EXPECT_NE(answered.body.find("no progress in time"), std::string::npos) << answered.body;
}

TEST_F(EgressTest, TheEndOfTheCallCutsWhatIsOnItsWay) {
  start();
  begin_call(kAllS3);
  answer = [this](net::ServerConnection& client, Arrived&) -> net::Task<> {
    return end_call(client, lane);
  };
  const Answered answered = exchange(text(request("GET", "/b/k", "")) + "\r\n");
  EXPECT_EQ(answered.status, 0) << answered.raw;
}

TEST_F(EgressTest, AClientThatGoesAwayCutsTheRequestToAws) {
  start();
  const auto call = begin_call(kAllS3);
  bool cut = false;
  answer = [&](net::ServerConnection& client, Arrived&) -> net::Task<> {
    return note_the_end(client, cut, loop);
  };
  loop.restart();
  net::spawn(loop, ask_and_leave(loop, egress->port(), text(request("GET", "/b/k", "")) + "\r\n"));
  loop.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(cut);
  settle();
  call->end();
  const auto done = ledger.of(ledger::Kind::AwsDone);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_NE(done[0].body.find("\"status\":0"), std::string::npos) << done[0].body;
}

TEST_F(EgressTest, AStalePooledConnectionIsReplacedOnce) {
  start();
  begin_call(kAllS3);
  EXPECT_EQ(exchange(text(request("GET", "/b/k", "")) + "\r\n").status, 200);
  const auto port = upstream->port();
  upstream.reset();
  settle();
  net::ServerOptions again;
  again.port = port;
  again.tick = std::chrono::milliseconds(5);
  upstream = *net::Server::listen(
      loop, again, [this](net::ServerConnection& client) { return serve_upstream(*this, client); });
  EXPECT_EQ(exchange(text(request("GET", "/b/k", "")) + "\r\n").status, 200);
}

net::Task<> end_after(int turns, std::shared_ptr<Call> call) {
  const auto executor = co_await boost::asio::this_coro::executor;
  for (; turns > 0; --turns) co_await boost::asio::post(executor, net::kAwait);
  call->end();
}

net::Task<> hang_up_and_end(net::ServerConnection& client, int turns, std::shared_ptr<Call> call,
                            net::Loop& loop) {
  client.close();
  net::spawn(loop, end_after(turns, std::move(call)));
  co_return;
}

// The sanitizers see when the end reaches for a connection that was let go of.
TEST_F(EgressTest, ACallMayEndAtAnyMomentWhileAStaleConnectionIsReplaced) {
  start();
  for (int turns = 0; turns < 24; ++turns) {
    const auto call = begin_call(kAllS3);
    answer = {};
    ASSERT_EQ(exchange(text(request("GET", "/b/k", "")) + "\r\n").status, 200);
    answer = [&](net::ServerConnection& client, Arrived&) -> net::Task<> {
      return hang_up_and_end(client, turns, call, loop);
    };
    EXPECT_NE(exchange(text(request("GET", "/b/k", "")) + "\r\n").status, 200);
    // The answer may be quicker than the turns until the end.
    for (int i = 0; i < 500 && !call->over(); ++i) settle();
    EXPECT_TRUE(call->over());
    lane->clear();
  }
}

TEST_F(EgressTest, ManyRequestsOnOneConnectionAreAnsweredInOrder) {
  start();
  begin_call(kAllS3);
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += text(request("GET", "/b/k" + std::to_string(i), "")) + "\r\n";
  }
  Answered answered;
  loop.restart();
  net::spawn(loop, talk(*this, all, answered));
  loop.run_for(std::chrono::milliseconds(300));
  ASSERT_GE(arrived.size(), 1u);
  for (std::size_t i = 0; i < arrived.size(); ++i) {
    EXPECT_EQ(arrived[i]->head.target, "/b/k" + std::to_string(i));
  }
}

TEST_F(EgressTest, RefusesSmuggledAndMalformedRequestsAtTheDoor) {
  start();
  begin_call(kAllS3);
  const std::string host = "Host: " + own_host() + "\r\n";
  for (const std::string& bytes : std::vector<std::string>{
           "PUT /b/k HTTP/1.1\r\n" + host +
               "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
           "PUT /b/k HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n",
           "GET /b/k HTTP/1.1\r\n" + host + host + "\r\n", "GET /b/k HTTP/1.1\r\n\r\n",
           "GET /b/k HTTP/1.1\nHost: a\n\n\r\n\r\n"}) {
    const Answered answered = exchange(bytes);
    EXPECT_EQ(answered.status, 400) << bytes;
  }
  EXPECT_TRUE(arrived.empty());
  EXPECT_EQ(ledger.of(ledger::Kind::Refused).size(), 5u);
}

TEST_F(EgressTest, ASlowClientIsCutOff) {
  options.timeouts.head = std::chrono::milliseconds(20);
  options.timeouts.stall = std::chrono::milliseconds(20);
  start();
  begin_call(kAllS3);
  EXPECT_EQ(exchange("GET /b/k HT").status, 0);
  const std::string body(1000, 'x');
  const auto head = request("PUT", "/b/k", body);
  EXPECT_EQ(exchange(text(head) + "Content-Length: 1000\r\n\r\n" + body.substr(500)).status, 0);
  ASSERT_LE(arrived.size(), 1u);
  if (!arrived.empty()) EXPECT_FALSE(arrived[0]->whole);
}

}  // namespace
}  // namespace remit::gateway
