#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>

#include "gateway/gateway.h"
#include "gateway/testing/fixture.h"

namespace remit::gateway {
namespace {

using testing::config_text;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;

bool alive(pid_t pid) { return kill(pid, 0) == 0; }

TEST(Gateway, ListsExactlyTheToolsThatARemitCoversWithTheirBytes) {
  World world(config_text());
  world.initialize();
  world.send(R"({"jsonrpc":"2.0","id":2,"method":"tools/list"})");
  const auto list = world.answer("2");
  EXPECT_THAT(list, HasSubstr(R"("name": "echo")"));
  EXPECT_THAT(list, HasSubstr("1.50"));
  EXPECT_THAT(list, HasSubstr(R"("name": "pid")"));
  EXPECT_THAT(list, Not(HasSubstr("hidden")));
  const auto hidden = world.ask(3, "hidden");
  const auto unknown = world.ask(4, "nothing");
  EXPECT_THAT(hidden, HasSubstr("-32602"));
  EXPECT_THAT(hidden, HasSubstr("unknown tool: hidden"));
  EXPECT_THAT(unknown, HasSubstr("unknown tool: nothing"));
  EXPECT_EQ(world.ledger.count(ledger::Kind::CallDecided), 2u);
  EXPECT_TRUE(world.stop());
  EXPECT_EQ(world.lanes.size(), 0u);
}

TEST(Gateway, ACallIsRecordedForwardedAndComesBackWithAReceipt) {
  World world(config_text());
  world.initialize();
  const auto result = world.ask(2, "echo", R"({"bucket":"b","n":12345678901234567890})");
  EXPECT_THAT(result, HasSubstr("12345678901234567890"));
  EXPECT_THAT(result, HasSubstr(R"("structuredContent": {"n": 1.0})"));
  EXPECT_THAT(result, HasSubstr(R"("remit/receipt":{"call":"c)"));
  EXPECT_THAT(result, HasSubstr(R"("remit":"work","role":"arn:aws:iam::111122223333:role/work")"));
  ASSERT_EQ(world.ledger.records.size(), 3u);
  EXPECT_EQ(world.ledger.records[0].kind, ledger::Kind::CallDecided);
  EXPECT_EQ(world.ledger.records[1].kind, ledger::Kind::SessionMinted);
  EXPECT_EQ(world.ledger.records[2].kind, ledger::Kind::CallDone);
  for (const auto& record : world.ledger.records) {
    EXPECT_EQ(record.call, world.ledger.records[0].call);
    EXPECT_THAT(record.body, Not(HasSubstr("real-secret")));
    EXPECT_THAT(record.body, Not(HasSubstr("real-token")));
    const auto parsed = json::parse(record.body);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(json::canonical(parsed->root()), record.body);
  }
}

TEST(Gateway, TheChildSeesThePlaceholderAndNothingOfOurEnvironment) {
  setenv("AWS_SESSION_TOKEN", "inherited-secret", 1);
  setenv("AWS_PROFILE", "inherited-profile", 1);
  setenv("SOME_TOKEN", "inherited-secret", 1);
  World world(config_text());
  world.initialize();
  const auto text = World::text_of(world.ask(2, "env"));
  const auto seen = json::parse(text);
  ASSERT_TRUE(seen) << text;
  const std::vector<std::string_view> allowed{"PATH",
                                              "LANG",
                                              "LC_ALL",
                                              "LC_CTYPE",
                                              "TZ",
                                              "LOGNAME",
                                              "USER",
                                              "TERM",
                                              "HOME",
                                              "TMPDIR",
                                              "AWS_ACCESS_KEY_ID",
                                              "AWS_SECRET_ACCESS_KEY",
                                              "AWS_CONFIG_FILE",
                                              "AWS_SHARED_CREDENTIALS_FILE",
                                              "AWS_ENDPOINT_URL",
                                              "AWS_ENDPOINT_URL_S3_CONTROL",
                                              "AWS_REGION",
                                              "AWS_DEFAULT_REGION",
                                              "AWS_EC2_METADATA_DISABLED",
                                              "AWS_DISABLE_HOST_PREFIX_INJECTION",
                                              "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
                                              "AWS_SDK_LOAD_CONFIG",
                                              "AWS_PAGER",
                                              "AWS_CLI_AUTO_PROMPT",
                                              "HTTPS_PROXY",
                                              "https_proxy",
                                              "HTTP_PROXY",
                                              "http_proxy",
                                              "NO_PROXY",
                                              "no_proxy",
                                              "AWS_CA_BUNDLE",
                                              "NODE_EXTRA_CA_CERTS",
                                              "SSL_CERT_FILE",
                                              "REQUESTS_CA_BUNDLE",
                                              "CURL_CA_BUNDLE",
                                              "NODE_USE_ENV_PROXY",
                                              "JAVA_TOOL_OPTIONS"};
  for (const auto& [name, offset, value] : seen->root().members()) {
    EXPECT_NE(std::ranges::find(allowed, name), allowed.end()) << name;
    EXPECT_THAT(std::string(value.string()), Not(HasSubstr("inherited")));
  }
  EXPECT_EQ(seen->root().find("AWS_REGION")->string(), "eu-west-1");
  EXPECT_THAT(std::string(seen->root().find("AWS_ACCESS_KEY_ID")->string()),
              ::testing::StartsWith("AKIAREMIT"));
  EXPECT_EQ(seen->root().find("AWS_ACCESS_KEY_ID")->string().size(), 20u);
  unsetenv("AWS_SESSION_TOKEN");
  unsetenv("AWS_PROFILE");
  unsetenv("SOME_TOKEN");
}

TEST(Gateway, ArgumentsThatDoNotFitAreRefusedAsToolErrorsAndNothingIsForwarded) {
  World world(config_text());
  world.initialize();
  const auto schema = world.ask(2, "echo", R"({"bucket":7})");
  EXPECT_THAT(schema, HasSubstr(R"("isError":true)"));
  EXPECT_THAT(schema, HasSubstr("/bucket must be of type string"));
  EXPECT_THAT(schema, HasSubstr(R"("decision":"denied")"));
  const auto wild = world.ask(3, "pid", R"({"bucket":"*"})");
  EXPECT_THAT(wild, HasSubstr(R"("isError":true)"));
  EXPECT_THAT(wild, HasSubstr("bucket"));
  EXPECT_EQ(world.minter.asked, 0);
  EXPECT_EQ(world.ledger.count(ledger::Kind::CallDecided), 2u);
  EXPECT_EQ(world.ledger.count(ledger::Kind::CallDone), 0u);
}

TEST(Gateway, NothingIsForwardedWhenTheLedgerCannotWrite) {
  World world(config_text());
  world.initialize();
  world.ask(2, "echo");
  world.ledger.full = true;
  const int minted = world.minter.asked;
  const auto refused = world.ask(3, "crash");
  EXPECT_THAT(refused, HasSubstr("could not be recorded"));
  EXPECT_THAT(refused, HasSubstr("the disk is full"));
  EXPECT_EQ(world.minter.asked, minted);
  world.ledger.full = false;
  EXPECT_THAT(world.ask(4, "echo", R"({"bucket":"again"})"), HasSubstr("again"));
}

TEST(Gateway, WithoutASessionNothingIsForwardedAndTheReasonIsTold) {
  World world(config_text());
  world.initialize();
  world.minter.error = Error{ErrorCode::Denied, "AccessDenied: not authorized to assume the role"};
  const auto refused = world.ask(2, "crash");
  EXPECT_THAT(refused, HasSubstr("not authorized to assume the role"));
  EXPECT_THAT(refused, HasSubstr(R"("isError":true)"));
  // What the receipt says of the decision is what the ledger says.
  EXPECT_THAT(refused, HasSubstr(R"("decision":"allowed","remit":"work")"));
  EXPECT_THAT(world.ledger.last(ledger::Kind::CallDecided), HasSubstr(R"("decision":"allowed")"));
}

TEST(Gateway, DoesNotStartWithAConfigurationThatItCannotServeWhole) {
  const auto loaded = rules::load_config(
      "aws: { region: eu-west-1 }\nupstreams:\n  far: { url: \"https://mcp.example.com\" }\n"
      "remits:\n  - name: far\n    tools: [\"far/*\"]\n    role: "
      "arn:aws:iam::111122223333:role/far\n"
      "    session: [{ Effect: Allow, Action: s3:GetObject, Resource: \"*\" }]\n"
      "ledger: { path: /nonexistent/ledger.db }\n",
      {});
  ASSERT_TRUE(loaded.config) << rules::to_string(loaded.problems.front(), "remit.yaml");
  ASSERT_FALSE(rules::not_served(*loaded.config).empty());
  NoLog log;
  const auto ran = run_gateway(loaded.config, {"1", "remit.yaml", ""}, log);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, ErrorCode::InvalidInput);
  EXPECT_THAT(ran.error().message, HasSubstr("remit.yaml:3"));
  EXPECT_THAT(ran.error().message, HasSubstr("upstreams.far"));
}

TEST(Gateway, TwoSessionsRunAtTheSameTimeOnTwoLanes) {
  World world(config_text("    lanes: 2\n"));
  world.initialize();
  world.call(2, "pid", R"({"bucket":"bucket-one"})");
  world.call(3, "pid", R"({"bucket":"bucket-two"})");
  const auto one = World::text_of(world.answer("2"));
  const auto two = World::text_of(world.answer("3"));
  EXPECT_NE(one, two);
  // The same session goes to the same process again.
  EXPECT_EQ(World::text_of(world.ask(4, "pid", R"({"bucket":"bucket-one"})")), one);
  EXPECT_EQ(World::text_of(world.ask(5, "pid", R"({"bucket":"bucket-two"})")), two);
  // A third takes the place of the one that was idle longest.
  const auto three = World::text_of(world.ask(6, "pid", R"({"bucket":"bucket-three"})"));
  EXPECT_NE(three, one);
  EXPECT_NE(three, two);
  EXPECT_EQ(World::text_of(world.ask(7, "pid", R"({"bucket":"bucket-two"})")), two);
  EXPECT_EQ(world.minter.asked, 3);
}

TEST(Gateway, IsolateDecidesWhetherAProcessServesAnotherSession) {
  struct Case {
    const char* isolate;
    bool same_session;
    bool other_session;
  };
  for (const auto& [isolate, same_session, other_session] :
       {Case{"agent", true, true}, Case{"session", true, false}, Case{"call", false, false}}) {
    World world(config_text(std::string("    lanes: 4\n    isolate: ") + isolate + "\n"));
    world.initialize();
    const auto first = World::text_of(world.ask(2, "pid", R"({"bucket":"bucket-one"})"));
    const auto second = World::text_of(world.ask(3, "pid", R"({"bucket":"bucket-one"})"));
    const auto third = World::text_of(world.ask(4, "pid", R"({"bucket":"bucket-two"})"));
    EXPECT_EQ(first == second, same_session) << isolate;
    EXPECT_EQ(first == third, other_session) << isolate;
  }
}

TEST(Gateway, CallsWaitTheirTurnWhenAllLanesAreBusy) {
  World world(config_text("    lanes: 1\n"));
  world.initialize();
  for (int id = 2; id < 7; ++id) world.call(id, "slow", R"({"seconds":0.05})");
  for (int id = 2; id < 7; ++id) {
    EXPECT_THAT(world.answer(std::to_string(id)), HasSubstr("remit/receipt"));
  }
  EXPECT_EQ(world.lanes.size(), 1u);
  EXPECT_EQ(world.minter.asked, 1);
}

TEST(Gateway, ACallThatWaitsTooLongForALaneIsToldSo) {
  World world(config_text("    lanes: 1\n    timeouts: { call: 1s }\n"));
  world.initialize();
  world.call(2, "hang");
  world.call(3, "slow");
  EXPECT_THAT(world.answer("2"), HasSubstr("did not answer within"));
  const auto waited = world.answer("3");
  EXPECT_THAT(waited, ::testing::AnyOf(HasSubstr("no lane of upstream fake became free"),
                                       HasSubstr("remit/receipt")));
  EXPECT_THAT(waited, HasSubstr(R"("decision":"allowed")"));
  // The stuck process is gone; another one serves.
  EXPECT_THAT(world.ask(4, "echo", R"({"bucket":"again"})"), HasSubstr("again"));
}

TEST(Gateway, FaultsOfAnUpstreamEndInClearErrorsAndTheNextCallWorks) {
  struct Case {
    const char* tool;
    const char* expected;
  };
  World world(config_text());
  world.initialize();
  int id = 2;
  for (const auto& [tool, expected] :
       {Case{"crash", "exited with 3"}, Case{"garbage", "still here"}, Case{"flood", "no message"},
        Case{"huge", "more than 32 MiB"}, Case{"stderr", "said"},
        Case{"error", "the server's own error"}}) {
    const auto answer = world.ask(id++, tool);
    EXPECT_THAT(answer.substr(0, 2000), HasSubstr(expected)) << tool;
    EXPECT_THAT(world.ask(id++, "echo", R"({"bucket":"next"})"), HasSubstr("next")) << tool;
  }
  EXPECT_THAT(world.ledger.last(ledger::Kind::CallDone), HasSubstr(R"("outcome":"result")"));
}

TEST(Gateway, ACancelledCallIsNotAnsweredAndAuthorisesNothingMore) {
  World world(config_text());
  world.initialize();
  world.call(2, "hang");
  std::shared_ptr<Call> in_force;
  ASSERT_TRUE(world.run_until([&] {
    for (const auto& process : world.upstreams->find("fake")->processes()) {
      if (process->lane->in_force()) in_force = process->lane->in_force();
    }
    return in_force != nullptr;
  }));
  EXPECT_FALSE(in_force->over());
  world.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}})");
  ASSERT_TRUE(world.run_until([&] { return world.ledger.count(ledger::Kind::CallDone) == 1; }));
  EXPECT_TRUE(in_force->over());
  EXPECT_THAT(world.ledger.last(ledger::Kind::CallDone), HasSubstr(R"("outcome":"cancelled")"));
  EXPECT_THAT(world.ask(3, "echo", R"({"bucket":"next"})"), HasSubstr("next"));
  for (const auto& line : world.heard) EXPECT_THAT(line, Not(HasSubstr(R"("id":2,)")));
}

