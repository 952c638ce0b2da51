// What callers of decide() and explain() rely on beyond the cases of AWS's pages.

#include "iam/decide.h"

#include "iam/explain.h"
#include "json/json.h"

namespace remit::iam {
namespace {

Policy policy(std::string_view text, PolicyKind kind, std::string name = "the policy") {
  auto compiled = compile(text, kind, std::move(name));
  EXPECT_TRUE(compiled) << to_text(compiled.error().front());
  return *std::move(compiled);
}

struct SessionOnly {
  Policy session;
  const Policy* pointer = &session;
  Stack stack = Stack::session_only(std::span(&pointer, 1));
  Context context;
  Request request;

  explicit SessionOnly(std::string_view text)
      : session(policy(text, PolicyKind::Session, "session policy of remit read")) {
    context.others(Context::Others::Unknown);
    request.context = &context;
  }
  Outcome ask(std::string_view action, std::optional<std::string_view> resource) {
    request.action = action;
    request.resource = resource;
    return decide(stack, request).outcome;
  }
};

TEST(SessionOnlyStack, IsDecidedByTheSessionPolicyAlone) {
  SessionOnly s(R"({"Version":"2012-10-17","Statement":[
    {"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
    {"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"},
    {"Sid":"Guard","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret/*"}]})");
  EXPECT_EQ(s.ask("s3:GetObject", "arn:aws:s3:::b/k"), Outcome::Allowed);
  EXPECT_EQ(s.ask("s3:GetObject", "arn:aws:s3:::c/k"), Outcome::ImplicitDeny);
  EXPECT_EQ(s.ask("s3:PutObject", "arn:aws:s3:::b/k"), Outcome::ImplicitDeny);
  EXPECT_EQ(s.ask("s3:GetObject", "arn:aws:s3:::b/secret/k"), Outcome::ExplicitDeny);
  EXPECT_EQ(s.ask("s3:ListAllMyBuckets", "*"), Outcome::Allowed);
}

TEST(SessionOnlyStack, NamesItsStatementAndWhatItAssumed) {
  SessionOnly s(R"({"Version":"2012-10-17","Statement":[
    {"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]})");
  s.ask("s3:GetObject", "arn:aws:s3:::b/k");
  const auto decision = decide(s.stack, s.request);
  EXPECT_EQ(decision.layer, LayerName::Session);
  EXPECT_EQ(decision.statement, 0u);
  const auto explanation = explain(s.stack, s.request);
  EXPECT_EQ(explanation.because().front(),
            "allowed by statement \"Read\" (line 2) of session policy of remit read");
  EXPECT_EQ(explanation.assumed.size(), 6u);
  EXPECT_EQ(explanation.assumed.front(), "identity policy: not known here; AWS decides");
}

TEST(SessionOnlyStack, AnUnknownResourceNeedsAnyResource) {
  SessionOnly s(R"({"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
    {"Effect":"Allow","Action":["sqs:*","sns:*"],"Resource":"*"},
    {"Effect":"Deny","Action":"sns:*","Resource":"arn:aws:sns:*:*:secret"}]})");
  EXPECT_EQ(s.ask("s3:GetObject", std::nullopt), Outcome::Undetermined);
  EXPECT_EQ(s.ask("sqs:SendMessage", std::nullopt), Outcome::Allowed);
  EXPECT_EQ(s.ask("sns:Publish", std::nullopt), Outcome::Undetermined);
}

