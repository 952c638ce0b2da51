#include "remit/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "remit/config_for_tests.h"
#include "remit/template.h"

namespace remit::rules {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Config, LoadsTheSketchOfTheDesignUnchanged) {
  const LoadedConfig loaded = load(kSketch);
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  const Config& config = *loaded.config;
  EXPECT_EQ(config.aws.base.kind, BaseSource::Kind::Profile);
  EXPECT_EQ(config.aws.base.profile, "agents");
  ASSERT_EQ(config.upstreams.size(), 2U);
  EXPECT_EQ(config.upstreams[0].command.back(), "awslabs.aws-api-mcp-server==1.3.47");
  EXPECT_EQ(config.upstreams[0].isolate, Isolate::Session);
  EXPECT_EQ(config.upstreams[1].url, "https://aws-mcp.us-east-1.api.aws/mcp");
  ASSERT_EQ(config.remits.size(), 1U);
  const Remit& remit = config.remits[0];
  EXPECT_EQ(remit.name, "read-invoices");
  EXPECT_EQ(std::get<std::string>(remit.role), "arn:aws:iam::111122223333:role/agents/invoices");
  EXPECT_THAT(remit.tags, ElementsAre(Tag{"AccessType", "AI"}, Tag{"Team", "billing"}));
  EXPECT_THAT(remit.transitive, ElementsAre("AccessType"));
  EXPECT_EQ(remit.duration, 900s);
  EXPECT_NE(remit.approve, nullptr);
  EXPECT_EQ(*remit.calls, (Limit{120, 60s}));
  EXPECT_EQ(*remit.writes, (Limit{20, 3600s}));
  EXPECT_EQ(config.ledger_path, "/home/jane/.local/state/remit/ledger.db");
  EXPECT_EQ(config.durability, Durability::Disk);
  EXPECT_EQ(hex(config.digest), sha256_hex(kSketch));
}

TEST(Config, NamesAnUpstreamThatThisVersionCannotServe) {
  const auto problems = not_served(*load(kSketch).config);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].severity, Problem::Severity::Error);
  EXPECT_EQ(problems[0].path, "upstreams.aws.url");
  EXPECT_EQ(problems[0].position.line, 5U);
  EXPECT_THAT(problems[0].message, HasSubstr("https://aws-mcp.us-east-1.api.aws/mcp"));
}

TEST(Config, ReadsEveryKeyOfTheAgreedForm) {
  const LoadedConfig loaded = load(R"(
agent: { name: claude-code, user: jane@example.com }
aws:
  base: { environment: true }
  region: eu-central-1
  endpoints: { "*": "http://127.0.0.1:8000", sts: "https://sts.test:8443", s3.test.local: "http://[::1]:9000" }
  ca_bundle: ~/ca.pem
upstreams:
  api:
    command: [uvx, "awslabs.aws-api-mcp-server==1.3.47", ""]
    env: { FASTMCP_CHECK_FOR_UPDATES: "off", EMPTY: "" }
    cwd: /srv
    isolate: agent
    lanes: 8
    startup:
      role: arn:aws:iam::111122223333:role/start
      session: { Effect: Allow, Action: "s3:ListAllMyBuckets", Resource: "*" }
    public_hosts: [servicereference.us-east-1.amazonaws.com]
    timeouts: { start: 10s, call: 500ms, idle: 1h }
remits:
  - name: objects
    tools: api/get_*
    role: { argument: account, map: { prod: "arn:aws:iam::111122223333:role/p", dev: "arn:aws:iam::444455556666:role/d" } }
    arguments:
      account: { grammar: { values: [prod, dev] } }
      bucket: { pointer: /where/bucket, grammar: bucket }
      key: key
      free: { grammar: { pattern: "[a-z]{1,8}" } }
      plain:
    session:
      - Sid: One
        Effect: Allow
        Action: s3:GetObject
        Resource: "arn:aws:s3:::${arg:bucket}/${arg:key}"
        Condition: { StringEquals: { "aws:ResourceAccount": "${aws:PrincipalAccount}" } }
    policy_arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    transitive: []
    external_id: abc/def
    duration: 1h
    source_identity: someone
egress: { listen: "[::1]:9090", unsafe_disable_decision: true }
ledger: { path: /var/lib/remit/ledger.db, durability: process }
)");
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  EXPECT_TRUE(loaded.problems.empty()) << all_problems(loaded);
  const Config& config = *loaded.config;
  EXPECT_EQ(*config.agent.user, "jane@example.com");
  EXPECT_EQ(config.aws.base.kind, BaseSource::Kind::Environment);
  EXPECT_EQ(config.aws.endpoints.size(), 3U);
  EXPECT_EQ(config.aws.ca_bundle, "/home/jane/ca.pem");
  EXPECT_EQ(config.egress_host, "::1");
  EXPECT_EQ(config.egress_port, 9090);
  EXPECT_TRUE(config.unsafe_disable_decision);
  EXPECT_EQ(config.durability, Durability::Process);
  const Upstream& api = config.upstreams[0];
  EXPECT_EQ(api.timeouts.call, 500ms);
  EXPECT_EQ(api.lanes, 8U);
  ASSERT_TRUE(api.startup);
  EXPECT_EQ(api.startup->name, "startup:api");
  EXPECT_EQ(*api.startup->source_identity, "jane@example.com");
  const Remit& remit = config.remits[0];
  EXPECT_EQ(*remit.source_identity, "someone");
  EXPECT_EQ(remit.arguments[1].pointer_text, "/where/bucket");
  EXPECT_EQ(remit.arguments[2].grammar.kind(), GrammarKind::Key);
  EXPECT_EQ(remit.arguments[4].grammar.kind(), GrammarKind::Token);
  EXPECT_THAT(remit.session->arguments(), ElementsAre("bucket", "key"));
  EXPECT_TRUE(remit.transitive.empty());
}