TEST(Gateway, ProgressComesWithTheAgentsTokenNotOurs) {
  World world(config_text());
  world.initialize();
  world.call(2, "progress", "{}", R"(,"_meta":{"progressToken":"mine"})");
  const auto result = world.answer("2");
  EXPECT_THAT(World::text_of(result), Not(HasSubstr("mine")));
  std::size_t heard = 0;
  for (const auto& line : world.heard) {
    if (line.find("notifications/progress") == std::string::npos) continue;
    EXPECT_THAT(line, HasSubstr("\"mine\""));
    ++heard;
  }
  EXPECT_EQ(heard, 2u);
}

TEST(Gateway, AQuestionOfAnUpstreamReachesTheAgentAndItsAnswerComesBack) {
  World world(config_text());
  world.initialize(R"({"elicitation":{}})");
  world.call(2, "ask");
  std::string question;
  ASSERT_TRUE(world.run_until([&] {
    for (const auto& line : world.heard) {
      if (line.find("elicitation/create") != std::string::npos) question = line;
    }
    return !question.empty();
  }));
  EXPECT_THAT(question, HasSubstr(R"("id":1,)"));
  world.send(R"({"jsonrpc":"2.0","id":1,"result":{"action":"accept","content":{"n":1}}})");
  EXPECT_THAT(World::text_of(world.answer("2")), HasSubstr("accept"));
}

