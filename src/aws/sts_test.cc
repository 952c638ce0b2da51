#include "aws/sts.h"

#include "aws/fake_http_for_tests.h"
#include "aws/sigv4.h"
#include "base/digest.h"

namespace remit::aws {
namespace {

const TimePoint kAskedAt = *parse_amz_date("20261121T150405Z");

constexpr const char* kAssumed =
    R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <SourceIdentity>jane</SourceIdentity>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::111122223333:assumed-role/invoices/remit-1</Arn>
      <AssumedRoleId>AROA123EXAMPLE123:remit-1</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <SessionToken>AQoDYXdzEPT//////////wEXAMPLE&amp;==</SessionToken>
      <Expiration>2026-11-21T16:04:05Z</Expiration>
    </Credentials>
    <PackedPolicySize>6</PackedPolicySize>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>)";

std::string refusal(std::string_view code, std::string_view message) {
  return "<ErrorResponse><Error><Type>Sender</Type><Code>" + std::string(code) +
         "</Code><Message>" + std::string(message) +
         "</Message></Error><RequestId>r-1</RequestId></ErrorResponse>";
}

Credentials base() {
  Credentials c;
  c.access_key_id = "AKIAIOSFODNN7EXAMPLE";
  c.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  return c;
}

AssumeRoleRequest good_request() {
  AssumeRoleRequest r;
  r.role_arn = "arn:aws:iam::111122223333:role/agents/invoices";
  r.session_name = "remit-1";
  r.policy =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a b/*"}]})";
  r.policy_arns = {"arn:aws:iam::aws:policy/ReadOnlyAccess"};
  r.tags = {{"AccessType", "AI"}, {"Team", "billing @ co"}};
  r.transitive_tag_keys = {"AccessType"};
  r.duration = std::chrono::seconds(900);
  r.external_id = "ext:1/2";
  r.source_identity = "jane";
  return r;
}

class Sts : public testing::Test {
 protected:
  Sts() {
    clock.time = kAskedAt;
    options.max_backoff = std::chrono::milliseconds(0);
  }

  Result<AssumedRole> assume(AssumeRoleRequest request = good_request()) {
    StsClient client(http, clock, random, log, options);
    return fake::run(loop, client.assume_role(credentials, std::move(request)));
  }
  std::string reason(const Result<AssumedRole>& result) {
    return result ? "" : result.error().message;
  }

  net::Loop loop;
  fake::Http http;
  fake::SetClock clock;
  fake::FixedRandom random;
  NoLog log;
  Credentials credentials = base();
  StsOptions options;
};

TEST_F(Sts, AssumesARoleWithEverythingThatWasAskedFor) {
  http.answers.push_back(fake::answer(200, kAssumed));
  const auto role = assume();
  ASSERT_TRUE(role) << reason(role);
  EXPECT_EQ(role->arn, "arn:aws:sts::111122223333:assumed-role/invoices/remit-1");
  EXPECT_EQ(role->assumed_role_id, "AROA123EXAMPLE123:remit-1");
  EXPECT_EQ(role->packed_policy_percent, 6);
  EXPECT_EQ(role->source_identity, "jane");
  EXPECT_EQ(role->request_id, "c6104cbe-af31-11e0-8154-cbc7ccf896c7");
  EXPECT_EQ(role->credentials.access_key_id, "ASIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(role->credentials.account_id, "111122223333");
  EXPECT_TRUE(
      role->credentials.secret_access_key.equals("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"));
  EXPECT_TRUE(role->credentials.session_token.equals("AQoDYXdzEPT//////////wEXAMPLE&=="));
  EXPECT_EQ(*role->credentials.expiration, kAskedAt + std::chrono::hours(1));
  EXPECT_TRUE(role->credentials.of_role);

  ASSERT_EQ(http.asked.size(), 1u);
  const fake::Asked& asked = http.asked[0];
  EXPECT_EQ(asked.url, "https://sts.us-east-1.amazonaws.com");
  EXPECT_EQ(asked.body.find('+'), std::string::npos);
  for (const char* part : {"Action=AssumeRole&Version=2011-06-15",
                           "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fagents%2Finvoices",
                           "RoleSessionName=remit-1", "a%20b", "PolicyArns.member.1.arn=arn%3A",
                           "Tags.member.1.Key=AccessType", "Tags.member.2.Value=billing%20%40%20co",
                           "TransitiveTagKeys.member.1=AccessType", "DurationSeconds=900",
                           "ExternalId=ext%3A1%2F2", "SourceIdentity=jane"}) {
    EXPECT_NE(asked.body.find(part), std::string::npos) << part;
  }
  // The request is signed for sts, by the base credentials.
  const http::RequestHead head{asked.method, "/", 11, asked.fields};
  const auto read = parse_signed(head);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->service, "sts");
  Verifier verifier;
  EXPECT_TRUE(verifier.verify(head, *read, credentials.secret_access_key, kAskedAt,
                              sha256_hex(asked.body)));
}

TEST_F(Sts, SaysWhatToChange) {
  const struct {
    int status;
    const char* code;
    const char* message;
    ErrorCode kind;
    const char* wanted;
  } cases[] = {
      {403, "AccessDenied", "User: x is not authorized to perform: sts:TagSession on resource: y",
       ErrorCode::Denied, "trust policy must allow sts:TagSession"},
      {403, "AccessDenied", "not authorized to perform: sts:SetSourceIdentity", ErrorCode::Denied,
       "trust policy must allow sts:SetSourceIdentity"},
      {403, "AccessDenied", "not authorized to perform: sts:AssumeRole", ErrorCode::Denied,
       "its trust policy must allow sts:AssumeRole"},
      {403, "ExpiredToken", "The security token is expired", ErrorCode::Denied, "have expired"},
      {403, "InvalidClientTokenId", "m", ErrorCode::Denied, "does not know"},
      {400, "MalformedPolicyDocument", "Syntax errors in policy.", ErrorCode::InvalidInput,
       "session policy"},
      {400, "PackedPolicyTooLarge", "Packed size is 120%", ErrorCode::LimitExceeded, "wildcards"},
      {403, "RegionDisabledException", "m", ErrorCode::Denied, "aws.region"},
      {400, "ValidationError", "1 validation error", ErrorCode::InvalidInput, "parameter"},
      {418, "NeverHeardOf", "m", ErrorCode::Denied, "NeverHeardOf"},
  };
  for (const auto& [status, code, message, kind, wanted] : cases) {
    http.asked.clear();
    http.answers = {};
    http.answers.push_back(fake::answer(status, refusal(code, message)));
    const auto role = assume();
    ASSERT_FALSE(role);
    EXPECT_EQ(role.error().code, kind) << code;
    EXPECT_NE(reason(role).find(wanted), std::string::npos) << reason(role);
    EXPECT_NE(reason(role).find(code), std::string::npos) << reason(role);
    EXPECT_NE(reason(role).find("request r-1"), std::string::npos) << reason(role);
    EXPECT_EQ(http.asked.size(), 1u) << code;
  }
}

TEST_F(Sts, TriesAgainWhenThrottledOrFailingAndStopsAtTheLimit) {
  http.answers.push_back(fake::answer(400, refusal("Throttling", "Rate exceeded")));
  http.answers.push_back(fake::answer(503, "not xml at all"));
  http.answers.push_back(fail(ErrorCode::Unavailable, "connection reset"));
  http.answers.push_back(fake::answer(200, kAssumed));
  EXPECT_TRUE(assume());
  EXPECT_EQ(http.asked.size(), 4u);

  http.asked.clear();
  for (int i = 0; i < 9; ++i) {
    http.answers.push_back(fake::answer(400, refusal("Throttling", "Rate exceeded")));
  }
  const auto role = assume();
  ASSERT_FALSE(role);
  EXPECT_EQ(http.asked.size(), 4u);
  EXPECT_EQ(role.error().code, ErrorCode::Unavailable);
  EXPECT_NE(reason(role).find("Rate exceeded"), std::string::npos);
  EXPECT_NE(reason(role).find("4 attempts"), std::string::npos);
}

TEST_F(Sts, SaysThatTheClockIsOff) {
  clock.time = kAskedAt + std::chrono::minutes(61);
  http.answers.push_back(fake::answer(403, refusal("SignatureDoesNotMatch", "Signature expired"),
                                      {{"Date", "Sat, 21 Nov 2026 15:04:05 GMT"}}));
  const auto role = assume();
  ASSERT_FALSE(role);
  EXPECT_NE(reason(role).find("clock is off by 61 minutes (ahead)"), std::string::npos)
      << reason(role);
}

TEST_F(Sts, RefusesAnAnswerThatIsNotWhole) {
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("<a"),
        std::string("<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"),
        std::string("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</"
                    "AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</"
                    "SessionToken><Expiration>soon</Expiration></Credentials></AssumeRoleResult></"
                    "AssumeRoleResponse>")}) {
    http.answers.push_back(fake::answer(200, body));
    EXPECT_FALSE(assume()) << body;
  }
}

TEST_F(Sts, RefusesAChainedSessionOfMoreThanAnHourBeforeAsking) {
  credentials.of_role = true;
  AssumeRoleRequest request = good_request();
  request.duration = std::chrono::seconds(3601);
  const auto role = assume(std::move(request));
  ASSERT_FALSE(role);
  EXPECT_NE(reason(role).find("chaining"), std::string::npos);
  EXPECT_TRUE(http.asked.empty());
}

TEST_F(Sts, NeverPutsASecretIntoAnError) {
  credentials.session_token = Secret("the-secret-token");
  http.answers.push_back(fake::answer(403, refusal("AccessDenied", "no")));
  const std::string text = reason(assume());
  EXPECT_EQ(text.find("the-secret-token"), std::string::npos);
  EXPECT_EQ(text.find("wJalr"), std::string::npos);
}

TEST_F(Sts, TellsWhoCalls) {
  http.answers.push_back(fake::answer(200,
                                      "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>"
                                      "arn:aws:iam::111122223333:user/a</Arn>"
                                      "<UserId>AIDA</UserId><Account>111122223333</Account></"
                                      "GetCallerIdentityResult></GetCallerIdentityResponse>"));
  StsClient client(http, clock, random, log, options);
  const auto identity = fake::run(loop, client.caller_identity(credentials));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->account, "111122223333");
  EXPECT_EQ(identity->user_id, "AIDA");
}

TEST_F(Sts, AssumesWithAWebIdentityUnsigned) {
  std::string body = kAssumed;
  for (std::size_t at; (at = body.find("AssumeRoleRe")) != std::string::npos;) {
    body.insert(at + 10, "WithWebIdentity");
  }
  http.answers.push_back(fake::answer(200, body));
  StsClient client(http, clock, random, log, options);
  const auto role =
      fake::run(loop, client.assume_role_with_web_identity(
                          "arn:aws:iam::111122223333:role/pod", "remit",
                          Secret("header.claims.signature"), std::chrono::seconds(0)));
  ASSERT_TRUE(role) << role.error().message;
  EXPECT_EQ(http::find(http.asked[0].fields, "authorization"), nullptr);
  EXPECT_NE(http.asked[0].body.find("WebIdentityToken=header.claims.signature"), std::string::npos);
}

TEST(StsEndpoint, IsTheRegionalOneOfThePartition) {
  EXPECT_EQ(sts_endpoint("eu-west-1"), "https://sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(sts_endpoint("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
}

std::string problem(void (*edit)(AssumeRoleRequest&), Chained chained = Chained::No) {
  AssumeRoleRequest request = good_request();
  edit(request);
  const auto result = check(request, chained);
  return result ? "" : result.error().message;
}

TEST(StsCheck, TakesWhatStsTakes) {
  EXPECT_EQ(problem([](auto&) {}), "");
  EXPECT_EQ(problem([](auto& r) { r.policy = std::string(2048 - 38, 'a'); }), "");
  EXPECT_EQ(problem([](auto& r) {
              r.tags = {{"Über", "größe"}, {"a/b:c", ""}};
              r.transitive_tag_keys = {};
            }),
            "");
  EXPECT_EQ(problem([](auto& r) { r.duration = std::chrono::seconds(43200); }), "");
  EXPECT_EQ(problem([](auto& r) {
              r.serial_number = "arn:aws:iam::111122223333:mfa/a";
              r.token_code = Secret("123456");
            }),
            "");
}

TEST(StsCheck, SaysWhatIsWrongBeforeStsIsAsked) {
  const struct {
    const char* wanted;
    void (*edit)(AssumeRoleRequest&);
  } cases[] = {
      {"a role's ARN looks like", [](auto& r) { r.role_arn = "arn:aws:iam::1:role/x"; }},
      {"the session name is 2 to 64", [](auto& r) { r.session_name = "a"; }},
      {"the session name is 2 to 64", [](auto& r) { r.session_name = "a b"; }},
      {"the session name is 2 to 64", [](auto& r) { r.session_name = std::string(65, 'a'); }},
      {"inline policy 2011, 1 policy ARNs 38", [](auto& r) { r.policy = std::string(2011, 'a'); }},
      {"has 2049 characters", [](auto& r) { r.policy = std::string(2011, 'a'); }},
      {"a character outside", [](auto& r) { r.policy = "{\"\x01\"}"; }},
      {"a character outside", [](auto& r) { r.policy = "{\"\xE2\x82\xAC\"}"; }},
      {"a character outside", [](auto& r) { r.policy = "{\"\xFF\"}"; }},
      {"at most 10 managed",
       [](auto& r) { r.policy_arns.assign(11, "arn:aws:iam::aws:policy/A"); }},
      {"is not a managed policy of the role's account",
       [](auto& r) { r.policy_arns = {"arn:aws:iam::999999999999:policy/A"}; }},
      {"at most 50 session tags",
       [](auto& r) {
         r.tags.clear();
         for (int i = 0; i < 51; ++i) r.tags.push_back({"k" + std::to_string(i), "v"});
         r.transitive_tag_keys = {};
       }},
      {"a tag's key is 1 to 128", [](auto& r) { r.tags.push_back({"", "v"}); }},
      {"a tag's key is 1 to 128", [](auto& r) { r.tags.push_back({"a*b", "v"}); }},
      {"a tag's key is 1 to 128", [](auto& r) { r.tags.push_back({std::string(129, 'a'), "v"}); }},
      {"the value of the tag \"a\"", [](auto& r) { r.tags.push_back({"a", "x<y"}); }},
      {"the value of the tag \"a\"",
       [](auto& r) { r.tags.push_back({"a", std::string(257, 'a')}); }},
      {"is there twice", [](auto& r) { r.tags.push_back({"ACCESSTYPE", "v"}); }},
      {"starts with aws:", [](auto& r) { r.tags.push_back({"AWS:x", "v"}); }},
      {"is not one of the tags", [](auto& r) { r.transitive_tag_keys = {"Other"}; }},
      {"900 to 43200", [](auto& r) { r.duration = std::chrono::seconds(899); }},
      {"900 to 43200", [](auto& r) { r.duration = std::chrono::seconds(43201); }},
      {"external id", [](auto& r) { r.external_id = "a"; }},
      {"external id", [](auto& r) { r.external_id = "a b"; }},
      {"source identity is 2 to 64", [](auto& r) { r.source_identity = "a:b"; }},
      {"go together", [](auto& r) { r.serial_number = "x"; }},
      {"six digits",
       [](auto& r) {
         r.serial_number = "x";
         r.token_code = Secret("12345");
       }},
  };
  for (const auto& [wanted, edit] : cases) {
    EXPECT_NE(problem(edit).find(wanted), std::string::npos) << wanted << " in: " << problem(edit);
  }
  EXPECT_NE(
      problem([](auto& r) { r.duration = std::chrono::seconds(3601); }, Chained::Yes).find("3600"),
      std::string::npos);
}

TEST(StsCheck, TellsEverythingAtOnce) {
  const std::string text = problem([](auto& r) {
    r.session_name = "";
    r.duration = std::chrono::seconds(1);
  });
  EXPECT_NE(text.find("session name"), std::string::npos);
  EXPECT_NE(text.find("900"), std::string::npos);
}

TEST(StsCheck, CountsCharactersNotBytes) {
  AssumeRoleRequest request = good_request();
  request.policy_arns = {};
  request.policy = "\xC3\xA9\xC3\xA9";
  EXPECT_EQ(policy_characters(request), 2u);
}

}  // namespace
}  // namespace remit::aws
