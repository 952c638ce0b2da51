#include "aws/base_credentials.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "aws/fake_http_for_tests.h"

namespace remit::aws {
namespace {

namespace fs = std::filesystem;
const TimePoint kNow = *parse_amz_date("20261121T150405Z");

std::string temporary_answer(std::string_view id, std::string_view expiration) {
  return R"({"Code":"Success","AccessKeyId":")" + std::string(id) +
         R"(","SecretAccessKey":"s","Token":"t","Expiration":")" + std::string(expiration) + "\"}";
}

std::string assumed(std::string_view id) {
  return "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::111122223333:"
         "assumed-role/a/b</Arn>"
         "</AssumedRoleUser><Credentials><AccessKeyId>" +
         std::string(id) +
         "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
         "<Expiration>2026-11-21T16:04:05Z</Expiration></Credentials></AssumeRoleResult></"
         "AssumeRoleResponse>";
}

class FakeProcesses final : public ProcessRunner {
 public:
  ProcessOutput output;
  std::vector<std::vector<std::string>> started;
  net::Task<Result<ProcessOutput>> run(std::vector<std::string> argv,
                                       std::chrono::milliseconds /*limit*/) override {
    started.push_back(argv);
    co_return output;
  }
};

class CountingLog final : public Log {
 public:
  int warnings = 0;
  void write(Level level, std::string_view, std::initializer_list<LogField>) override {
    warnings += level == Level::Warning ? 1 : 0;
  }
};

class Base : public testing::Test {
 public:
  ~Base() override { fs::remove_all(home); }

 protected:
  Base() {
    clock.time = kNow;
    home = fs::temp_directory_path() / ("remit-base-" + std::to_string(::getpid()));
    fs::remove_all(home);
    fs::create_directories(home / ".aws");
  }

  void config(std::string_view text) { std::ofstream(home / ".aws" / "config") << text; }
  void credentials_file(std::string_view text) {
    std::ofstream(home / ".aws" / "credentials") << text;
  }
  std::string file(const char* name, std::string_view text) {
    std::ofstream(home / name) << text;
    return home / name;
  }