TEST(Gateway, WhatTheAgentDidNotOfferIsNotAskedOfIt) {
  World world(config_text());
  world.initialize();
  EXPECT_THAT(World::text_of(world.ask(2, "ask")), HasSubstr("does not offer"));
}

TEST(Gateway, AChangedListIsAskedForAgainAndTold) {
  World world(config_text());
  world.initialize();
  world.ask(2, "change");
  ASSERT_TRUE(world.run_until([&] {
    return std::ranges::any_of(world.heard, [](const std::string& line) {
      return line.find("tools/list_changed") != std::string::npos;
    });
  }));
  world.send(R"({"jsonrpc":"2.0","id":3,"method":"tools/list"})");
  EXPECT_THAT(world.answer("3"), HasSubstr("pid2"));
}

TEST(Gateway, AnUpstreamThatDoesNotStartLosesItsToolsAndIsReported) {
  World world(config_text("", ", --exit"));
  world.initialize();
  world.send(R"({"jsonrpc":"2.0","id":2,"method":"tools/list"})");
  EXPECT_EQ(world.answer("2"), R"({"tools":[]})");
  EXPECT_THAT(world.ledger.last(ledger::Kind::Refused), HasSubstr("exited with 1"));
  EXPECT_THAT(world.ledger.last(ledger::Kind::Refused), HasSubstr("the reason it gives"));
}

