// HTTPS_PROXY: CONNECT, the private authority, proxied http, unsigned reads of public hosts.

#include <boost/asio/ssl/context.hpp>

#include "gateway/egress/test_fixture.h"
#include "net/stream.h"

namespace remit::gateway {
namespace {

class TunnelTest : public EgressTest {
 protected:
  std::string credentials() const { return "Proxy-Authorization: Basic " + basic() + "\r\n"; }
  std::string basic() const { return base64(placeholder.access_key_id + ":proxy-token"); }

  // CONNECT, TLS that trusts the private authority, one request, one answer.
  static net::Task<> talk_through(TunnelTest& test, std::string host, std::string bytes,
                                  Answered& into) {
    co_await tunnel(test, std::move(host), std::move(bytes), into);
    test.loop.stop();
  }
  static net::Task<> tunnel(TunnelTest& test, std::string host, std::string bytes, Answered& into) {
    net::Socket socket(test.loop);
    auto [ec] = co_await socket.async_connect(
        {boost::asio::ip::make_address("127.0.0.1"), test.egress->port()}, net::kAwait);
    if (ec) co_return;
    net::Stream stream(std::move(socket));
    // As botocore sends it: HTTP/1.0, no Host.
    const std::string connect =
        "CONNECT " + host + ":443 HTTP/1.0\r\n" + test.credentials() + "\r\n";
    if (co_await stream.write(connect, {})) co_return;
    std::string established;
    std::array<char, 4096> piece;
    while (established.find("\r\n\r\n") == std::string::npos) {
      auto [read_ec, n] = co_await stream.read_some(boost::asio::buffer(piece));
      if (read_ec) co_return;
      established.append(piece.data(), n);
    }
    into.raw = established;
    if (!established.starts_with("HTTP/1.1 200 ")) co_return;
    auto context =
        std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_client);
    boost::system::error_code ca_ec;
    context->add_certificate_authority(boost::asio::buffer(test.egress->ca_pem()), ca_ec);
    context->set_verify_mode(boost::asio::ssl::verify_peer);
    auto secure = co_await stream.start_tls_client(context, host);
    EXPECT_TRUE(secure) << (secure ? "" : secure.error().message);
    if (!secure) co_return;
    into.raw.clear();
    if (co_await stream.write(bytes, {})) co_return;
    while (!complete(into)) {
      auto [read_ec, n] = co_await stream.read_some(boost::asio::buffer(piece));
      if (read_ec) break;
      into.raw.append(piece.data(), n);
    }
  }
  Answered through(std::string host, std::string bytes) {
    Answered answered;
    loop.restart();
    net::spawn(loop, talk_through(*this, std::move(host), std::move(bytes), answered));
    loop.run_for(std::chrono::seconds(20));
    settle();
    return answered;
  }
};

TEST_F(TunnelTest, ServesSignedRequestsWithTheTunnelsHost) {
  start();
  begin_call(kReadInvoices);
  const Answered answered = through("s3.us-east-1.amazonaws.com",
                                    text(request("GET", "/invoices/a", "", "s3", aws::Payload::Hash,
                                                 {{"Host", "s3.us-east-1.amazonaws.com"}})) +
                                        "\r\n");
  EXPECT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0]->head.target, "/invoices/a");
}

TEST_F(TunnelTest, PutsTheBucketOfTheHostIntoThePathOfACustomEndpoint) {
  start();
  begin_call(kReadInvoices);
  const std::string host = "invoices.s3.us-east-1.amazonaws.com";
  const Answered answered = through(
      host, text(request("GET", "/a", "", "s3", aws::Payload::Hash, {{"Host", host}})) + "\r\n");
  EXPECT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0]->head.target, "/invoices/a");
}

TEST_F(TunnelTest, RefusesAnotherHostInsideTheTunnel) {
  start();
  begin_call(kAllS3);
  const Answered answered = through("s3.us-east-1.amazonaws.com",
                                    text(request("GET", "/b/k", "", "s3", aws::Payload::Hash,
                                                 {{"Host", "other.s3.us-east-1.amazonaws.com"}})) +
                                        "\r\n");
  EXPECT_EQ(answered.status, 421) << answered.raw;
  EXPECT_TRUE(arrived.empty());
}

