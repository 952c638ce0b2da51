// Credentials that a lane's process fetches: who gets them, which ones, and what they are good for.

#include "gateway/egress/credential_endpoint.h"

#include <unistd.h>

#include "gateway/egress/test_fixture.h"
#include "json/json.h"

namespace remit::gateway {
namespace {

class CredentialEndpointTest : public EgressTest {
 protected:
  static constexpr std::string_view kRole = "/latest/meta-data/iam/security-credentials/";
  static constexpr std::string_view kLife = "x-aws-ec2-metadata-token-ttl-seconds: ";

  Answered ask(std::string_view method, std::string_view target, std::string_view fields = "",
               std::string host = "") {
    if (host.empty()) host = own_host();
    return exchange(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: " + host +
                    "\r\n" + std::string(fields) + "\r\n");
  }
  Answered fetch() {
    return ask("GET", "/.remit/credentials", "Authorization: credential-token\r\n");
  }
  void TearDown() override {
    door.reset();
    EgressTest::TearDown();
  }
  void open_door() {
    auto opened = egress->open_metadata(lane, [this](const net::PeerSocket& peer) {
      asked.push_back(peer);
      return may_ask;
    });
    ASSERT_TRUE(opened) << opened.error().message;
    door = *std::move(opened);
  }
  // At the lane's own port.
  Answered metadata(std::string_view method, std::string_view target, std::string_view fields = "",
                    std::string host = "") {
    port = door->port();
    if (host.empty()) host = "127.0.0.1:" + std::to_string(*port);
    Answered answered = ask(method, target, fields, host);
    port.reset();
    return answered;
  }
  Answered begin_session(std::string_view life, std::string_view more = "") {
    return metadata(
        "PUT", "/latest/api/token",
        std::string(kLife) + std::string(life) + "\r\nContent-Length: 0\r\n" + std::string(more));
  }

  void use(const Answered& answered) {
    const auto read = json::parse(answered.body);
    ASSERT_TRUE(read) << answered.raw;
    const auto text = [&](std::string_view name) {
      return std::string(read->root().find(name)->string());
    };
    placeholder.access_key_id = text("AccessKeyId");
    placeholder.secret_access_key = Secret(text("SecretAccessKey"));
    token = text("Token");
  }
  std::unique_ptr<MetadataDoor> door;
  std::vector<net::PeerSocket> asked;
  bool may_ask = true;

