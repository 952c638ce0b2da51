#include "gateway/egress/egress.h"

#include "gateway/egress/test_fixture.h"

namespace remit::gateway {
namespace {

TEST_F(EgressTest, ForwardsAnAllowedReadAsTheCallsSession) {
  start();
  auto call = begin_call(kReadInvoices);
  const Answered answered = exchange(text(request("GET", "/invoices/2026/a.pdf", "")) + "\r\n");
  EXPECT_EQ(answered.status, 200) << answered.raw;
  EXPECT_EQ(answered.body, "hello");
  ASSERT_EQ(arrived.size(), 1u);
  const http::RequestHead& head = arrived[0]->head;
  EXPECT_EQ(head.target, "/invoices/2026/a.pdf");
  EXPECT_EQ(http::find(head.fields, "host")->value,
            "127.0.0.1:" + std::to_string(upstream->port()));
  EXPECT_NE(http::find(head.fields, "authorization")->value.find("ASIAREALKEYREALKEY00"),
            std::string::npos);
  EXPECT_EQ(http::find(head.fields, "x-amz-security-token")->value, "real-session-token");
  EXPECT_EQ(http::count(head.fields, "x-amz-date"), 1u);
  call->end();  // the answers of a call are recorded before its end
  ASSERT_EQ(ledger.records.size(), 2u);
  EXPECT_EQ(ledger.records[0].kind, ledger::Kind::AwsDecided);
  EXPECT_NE(ledger.records[0].body.find("arn:aws:s3:::invoices/2026/a.pdf"), std::string::npos);
  EXPECT_EQ(ledger.records[1].kind, ledger::Kind::AwsDone);
  EXPECT_NE(ledger.records[1].body.find("AWSID123"), std::string::npos);
  EXPECT_EQ(call->answer_count(), 1u);
}

TEST_F(EgressTest, WhatArrivesAtAwsCarriesARightSignature) {
  start();
  begin_call(kReadInvoices);
  exchange(text(request("GET", "/invoices?list-type=2&prefix=a%2Fb%20c", "")) + "\r\n");
  ASSERT_EQ(arrived.size(), 1u);
  const auto parsed = aws::parse_signed(arrived[0]->head);
  ASSERT_TRUE(parsed) << parsed.error().message;
  aws::Verifier verifier;
  const auto right = verifier.verify(
      arrived[0]->head, *parsed, Secret("real-secret-real-secret-real-secret-real"), clock.now());
  EXPECT_TRUE(right) << right.error().message;
}

TEST_F(EgressTest, RefusesWhatTheRemitDoesNotAllowAndSaysWhy) {
  start();
  auto call = begin_call(kReadInvoices);
  const Answered answered = exchange(with_body(request("PUT", "/invoices/a", "data"), "data"));
  EXPECT_EQ(answered.status, 403);
  EXPECT_NE(answered.body.find("<Code>AccessDenied</Code>"), std::string::npos) << answered.body;
  EXPECT_NE(answered.body.find("s3:PutObject"), std::string::npos) << answered.body;
  EXPECT_NE(answered.body.find("read-invoices"), std::string::npos) << answered.body;
  EXPECT_TRUE(arrived.empty());
  ASSERT_EQ(call->refusals().size(), 1u);
  EXPECT_EQ(call->refusals()[0].action, "s3:PutObject");
  EXPECT_EQ(call->refusals()[0].resource, "arn:aws:s3:::invoices/a");
  const auto decided = ledger.of(ledger::Kind::AwsDecided);
  ASSERT_EQ(decided.size(), 1u);
  EXPECT_NE(decided[0].body.find("\"denied\""), std::string::npos);
}

TEST_F(EgressTest, RefusesWithNoCallInForce) {
  start();
  const Answered answered = exchange(text(request("GET", "/invoices/a", "")) + "\r\n");
  EXPECT_EQ(answered.status, 403);
  EXPECT_NE(answered.body.find("no tool call is in force"), std::string::npos);
  EXPECT_EQ(ledger.of(ledger::Kind::Refused).size(), 1u);
  EXPECT_TRUE(arrived.empty());
}

TEST_F(EgressTest, RefusesForgedAndForeignSignatures) {
  start();
  auto call = begin_call(kAllS3);
  auto head = request("GET", "/invoices/a", "");
  head.target = "/invoices/b";
  EXPECT_EQ(exchange(text(head) + "\r\n").status, 403);

  placeholder.access_key_id = "AKIAFOREIGNKEY000000";
  const Answered foreign = exchange(text(request("GET", "/invoices/a", "")) + "\r\n");
  EXPECT_EQ(foreign.status, 403);
  EXPECT_NE(foreign.body.find("InvalidClientTokenId"), std::string::npos) << foreign.body;

  EXPECT_NE(exchange("GET /invoices/a HTTP/1.1\r\nHost: " + own_host() + "\r\n\r\n").status, 200);
  EXPECT_TRUE(arrived.empty());
  EXPECT_EQ(ledger.of(ledger::Kind::Refused).size(), 3u);
  EXPECT_EQ(call->refusal_count(), 0u) << "nobody knows who sent them";
}

TEST_F(EgressTest, RefusesAClockThatIsOffByAnHour) {
  start();
  begin_call(kAllS3);
  client_clock_error = std::chrono::hours(1);
  EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 403);
  client_clock_error = -std::chrono::hours(1);
  EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 403);
  client_clock_error = std::chrono::minutes(5);
  EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 200);
}

