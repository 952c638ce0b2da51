#include "analysis/lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "analysis/sarif.h"
#include "json/writer.h"

namespace remit::analysis {
namespace {

const ServiceData& service_data() {
  static const auto catalogue = aws::Catalogue::embedded();
  static const ServiceData data(*catalogue);
  return data;
}

std::vector<Finding> lint_json(std::string text, std::optional<iam::PolicyKind> kind = {}) {
  return lint(std::move(text), TextForm::Json, kind, service_data());
}

std::string shown(const std::vector<Finding>& findings) {
  return to_text(std::vector<FileFindings>{{"policy.json", findings}});
}

bool has(const std::vector<Finding>& findings, std::string_view code) {
  return std::ranges::any_of(findings, [&](const Finding& f) { return f.code == code; });
}

// A policy of one statement; `members` are the statement's.
std::string policy(std::string_view members) {
  return R"({"Version":"2012-10-17","Statement":[{)" + std::string(members) + "}]}";
}

struct Case {
  std::string text;
  std::string_view code;
  bool found = true;
};

void expect(const std::vector<Case>& cases, std::optional<iam::PolicyKind> kind = {}) {
  for (const auto& [text, code, found] : cases) {
    const auto findings = lint_json(text, kind);
    EXPECT_EQ(has(findings, code), found) << code << "\n" << text << "\n" << shown(findings);
  }
}

constexpr std::string_view kGood =
    R"("Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*")";

std::string with(std::string_view condition) {
  return policy(std::string(kGood) + R"(,"Condition":)" + std::string(condition));
}

TEST(Lint, IsSilentAboutAGoodPolicy) {
  EXPECT_EQ(shown(lint_json(policy(kGood))), "");
  EXPECT_EQ(shown(lint_json(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}})")),
            "");
}

TEST(Lint, ChecksTheGrammar) {
  expect({
      {"{", "JSON_SYNTAX_ERROR"},
      {R"({"Version":"2012-10-17","Version":"2012-10-17"})", "JSON_SYNTAX_ERROR"},
      {"[]", "DATA_TYPE_MISMATCH"},
      {R"({"Version":"2012-10-17"})", "MISSING_STATEMENT"},
      {R"({"Statement":[]})", "MISSING_VERSION"},
      {R"({"Version":"2013-01-01","Statement":[]})", "INVALID_VERSION"},
      {R"({"Version":"2012-10-17","Statement":[],"Other":1})", "INVALID_POLICY_ELEMENT"},
      {policy(R"("Effekt":"Allow")"), "INVALID_POLICY_ELEMENT"},
      {policy(R"("Action":"s3:*")"), "MISSING_EFFECT"},
      {policy(R"("Effect":"allow")"), "INVALID_EFFECT"},
      {policy(R"("Effect":"Allow","Resource":"*")"), "MISSING_ACTION"},
      {policy(R"("Effect":"Allow","Action":"s3:*")"), "MISSING_RESOURCE"},
      {policy(R"("Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*")"),
       "UNSUPPORTED_ELEMENT_COMBINATION"},
      {policy(R"("Effect":"Allow","Action":[1],"Resource":"*")"), "DATA_TYPE_MISMATCH"},
      {policy(R"("Effect":"Allow","Action":[],"Resource":"*")"), "EMPTY_ARRAY_ACTION"},
      {policy(R"("Effect":"Allow","Action":"s3:*","Resource":[])"), "EMPTY_ARRAY_RESOURCE"},
      {policy(R"("Sid":"a b",)" + std::string(kGood)), "UNSUPPORTED_SID"},
      {policy(R"("Sid":"",)" + std::string(kGood)), "EMPTY_SID_VALUE"},
      {policy(R"("Sid":"a",)" + std::string(kGood) + R"(},{"Sid":"a",)" + std::string(kGood)),
       "UNIQUE_SIDS_REQUIRED"},
      {policy(std::string(kGood) + "},{" + std::string(kGood)), "REDUNDANT_STATEMENT"},
      {with("{}"), "EMPTY_OBJECT_CONDITION"},
      {with(R"({"Bool":[]})"), "DATA_TYPE_MISMATCH"},
      {with(R"({"StringEquals":{"aws:username":[]}})"), "EMPTY_ARRAY_CONDITION"},
      {with(R"({"StringEquals":{"aws:username":"a","AWS:UserName":"b"}})"),
       "DUPLICATE_KEYS_WITH_DIFFERENT_CASE"},
      {policy(R"("Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*")"),
       "UNSUPPORTED_PRINCIPAL", false},
  });
  expect({{policy(R"("Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*")"),
           "UNSUPPORTED_PRINCIPAL"}},
         iam::PolicyKind::Identity);
  expect({{policy(kGood), "MISSING_PRINCIPAL"}}, iam::PolicyKind::Resource);
  expect({{policy(kGood), "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE"}}, iam::PolicyKind::Trust);
}

TEST(Lint, ChecksActionsAndResources) {
  const auto action = [](std::string_view a) {
    return policy(R"("Effect":"Allow","Resource":"*","Action":)" + std::string(a));
  };
  const auto resource = [](std::string_view r) {
    return policy(R"("Effect":"Allow","Action":"s3:GetObject","Resource":)" + std::string(r));
  };
  expect({
      {action(R"("s3:ListBuckets")"), "INVALID_ACTION"},
      {action(R"("s3")"), "INVALID_ACTION"},
      {action(R"("S3:getobject")"), "INVALID_ACTION", false},
      {action(R"("s3:Gxt*")"), "INVALID_ACTION"},
      {action(R"("nosuch:Get*")"), "INVALID_SERVICE_IN_ACTION"},
      {action(R"("s*:Get*")"), "WILDCARD_IN_SERVICE_NAME"},
      {action(R"(["s3:Get*","s3:getobject"])"), "REDUNDANT_ACTION"},
      {action(R"(["s3:Get*","s3:Put*"])"), "REDUNDANT_ACTION", false},
      {action(R"("iam:PassRole")"), "PASS_ROLE_WITH_STAR_IN_RESOURCE"},
      {action(R"("iam:*")"), "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"},
      {action(R"("iam:*")"), "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE"},
      {action(R"("s3:${aws:username}")"), "VARIABLE_UNSUPPORTED_IN_ELEMENT"},
      {resource(R"("b/*")"), "INVALID_ARN_PREFIX"},
      {resource(R"("arn:aws:s3:b")"), "MISSING_ARN_FIELD"},
      {resource(R"("arn:awz:s3:::b")"), "INVALID_PARTITION"},
      {resource(R"("arn:aws:S3:::b")"), "INVALID_ARN_SERVICE_CASE"},
      {resource(R"("arn:aws:nosuch:::b")"), "INVALID_SERVICE"},
      {resource(R"("arn:aws:s3:US_EAST::b")"), "INVALID_ARN_REGION"},
      {resource(R"("arn:aws:s3::1234:b")"), "INVALID_ARN_ACCOUNT"},
      {resource(R"("arn:aws:s3:${aws:RequestedRegion}:${aws:PrincipalAccount}:b")"),
       "INVALID_ARN_ACCOUNT", false},
      {resource(R"(["arn:aws:s3:::b*","arn:aws:s3:::bucket"])"), "REDUNDANT_RESOURCE"},
      {resource(R"("arn:aws:s3:::${aws:username")"), "MISSING_BRACE_IN_VARIABLE"},
      {resource(R"("arn:aws:s3:::${}")"), "EMPTY_VARIABLE"},
      {R"({"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject",
          "Resource":"arn:aws:s3:::${aws:username}"}})",
       "VARIABLE_UNSUPPORTED_IN_VERSION"},
  });
}

TEST(Lint, ChecksConditions) {
  expect({
      {with(R"({"StringEqual":{"aws:username":"a"}})"), "INVALID_CONDITION_OPERATOR"},
      {with(R"({"NullIfExists":{"aws:username":"true"}})"), "NULL_WITH_IF_EXISTS"},
      {with(R"({"StringEquals":{"username":"a"}})"), "INVALID_CONDITION_KEY_FORMAT"},
      {with(R"({"StringEquals":{"aws:nosuch":"a"}})"), "INVALID_GLOBAL_CONDITION_KEY"},
      {with(R"({"StringEquals":{"s3:nosuch":"a"}})"), "INVALID_SERVICE_CONDITION_KEY"},
      {with(R"({"StringEquals":{"accounts.google.com:aud":"a"}})"), "INVALID_SERVICE_CONDITION_KEY",
       false},
      {with(R"({"StringEquals":{"aws:PrincipalTag":"a"}})"), "MISSING_TAG_KEY_IN_CONDITION"},
      {with(R"({"StringEquals":{"aws:CalledVia":"s3.amazonaws.com"}})"), "MISSING_QUALIFIER"},
      {with(R"({"ForAllValues:StringEquals":{"aws:username":"a"}})"),
       "FORALLVALUES_WITH_SINGLE_VALUED_KEY"},
      {with(R"({"StringLike":{"aws:SourceArn":"arn:aws:s3:::*"}})"),
       "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS"},
      {with(R"({"StringEquals":{"aws:SecureTransport":"true"}})"), "TYPE_MISMATCH"},
      {with(R"({"Bool":{"aws:SecureTransport":"yes"}})"), "TYPE_MISMATCH_BOOLEAN"},
      {with(R"({"Bool":{"aws:SecureTransport":["true","false"]}})"),
       "INVALID_CONDITION_MULTIPLE_BOOLEAN"},
      {with(R"({"NumericLessThan":{"aws:MultiFactorAuthAge":"an hour"}})"), "TYPE_MISMATCH_NUMBER"},
      {with(R"({"DateLessThan":{"aws:CurrentTime":"soon"}})"), "TYPE_MISMATCH_DATE"},
      {with(R"({"IpAddress":{"aws:SourceIp":"1.2.3"}})"), "TYPE_MISMATCH_IP_RANGE"},
      {with(R"({"IpAddress":{"aws:SourceIp":"203.0.113.7/24"}})"), "IMPROVE_IP_RANGE"},
      {with(R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})"), "PRIVATE_IP_ADDRESS"},
      {with(R"({"StringEquals":{"aws:username":"a*"}})"), "WILDCARD_WITHOUT_LIKE_OPERATOR"},
      {with(R"({"StringLike":{"aws:username":"*"}})"), "EQUIVALENT_TO_NULL_FALSE"},
      {with(R"({"StringEquals":{"aws:SourceVpc":"vpce-1"}})"), "INVALID_VPC_FORMAT"},
      {with(R"({"StringEquals":{"aws:SourceVpce":"vpc-1"}})"), "INVALID_VPCE_FORMAT"},
      {with(R"({"ForAnyValue:StringEquals":{"aws:CalledVia":"a.b.amazonaws.com"}})"),
       "INVALID_SERVICE_PRINCIPAL_FORMAT"},
      {policy(R"("Effect":"Allow","Action":["logs:PutResourcePolicy"],"Resource":"*","Condition":
          {"StringEquals":{"aws:ResourceTag/a":"b"}})"),
       "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"},
  });
}

TEST(Lint, ChecksPrincipals) {
  const auto principal = [](std::string_view p) {
    return policy(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*",
        "Principal":)" +
                  std::string(p));
  };
  expect({
      {principal(R"({"AWS":"nobody"})"), "INVALID_PRINCIPAL_FORMAT"},
      {principal(R"("someone")"), "INVALID_PRINCIPAL_FORMAT"},
      {principal(R"({"Person":"*"})"), "INVALID_PRINCIPAL_KEY"},
      {principal(R"({"AWS":"arn:aws:iam::111122223333:role/*"})"),
       "UNSUPPORTED_WILDCARD_IN_PRINCIPAL"},
      {principal(R"({"Service":"SNS.amazonaws.com"})"), "INVALID_SERVICE_PRINCIPAL_FORMAT"},
      {principal(R"({"Service":"sns.amazonaws.com"})"), "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL"},
      {principal(R"({"AWS":[]})"), "EMPTY_ARRAY_PRINCIPAL"},
      {principal("{}"), "EMPTY_OBJECT_PRINCIPAL"},
      {principal(R"({"AWS":["111122223333","arn:aws:iam::111122223333:root"]})"),
       "INVALID_PRINCIPAL_FORMAT", false},
      {policy(
           R"("Effect":"Allow","Action":"s3:*","Resource":"*","NotPrincipal":{"AWS":"111122223333"})"),
       "ALLOW_WITH_NOT_PRINCIPAL"},
      {policy(R"("Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Federated":
          "cognito-identity.amazonaws.com"})"),
       "MISMATCHED_ACTION_FOR_PRINCIPAL"},
  });
}

TEST(Lint, ChecksTrustPolicies) {
  const auto trust = [](std::string_view members) {
    return policy(R"("Effect":"Allow",)" + std::string(members));
  };
  const auto github = [&](std::string_view conditions) {
    return trust(R"("Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":
        "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"})" +
                 (conditions.empty() ? "" : R"(,"Condition":)" + std::string(conditions)));
  };
  constexpr std::string_view kAud =
      R"("token.actions.githubusercontent.com:aud":"sts.amazonaws.com")";
  const auto sub = [&](std::string_view op, std::string_view value) {
    return github("{\"StringEquals\":{" + std::string(kAud) + "},\"" + std::string(op) +
                  R"(":{"token.actions.githubusercontent.com:sub":")" + std::string(value) +
                  "\"}}");
  };
  const auto exact =
      R"({"StringEquals":{)" + std::string(kAud) +
      R"(,"token.actions.githubusercontent.com:sub":"repo:o/r:ref:refs/heads/main"}})";
  expect(
      {
          {github(""), "MISSING_GITHUB_REPO_CONDITION_KEY"},
          {github(""), "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL"},
          {github("{\"StringEquals\":{" + std::string(kAud) + "}}"),
           "MISSING_GITHUB_REPO_CONDITION_KEY"},
          {github("{\"StringEquals\":{" + std::string(kAud) + "}}"),
           "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", false},
          {sub("StringNotLike", "repo:other/*"), "MISSING_GITHUB_REPO_CONDITION_KEY"},
          {sub("StringLike", "repo:o/r:*"), "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED"},
          {sub("StringLike", "repo:o/r:*"), "MISSING_GITHUB_REPO_CONDITION_KEY", false},
          {github(exact), "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", false},
          {github(exact), "MISSING_GITHUB_REPO_CONDITION_KEY", false},
          {github(exact), "OIDC_WITHOUT_AUDIENCE", false},
          {github(R"({"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:o/r:x"}})"),
           "OIDC_WITHOUT_AUDIENCE"},
          {github("{\"ForAnyValue:StringEquals\":{" + std::string(kAud) + "}}"),
           "CONFIRM_AUDIENCE_CLAIM_TYPE"},
          {trust(R"("Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":
          "accounts.google.com"})"),
           "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL"},
          {trust(R"("Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":
          "accounts.google.com"},"Condition":{"StringEquals":{"accounts.google.com:aud":"x"}})"),
           "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", false},
          {trust(R"("Action":"sts:AssumeRoleWithSAML","Principal":{"Federated":
          "arn:aws:iam::111122223333:saml-provider/p"})"),
           "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", false},
          {trust(
               R"("Action":"sts:AssumeRole","Principal":{"Service":"rolesanywhere.amazonaws.com"})"),
           "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY"},
          {trust(R"("Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],
          "Principal":{"Service":"rolesanywhere.amazonaws.com"})"),
           "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", false},
          {trust(R"("Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],
          "Principal":{"Service":"rolesanywhere.amazonaws.com"})"),
           "ROLES_ANYWHERE_TAKES_ANY_CERTIFICATE"},
          {trust(R"("Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],
          "Principal":{"Service":"rolesanywhere.amazonaws.com"},"Condition":{"ArnEquals":
          {"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/a"}})"),
           "ROLES_ANYWHERE_TAKES_ANY_CERTIFICATE", false},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"},"Condition":
          {"StringEquals":{"sts:SourceIdentity":"alice"}})"),
           "MISSING_ACTION_FOR_CONDITION_KEY"},
          {trust(R"("Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Principal":
          {"AWS":"111122223333"},"Condition":{"StringEquals":{"sts:SourceIdentity":"alice"}})"),
           "MISSING_ACTION_FOR_CONDITION_KEY", false},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"},"Condition":
          {"StringEquals":{"aws:RequestTag/AccessType":"AI"}})"),
           "MISSING_ACTION_FOR_CONDITION_KEY"},
          {trust(
               R"("Action":["sts:AssumeRole","s3:GetObject"],"Principal":{"AWS":"111122223333"})"),
           "UNSUPPORTED_ACTION_IN_POLICY"},
          {trust(R"("Action":["sts:AssumeRole","sts:Tag*"],"Principal":{"AWS":"111122223333"})"),
           "UNSUPPORTED_ACTION_IN_POLICY", false},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":
          ["arn:aws:sts::111122223333:assumed-role/App/s",
           "arn:aws:iam::111122223333:role/team/App"]})"),
           "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY"},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":
          ["arn:aws:sts::444455556666:assumed-role/App/s",
           "arn:aws:iam::111122223333:role/App"]})"),
           "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", false},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":"*"})"), "ROLE_TRUSTS_ANYONE"},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":{"StringEquals":
          {"aws:PrincipalOrgID":"o-abcdefghij"}})"),
           "ROLE_TRUSTS_ANYONE", false},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":"AROAEXAMPLEEXAMPLE12"})"),
           "INVALID_ROLE_REFERENCE"},
          {trust(R"("Action":"sts:AssumeRole","Principal":{"AWS":"AIDAEXAMPLEEXAMPLE12"})"),
           "INVALID_USER_REFERENCE"},
      },
      iam::PolicyKind::Trust);
}

TEST(Lint, ChecksWhatKindsOfPoliciesMayHold) {
  const auto bucket = [](std::string_view members) {
    return policy(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*",)" +
                  std::string(members));
  };
  expect(
      {
          {bucket(R"("Principal":{"Federated":"accounts.google.com"})"),
           "FEDERATED_PRINCIPAL_NOT_SUPPORTED"},
          {bucket(R"("Principal":{"Service":"sns.amazonaws.com"},"Condition":{"StringEquals":
          {"aws:PrincipalOrgID":"o-abcdefghij"}})"),
           "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL"},
          {bucket(R"("Principal":{"Service":"sns.amazonaws.com"},"Condition":{"StringEquals":
          {"aws:SourceOrgID":"o-abcdefghij"}})"),
           "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", false},
      },
      iam::PolicyKind::Resource);
  expect({{policy(R"("Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*")"),
           "SCP_SYNTAX_ERROR_PRINCIPAL"},
          {policy(R"("Effect":"Deny","Action":"s3:*","Resource":"*")"),
           "SCP_SYNTAX_ERROR_PRINCIPAL", false}},
         iam::PolicyKind::Scp);
  expect({{policy(R"("Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*")"),
           "RCP_SYNTAX_ERROR_NOTACTION"}},
         iam::PolicyKind::Rcp);
}

TEST(Lint, ChecksValuesAndArns) {
  const auto resource = [](std::string_view r) {
    return policy(R"("Effect":"Allow","Action":"iam:GetUser","Resource":")" + std::string(r) +
                  "\"");
  };
  expect({
      {resource("arn:aws:iam:eu-west-1:111122223333:user/a"), "ARN_REGION_NOT_ALLOWED"},
      {resource("arn:aws:iam::111122223333:user/a"), "ARN_REGION_NOT_ALLOWED", false},
      {resource("arn:aws:s3::111122223333:b"), "ARN_ACCOUNT_NOT_ALLOWED"},
      {resource("arn:aws:s3:eu-west-1:111122223333:accesspoint/a"), "ARN_ACCOUNT_NOT_ALLOWED",
       false},
      {resource("arn:aws:s3:::b/*"), "ARN_ACCOUNT_NOT_ALLOWED", false},
      {resource("arn:aws:sqs::111122223333:q"), "MISSING_ARN_REGION"},
      {resource("arn:aws:sqs:*:111122223333:q"), "MISSING_ARN_REGION", false},
      {with(R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}})"),
       "PRIVATE_IP_ADDRESS"},
      {with(R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}})"),
       "PRIVATE_IP_ADDRESS", false},
      {with(R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}})"),
       "PRIVATE_IP_ADDRESS_SUBSET"},
      {with(R"({"NotIpAddress":{"aws:SourceIp":"172.16.0.0/12"}})"), "PRIVATE_NOT_IP_ADDRESS"},
      {with(R"({"NotIpAddress":{"aws:SourceIp":["172.16.0.0/12","203.0.113.9"]}})"),
       "PRIVATE_NOT_IP_ADDRESS_SUBSET"},
      {with(R"({"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}})"), "PRIVATE_IP_ADDRESS", false},
      {with(R"({"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}})"), "MISSING_PAIRED_CONDITION_KEYS"},
      {with(R"({"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"},
               "StringEquals":{"aws:SourceVpc":"vpc-1"}})"),
       "MISSING_PAIRED_CONDITION_KEYS", false},
      {with(R"({"NumericLessThan":{"s3:max-keys":["10","20"]}})"), "REDUNDANT_CONDITION_VALUE_NUM"},
      {with(R"({"NumericEquals":{"s3:max-keys":["10","20"]}})"), "REDUNDANT_CONDITION_VALUE_NUM",
       false},
      {with(R"({"StringEquals":{"aws:username":["a",1]}})"), "INVALID_CONDITION_DATA_TYPE"},
      {with(R"({"StringEquals":{"aws:username":["a","1"]}})"), "INVALID_CONDITION_DATA_TYPE",
       false},
      {with(R"({"NumericEquals":{"s3:max-keys":"${aws:username}"}})"),
       "INVALID_VARIABLE_FOR_OPERATOR"},
      {with(R"({"StringEquals":{"s3:prefix":"${aws:username}"}})"), "INVALID_VARIABLE_FOR_OPERATOR",
       false},
      {with(R"({"DateLessThan":{"aws:CurrentTime":"1700000000"}})"), "INVALID_DATE_VALUE"},
      {with(R"({"DateLessThan":{"aws:CurrentTime":"2027"}})"), "INVALID_DATE_VALUE", false},
      {with(R"({"BinaryEquals":{"aws:username":"not base 64"}})"), "TYPE_MISMATCH_STRING"},
      {with(R"({"BinaryEquals":{"aws:username":"QmFzZQ=="}})"), "TYPE_MISMATCH_STRING", false},
      {with(R"({"StringEquals":{"aws:ARN":"x"}})"), "UNSUPPORTED_GLOBAL_CONDITION_KEY"},
      {with(R"({"StringEquals":{"aws:RequestedRegion":"Frankfurt"}})"), "INVALID_REGION"},
      {with(R"({"StringEquals":{"aws:RequestedRegion":["us-gov-east-1","aws-global"]}})"),
       "INVALID_REGION", false},
      {policy(R"("Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":
          {"StringEquals":{"aws:ResourceTag/a":"b"}})"),
       "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"},
      {policy(R"("Effect":"Allow","NotAction":"iam:*","Resource":"*","Condition":
          {"StringEquals":{"aws:ResourceTag/a":"b"}})"),
       "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"},
  });
}

// The catalogue tells of each key how many values it holds; global keys are listed beside it.
TEST(ServiceData, KnowsTypeAndCardinalityOfKeys) {
  struct Key {
    std::string_view name;
    KeyType type;
    bool multivalued;
  };
  for (const auto& [name, type, multivalued] :
       std::vector<Key>{{"aws:ViaAWSMCPService", KeyType::Bool, false},
                        {"aws:CalledViaAWSMCP", KeyType::String, false},
                        {"aws:SignInSessionArn", KeyType::Arn, false},
                        {"signin:OAuthClientId", KeyType::String, false},
                        {"signin:OAuthRedirectUri", KeyType::String, false},
                        {"signin:OAuthGrantType", KeyType::String, false},
                        {"signin:OAuthClientAuthentication", KeyType::String, false},
                        {"aws:TagKeys", KeyType::String, true},
                        {"aws:CalledVia", KeyType::String, true},
                        {"dynamodb:LeadingKeys", KeyType::String, true},
                        {"ses:Recipients", KeyType::String, true},
                        {"kms:GrantOperations", KeyType::String, true},
                        {"ec2:ResourceTag/x", KeyType::String, false},
                        {"s3:max-keys", KeyType::Numeric, false}}) {
    const auto known = service_data().condition_key(name);
    ASSERT_TRUE(known) << name;
    EXPECT_EQ(known->type, type) << name;
    EXPECT_EQ(known->multivalued, multivalued) << name;
  }
}

TEST(Lint, FindsTheTrapsOfAgentAccess) {
  const auto deny = [](std::string_view condition) {
    return policy(R"("Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":)" +
                  std::string(condition));
  };
  expect({
      {deny(R"({"StringEquals":{"aws:CalledViaAWSMCP":"true"}})"), "MCP_CALLED_VIA_IS_NOT_BOOLEAN"},
      {deny(R"({"StringEquals":{"aws:CalledViaAWSMCP":"aws-mcp.amazonaws.com"}})"),
       "MCP_CALLED_VIA_IS_NOT_BOOLEAN", false},
      {policy(R"("Effect":"Deny","Action":"aws-mcp:CallReadWriteTool","Resource":"*")"),
       "DEAD_AWS_MCP_ACTION"},
      {deny(R"({"Bool":{"aws:ViaAWSMCPService":"false"}})"), "DENY_WITHOUT_IF_EXISTS"},
      {deny(R"({"BoolIfExists":{"aws:ViaAWSMCPService":"false"}})"), "DENY_WITHOUT_IF_EXISTS",
       false},
      {deny(R"({"Bool":{"aws:ViaAWSMCPService":"true"}})"), "DENY_WITHOUT_IF_EXISTS", false},
      {with(R"({"BoolIfExists":{"aws:ViaAWSMCPService":"true"}})"), "ALLOW_WITH_IF_EXISTS"},
      {with(R"({"ForAllValues:StringEquals":{"aws:CalledVia":"a.amazonaws.com"}})"),
       "FOR_ALL_VALUES_WITHOUT_NULL"},
      {with(R"({"ForAllValues:StringEquals":{"aws:CalledVia":"a.amazonaws.com"},
               "Null":{"aws:CalledVia":"false"}})"),
       "FOR_ALL_VALUES_WITHOUT_NULL", false},
      {deny(R"({"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}})"),
       "SOURCE_IP_BEHIND_MANAGED_MCP"},
      {deny(R"({"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"},
               "BoolIfExists":{"aws:ViaAWSMCPService":"false"}})"),
       "SOURCE_IP_BEHIND_MANAGED_MCP", false},
      {policy(R"("Effect":"Allow","Action":["ec2:StartInstances","ec2:CreateTags"],"Resource":"*"},
          {"Effect":"Allow","Action":"ec2:TerminateInstances","Resource":"*","Condition":
          {"StringEquals":{"aws:ResourceTag/owner":"agent"}})"),
       "TAG_CONDITION_ANYONE_MAY_SET"},
      {deny(R"({"StringEquals":{"aws:PrincipalTag/AccessType":"AI"}})"),
       "DENY_BY_TAG_WITHOUT_TAG_SESSION_CONTROL"},
      {policy(R"("Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":
          {"StringEquals":{"aws:PrincipalTag/AccessType":"AI"}}},{"Effect":"Deny","Action":
          "sts:TagSession","Resource":"*","Condition":{"StringNotEquals":
          {"aws:RequestTag/AccessType":"AI"}})"),
       "DENY_BY_TAG_WITHOUT_TAG_SESSION_CONTROL", false},
      {policy(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":
          {"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"})"),
       "RESOURCE_POLICY_BYPASSES_SESSION_POLICY"},
      {policy(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":"*",
          "Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}})"),
       "RESOURCE_POLICY_BYPASSES_SESSION_POLICY"},
      {policy(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":
          {"AWS":"arn:aws:iam::111122223333:role/r"})"),
       "RESOURCE_POLICY_BYPASSES_SESSION_POLICY", false},
      {deny(R"({"StringNotEquals":{"aws:CalledViaAWSMCP":"TRUE"}})"),
       "MCP_CALLED_VIA_IS_NOT_BOOLEAN"},
      {deny(R"({"Null":{"aws:CalledViaAWSMCP":"true"}})"), "MCP_CALLED_VIA_IS_NOT_BOOLEAN", false},
      {deny(R"({"Bool":{"aws:CalledViaAWSMCP":"true"}})"), "MCP_CALLED_VIA_IS_NOT_BOOLEAN"},
      {policy(R"("Effect":"Allow","Action":["s3:GetObject","aws-mcp:*"],
          "Resource":"arn:aws:s3:::b/*")"),
       "DEAD_AWS_MCP_ACTION"},
      {policy(R"("Effect":"Deny","NotAction":"aws-mcp:*","Resource":"*")"), "DEAD_AWS_MCP_ACTION"},
      {policy(kGood), "DEAD_AWS_MCP_ACTION", false},
      {deny(R"({"Bool":{"aws:MultiFactorAuthPresent":"false"}})"), "DENY_WITHOUT_IF_EXISTS"},
      {deny(R"({"Bool":{"aws:SecureTransport":"false"}})"), "DENY_WITHOUT_IF_EXISTS", false},
      {with(R"({"Bool":{"aws:ViaAWSMCPService":"false"}})"), "DENY_WITHOUT_IF_EXISTS", false},
      {deny(R"({"StringNotEquals":{"aws:CalledViaAWSMCP":"aws-mcp.amazonaws.com"}})"),
       "DENY_WITHOUT_IF_EXISTS", false},
      {with(R"({"Bool":{"aws:ViaAWSMCPService":"true"}})"), "ALLOW_WITH_IF_EXISTS", false},
      {deny(R"({"ForAllValues:StringEquals":{"aws:CalledVia":"a.amazonaws.com"}})"),
       "FOR_ALL_VALUES_WITHOUT_NULL", false},
      {with(R"({"ForAllValues:StringEquals":{"aws:TagKeys":["a"]},
               "StringEquals":{"aws:RequestTag/a":"b"}})"),
       "FOR_ALL_VALUES_WITHOUT_NULL", false},
      {with(R"({"ForAnyValue:StringEquals":{"aws:CalledVia":"a.amazonaws.com"}})"),
       "FOR_ALL_VALUES_WITHOUT_NULL", false},
      {with(R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}})"), "SOURCE_IP_BEHIND_MANAGED_MCP"},
      {deny(R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}})"), "SOURCE_IP_BEHIND_MANAGED_MCP",
       false},
      {policy(R"("Effect":"Allow","Action":"ec2:TerminateInstances","Resource":"*","Condition":
          {"StringEquals":{"aws:ResourceTag/owner":"agent"}})"),
       "TAG_CONDITION_ANYONE_MAY_SET", false},
      {policy(R"("Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":
          {"StringEquals":{"aws:RequestTag/owner":"someone"}}},
          {"Effect":"Allow","Action":"ec2:TerminateInstances","Resource":"*","Condition":
          {"StringEquals":{"aws:ResourceTag/owner":"agent"}})"),
       "TAG_CONDITION_ANYONE_MAY_SET", false},
      {with(R"({"StringEquals":{"aws:PrincipalTag/AccessType":"AI"}})"),
       "DENY_BY_TAG_WITHOUT_TAG_SESSION_CONTROL", false},
      {policy(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":
          {"AWS":["arn:aws:iam::111122223333:root","arn:aws:sts::111122223333:federated-user/f"]})"),
       "RESOURCE_POLICY_BYPASSES_SESSION_POLICY"},
      {policy(R"("Effect":"Deny","Action":"s3:GetObject","Resource":"*","Principal":
          {"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"})"),
       "RESOURCE_POLICY_BYPASSES_SESSION_POLICY", false},
  });
}

TEST(Lint, NamesLineColumnAndPath) {
  const auto findings = lint_json(
      "{\"Version\": \"2012-10-17\",\n \"Statement\": [{\"Effect\": \"Allow\",\n"
      "  \"Action\": [\"s3:GetObject\",\n    \"s3:Nothing\"],\n  \"Resource\": "
      "\"arn:aws:s3:::b/*\"}]}");
  ASSERT_EQ(findings.size(), 1U) << shown(findings);
  EXPECT_EQ(findings[0].path, "Statement[0].Action[1]");
  EXPECT_EQ(findings[0].position.line, 4U);
  EXPECT_EQ(findings[0].position.column, 5U);
}

TEST(Lint, CountsColumnsInCharactersInJsonAndYamlAlike) {
  const ServiceData& data = service_data();
  const auto column = [&](std::string text, TextForm form) {
    const auto findings = lint(std::move(text), form, std::nullopt, data);
    return findings.empty() ? 0 : findings.front().position.column;
  };
  // Two bytes, three and four: each is one character.
  std::string plain;
  for (const char* name : {"abc", "\u00e4bc", "\u20acbc", "\U0001F600bc"}) {
    const std::string statement =
        std::string("{\"Effect\": \"Allow\", \"Resource\": \"arn:aws:s3:::b/") + name +
        "\", \"Action\": \"s3:Nothing\"}";
    const std::string document = "{\"Version\": \"2012-10-17\", \"Statement\":\n" + statement + "}";
    if (plain.empty()) plain = document;
    EXPECT_EQ(column(document, TextForm::Json), column(document, TextForm::Yaml)) << name;
    EXPECT_EQ(column(document, TextForm::Json), column(plain, TextForm::Json)) << name;
    EXPECT_EQ(column("{\"" + std::string(name) + "\" 1}", TextForm::Json), 8U) << name;
  }
}

TEST(Lint, CountsTheSizeOfASessionPolicy) {
  std::string resources;
  for (int i = 0; i < 60; ++i) {
    resources += (i == 0 ? "" : ",") + std::string("\"arn:aws:s3:::a-bucket-with-a-long-name-") +
                 std::to_string(100 + i) + "\"";
  }
  expect({{policy(R"("Effect":"Allow","Action":"s3:ListBucket","Resource":[)" + resources + "]"),
           "SESSION_POLICY_TOO_LONG"}},
         iam::PolicyKind::Session);
}

TEST(LintOutput, IsJsonAndSarif) {
  const std::vector<FileFindings> files{{"a \"b\".json", lint_json(policy(R"("Effect":"Allow")"))}};
  const auto list = json::parse(to_json(files));
  ASSERT_TRUE(list);
  ASSERT_GT(list->root().size(), 0U);
  const json::Value first = *list->root().elements().begin();
  for (const char* key :
       {"findingType", "issueCode", "file", "line", "column", "path", "message", "mend"}) {
    EXPECT_TRUE(first.find(key)) << key;
  }
  const auto sarif = json::parse(to_sarif(files, "1"));
  ASSERT_TRUE(sarif);
  const json::Value run = *sarif->root().find("runs")->elements().begin();
  EXPECT_EQ(run.find("columnKind")->string(), "unicodeCodePoints");
  EXPECT_EQ(run.find("results")->size(), files[0].findings.size());
  for (const json::Value result : run.find("results")->elements()) {
    const auto rule = static_cast<std::size_t>(*result.find("ruleIndex")->as_int64());
    auto at = run.at({"tool", "driver", "rules"})->elements().begin();
    for (std::size_t i = 0; i < rule; ++i) ++at;
    EXPECT_EQ((*at).find("id")->string(), result.find("ruleId")->string());
  }
}

}  // namespace
}  // namespace remit::analysis