  Machine machine() {
    Machine m;
    m.environment = [this](std::string_view name) -> std::optional<std::string> {
      const auto found = environment.find(std::string(name));
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
    m.home = home;
    m.loop = &loop;
    m.http = &http;
    m.processes = &processes;
    m.clock = &clock;
    m.random = &random;
    m.log = &log;
    return m;
  }

  Result<std::shared_ptr<const Credentials>> get(BaseCredentials& base) {
    return fake::run(loop, base.get());
  }
  // The key id found, or the error.
  std::string outcome(BaseOptions options = {}) {
    BaseCredentials base(machine(), std::move(options));
    const auto found = get(base);
    source = base.source();
    return found ? (*found)->access_key_id : found.error().message;
  }
  static BaseOptions named(std::string profile) {
    BaseOptions options;
    options.profile = std::move(profile);
    return options;
  }
  void expect_error(const std::string& text, std::string_view wanted) {
    EXPECT_NE(text.find(wanted), std::string::npos) << text;
  }

  fs::path home;
  std::map<std::string, std::string> environment;
  net::Loop loop;
  fake::Http http;
  FakeProcesses processes;
  fake::SetClock clock;
  fake::FixedRandom random;
  CountingLog log;
  std::string source;
};

TEST_F(Base, TakesTheEnvironmentFirst) {
  credentials_file("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n");
  environment = {{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
  EXPECT_EQ(outcome(), "AKIAENV");
  EXPECT_EQ(source, "the environment");
}

TEST_F(Base, TakesANamedProfileBeforeTheEnvironment) {
  credentials_file("[agents]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n");
  environment = {{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
  EXPECT_EQ(outcome(named("agents")), "AKIAFILE");
  expect_error(source, "profile \"agents\"");
}

TEST_F(Base, DoesNotGoPastABrokenSource) {
  credentials_file("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n");
  environment = {{"AWS_ACCESS_KEY_ID", "AKIAENV"}};
  expect_error(outcome(), "the environment: AWS_SECRET_ACCESS_KEY is not set");

  environment.clear();
  credentials_file("[default]\naws_access_key_id = AKIAFILE\n");
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  expect_error(outcome(), "credentials:2: profile \"default\" does not have both");
  EXPECT_TRUE(http.asked.empty());

  credentials_file("[a]\nnonsense\n");
  expect_error(outcome(), "credentials:2: neither");
}

TEST_F(Base, SaysWhichProfilesThereAre) {
  config("[default]\nregion = x\n[profile a]\nregion = y\n");
  expect_error(outcome(named("b")), "there is no profile \"b\"");
  expect_error(outcome(named("b")), "there are: default, a");
  expect_error(outcome(named("a")), "says nothing of credentials");
  environment["AWS_PROFILE"] = "b";
  expect_error(outcome(), "there is no profile \"b\"");
}

TEST_F(Base, RunsACredentialProcess) {
  config("[profile p]\ncredential_process = \"/usr/lib/a b\" --json\n");
  processes.output.out = R"({"Version":1,"AccessKeyId":"AKIAPROC","SecretAccessKey":"s"})";
  EXPECT_EQ(outcome(named("p")), "AKIAPROC");
  ASSERT_EQ(processes.started.size(), 1u);
  EXPECT_EQ(processes.started[0], (std::vector<std::string>{"/usr/lib/a b", "--json"}));
}

TEST_F(Base, SaysWhatIsWrongWithACredentialProcess) {
  config("[profile p]\ncredential_process = tool\n[profile q]\ncredential_process = 'tool\n");
  processes.output = {3, "", "no such account\nmore"};
  expect_error(outcome(named("p")),
               "config:2: credential_process: the program ended with 3 and said: no such account");
  processes.output = {0, "{}", ""};
  expect_error(outcome(named("p")), "does not say \"Version\": 1");
  processes.output = {0, R"({"Version":1,"AccessKeyId":"A"})", ""};
  expect_error(outcome(named("p")), "no SecretAccessKey");
  expect_error(outcome(named("q")), "config:4: credential_process: a quote is not closed");
  processes.output = {
      0,
      R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"2026-11-21T15:04:04Z"})",
      ""};
  expect_error(outcome(named("p")), "have expired");
}

TEST_F(Base, AssumesTheRoleOfAProfile) {
  config(
      "[profile p]\nrole_arn = arn:aws:iam::111122223333:role/a\nsource_profile = base\n"
      "external_id = xy\nrole_session_name = me\nduration_seconds = 900\n");
  credentials_file("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n");
  http.answers.push_back(fake::answer(200, assumed("ASIAROLE")));
  EXPECT_EQ(outcome(named("p")), "ASIAROLE");
  ASSERT_EQ(http.asked.size(), 1u);
  for (const char* part : {"RoleSessionName=me", "ExternalId=xy", "DurationSeconds=900"}) {
    expect_error(http.asked[0].body, part);
  }
  expect_error(http::find(http.asked[0].fields, "authorization")->value, "AKIABASE");
  expect_error(source, "from profile \"base\"");
}

TEST_F(Base, AssumesARoleThroughAChainOfProfilesAndFromOtherSources) {
  config(
      "[profile p]\nrole_arn = arn:aws:iam::111122223333:role/a\nsource_profile = q\n"
      "[profile q]\nrole_arn = arn:aws:iam::111122223333:role/b\ncredential_source = "
      "Environment\n");
  environment = {{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
  http.answers.push_back(fake::answer(200, assumed("ASIAFIRST")));
  http.answers.push_back(fake::answer(200, assumed("ASIASECOND")));
  EXPECT_EQ(outcome(named("p")), "ASIASECOND");
  expect_error(http::find(http.asked[1].fields, "authorization")->value, "ASIAFIRST");
}

TEST_F(Base, SaysWhatIsWrongWithARoleOfAProfile) {
  const std::string role = "[profile p]\nrole_arn = arn:aws:iam::111122223333:role/a\n";
  config(role);
  expect_error(outcome(named("p")), "has neither source_profile and credential_source");
  config(role + "source_profile = q\ncredential_source = Environment\n");
  expect_error(outcome(named("p")), "has both");
  config(role + "source_profile = q\n");
  expect_error(outcome(named("p")), "config:3: there is no source_profile \"q\"");
  config(role + "source_profile = p\n");
  expect_error(outcome(named("p")), "its own source_profile");
  config(role + "credential_source = Ether\n");
  expect_error(outcome(named("p")), "is not Environment");
  config(role + "credential_source = EcsContainer\n");
  expect_error(outcome(named("p")), "no container endpoint is configured");
  config(role + "source_profile = q\nmfa_serial = arn:aws:iam::111122223333:mfa/me\n");
  expect_error(outcome(named("p")), "config:4: mfa_serial needs a code");
  config(role +
         "source_profile = q\n[profile q]\nrole_arn = "
         "arn:aws:iam::111122223333:role/b\nsource_profile = p\n");
  expect_error(outcome(named("p")), "leads back to \"p\"");
  config(role +
         "source_profile = q\nduration_seconds = long\n[profile q]\naws_access_key_id = "
         "A\naws_secret_access_key = s\n");
  expect_error(outcome(named("p")), "config:4: duration_seconds");
}

TEST_F(Base, NamesTheWayAroundWhatItDoesNotSupport) {
  config("[profile s]\nsso_session = x\nsso_account_id = 1\n[profile l]\nlogin_session = y\n");
  expect_error(outcome(named("s")), "config:2: sso_session is not supported");
  expect_error(outcome(named("s")), "aws configure export-credentials --profile s");
  expect_error(outcome(named("l")), "config:5: login_session is not supported");
}

TEST_F(Base, UsesAWebIdentity) {
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = file("token", "header.claims.sig\n");
  expect_error(outcome(), "AWS_ROLE_ARN is not");
  environment["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/pod";
  std::string body = assumed("ASIAWEB");
  for (std::size_t at; (at = body.find("AssumeRoleRe")) != std::string::npos;) {
    body.insert(at + 10, "WithWebIdentity");
  }
  http.answers.push_back(fake::answer(200, body));
  EXPECT_EQ(outcome(), "ASIAWEB");
  expect_error(http.asked[0].body, "WebIdentityToken=header.claims.sig");
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = home / "missing";
  expect_error(outcome(), "there is no token file");
}

TEST_F(Base, AsksTheContainerEndpoint) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
  http.answers.push_back(fake::answer(200, temporary_answer("ASIAECS", "2026-11-21T16:04:05Z")));
  EXPECT_EQ(outcome(), "ASIAECS");
  EXPECT_EQ(http.asked[0].url, "http://169.254.170.2/v2/credentials/x");

  environment = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong"},
                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file("eks", "right\n")}};
  http.answers.push_back(fake::answer(200, temporary_answer("ASIAEKS", "2026-11-21T16:04:05Z")));
  EXPECT_EQ(outcome(), "ASIAEKS");
  EXPECT_EQ(http::find(http.asked[1].fields, "authorization")->value, "right");
}

TEST_F(Base, AsksNoStrangersForContainerCredentials) {
  for (const char* url : {"http://example.com/x", "http://10.0.0.1/", "http://169.254.170.3/",
                          "http://127.0.0.1.evil.com/", "ftp://127.0.0.1/", "nonsense"}) {
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    expect_error(outcome(), "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  }
  EXPECT_TRUE(http.asked.empty());
  for (const char* url :
       {"http://127.0.0.1:1/x", "http://127.9.9.9/x", "http://[::1]/x", "http://localhost/x",
        "http://[fd00:ec2::23]/x", "https://example.com/x"}) {
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    http.answers.push_back(fake::answer(200, temporary_answer("ASIA", "2026-11-21T16:04:05Z")));
    EXPECT_EQ(outcome(), "ASIA") << url;
  }
}

TEST_F(Base, SaysWhatIsWrongWithTheContainerEndpoint) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  http.answers.push_back(fake::answer(403, ""));
  expect_error(outcome(), "http://169.254.170.2/x: answered with status 403");
  http.answers.push_back(fake::answer(200, R"({"AccessKeyId":"A","SecretAccessKey":"s"})"));
  expect_error(outcome(), "no Token or no Expiration");
  expect_error(outcome(), "nothing is listening");
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nX: y";
  expect_error(outcome(), "line break");
}

TEST_F(Base, UsesVersionTwoOfTheInstanceMetadataServiceOnly) {
  http.answers.push_back(fake::answer(200, "TOKEN"));
  http.answers.push_back(fake::answer(200, "my-role\n"));
  http.answers.push_back(fake::answer(200, temporary_answer("ASIAEC2", "2026-11-21T16:04:05Z")));
  EXPECT_EQ(outcome(), "ASIAEC2");
  ASSERT_EQ(http.asked.size(), 3u);
  EXPECT_EQ(http.asked[0].method, "PUT");
  EXPECT_EQ(http.asked[0].url, "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(http.asked[2].url,
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
  EXPECT_EQ(http::find(http.asked[2].fields, "x-aws-ec2-metadata-token")->value, "TOKEN");

  http.answers.push_back(fake::answer(405, ""));
  expect_error(outcome(), "version 1 is never used");
  EXPECT_EQ(http.asked.size(), 4u);
}

TEST_F(Base, SaysWhereItLookedWhenThereIsNothing) {
  environment["AWS_EC2_METADATA_DISABLED"] = "true";
  expect_error(outcome(), "no credentials found");
  EXPECT_TRUE(http.asked.empty());
}

TEST_F(Base, TakesOnlyTheSourceThatIsAskedFor) {
  environment = {{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
  BaseOptions options;
  options.from = BaseOptions::From::Container;
  expect_error(outcome(options), "is not set");
  options.from = BaseOptions::From::Environment;
  EXPECT_EQ(outcome(options), "AKIAENV");
  environment.clear();
  expect_error(outcome(options), "no AWS_ACCESS_KEY_ID");
}

TEST_F(Base, RenewsBeforeTheEndAndKeepsTheOldWhileTheyWork) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  http.answers.push_back(fake::answer(200, temporary_answer("ASIA1", "2026-11-21T16:04:05Z")));
  BaseCredentials base(machine(), {});
  EXPECT_EQ((*get(base))->access_key_id, "ASIA1");
  clock.time = kNow + std::chrono::minutes(47);
  EXPECT_EQ((*get(base))->access_key_id, "ASIA1");
  EXPECT_EQ(http.asked.size(), 1u);

  clock.time = kNow + std::chrono::minutes(49);  // 80 % have passed; nobody listens
  EXPECT_EQ((*get(base))->access_key_id, "ASIA1");
  EXPECT_EQ(http.asked.size(), 4u);
  EXPECT_EQ(log.warnings, 1);
  EXPECT_EQ((*get(base))->access_key_id, "ASIA1");  // not asked again at once
  EXPECT_EQ(http.asked.size(), 4u);

  clock.time = kNow + std::chrono::minutes(61);
  const auto expired = get(base);
  ASSERT_FALSE(expired);
  expect_error(expired.error().message, "nothing is listening");

  http.answers.push_back(fake::answer(200, temporary_answer("ASIA2", "2026-11-21T17:04:05Z")));
  EXPECT_EQ((*get(base))->access_key_id, "ASIA2");
}

TEST_F(Base, ForgetsWhatAwsNoLongerTakes) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  http.answers.push_back(fake::answer(200, temporary_answer("ASIA1", "2026-11-21T16:04:05Z")));
  http.answers.push_back(fake::answer(200, temporary_answer("ASIA2", "2026-11-21T16:04:05Z")));
  BaseCredentials base(machine(), {});
  EXPECT_EQ((*get(base))->access_key_id, "ASIA1");
  base.forget();
  EXPECT_EQ((*get(base))->access_key_id, "ASIA2");
}

net::Task<> take(BaseCredentials& base, std::vector<std::string>& ids) {
  const auto found = co_await base.get();
  ids.push_back(found ? (*found)->access_key_id : found.error().message);
}

TEST_F(Base, AsksOnceForManyWhoWait) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  http.answers.push_back(fake::answer(200, temporary_answer("ASIA1", "2026-11-21T16:04:05Z")));
  net::Event gate(loop);
  http.gate = &gate;
  BaseCredentials base(machine(), {});
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) net::spawn(loop, take(base, ids));
  net::post(loop, [&gate] { gate.set(); });
  loop.run();
  EXPECT_EQ(ids, std::vector<std::string>(20, "ASIA1"));
  EXPECT_EQ(http.asked.size(), 1u);
}

net::Task<> take_and_forget(BaseCredentials& base, std::vector<std::string>& ids) {
  co_await take(base, ids);
  base.forget();
}

TEST_F(Base, WhoWaitedGetsTheAnswerThoughItIsForgottenMeanwhile) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  http.answers.push_back(fake::answer(200, temporary_answer("ASIA1", "2026-11-21T16:04:05Z")));
  net::Event gate(loop);
  http.gate = &gate;
  BaseCredentials base(machine(), {});
  std::vector<std::string> ids;
  net::spawn(loop, take_and_forget(base, ids));
  net::spawn(loop, take(base, ids));
  net::post(loop, [&gate] { gate.set(); });
  loop.run();
  EXPECT_EQ(ids, std::vector<std::string>(2, "ASIA1"));
}

// How often `needle` is in this process's own memory, its stacks included.
std::size_t copies_in_memory(std::string_view needle) {
  constexpr std::size_t kPiece = 1 << 20;
  constexpr std::size_t kLargest = std::size_t{512} << 20;  // not the sanitizers' shadow
  static std::vector<char> piece(kPiece + 256);
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::string mode;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end >> mode;
    if (!mode.starts_with("rw") || end - begin > kLargest) continue;
    for (std::uintptr_t at = begin; at < end; at += kPiece) {
      // A needle that crosses the border of two pieces is found with the first.
      const auto size = std::min<std::size_t>(kPiece + needle.size() - 1, end - at);
      const ssize_t got = ::pread(memory, piece.data(), size, static_cast<off_t>(at));
      const std::string_view bytes(piece.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      for (auto i = bytes.find(needle); i != bytes.npos; i = bytes.find(needle, i + 1)) {
        const std::uintptr_t address = at + i;
        const auto own = reinterpret_cast<std::uintptr_t>(piece.data());
        found += address < own || address >= own + piece.size() ? 1U : 0U;
      }
    }
  }
  ::close(memory);
  return found;
}

TEST_F(Base, LeavesNoCopyOfWhatAProgramSaidInMemory) {
  const auto runner = make_process_runner(loop);
  // Made by the program, so that nothing of this test holds it; with JSON's escapes and without.
  for (const char* escapes : {"", " | sed 's,[/+],\\\\&,g;s,\\\\+,+,g'"}) {
    const std::string script = file(
        "keys",
        "s=$(head -c 45 /dev/urandom | base64 -w0)\nt=$(head -c 600 /dev/urandom | base64 -w0)\n"
        "printf "
        "'{\"Version\":1,\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"%s\",\"SessionToken\":\"%"
        "s\","
        "\"Expiration\":\"2026-11-21T16:04:05Z\"}' \"$s\" \"$t\"" +
            std::string(escapes));
    config("[profile p]\ncredential_process = sh " + script + "\n");
    auto with_programs = machine();
    with_programs.processes = runner.get();
    BaseCredentials base(std::move(with_programs), named("p"));
    const auto got = get(base);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(copies_in_memory((*got)->secret_access_key.expose()), 1u) << escapes;
    EXPECT_EQ(copies_in_memory((*got)->session_token.expose().substr(100, 200)), 1u) << escapes;
  }
}

class Processes : public testing::Test {
 protected:
  Result<ProcessOutput> run(std::vector<std::string> argv,
                            std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto runner = make_process_runner(loop);
    return fake::run(loop, runner->run(std::move(argv), limit));
  }
  net::Loop loop;
};

TEST_F(Processes, GivesOutputAndExitCode) {
  const auto done = run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->out, "out\n");
  EXPECT_EQ(done->err, "err\n");
  EXPECT_EQ(done->exit_code, 3);
}

TEST_F(Processes, GiveNothingToRead) {
  const auto done = run({"cat"});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->out, "");
  EXPECT_EQ(done->exit_code, 0);
}

TEST_F(Processes, AreEndedWhenTheyTakeTooLongOrSayTooMuch) {
  const auto slow = run({"sh", "-c", "sleep 600 & sleep 600"}, std::chrono::milliseconds(50));
  ASSERT_FALSE(slow);
  EXPECT_NE(slow.error().message.find("took longer"), std::string::npos);
  const auto closed =
      run({"sh", "-c", "exec >/dev/null 2>&1; sleep 600"}, std::chrono::milliseconds(50));
  ASSERT_FALSE(closed);
  const auto loud = run({"sh", "-c", "yes"});
  ASSERT_FALSE(loud);
  EXPECT_EQ(loud.error().code, ErrorCode::LimitExceeded);
}

TEST_F(Processes, SayWhenTheyCannotStart) {
  const auto missing = run({"/nonexistent/tool"});
  EXPECT_TRUE(!missing || missing->exit_code == 127);
}

}  // namespace
}  // namespace remit::aws