TEST(SessionOnlyStack, AnUnknownKeyNeverAllows) {
  SessionOnly s(R"({"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"s3:GetObject","Resource":"*",
     "Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}},
    {"Effect":"Allow","Action":"sqs:*","Resource":"*"},
    {"Effect":"Deny","Action":"sqs:*","Resource":"*",
     "Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}]})");
  EXPECT_EQ(s.ask("s3:GetObject", "arn:aws:s3:::b/k"), Outcome::Undetermined);
  EXPECT_EQ(s.ask("sqs:SendMessage", "arn:aws:sqs:a:1:q"), Outcome::Undetermined);
  s.context.set("aws:sourcevpc", "vpc-1");
  EXPECT_EQ(s.ask("s3:GetObject", "arn:aws:s3:::b/k"), Outcome::Allowed);
  EXPECT_EQ(s.ask("sqs:SendMessage", "arn:aws:sqs:a:1:q"), Outcome::Allowed);
  s.context.set_absent("aws:SourceVpc");
  EXPECT_EQ(s.ask("s3:GetObject", "arn:aws:s3:::b/k"), Outcome::ImplicitDeny);
  EXPECT_EQ(s.ask("sqs:SendMessage", "arn:aws:sqs:a:1:q"), Outcome::ExplicitDeny);
}

TEST(SessionOnlyStack, RefusesWhatIsNoAction) {
  SessionOnly s(R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})");
  for (const auto* action : {"", "s3", ":GetObject", "s3:"}) {
    EXPECT_EQ(s.ask(action, "*"), Outcome::ImplicitDeny) << action;
  }
  const std::string long_name = "s3:" + std::string(4096, 'a');
  EXPECT_EQ(s.ask(long_name, "*"), Outcome::ImplicitDeny);
}

TEST(SessionOnlyStack, BytesOfARequestAreNeverWildcards) {
  SessionOnly s(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*",
    "Resource":"arn:aws:s3:::b/${aws:PrincipalTag/t}/*"}]})");
  for (const std::string_view hostile : {"\xff", "\xfe", "\xfd@@@@", "*", "?"}) {
    s.context.set("aws:PrincipalTag/t", hostile);
    EXPECT_NE(s.ask("s3:GetObject", "arn:aws:s3:::b/secret/x"), Outcome::Allowed);
  }
}

TEST(Context, FindsKeysWhateverTheirCase) {
  Context context;
  for (int i = 0; i < 100; ++i) {
    static std::vector<std::string> names(100);
    names[static_cast<std::size_t>(i)] = "aws:PrincipalTag/" + std::to_string(i);
    context.set(names[static_cast<std::size_t>(i)], names[static_cast<std::size_t>(i)]);
  }
  for (int i = 0; i < 100; ++i) {
    const auto found = context.find("AWS:principaltag/" + std::to_string(i));
    ASSERT_EQ(found.state, Context::State::Known);
    EXPECT_EQ(found.values.front(), "aws:PrincipalTag/" + std::to_string(i));
  }
  context.set("aws:principalTAG/7", "other");
  EXPECT_EQ(context.find("aws:PrincipalTag/7").values.front(), "other");
  EXPECT_EQ(context.entries().size(), 100u);
  EXPECT_EQ(context.find("aws:nothing").state, Context::State::Absent);
}

TEST(Principal, ReadsEachKind) {
  struct Case {
    std::string_view text;
    PrincipalKind kind;
    std::string_view account, name, path, arn;
  };
  for (const auto& c : std::vector<Case>{
           {"*", PrincipalKind::Anonymous, "", "", "", ""},
           {"arn:aws:iam::111122223333:user/a/b/alice", PrincipalKind::User, "111122223333",
            "alice", "/a/b/", "arn:aws:iam::111122223333:user/a/b/alice"},
           {"arn:aws:iam::111122223333:role/App", PrincipalKind::Role, "111122223333", "App", "/",
            "arn:aws:iam::111122223333:role/App"},
           {"arn:aws-cn:sts::111122223333:assumed-role/App/s", PrincipalKind::RoleSession,
            "111122223333", "App", "/", "arn:aws-cn:iam::111122223333:role/App"},
           {"arn:aws:iam::111122223333:root", PrincipalKind::Root, "111122223333", "", "",
            "arn:aws:iam::111122223333:root"},
           {"ecs-tasks.amazonaws.com", PrincipalKind::Service, "", "ecs-tasks.amazonaws.com", "",
            ""},
           {"accounts.google.com", PrincipalKind::Provider, "", "accounts.google.com", "", ""}}) {
    const auto p = Principal::parse(c.text);
    ASSERT_TRUE(p) << c.text << ": " << p.error();
    EXPECT_EQ(p->kind(), c.kind) << c.text;
    EXPECT_EQ(p->account(), c.account) << c.text;
    EXPECT_EQ(p->name(), c.name) << c.text;
    EXPECT_EQ(p->path(), c.path) << c.text;
    EXPECT_EQ(p->principal_arn(), c.arn) << c.text;
  }
}