struct Wrong {
  std::string name;
  std::string text;
  std::string told;  // part of "line:column: path: message"
};

class ConfigRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(ConfigRefuses, WithPlacePathAndWhatWouldBeRight) {
  const LoadedConfig loaded = load(GetParam().text);
  EXPECT_EQ(loaded.config, nullptr);
  EXPECT_THAT(all_problems(loaded), HasSubstr(GetParam().told));
}

// In config_with() the lines given begin at line 8.
const Wrong kWrong[] = {
    {"UnknownKey", config_with("    rol: x\n    session: []\n"),
     "f:7:5: error: remits[0].rol: unknown key, did you mean `role`?"},
    {"NothingAtAll", "", "f:1:1: error: must be a mapping with agent, aws"},
    {"UnknownTopKey", "upstream: {}\n", "upstream: unknown key, did you mean `upstreams`?"},
    {"MissingRemits", "upstreams: { a: { command: [x] } }\n", "remits: is missing"},
    {"Duration", config_with("    duration: 5m\n"),
     "f:8:15: error: remits[0].duration: '5m' is no duration from 15m to 12h"},
    {"DurationWithoutUnit", config_with("    duration: 900\n"), "such as 15m"},
    {"Role", config_with("    role: arn:aws:iam::1:role/x\n"), "f:7:11: error: remits[0].role"},
    {"SsoRole",
     config_with("    role: arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/"
                 "AWSReservedSSO_Admin_1\n"),
     "IAM Identity Center"},
    {"OtherAccessType", config_with("    tags: { AccessType: Human }\n"),
     "AccessType is always AI"},
    {"TagTwice", config_with("    tags: { Team: a, team: b }\n"), "whatever their case"},
    {"AwsTag", config_with("    tags: { \"aws:x\": a }\n"), "AWS's own"},
    {"TagCharacters", config_with("    tags: { Team: \"a;b\" }\n"), "the value must have"},
    {"TransitiveUnknown", config_with("    transitive: [Team]\n"), "not among this remit's tags"},
    {"Limit", config_with("    limits: { calls: lots }\n"), "'lots' is no limit"},
    {"ExternalId", config_with("    external_id: \"a b\"\n"), "no external id"},
    {"PolicyOfAnotherAccount",
     config_with("    policy_arns: [\"arn:aws:iam::999988887777:policy/x\"]\n"),
     "is of account 999988887777"},
    {"PolicyArn", config_with("    policy_arns: [\"arn:aws:s3:::x\"]\n"),
     "ARN of a managed policy"},
    {"PinnedRegion", config_with("    regions: [eu-central-1, europe]\n"),
     "f:8:29: error: remits[0].regions[1]: is no region"},
    {"PinnedToAll", config_with("    regions: [\"*\"]\n"), "is no region"},
    {"PinnedToNothing", config_with("    regions: []\n"), "names nothing"},
    {"PinnedAccount", config_with("    accounts: [\"12\"]\n"), "an account id is twelve digits"},
    {"PinnedAwayFromTheRole", config_with("    accounts: [\"444455556666\"]\n"),
     "leaves out 111122223333, the account of the role arn:aws:iam::111122223333:role/r"},
    {"PinnedAccountsOffloaded",
     config_with("    accounts: [\"111122223333\"]\n    offload: "
                 "[\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n"),
     "cannot stand beside `offload`"},
    {"AccessKey", config_with("    source_identity: AKIAIOSFODNN7EXAMPLE\n"),
     "looks like an AWS access key id"},
    {"ScalarForList", config_with("    transitive: Team\n"), "must be a list, not a text"},
    {"NullText", config_with("    external_id: ~\n"), "has no value"},
    {"ArgumentNotDeclared",
     config_with(
         "    arguments: { bucket: bucket }\n    session:\n      - { Effect: Allow, Action: "
         "\"s3:*\", Resource: \"arn:aws:s3:::${arg:buket}\" }\n"),
     "f:9:52: error: remits[0].session[0].Resource: ${arg:buket} is not among this remit's "
     "`arguments`, did you mean `bucket`?"},
    {"ArgumentInAction",
     config_with(
         "    arguments: { a: token }\n    session: [{Effect: Allow, Action: \"s3:${arg:a}\", "
         "Resource: \"*\"}]\n"),
     "may stand in values of Resource and Condition only"},
    {"ArgumentInSid",
     config_with("    arguments: { a: token }\n    session: [{Sid: \"${arg:a}\", Effect: Allow, "
                 "Action: \"s3:*\", Resource: \"*\"}]\n"),
     "may stand in values of Resource and Condition only"},
    {"ArgumentInNotResource",
     config_with("    arguments: { a: token }\n    session: [{Effect: Allow, Action: \"s3:*\", "
                 "NotResource: \"arn:aws:s3:::${arg:a}\"}]\n"),
     "may stand in values of Resource and Condition only"},
    {"ArgumentInConditionKey",
     config_with(
         "    arguments: { a: token }\n    session: [{Effect: Allow, Action: \"s3:*\", "
         "Resource: \"*\", Condition: {StringEquals: {\"aws:PrincipalTag/${arg:a}\": x}}}]\n"),
     "may not stand in a key"},
    {"ArgumentInsideAVariable",
     config_with("    arguments: { a: token }\n    session: [{Effect: Allow, Action: \"s3:*\", "
                 "Resource: \"arn:aws:s3:::${aws:PrincipalTag/${arg:a}}\"}]\n"),
     "may not stand inside of another variable"},
    {"DollarBeforeArgument",
     config_with("    arguments: { a: token }\n    session: [{Effect: Allow, Action: \"s3:*\", "
                 "Resource: \"arn:aws:s3:::$${arg:a}\"}]\n"),
     "a $ right before an argument"},
    {"PolicyElement",
     config_with(
         "    session:\n      - Effect: Allow\n        Acton: s3:Get*\n        Resource: \"*\"\n"),
     "f:9:9: error: remits[0].session[0].Acton: unknown key, did you mean `Action`?"},
    {"PolicyEffect",
     config_with(
         "    session:\n      - Effect: allow\n        Action: s3:Get*\n        Resource: \"*\"\n"),
     "f:8:17: error: remits[0].session[0].Effect"},
    {"PolicyOperator",
     config_with(
         "    session:\n      - Effect: Allow\n        Action: s3:Get*\n        Resource: \"*\"\n"
         "        Condition:\n          StringEqual: { a:b: c }\n"),
     "f:12:11: error: remits[0].session[0].Condition.StringEqual"},
    {"OldPolicyVersion",
     config_with(
         "    session: { Version: 2008-10-17, Statement: [{Effect: Allow, Action: \"s3:*\", "
         "Resource: \"*\"}] }\n"),
     "must be 2012-10-17"},
    {"EmptySession", config_with("    session: []\n"), "has no statement"},
    {"UnknownGrammar", config_with("    arguments: { a: bukket }\n"), "'bukket' is no grammar"},
    {"BadPattern", config_with("    arguments: { a: { grammar: { pattern: \"(\" } } }\n"), "RE2"},
    {"BothGrammars",
     config_with("    arguments: { a: { grammar: { pattern: x, values: [x] } } }\n"),
     "either `pattern` or `values`"},
    {"UnsafeValue", config_with("    arguments: { a: { grammar: { values: [\"a*\"] } } }\n"),
     "contains the wildcard"},
    {"Pointer", config_with("    arguments: { a: { pointer: bucket } }\n"), "is no JSON pointer"},
    {"RoleArgumentUnknown",
     config_with(
         "    role: { argument: account, map: { a: \"arn:aws:iam::111122223333:role/p\" } }\n"),
     "argument 'account' is not among"},
    {"RoleValueImpossible",
     config_with("    arguments: { account: account }\n    role: { argument: account, map: { prod: "
                 "\"arn:aws:iam::111122223333:role/p\" } }\n"),
     "can never be bound"},
    {"UnknownUpstream",
     config_with("  - name: s\n    tools: [apy/x]\n    role: arn:aws:iam::111122223333:role/r\n"
                 "    session: [{Effect: Allow, Action: \"s3:*\", Resource: \"*\"}]\n"),
     "no upstream is called 'apy', did you mean `api`?"},
    {"ApproveElement", config_with("    approve: { Action: \"s3:*\", Effect: Deny }\n"),
     "remits[0].approve.Effect: unknown key"},
    {"ApproveWithoutAction", config_with("    approve: { Resource: \"*\" }\n"), "names no Action"},
    {"BooleanYes",
     "aws: { base: { environment: yes } }\nupstreams: { a: { command: [x] } }\nremits: []\n",
     "f:1:29: error: aws.base.environment: must be true or false, written so"},
    {"TwoBases", "aws: { base: { environment: true, profile: x } }\n", "names several sources"},
    {"RelativePath", "ledger: { path: here.db }\n", "must be absolute or begin with ~/"},
    {"PublicListener", "egress: { listen: \"0.0.0.0:80\" }\n", "is no loopback address"},
    {"ListenWithoutPort", "egress: { listen: \"127.0.0.1\" }\n", "an address and a port"},
    {"EndpointWithPath", "aws: { endpoints: { sts: \"https://x/y\" } }\n", "without path"},
    {"EndpointScheme", "aws: { endpoints: { sts: \"ftp://x\" } }\n", "is no URL"},
    {"Region", "aws: { region: moon }\n", "aws.region"},
    {"ReservedVariable", "upstreams: { a: { command: [x], env: { AWS_PROFILE: admin } } }\n",
     "is set by Remit itself"},
    {"Isolate", "upstreams: { a: { command: [x], isolate: never } }\n", "neither agent, session"},
    {"Lanes", "upstreams: { a: { command: [x], lanes: 0 } }\n", "a whole number from 1 to 64"},
    {"LanesOctal", "upstreams: { a: { command: [x], lanes: 010 } }\n", "a whole number"},
    {"CommandAsText", "upstreams: { a: { command: \"x y\" } }\n", "must be a list, not a text"},
    {"CommandAndUrl", "upstreams: { a: { command: [x], url: \"https://h/\" } }\n",
     "stands beside `command`"},
    {"NoCommand", "upstreams: { a: {} }\n", "upstreams.a.command: is missing"},
    {"UpstreamName", "upstreams: { \"a b\": { command: [x] } }\n", "an upstream's name is"},
    {"PublicHostPattern", "upstreams: { a: { command: [x], public_hosts: [\"*.com\"] } }\n",
     "one full host name"},
    {"StartupWithoutRole", "upstreams: { a: { command: [x], startup: { session: [] } } }\n",
     "upstreams.a.startup.role: is missing"},
    {"AgentName", "agent: { name: \"a b\" }\n", "must be 1 to 64 letters"},
    {"UserName", "agent: { user: \"Jane Doe\" }\n", "becomes the source identity"},
};