TEST(Gateway, GarbageOfAnAgentIsAnsweredAndEndsTheConnectionAtACap) {
  World world(config_text());
  world.initialize();
  world.send("[]");
  world.send("nonsense");
  EXPECT_THAT(world.answer("null"), HasSubstr("not JSON"));
  std::string flood;
  for (int i = 0; i < 1100; ++i) flood += "nonsense\n";
  world.send(flood);
  EXPECT_TRUE(world.run_until([&] { return world.served; }));
}

TEST(Gateway, AFloodOfCallsIsHeldBackNotHeld) {
  World world(config_text("    lanes: 1\n"));
  world.initialize();
  const std::size_t before = world.ledger.records.size();
  std::string flood;
  for (int id = 10; id < 1000; ++id) {
    flood += R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
             R"(,"method":"tools/call","params":{"name":"hang"}})" + "\n";
  }
  world.send(flood);
  ASSERT_TRUE(world.run_until(
      [&] { return world.ledger.count(ledger::Kind::CallDecided) >= Front::kMaxCalls; }));
  world.run_until([n = 0]() mutable { return ++n > 10; });
  EXPECT_EQ(world.ledger.count(ledger::Kind::CallDecided), Front::kMaxCalls);
  EXPECT_GT(world.ledger.records.size(), before);
  EXPECT_TRUE(world.stop());
}

