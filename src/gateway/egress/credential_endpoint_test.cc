// Credentials that a lane's process fetches: who gets them, which ones, and what they are good for.

#include "gateway/egress/credential_endpoint.h"

#include "gateway/egress/test_fixture.h"
#include "json/json.h"

namespace remit::gateway {
namespace {

class CredentialEndpointTest : public EgressTest {
 protected:
  static constexpr std::string_view kImds = "/.remit/imds/credential-token/";

  Answered ask(std::string_view method, std::string_view target, std::string_view fields = "",
               std::string host = "") {
    if (host.empty()) host = own_host();
    return exchange(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: " + host +
                    "\r\n" + std::string(fields) + "\r\n");
  }
  Answered fetch() {
    return ask("GET", "/.remit/credentials", "Authorization: credential-token\r\n");
  }
  std::string imds(std::string_view path) { return std::string(kImds) + std::string(path); }

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
           Case{"GET", "/.remit/imds/guess/latest/meta-data/iam/security-credentials/", "", 404},
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
  begin_call(kReadInvoices);
  const std::string role = imds("latest/meta-data/iam/security-credentials/");
  EXPECT_EQ(ask("GET", role).status, 401) << "IMDSv1";
  const Answered session =
      ask("PUT", imds("latest/api/token"),
          "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: 0\r\n");
  ASSERT_EQ(session.status, 200) << session.raw;
  EXPECT_EQ(http::find(session.fields, "x-aws-ec2-metadata-token-ttl-seconds")->value, "21600");
  const std::string with = "x-aws-ec2-metadata-token: " + session.body + "\r\n";
  EXPECT_EQ(ask("GET", role, with).body, "remit");
  const Answered keys = ask("GET", role + "remit", with);
  ASSERT_EQ(keys.status, 200) << keys.raw;
  EXPECT_NE(keys.body.find("\"Code\":\"Success\""), std::string::npos);
  use(keys);
  EXPECT_EQ(get("/invoices/a").status, 200);
  EXPECT_EQ(ask("GET", role, "x-aws-ec2-metadata-token: " + session.body + "x\r\n").status, 401);
  EXPECT_EQ(ask("GET", imds("latest/user-data"), with).status, 404);
  clock.offset = std::chrono::hours(7);
  EXPECT_EQ(ask("GET", role, with).status, 401) << "it ended";
}

TEST_F(CredentialEndpointTest, ASessionTokenOfMetadataHasAKnownLife) {
  start();
  for (const std::string_view ttl : {"0", "21601", "-1", "abc", ""}) {
    const Answered answered = ask(
        "PUT", imds("latest/api/token"),
        "x-aws-ec2-metadata-token-ttl-seconds: " + std::string(ttl) + "\r\nContent-Length: 0\r\n");
    EXPECT_EQ(answered.status, 400) << ttl;
  }
  EXPECT_EQ(ask("PUT", imds("latest/api/token"), "Content-Length: 0\r\n").status, 400);
}

}  // namespace
}  // namespace remit::gateway
