// Responses that carry credentials: what the caller gets, what AWS sees, and what the placeholder
// may do.

#include "gateway/egress/derived.h"

#include "gateway/egress/session_answer.h"
#include "gateway/egress/test_fixture.h"

namespace remit::gateway {
namespace {

constexpr std::string_view kMayAssume =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole",)"
    R"("sts:TagSession","sts:GetSessionToken","sts:GetFederationToken"],"Resource":"*"},)"
    R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::invoices/*"},)"
    R"({"Effect":"Allow","Action":"s3express:CreateSession","Resource":"*"}]})";
constexpr std::string_view kRole = "arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fdeploy";
constexpr std::string_view kForm = "application/x-www-form-urlencoded; charset=utf-8";

std::string between(std::string_view text, std::string_view open, std::string_view close) {
  const auto from = text.find(open);
  if (from == text.npos) return {};
  const auto start = from + open.size();
  return std::string(text.substr(start, text.find(close, start) - start));
}

class DerivedTest : public EgressTest {
 protected:
  void SetUp() override {
    EgressTest::SetUp();
    auto made = net::make_http_client(loop, {});
    ASSERT_TRUE(made);
    client = *std::move(made);
    aws::StsOptions about;
    about.endpoint = "http://127.0.0.1:" + std::to_string(upstream->port());
    about.attempts = 1;
    sts_client.emplace(*client, clock, random, log, about);
    sts = &*sts_client;
    http = client.get();
    answer = [this](net::ServerConnection& connection, Arrived& here) {
      return serve(*this, connection, here);
    };
  }

  // STS's AssumeRole, S3's CreateSession, and "hello" for anything else.
  static net::Task<> serve(DerivedTest& test, net::ServerConnection& connection, Arrived& here) {
    co_await read_all(connection, here);
    std::string body = "hello";
    const AnsweredKeys keys{.access_key_id = "ASIADERIVEDREAL00000",
                            .secret_access_key = "derived-real-secret",
                            .session_token = "derived-real-token",
                            .expires = test.clock.now() + test.life};
    int status = test.sts_status;
    if (here.body.find("Action=AssumeRole") != std::string::npos) {
      const AnsweredRole role{.arn = "arn:aws:sts::444455556666:assumed-role/deploy/remit-test",
                              .id = "AROADEPLOY:remit-test",
                              .source_identity = "jane",
                              .packed_policy_percent = 7};
      body = status == 200 ? assume_role_xml(keys, role, "sts-request-id") : test.sts_error;
    } else if (here.head.target.find("?session") != std::string::npos) {
      body = express_session_xml(keys);
    } else {
      status = 200;
    }
    http::Fields fields = {{"x-amz-request-id", "AWSID123"}};
    [[maybe_unused]] auto done = co_await connection.respond(
        status, std::move(fields), body, net::ServerConnection::After::KeepAlive);
  }

  Answered ask_sts(std::string form) {
    form += "&Version=2011-06-15";
    return exchange(with_body(request("POST", "/", form, "sts", aws::Payload::Absent,
                                      {{"Content-Type", std::string(kForm)}}),
                              form));
  }
  Answered assume(std::string_view more = "") {
    return ask_sts("Action=AssumeRole&RoleArn=" + std::string(kRole) + "&RoleSessionName=me" +
                   std::string(more));
  }
  // From now on requests are signed with what an answer handed out.
  void use(const Answered& answered, bool express = false) {
    placeholder.access_key_id = between(answered.body, "<AccessKeyId>", "<");
    placeholder.secret_access_key = Secret(between(answered.body, "<SecretAccessKey>", "<"));
    token = between(answered.body, "<SessionToken>", "<");
    express_token = express;
  }
  Answered get(std::string target, std::string_view service = "s3") {
    return exchange(text(request("GET", std::move(target), "", service)) + "\r\n");
  }

  std::unique_ptr<net::HttpClient> client;
  std::optional<aws::StsClient> sts_client;
  std::chrono::seconds life{3600};
  int sts_status = 200;
  std::string sts_error;
};

TEST_F(DerivedTest, AssumeRoleGivesAPlaceholderThatActsAsTheRole) {
  start();
  auto call = begin_call(kMayAssume);
  const Answered answered = assume();
  ASSERT_EQ(answered.status, 200) << answered.raw;
  EXPECT_TRUE(answered.body.starts_with("<AssumeRoleResponse")) << answered.body;
  EXPECT_EQ(answered.body.find("ASIADERIVEDREAL"), std::string::npos) << "a real key went out";
  EXPECT_EQ(answered.body.find("derived-real"), std::string::npos);
  EXPECT_NE(answered.body.find("<PackedPolicySize>7<"), std::string::npos);
  EXPECT_NE(answered.body.find("<SourceIdentity>jane<"), std::string::npos);
  use(answered);
  EXPECT_TRUE(placeholder.access_key_id.starts_with("ASIAREMIT"));

  ASSERT_EQ(get("/invoices/a").status, 200);
  ASSERT_EQ(arrived.size(), 2u);
  const auto& sent = arrived[1]->head.fields;
  EXPECT_NE(http::find(sent, "authorization")->value.find("ASIADERIVEDREAL00000"),
            std::string::npos);
  EXPECT_EQ(http::find(sent, "x-amz-security-token")->value, "derived-real-token");
  EXPECT_EQ(call->answer_count(), 2u);
}

TEST_F(DerivedTest, WhatStsIsAskedIsRemitsOwn) {
  start();
  begin_call(kMayAssume);
  ASSERT_EQ(assume("&Tags.member.1.Key=Team&Tags.member.1.Value=x&DurationSeconds=900").status,
            200);
  ASSERT_EQ(arrived.size(), 1u);
  const std::string& form = arrived[0]->body;
  EXPECT_NE(form.find("RoleSessionName=remit-test"), std::string::npos) << form;
  EXPECT_NE(form.find("Policy=" + uri_encode(kMayAssume, Slash::Encode)), std::string::npos)
      << "the remit's session policy limits the role too: " << form;
  EXPECT_NE(form.find("DurationSeconds=900"), std::string::npos);
  EXPECT_NE(form.find("Tags.member.1.Key=Team"), std::string::npos);
  EXPECT_NE(
      http::find(arrived[0]->head.fields, "authorization")->value.find("ASIAREALKEYREALKEY00"),
      std::string::npos)
      << "asked with the call's own session";
  const auto minted = ledger.of(ledger::Kind::SessionMinted);
  ASSERT_EQ(minted.size(), 1u);
  EXPECT_NE(minted[0].body.find("\"asked_session_name\":\"me\""), std::string::npos);
  EXPECT_NE(minted[0].body.find("ASIADERIVEDREAL00000"), std::string::npos);
  EXPECT_EQ(minted[0].body.find("derived-real"), std::string::npos);
}

TEST_F(DerivedTest, BothPoliciesLimitWhatThePlaceholderMayDo) {
  start();
  auto call = begin_call(kMayAssume);
  const std::string own = uri_encode(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}})",
      Slash::Encode);
  const Answered answered = assume("&Policy=" + own);
  ASSERT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_NE(arrived[0]->body.find(uri_encode(
                R"({"NotAction":"s3:GetObject","Effect":"Deny","Resource":"*"})", Slash::Encode)),
            std::string::npos)
      << "STS is told of it too: " << arrived[0]->body;
  use(answered);
  EXPECT_EQ(get("/invoices/a").status, 200);
  EXPECT_EQ(get("/other/a").status, 403) << "only the caller's own policy allows it";
  const Answered refused = exchange(with_body(request("PUT", "/invoices/a", "x"), "x"));
  EXPECT_EQ(refused.status, 403) << "only the remit's policy allows it";
  EXPECT_NE(refused.body.find("the policy passed to AssumeRole"), std::string::npos)
      << refused.body;
  EXPECT_EQ(call->refusal_count(), 2u) << "told to the tool call";
}

TEST_F(DerivedTest, ThePlaceholderEndsWithTheCall) {
  start();
  begin_call(kMayAssume);
  const Answered answered = assume();
  use(answered);
  EXPECT_EQ(get("/invoices/a").status, 200);
  lane->clear();
  const Answered after = get("/invoices/a");
  EXPECT_EQ(after.status, 403);
  EXPECT_NE(after.body.find("within a tool call that is over"), std::string::npos) << after.body;
  begin_call(kMayAssume);
  EXPECT_EQ(get("/invoices/a").status, 403) << "another call of the lane does not revive it";
}

TEST_F(DerivedTest, ThePlaceholderNeedsItsTokenAndEndsInTime) {
  start();
  begin_call(kMayAssume);
  life = std::chrono::seconds(1000);
  use(assume());
  const std::string right = std::exchange(token, "");
  EXPECT_EQ(get("/invoices/a").status, 400) << "ExpiredToken, as S3 has it";
  token = right + "A";
  EXPECT_NE(get("/invoices/a").status, 200);
  token = right;
  EXPECT_EQ(get("/invoices/a").status, 200);
  clock.offset = std::chrono::seconds(1001);
  EXPECT_NE(get("/invoices/a").status, 200);
}

TEST_F(DerivedTest, ARoleBeyondTheRemitIsRefusedWithoutAskingSts) {
  start();
  begin_call(kReadInvoices);
  const Answered answered = assume();
  EXPECT_EQ(answered.status, 403) << answered.raw;
  EXPECT_NE(answered.body.find("sts:AssumeRole"), std::string::npos) << answered.body;
  EXPECT_TRUE(arrived.empty());
}

TEST_F(DerivedTest, WhatRemitMustKnowIsRefusedWithTheReason) {
  start();
  begin_call(kMayAssume);
  struct Case {
    std::string_view more, reason;
  };
  for (const auto& [more, reason] : {
           Case{"&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FAdministratorAccess",
                "PolicyArns are not possible"},
           Case{"&SourceIdentity=mallory", "SourceIdentity is Remit"},
           Case{"&Tags.member.1.Key=accesstype&Tags.member.1.Value=human",
                "tag accesstype is Remit"},
           Case{"&SerialNumber=arn&TokenCode=123456", "MFA"},
           Case{"&DurationSeconds=7200", "an hour at most"},
           Case{"&Policy=%7B%22x%22%3A1%7D", "the policy passed to AssumeRole"},
       }) {
    const Answered answered = assume(more);
    EXPECT_NE(answered.status, 200) << more;
    std::string body = answered.body;
    EXPECT_NE(body.find(reason), std::string::npos) << more << ": " << body;
  }
  EXPECT_TRUE(arrived.empty());
}

TEST_F(DerivedTest, AnErrorOfStsIsPassedOnAsStsWritesIt) {
  start();
  begin_call(kMayAssume);
  sts_status = 403;
  sts_error =
      "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized"
      "</Message></Error><RequestId>r</RequestId></ErrorResponse>";
  const Answered answered = assume();
  EXPECT_EQ(answered.status, 403);
  EXPECT_NE(answered.body.find("<Code>AccessDenied</Code>"), std::string::npos) << answered.body;
  lane->clear();
  settle();
  const auto done = ledger.of(ledger::Kind::AwsDone);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_NE(done[0].body.find("\"status\":403"), std::string::npos) << done[0].body;
}

TEST_F(DerivedTest, ARoleCanBeAssumedFromARole) {
  start();
  begin_call(kMayAssume);
  const std::string own = uri_encode(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","sts:AssumeRole"],"Resource":"*"}})",
      Slash::Encode);
  use(assume("&Policy=" + own));
  const Answered second = assume();
  ASSERT_EQ(second.status, 200) << second.raw;
  ASSERT_EQ(arrived.size(), 2u);
  EXPECT_NE(http::find(arrived[1]->head.fields, "authorization")->value.find("ASIADERIVEDREAL"),
            std::string::npos);
  use(second);
  EXPECT_EQ(get("/invoices/a").status, 200);
  EXPECT_EQ(exchange(with_body(request("PUT", "/invoices/a", "x"), "x")).status, 403)
      << "the first policy holds for what came of it";
}

TEST_F(DerivedTest, TokensForTheCallsOwnSessionAreRemitsToGive) {
  start();
  begin_call(kMayAssume);
  const Answered session_token = ask_sts("Action=GetSessionToken&DurationSeconds=900");
  ASSERT_EQ(session_token.status, 200) << session_token.raw;
  EXPECT_TRUE(arrived.empty()) << "AWS would refuse it to a session";
  const Placeholder lanes_own{.access_key_id = placeholder.access_key_id,
                              .secret_access_key = placeholder.secret_access_key.clone(),
                              .proxy_token = {},
                              .credential_token = {}};
  use(session_token);
  ASSERT_EQ(get("/invoices/a").status, 200);
  EXPECT_EQ(http::find(arrived[0]->head.fields, "x-amz-security-token")->value,
            "real-session-token");

  placeholder.access_key_id = lanes_own.access_key_id;
  placeholder.secret_access_key = lanes_own.secret_access_key.clone();
  token.clear();
  const Answered nothing = ask_sts("Action=GetFederationToken&Name=bob");
  ASSERT_EQ(nothing.status, 200) << nothing.raw;
  EXPECT_NE(nothing.body.find("federated-user/bob"), std::string::npos);
  use(nothing);
  EXPECT_EQ(get("/invoices/a").status, 403) << "without a policy a federated user may do nothing";
}

TEST_F(DerivedTest, AnExpressSessionIsOfOneBucket) {
  start();
  begin_call(kMayAssume);
  const Answered made = get("/fast--use1-az4--x-s3?session", "s3express");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.body.find("derived-real"), std::string::npos);
  use(made, true);
  ASSERT_EQ(get("/fast--use1-az4--x-s3/a", "s3express").status, 200);
  const auto& sent = arrived.back()->head.fields;
  EXPECT_EQ(http::find(sent, "x-amz-s3session-token")->value, "derived-real-token");
  EXPECT_EQ(http::find(sent, "x-amz-security-token"), nullptr);
  EXPECT_NE(http::find(sent, "authorization")->value.find("ASIADERIVEDREAL00000"),
            std::string::npos);
  EXPECT_NE(http::find(sent, "authorization")->value.find("x-amz-s3session-token"),
            std::string::npos);
  EXPECT_EQ(get("/slow--use1-az4--x-s3/a", "s3express").status, 403);
  EXPECT_EQ(get("/fast--use1-az4--x-s3?session", "s3express").status, 403);
  express_token = false;
  EXPECT_NE(get("/invoices/a").status, 200);
  EXPECT_NE(assume().status, 200);
}

TEST_F(DerivedTest, ACopyIntoADirectoryBucketReadsWhatTheRemitAllows) {
  start();
  begin_call(kMayAssume);
  const Answered made = get("/fast--use1-az4--x-s3?session", "s3express");
  ASSERT_EQ(made.status, 200) << made.raw;
  use(made, true);
  const auto copy = [&](const std::string& bucket, const std::string& source) {
    return exchange(with_body(request("PUT", "/" + bucket + "/k", "", "s3express",
                                      aws::Payload::Hash, {{"x-amz-copy-source", source}}),
                              ""))
        .status;
  };
  EXPECT_EQ(copy("fast--use1-az4--x-s3", "fast--use1-az4--x-s3/a"), 200);
  EXPECT_EQ(copy("fast--use1-az4--x-s3", "invoices/a"), 200);
  EXPECT_EQ(copy("fast--use1-az4--x-s3", "secrets/a"), 403);
  EXPECT_EQ(copy("slow--use1-az4--x-s3", "fast--use1-az4--x-s3/a"), 403);
}

TEST_F(DerivedTest, AReadOnlyExpressSessionDoesNotWrite) {
  start();
  begin_call(kMayAssume);
  const Answered made =
      exchange(text(request("GET", "/fast--use1-az4--x-s3?session", "", "s3express",
                            aws::Payload::Hash, {{"x-amz-create-session-mode", "ReadOnly"}})) +
               "\r\n");
  ASSERT_EQ(made.status, 200) << made.raw;
  use(made, true);
  EXPECT_EQ(get("/fast--use1-az4--x-s3/a", "s3express").status, 200);
  EXPECT_EQ(
      exchange(with_body(request("PUT", "/fast--use1-az4--x-s3/a", "x", "s3express"), "x")).status,
      403);
}

TEST_F(DerivedTest, TheModeOfAnExpressSessionIsKnownToConditions) {
  start();
  begin_call(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
             R"("Action":"s3express:CreateSession","Resource":"*",)"
             R"("Condition":{"StringEquals":{"s3express:SessionMode":"ReadOnly"}}}]})");
  EXPECT_EQ(get("/fast--use1-az4--x-s3?session", "s3express").status, 403);
  const Answered made =
      exchange(text(request("GET", "/fast--use1-az4--x-s3?session", "", "s3express",
                            aws::Payload::Hash, {{"x-amz-create-session-mode", "ReadOnly"}})) +
               "\r\n");
  ASSERT_EQ(made.status, 200) << made.raw;
  use(made, true);
  EXPECT_EQ(get("/fast--use1-az4--x-s3/a", "s3express").status, 200);
}

TEST_F(DerivedTest, OtherCredentialsStayRefused) {
  start();
  begin_call(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})");
  for (const std::string_view form :
       {"Action=AssumeRoleWithWebIdentity&RoleArn=r&RoleSessionName=me&WebIdentityToken=abcd",
        "Action=AssumeRoleWithSAML&RoleArn=r&PrincipalArn=p&SAMLAssertion=abcd",
        "Action=AssumeRoot&TargetPrincipal=111122223333&TaskPolicyArn.arn=x"}) {
    const Answered answered = ask_sts(std::string(form));
    EXPECT_EQ(answered.status, 403) << form << answered.raw;
    EXPECT_NE(answered.body.find("AssumeRo"), std::string::npos);
  }
  const Answered login = exchange(with_body(
      request("POST", "/", "{}", "ecr", aws::Payload::Absent,
              {{"Content-Type", "application/x-amz-json-1.1"},
               {"X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"}}),
      "{}"));
  EXPECT_NE(login.body.find("ecr:GetAuthorizationToken would hand out credentials"),
            std::string::npos)
      << login.raw;
  EXPECT_TRUE(arrived.empty());
}

TEST_F(DerivedTest, ACallMayNotAskWithoutEnd) {
  start();
  begin_call(kMayAssume);
  for (std::size_t i = 0; i < DerivedTable::kMaxOfLane; ++i) {
    ASSERT_EQ(ask_sts("Action=GetSessionToken").status, 200) << i;
  }
  const Answered last = ask_sts("Action=GetSessionToken");
  EXPECT_EQ(last.status, 400) << last.raw;
}

}  // namespace
}  // namespace remit::gateway