INSTANTIATE_TEST_SUITE_P(All, ConfigRefuses, testing::ValuesIn(kWrong),
                         [](const auto& info) { return info.param.name; });

TEST(Config, TellsEveryFaultOfAFileAtOnceInItsOrder) {
  const LoadedConfig loaded = load(
      "agent: { nam: x }\naws: { region: moon }\nupstreams: { a: { command: [] } }\n"
      "remits:\n  - { name: r, tools: [b/x], duration: 1s }\n");
  std::vector<std::size_t> lines;
  for (const Problem& problem : loaded.problems) lines.push_back(problem.position.line);
  EXPECT_THAT(lines, ElementsAre(1, 2, 3, 5, 5, 5, 5)) << all_problems(loaded);
}

TEST(Config, RefusesTwoRemitsThatCoverOneTool) {
  const LoadedConfig loaded = load(config_with(
      "  - name: s\n    tools: [\"api/call_*\"]\n    role: arn:aws:iam::111122223333:role/r\n"
      "    session: [{Effect: Allow, Action: \"s3:*\", Resource: \"*\"}]\n"));
  EXPECT_EQ(loaded.config, nullptr);
  EXPECT_THAT(all_problems(loaded),
              HasSubstr("remits r (line 4) and s both cover api/call_aws; a tool has one remit"));
}