TEST(Principal, RefusesTheRest) {
  for (const auto* bad : {"", "alice", "arn:aws:iam::1:user/a", "arn:aws:iam::111122223333:user/",
                          "arn:aws:iam::111122223333:group/g", "arn:aws:s3:::b",
                          "arn:aws:sts::111122223333:assumed-role/App",
                          "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333"}) {
    EXPECT_FALSE(Principal::parse(bad)) << bad;
  }
}

TEST(Principal, ARoleArnGivesASessionItsPath) {
  const auto session = *Principal::parse("arn:aws:sts::111122223333:assumed-role/App/s");
  const auto with = session.with_role_arn("arn:aws:iam::111122223333:role/team/App");
  EXPECT_EQ(with.principal_arn(), "arn:aws:iam::111122223333:role/team/App");
  // Another role's ARN is not taken.
  EXPECT_EQ(session.with_role_arn("arn:aws:iam::111122223333:role/Other").principal_arn(),
            "arn:aws:iam::111122223333:role/App");
}

TEST(Explain, SaysWhichElementFailedAndWhatWouldAllow) {
  const auto identity = policy(R"({"Version":"2012-10-17","Statement":[
    {"Sid":"List","Effect":"Allow","Action":"s3:ListBucket","Resource":"*"},
    {"Sid":"Other","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"},
    {"Sid":"Vpc","Effect":"Allow","Action":"s3:GetObject","Resource":"*",
     "Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}]})",
                               PolicyKind::Identity, "team policy");
  const Policy* attached = &identity;
  Stack stack;
  stack.identity = Layer::of(std::span(&attached, 1));
  const auto alice = *Principal::parse("arn:aws:iam::111122223333:user/alice");
  Request request;
  request.principal = &alice;
  request.action = "s3:GetObject";
  request.resource = "arn:aws:s3:::b/k";
  request.resource_account = "111122223333";
  const auto e = explain(stack, request);
  EXPECT_EQ(e.decision.outcome, Outcome::ImplicitDeny);
  ASSERT_EQ(e.layers.front().statements.size(), 3u);
  std::vector<std::string> failed;
  for (const auto& s : e.layers.front().statements) failed.push_back(s.failed);
  EXPECT_EQ(failed[0], "Action: does not include s3:GetObject");
  EXPECT_EQ(failed[1], "Resource: does not cover arn:aws:s3:::b/k");
  EXPECT_EQ(failed[2], "Condition StringEquals aws:SourceVpc: the request has no such key");
  ASSERT_TRUE(e.suggestion);
  EXPECT_TRUE(e.suggestion->possible);
  EXPECT_EQ(e.suggestion->text,
            "add Action s3:GetObject on Resource arn:aws:s3:::b/k to an identity policy of the "
            "caller");
  EXPECT_NE(to_text(e, request).find("Deny"), 0u);
  const auto form = json::parse(to_json(e, request));
  ASSERT_TRUE(form);
  EXPECT_EQ(form->root().find("decision")->string(), "implicitDeny");
}

TEST(Explain, SaysWhenNoGrantHelps) {
  const auto scp = policy(R"({"Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]})",
                          PolicyKind::Scp);
  const Policy* attached = &scp;
  const Layer level = Layer::of(std::span(&attached, 1));
  Stack stack;
  stack.scp = std::span(&level, 1);
  const auto alice = *Principal::parse("arn:aws:iam::111122223333:user/alice");
  Request request;
  request.principal = &alice;
  request.action = "s3:ListAllMyBuckets";
  request.resource = "*";
  const auto e = explain(stack, request);
  ASSERT_TRUE(e.suggestion);
  EXPECT_FALSE(e.suggestion->possible);
  EXPECT_TRUE(e.suggestion->text.starts_with("no grant to the caller alone can allow it"));
}

}  // namespace
}  // namespace remit::iam