  Answered get(std::string target) { return exchange(text(request("GET", target, "")) + "\r\n"); }
};

TEST_F(CredentialEndpointTest, GivesThePlaceholderOfTheCallInForce) {
  start();
  auto call = begin_call(kReadInvoices);
  const Answered answered = fetch();
  ASSERT_EQ(answered.status, 200) << answered.raw;
  EXPECT_EQ(answered.body.find("real-"), std::string::npos);
  EXPECT_EQ(http::find(answered.fields, "cache-control")->value, "no-store");
  use(answered);
  EXPECT_TRUE(placeholder.access_key_id.starts_with("ASIAREMIT"));
  EXPECT_EQ(get("/invoices/a").status, 200);
  EXPECT_EQ(get("/other/a").status, 403);
  EXPECT_EQ(call->refusal_count(), 1u);
  EXPECT_EQ(fetch().body.find(placeholder.access_key_id) != std::string::npos, true)
      << "one for each call, however often it is fetched";
}

TEST_F(CredentialEndpointTest, WhatACallFetchedIsNotOfTheNextCall) {
  start();
  begin_call(kReadInvoices);
  use(fetch());
  lane->clear();
  begin_call(kReadInvoices);
  EXPECT_EQ(get("/invoices/a").status, 403);
  use(fetch());
  EXPECT_EQ(get("/invoices/a").status, 200);
}

TEST_F(CredentialEndpointTest, WithNoCallInForceThereIsTheLanesOwnWhichMayDoNothing) {
  start();
  const Answered answered = fetch();
  ASSERT_EQ(answered.status, 200);
  use(answered);
  EXPECT_EQ(placeholder.access_key_id, lane->placeholder().access_key_id);
  EXPECT_EQ(get("/invoices/a").status, 403);
  begin_call(kReadInvoices);
  EXPECT_EQ(get("/invoices/a").status, 200);
}

TEST_F(CredentialEndpointTest, EndsSoonSoThatClientsAskAgain) {
  start();
  begin_call(kReadInvoices);
  const Answered answered = fetch();
  const auto read = json::parse(answered.body);
  ASSERT_TRUE(read);
  const auto ends = aws::parse_iso8601(std::string(read->root().find("Expiration")->string()));
  ASSERT_TRUE(ends);
  EXPECT_LE(*ends, clock.now() + CredentialEndpoint::kSaidLife);
  EXPECT_GT(*ends, clock.now());
}

TEST_F(CredentialEndpointTest, RefusesWhoeverHasNotTheLanesToken) {
  start();
  begin_call(kReadInvoices);
  struct Case {
    std::string method, target, fields;
    int status;
  };
  const std::string token_field = "Authorization: credential-token\r\n";
  for (const Case& c : {
           Case{"GET", "/.remit/credentials", "", 401},
           Case{"GET", "/.remit/credentials", "Authorization: other\r\n", 401},
           Case{"GET", "/.remit/credentials", token_field + token_field, 400},
           Case{"GET", "/.remit/credentials", token_field + "Origin: http://evil.example\r\n", 403},
           Case{"GET", "/.remit/credentials", token_field + "X-Forwarded-For: 10.0.0.1\r\n", 403},
           Case{"POST", "/.remit/credentials", token_field + "Content-Length: 0\r\n", 405},
           Case{"GET", "/.remit/other", token_field, 404},
           Case{"GET", "/.remit/imds/credential-token/latest/meta-data/", "", 404},
       }) {
    const Answered answered = ask(c.method, c.target, c.fields);
    EXPECT_TRUE(answered.status == c.status || (c.status == 400 && answered.status == 401))
        << c.method << c.target << c.fields << answered.raw;
    EXPECT_EQ(answered.body.find("SecretAccessKey"), std::string::npos);
  }
  EXPECT_GE(ledger.of(ledger::Kind::Refused).size(), 7u);
}

TEST_F(CredentialEndpointTest, RefusesAnotherHostName) {
  start();
  begin_call(kReadInvoices);
  const Answered answered = ask("GET", "/.remit/credentials", "Authorization: credential-token\r\n",
                                "rebound.example:80");
  EXPECT_EQ(answered.status, 421) << answered.raw;
}

TEST_F(CredentialEndpointTest, MetadataNeedASessionToken) {
  start();
  open_door();
  begin_call(kReadInvoices);
  EXPECT_EQ(metadata("GET", kRole).status, 401) << "IMDSv1";
  const Answered session = begin_session("21600");
  ASSERT_EQ(session.status, 200) << session.raw;
  EXPECT_EQ(http::find(session.fields, "x-aws-ec2-metadata-token-ttl-seconds")->value, "21600");
  const std::string with = "x-aws-ec2-metadata-token: " + session.body + "\r\n";
  EXPECT_EQ(metadata("GET", kRole, with).body, "remit");
  EXPECT_EQ(metadata("GET", "/" + std::string(kRole), with).body, "remit") << "a base with a slash";
  const Answered keys = metadata("GET", std::string(kRole) + "remit", with);
  ASSERT_EQ(keys.status, 200) << keys.raw;
  EXPECT_NE(keys.body.find("\"Code\":\"Success\""), std::string::npos);
  EXPECT_EQ(keys.body.find("real-"), std::string::npos);
  use(keys);
  EXPECT_EQ(get("/invoices/a").status, 200);
  const std::string wrong = "x-aws-ec2-metadata-token: " + session.body + "x\r\n";
  EXPECT_EQ(metadata("GET", kRole, wrong).status, 401);
  EXPECT_EQ(metadata("GET", "/latest/user-data", with).status, 404);
  EXPECT_EQ(metadata("POST", kRole, with + "Content-Length: 0\r\n").status, 405);
  clock.offset = std::chrono::hours(7);
  EXPECT_EQ(metadata("GET", kRole, with).status, 401) << "it ended";
}

TEST_F(CredentialEndpointTest, ASessionTokenOfMetadataHasAKnownLife) {
  start();
  open_door();
  for (const std::string_view life : {"0", "21601", "-1", "abc", ""}) {
    EXPECT_EQ(begin_session(life).status, 400) << life;
  }
  EXPECT_EQ(metadata("PUT", "/latest/api/token", "Content-Length: 0\r\n").status, 400);
  EXPECT_EQ(metadata("GET", "/latest/api/token").status, 405);
  EXPECT_EQ(begin_session("1", "X-Forwarded-For: 10.0.0.1\r\n").status, 403);
}

TEST_F(CredentialEndpointTest, MetadataAreForTheLanesOwnProcessesOnly) {
  start();
  open_door();
  begin_call(kReadInvoices);
  may_ask = false;
  for (const Answered& answered : {begin_session("60"), metadata("GET", kRole)}) {
    EXPECT_EQ(answered.status, 403) << answered.raw;
    EXPECT_NE(answered.body.find("did not start"), std::string::npos);
  }
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].user, getuid());
  EXPECT_NE(asked[0].inode, asked[1].inode);
  EXPECT_EQ(ledger.of(ledger::Kind::Refused).size(), 2u);
}

