// Requests over HTTP/2: the whole path of decision, streams that come and go.

#include "base/digest.h"
#include "gateway/egress/test_fixture.h"
#include "net/pool.h"

namespace remit::gateway {
namespace {

class Http2EgressTest : public EgressTest {
 protected:
  void TearDown() override {
    EgressTest::TearDown();
    pool.reset();
  }

  static net::Task<Result<>> send(net::ClientConnection& client, const http::RequestHead& head,
                                  const std::string& body, Answered& into) {
    const auto kind = body.empty() ? net::Framing::Kind::None : net::Framing::Kind::Length;
    const net::Framing framing{kind, body.size()};
    REMIT_CO_CHECKED(client.start_request(head, framing));
    REMIT_CO_CHECKED(co_await client.write_body(body));
    REMIT_CO_CHECKED(co_await client.finish_body());
    http::ResponseHead answer;
    REMIT_CO_CHECKED(co_await client.read_response(answer));
    into.fields = answer.fields;
    while (!client.body_done()) {
      auto piece = co_await client.read_body();
      if (!piece) co_return std::unexpected(std::move(piece).error());
      into.body.append(*piece);
    }
    into.status = answer.status;
    co_return Result<>{};
  }
  static net::Task<> talk_http2(Http2EgressTest& test, http::RequestHead head, std::string body,
                                Answered& into) {
    const net::Origin origin{false, "127.0.0.1", test.egress->port()};
    auto lease = co_await test.pool->acquire_http2(origin);
    if (lease) {
      auto sent = co_await send(*lease->connection, head, body, into);
      if (!sent) into.raw = sent.error().message;
    }
    test.loop.stop();
  }
  Answered over_http2(http::RequestHead head, std::string body = {}) {
    if (!pool) pool = *net::ClientPool::make(loop, {});
    Answered answered;
    loop.restart();
    net::spawn(loop, talk_http2(*this, std::move(head), std::move(body), answered));
    loop.run_for(std::chrono::seconds(20));
    settle();
    return answered;
  }
  // As JavaScript signs it: ":authority" in the place of "host".
  http::RequestHead signed_with_authority(std::string target) {
    http::RequestHead head = request("GET", std::move(target), "");
    const std::string& old = http::find(head.fields, "authorization")->value;
    const std::string scope = old.substr(old.find('/') + 1);
    const std::string when = http::find(head.fields, "x-amz-date")->value;
    const std::string hash = http::find(head.fields, "x-amz-content-sha256")->value;
    const std::string names = ":authority;x-amz-content-sha256;x-amz-date";
    const std::string canonical = "GET\n" + head.target + "\n\n:authority:" + own_host() +
                                  "\nx-amz-content-sha256:" + hash + "\nx-amz-date:" + when +
                                  "\n\n" + names + "\n" + hash;
    const std::string whole_scope = scope.substr(0, scope.find(','));
    const std::string text =
        "AWS4-HMAC-SHA256\n" + when + "\n" + whole_scope + "\n" + sha256_hex(canonical);
    const std::string secret = "AWS4placeholder-secret-placeholder-secret-xx";
    auto key = hmac_sha256(secret, when.substr(0, 8));
    for (const char* part : {"us-east-1", "s3", "aws4_request"}) key = hmac_sha256(key, part);
    http::set(head.fields, "Authorization",
              "AWS4-HMAC-SHA256 Credential=" + placeholder.access_key_id + "/" + whole_scope +
                  ", SignedHeaders=" + names + ", Signature=" + hex(hmac_sha256(key, text)));
    return head;
  }
  static net::Task<> begin_and_note(net::ServerConnection& client, bool begin, bool& ended,
                                    net::Loop& its_loop) {
    http::ResponseHead head;
    head.status = 200;
    const net::Framing framing{net::Framing::Kind::Length, 1000};
    if (begin && client.start_response(head, framing)) {
      [[maybe_unused]] auto flushed = co_await client.flush();
    }
    co_await note_the_end(client, ended, its_loop);
  }
  static net::Task<> ask_and_leave_http2(Http2EgressTest& test, http::RequestHead head) {
    const net::Origin origin{false, "127.0.0.1", test.egress->port()};
    auto lease = co_await test.pool->acquire_http2(origin);
    if (!lease) co_return;
    const net::Framing none;
    if (!lease->connection->start_request(head, none)) co_return;
    [[maybe_unused]] auto sent = co_await lease->connection->finish_body();
    co_await net::sleep_for(std::chrono::milliseconds(30));
    lease->connection->close();
  }