TEST_F(TunnelTest, RefusesUnsignedRequestsToForeignHosts) {
  start();
  auto call = begin_call(kAllS3);
  const Answered answered =
      through("evil.example.com", "GET / HTTP/1.1\r\nHost: evil.example.com\r\n\r\n");
  EXPECT_EQ(answered.status, 403) << answered.raw;
  EXPECT_EQ(ledger.of(ledger::Kind::Refused).size(), 1u);
  EXPECT_EQ(call->refusal_count(), 1u);
}

TEST_F(TunnelTest, LetsUnsignedReadsOfPublicHostsPassAndRecordsThem) {
  options.endpoints.emplace_back("public.example.com",
                                 "http://127.0.0.1:" + std::to_string(upstream->port()));
  start();
  const Answered answered =
      through("public.example.com",
              "GET /v1/list.json?x=1 HTTP/1.1\r\nHost: public.example.com\r\nCookie: a=b\r\n\r\n");
  EXPECT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(http::find(arrived[0]->head.fields, "cookie"), nullptr);
  EXPECT_EQ(ledger.of(ledger::Kind::StartupDecided).size(), 1u);
  auto call = begin_call(kAllS3);
  through("public.example.com", "GET / HTTP/1.1\r\nHost: public.example.com\r\n\r\n");
  call->end();
  settle();
  EXPECT_EQ(
      ledger.of(ledger::Kind::StartupDecided).size() + ledger.of(ledger::Kind::AwsDecided).size(),
      2u);
  ASSERT_EQ(ledger.of(ledger::Kind::AwsDone).size(), 1u);
  EXPECT_NE(ledger.of(ledger::Kind::AwsDone)[0].body.find("200"), std::string::npos);
  const Answered post = through("public.example.com",
                                "POST / HTTP/1.1\r\nHost: public.example.com\r\n"
                                "Content-Length: 4\r\n\r\ndata");
  EXPECT_EQ(post.status, 403);
}

TEST_F(TunnelTest, AsksForCredentialsAndTakesNoOthers) {
  start();
  for (const std::string& line :
       {std::string(), std::string("Proxy-Authorization: Basic !!!\r\n"),
        "Proxy-Authorization: Basic " + base64("AKIAREMITAAAAAAAAAAA:wrong") + "\r\n",
        "Proxy-Authorization: Bearer " + basic() + "\r\n"}) {
    const Answered answered = exchange(
        "CONNECT s3.amazonaws.com:443 HTTP/1.1\r\nHost: s3.amazonaws.com:443\r\n" + line + "\r\n");
    EXPECT_EQ(answered.status, 407) << line << answered.raw;
    EXPECT_NE(http::find(answered.fields, "proxy-authenticate"), nullptr);
  }
}

TEST_F(TunnelTest, TakesProxiedRequestsForItselfAsEndpointRequests) {
  start();
  begin_call(kReadInvoices);
  auto head = request("GET", "/invoices/a", "");
  head.target = "http://" + own_host() + "/invoices/a";
  EXPECT_EQ(exchange(text(head) + "\r\n").status, 200);
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0]->head.target, "/invoices/a");
}

TEST_F(TunnelTest, RefusesProxiedHttpToForeignHosts) {
  start();
  begin_call(kAllS3);
  EXPECT_EQ(exchange("GET http://evil.example.com/ HTTP/1.1\r\nHost: evil.example.com\r\n" +
                     credentials() + "\r\n")
                .status,
            403);
  EXPECT_EQ(exchange("GET http://a.example.com/ HTTP/1.1\r\nHost: b.example.com\r\n" +
                     credentials() + "\r\n")
                .status,
            400);
  EXPECT_TRUE(arrived.empty());
}

}  // namespace
}  // namespace remit::gateway