TEST(Gateway, AnOrderlyEndWhileALaneStartsIsNoFailure) {
  World world(config_text());
  world.initialize();
  ASSERT_TRUE(world.run_until([&] { return world.lanes.size() == 1; }));
  EXPECT_TRUE(world.stop());
  EXPECT_THAT(world.log.events, ::testing::Contains("lane.ended"));
  EXPECT_THAT(world.log.events, Not(::testing::Contains("lane.not-started")));
  EXPECT_THAT(world.log.events, Not(::testing::Contains("upstream.no-tools")));
}

TEST(Gateway, WhenTheAgentGoesEveryProcessOfEveryLaneEnds) {
  for (const char* flags : {"", ", --stubborn"}) {
    World world(config_text("", flags));
    world.initialize();
    const auto text = World::text_of(world.ask(2, "fork"));
    const auto pids = json::parse(text);
    ASSERT_TRUE(pids) << text;
    std::vector<pid_t> all;
    for (const auto pid : pids->root().elements()) {
      all.push_back(static_cast<pid_t>(*pid.as_int64()));
    }
    ASSERT_EQ(all.size(), 4u);
    for (const pid_t pid : all) EXPECT_TRUE(alive(pid));
    world.call(3, "hang");
    EXPECT_TRUE(world.stop());
    for (const pid_t pid : all) EXPECT_FALSE(alive(pid)) << pid;
    EXPECT_EQ(world.lanes.size(), 0u);
    EXPECT_TRUE(std::filesystem::is_empty(world.directory->path()));
  }
}

}  // namespace
}  // namespace remit::gateway