// A look goes through all processes of the lane: who is refused gets one for each connection.
TEST_F(CredentialEndpointTest, WhoIsRefusedMetadataHasToConnectAgain) {
  start();
  open_door();
  may_ask = false;
  port = door->port();
  const std::string one = "GET " + std::string(kRole) +
                          " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(*port) + "\r\n\r\n";
  const Answered answered = exchange(one + one + one);
  EXPECT_EQ(answered.status, 403) << answered.raw;
  EXPECT_EQ(asked.size(), 1u);
}

TEST_F(CredentialEndpointTest, MetadataAreServedUnderTheirOwnNameAndPortOnly) {
  start();
  open_door();
  const std::string own = ":" + std::to_string(door->port());
  EXPECT_EQ(metadata("GET", kRole, "", "localhost" + own).status, 401);
  for (const std::string& host : {std::string("rebound.example"), "rebound.example" + own,
                                  own_host(), std::string("127.0.0.1")}) {
    EXPECT_EQ(metadata("GET", kRole, "", host).status, 421) << host;
  }
  EXPECT_EQ(asked.size(), 1u) << "who uses another name is not even looked for";
}

TEST_F(CredentialEndpointTest, AMalformedRequestForMetadataEndsItsConnection) {
  start();
  open_door();
  EXPECT_EQ(metadata("GET", kRole, "Transfer-Encoding: gzip\r\n").status, 400);
  EXPECT_EQ(metadata("GET", "no path").status, 400);
}

TEST_F(CredentialEndpointTest, ASessionOfOneLaneIsNoneOfAnother) {
  start();
  open_door();
  const Answered session = begin_session("60");
  const std::string with = "x-aws-ec2-metadata-token: " + session.body + "\r\n";
  EXPECT_EQ(metadata("GET", kRole, with).status, 200);
  auto other =
      std::make_shared<Lane>("other", make_placeholder(random), std::vector<std::string>{});
  lanes.add(other);
  std::swap(lane, other);
  auto first = std::move(door);
  open_door();
  EXPECT_NE(door->port(), first->port());
  EXPECT_EQ(metadata("GET", kRole, with).status, 401);
  std::swap(lane, other);
}

TEST_F(CredentialEndpointTest, TheDoorClosesWithItsLane) {
  start();
  open_door();
  lanes.remove(lane->placeholder().access_key_id);
  EXPECT_EQ(begin_session("60").status, 404);
  port = door->port();
  door.reset();
  EXPECT_EQ(exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 0);
}

}  // namespace
}  // namespace remit::gateway