TEST(Config, RefusesASessionThatNoStsCouldTakeBeforeItCostsAnything) {
  std::string statements = "    session:\n";
  for (int i = 0; i < 5000; ++i)
    statements += "      - { Effect: Allow, Action: \"s3:*\", Resource: \"*\" }\n";
  EXPECT_THAT(all_problems(load(config_with(statements))), HasSubstr("more than 100 statements"));
  std::string values = "    session: { Effect: Allow, Resource: \"*\", Action: [";
  for (int i = 0; i < 5000; ++i) values += "\"s3:*\", ";
  EXPECT_THAT(all_problems(load(config_with(values + "\"s3:*\"] }\n"))),
              HasSubstr("more than 300 values"));
  const std::string text = "    session: { Effect: Allow, Action: \"s3:*\", Resource: \"" +
                           std::string(500'000, '*') + "\" }\n";
  EXPECT_THAT(all_problems(load(config_with(text))), HasSubstr("longer than 4096 bytes"));
}

TEST(Config, WantsAHomeForTheTilde) {
  const LoadedConfig loaded = load_config(kSketch, {.home = ""});
  EXPECT_EQ(loaded.config, nullptr);
  EXPECT_THAT(all_problems(loaded), HasSubstr("ledger.path"));
}

TEST(Config, KeepsANorwegianRegionAndANumberedAccountAsTexts) {
  const LoadedConfig loaded = load(config_with("    tags: { Country: no, Cost: 0123 }\n"));
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  EXPECT_THAT(loaded.config->remits[0].tags,
              ElementsAre(Tag{"AccessType", "AI"}, Tag{"Cost", "0123"}, Tag{"Country", "no"}));
}

TEST(Config, WarnsOfWhatIsProbablyNotMeant) {
  const LoadedConfig loaded = load(
      "upstreams: { a: { command: [x] } }\nremits: []\naws: { endpoints: { sts: \"http://h.test\" "
      "} }\n");
  ASSERT_TRUE(loaded.config) << all_problems(loaded);
  EXPECT_EQ(loaded.problems.size(), 3U);
  EXPECT_THAT(all_problems(loaded), HasSubstr("no remit covers any of its tools"));
  EXPECT_THAT(all_problems(loaded), HasSubstr("requests to it are not encrypted"));
  EXPECT_THAT(all_problems(loaded), HasSubstr("us-east-1 is used"));
}

}  // namespace
}  // namespace remit::rules