TEST_F(EgressTest, AnswersGetCallerIdentityItself) {
  start();
  auto call = begin_call(kReadInvoices);
  const std::string body = "Action=GetCallerIdentity&Version=2011-06-15";
  const Answered answered =
      exchange(with_body(request("POST", "/", body, "sts", aws::Payload::Absent,
                                 {{"Content-Type", "application/x-www-form-urlencoded"}}),
                         body));
  EXPECT_EQ(answered.status, 200) << answered.raw;
  EXPECT_NE(answered.body.find("arn:aws:sts::111122223333:assumed-role/invoices/remit-test"),
            std::string::npos);
  EXPECT_TRUE(arrived.empty());
  EXPECT_EQ(ledger.of(ledger::Kind::AwsDecided).size(), 1u);
}

TEST_F(EgressTest, BeforeTheFirstCallAnUpstreamMayAskOnlyWhoItIs) {
  start();
  CallFacts facts;
  facts.id = "startup-1";
  facts.kind = CallKind::Startup;
  facts.upstream = "api";
  facts.remit = "startup of api";
  lane->put_in_force(std::make_shared<Call>(std::move(facts), nullptr));
  const std::string body = "Action=GetCallerIdentity&Version=2011-06-15";
  const Answered who =
      exchange(with_body(request("POST", "/", body, "sts", aws::Payload::Absent,
                                 {{"Content-Type", "application/x-www-form-urlencoded"}}),
                         body));
  EXPECT_EQ(who.status, 200) << who.raw;
  EXPECT_NE(who.body.find("<Account>000000000000</Account>"), std::string::npos) << who.body;
  EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 403);
  EXPECT_EQ(ledger.of(ledger::Kind::StartupDecided).size(), 2u);
}

TEST_F(EgressTest, RefusesRolesWhenThereIsNobodyToAskForThem) {
  start();
  begin_call(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})");
  for (const std::string body :
       {"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx"
        "&RoleSessionName=abc",
        "Action=AssumeRoot&Version=2011-06-15&TargetPrincipal=111122223333"
        "&TaskPolicyArn.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2Froot-task%"
        "2FIAMAuditRootUserCredentials"}) {
    const Answered answered =
        exchange(with_body(request("POST", "/", body, "sts", aws::Payload::Absent,
                                   {{"Content-Type", "application/x-www-form-urlencoded"}}),
                           body));
    EXPECT_EQ(answered.status, 403) << answered.raw;
  }
  EXPECT_TRUE(arrived.empty());
}

TEST_F(EgressTest, RefusesOperationsThatReturnCredentials) {
  start();
  begin_call(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})");
  const std::string body = "Action=CreateAccessKey&Version=2010-05-08&UserName=x";
  const Answered answered =
      exchange(with_body(request("POST", "/", body, "iam", aws::Payload::Absent,
                                 {{"Content-Type", "application/x-www-form-urlencoded"}}),
                         body));
  EXPECT_EQ(answered.status, 403) << answered.raw;
  EXPECT_NE(answered.body.find("never leave Remit"), std::string::npos) << answered.body;
  EXPECT_TRUE(arrived.empty());
}

TEST_F(EgressTest, NothingIsForwardedThatCannotBeRecorded) {
  start();
  begin_call(kReadInvoices);
  ledger.failing = true;
  const Answered answered = exchange(text(request("GET", "/invoices/a", "")) + "\r\n");
  EXPECT_EQ(answered.status, 503) << answered.raw;
  EXPECT_TRUE(arrived.empty());
}

TEST_F(EgressTest, RenewsASessionThatExpiresInTheMiddleOfACall) {
  start();
  begin_call(kReadInvoices);
  EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 200);
  session->expired = true;
  const Answered down = exchange(text(request("GET", "/invoices/a", "")) + "\r\n");
  EXPECT_EQ(down.status, 503) << down.raw;
  EXPECT_NE(down.body.find("sts is down"), std::string::npos) << down.body;
  session->renewed = TestSession("ASIANEWKEYNEWKEYNEW0").current();
  EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 200);
  EXPECT_NE(
      http::find(arrived.back()->head.fields, "authorization")->value.find("ASIANEWKEYNEWKEYNEW0"),
      std::string::npos);
}