  std::unique_ptr<net::ClientPool> pool;
};

TEST_F(Http2EgressTest, DecidesSignsAndForwardsAsOverHttp1) {
  start();
  begin_call(kReadInvoices);
  const Answered allowed = over_http2(request("GET", "/invoices/a", ""));
  EXPECT_EQ(allowed.status, 200) << allowed.raw << allowed.body;
  EXPECT_EQ(allowed.body, "hello");
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0]->head.version, 11);
  EXPECT_NE(http::find(arrived[0]->head.fields, "authorization")->value.find("ASIAREALKEY"),
            std::string::npos);
  const Answered refused = over_http2(request("GET", "/other/a", ""));
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("AccessDenied"), std::string::npos);
  EXPECT_EQ(arrived.size(), 1u);
  EXPECT_EQ(ledger.of(ledger::Kind::AwsDecided).size(), 2u);
}

TEST_F(Http2EgressTest, CarriesBodiesAndRefusesThemWithAWrongHash) {
  start();
  begin_call(kAllS3);
  const std::string body(3 << 20, 'b');
  EXPECT_EQ(over_http2(request("PUT", "/b/k", body), body).status, 200);
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0]->body, body);
  const Answered wrong = over_http2(request("PUT", "/b/k", body), std::string(3 << 20, 'x'));
  EXPECT_NE(wrong.status, 200);
  ASSERT_EQ(arrived.size(), 2u);
  EXPECT_FALSE(arrived[1]->whole);
}

TEST_F(Http2EgressTest, TakesTheAuthorityAsTheSignedHost) {
  start();
  begin_call(kReadInvoices);
  EXPECT_EQ(over_http2(signed_with_authority("/invoices/a")).status, 200);
  ASSERT_EQ(arrived.size(), 1u);
  // Over HTTP/1.1 there is no such thing.
  EXPECT_EQ(exchange(text(signed_with_authority("/invoices/a")) + "\r\n").status, 400);
  auto elsewhere = signed_with_authority("/invoices/a");
  http::set(elsewhere.fields, "Host", "localhost:" + std::to_string(egress->port()));
  EXPECT_EQ(over_http2(elsewhere).status, 403);
  EXPECT_EQ(arrived.size(), 1u);
}

TEST_F(Http2EgressTest, RefusesAnotherHost) {
  start();
  begin_call(kAllS3);
  const auto head =
      request("GET", "/b/k", "", "s3", aws::Payload::Hash, {{"Host", "s3.amazonaws.com"}});
  EXPECT_EQ(over_http2(head).status, 421);
  EXPECT_TRUE(arrived.empty());
}

TEST_F(Http2EgressTest, AnAnswerThatIsCutOffNeverLooksWhole) {
  start();
  begin_call(kAllS3);
  answer = [](net::ServerConnection& client, Arrived&) -> net::Task<> {
    http::ResponseHead head;
    head.status = 200;
    [[maybe_unused]] auto started = client.start_response(head, {net::Framing::Kind::Chunked, 0});
    [[maybe_unused]] auto written = co_await client.write_body("only this");
    [[maybe_unused]] auto flushed = co_await client.flush();
    client.close();
  };
  const Answered cut = over_http2(request("GET", "/b/k", ""));
  EXPECT_EQ(cut.status, 0);
  EXPECT_NE(cut.raw, "");
}

TEST_F(Http2EgressTest, TheEndOfTheCallCutsTheStream) {
  start();
  begin_call(kAllS3);
  answer = [this](net::ServerConnection& client, Arrived&) -> net::Task<> {
    return end_call(client, lane);
  };
  EXPECT_EQ(over_http2(request("GET", "/b/k", "")).status, 0);
}

TEST_F(Http2EgressTest, AClientThatGoesAwayCutsTheRequestToAws) {
  start();
  begin_call(kAllS3);
  pool = *net::ClientPool::make(loop, {});
  for (const bool answer_begun : {false, true}) {
    bool cut = false;
    answer = [&](net::ServerConnection& client, Arrived&) -> net::Task<> {
      return begin_and_note(client, answer_begun, cut, loop);
    };
    loop.restart();
    net::spawn(loop, ask_and_leave_http2(*this, request("GET", "/b/k", "")));
    loop.run_for(std::chrono::seconds(5));
    EXPECT_TRUE(cut) << answer_begun;
  }
}

}  // namespace
}  // namespace remit::gateway