// What the request said, AWS's messages repeat: that alone must not cost the call its session, and
// STS a new one.
TEST_F(EgressTest, OnlyTheCodeOfAnErrorRejectsASession) {
  start();
  begin_call(kReadInvoices);
  std::string body;
  answer = [&body](net::ServerConnection& client, Arrived& here) -> net::Task<> {
    co_await read_all(client, here);
    [[maybe_unused]] auto done = co_await client.respond(
        403, {{"x-amz-request-id", "AWSID123"}}, body, net::ServerConnection::After::KeepAlive);
  };
  const auto rejected = [&](std::string said) {
    body = std::move(said);
    session->rejections = 0;
    EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 403);
    return session->rejections == 1;
  };
  EXPECT_TRUE(rejected("<Error><Code>ExpiredToken</Code><Message>m</Message></Error>"));
  EXPECT_TRUE(rejected(R"({"__type":"com.amazon.coral.service#UnrecognizedClientException"})"));
  EXPECT_TRUE(
      rejected("\xBF\x66__type\x6C"
               "ExpiredToken\xFF"));
  EXPECT_FALSE(rejected("<Error><Code>AccessDenied</Code><Key>ExpiredToken</Key></Error>"));
  EXPECT_FALSE(
      rejected("<Error><Code>AccessDenied</Code><Key>&lt;Code&gt;ExpiredToken</Key></Error>"));
  EXPECT_FALSE(rejected(R"({"__type":"AccessDenied","message":"\"__type\":\"ExpiredToken\""})"));
}

TEST_F(EgressTest, CountsWritesAgainstTheRemitsLimit) {
  start();
  auto call = begin_call(kAllS3);
  int room = 1;
  call->limit_writes([&]() -> Result<> {
    if (room-- > 0) return {};
    return fail(ErrorCode::LimitExceeded, "remit read-invoices allows 1 write/h");
  });
  EXPECT_EQ(exchange(with_body(request("PUT", "/b/k", "x"), "x")).status, 200);
  EXPECT_EQ(exchange(text(request("GET", "/b/k", "")) + "\r\n").status, 200);
  const Answered answered = exchange(with_body(request("PUT", "/b/k", "x"), "x"));
  EXPECT_EQ(answered.status, 403) << answered.raw;
  EXPECT_NE(answered.body.find("1 write/h"), std::string::npos);
}

TEST_F(EgressTest, RefusesAnotherHostThanItsOwn) {
  start();
  begin_call(kAllS3);
  const Answered answered = exchange(
      text(request("GET", "/k", "", "s3", aws::Payload::Hash, {{"Host", "evil.example.com"}})) +
      "\r\n");
  EXPECT_EQ(answered.status, 421) << answered.raw;
  EXPECT_TRUE(arrived.empty());
}

TEST_F(EgressTest, TheCheckCanBeSwitchedOffOnlyWithTwoKeysAndIsRecorded) {
  const auto unset = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
  const auto set = [](std::string_view) -> std::optional<std::string> { return "1"; };
  EXPECT_FALSE(UnsafeDecisionOff::ask(true, unset));
  EXPECT_FALSE(UnsafeDecisionOff::ask(false, set)->has_value());
  options.unsafe_decision_off = *UnsafeDecisionOff::ask(true, set);
  start();
  begin_call(kReadInvoices);
  EXPECT_EQ(exchange(with_body(request("PUT", "/invoices/a", "x"), "x")).status, 200);
  EXPECT_NE(ledger.records[0].body.find("UNSAFE"), std::string::npos);
}

TEST_F(EgressTest, DropsConnectionFieldsAndKeepsTheRest) {
  start();
  begin_call(kReadInvoices);
  answer = [](net::ServerConnection& client, Arrived& here) -> net::Task<> {
    co_await read_all(client, here);
    http::Fields fields = {{"ETag", "\"x\""}, {"Keep-Alive", "timeout=5"}, {"X-Thing", "kept"}};
    [[maybe_unused]] auto done = co_await client.respond(200, std::move(fields), "hello",
                                                         net::ServerConnection::After::KeepAlive);
  };
  auto head = request("GET", "/invoices/a", "");
  head.fields.push_back({"Connection", "keep-alive"});
  head.fields.push_back({"Keep-Alive", "timeout=5"});
  head.fields.push_back({"X-Kept", "1"});
  const Answered answered = exchange(text(head) + "\r\n");
  ASSERT_EQ(answered.status, 200) << answered.raw;
  EXPECT_EQ(http::find(answered.fields, "keep-alive"), nullptr);
  EXPECT_EQ(http::find(answered.fields, "x-thing")->value, "kept");
  EXPECT_EQ(http::find(arrived[0]->head.fields, "keep-alive"), nullptr);
  EXPECT_EQ(http::find(arrived[0]->head.fields, "x-kept")->value, "1");
}

}  // namespace
}  // namespace remit::gateway
