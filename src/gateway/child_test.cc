#include "gateway/child.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "gateway/child_environment.h"

namespace remit::gateway {
namespace {

// A python program that starts children which detach in three ways, prints all process ids as one
// line, and sleeps.
constexpr const char* kForks = R"py(
import os, subprocess, sys, time
script = "import os,time;os.setsid();\nif os.fork():os._exit(0)\nprint(os.getpid(),flush=True)\ntime.sleep(600)"
pids = [os.getpid(), subprocess.Popen(["sleep", "600"]).pid,
        subprocess.Popen(["sleep", "600"], start_new_session=True).pid]
p = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
pids.append(int(p.stdout.readline()))
print(*pids, flush=True)
time.sleep(600)
)py";

bool gone(pid_t pid) { return kill(pid, 0) != 0; }

// Waits for the kernel and the supervisor, which are other processes: no clock of ours to set.
bool all_gone(const std::vector<pid_t>& pids) {
  for (int round = 0; round < 2'000; ++round) {
    if (std::ranges::all_of(pids, gone)) return true;
    poll(nullptr, 0, 5);
  }
  return false;
}

std::vector<pid_t> numbers(const std::string& text) {
  std::vector<pid_t> out;
  std::istringstream in(text);
  for (pid_t pid = 0; in >> pid;) out.push_back(pid);
  return out;
}

ChildOptions options(std::vector<std::string> command) {
  ChildOptions made;
  made.command = std::move(command);
  made.environment = {std::string("PATH=") + getenv("PATH")};
  NoLog log;
  made.supervisor = Supervisor::ours(log);
  return made;
}

struct Seen {
  Result<> started;
  std::string output;
  std::string how;
};

net::Task<> converse(std::shared_ptr<Child> child, std::string input, Seen& seen) {
  seen.started = co_await child->started();
  [[maybe_unused]] const auto written = co_await child->write(input);
  child->close_input();
  std::array<char, 1024> buffer{};
  while (const std::size_t size = co_await child->read_output(buffer)) {
    seen.output.append(buffer.data(), size);
  }
  co_await child->wait();
  seen.how = child->how_it_ended();
}

Seen run(std::vector<std::string> command, std::string input) {
  net::Loop loop{1};
  Seen seen;
  auto child = Child::start(loop, options(std::move(command)));
  EXPECT_TRUE(child.has_value());
  net::spawn(loop, converse(*child, std::move(input), seen));
  loop.run();
  return seen;
}

TEST(Child, ReadsWritesAndTellsHowItEnded) {
  const auto cat = run({"cat"}, "hello\n");
  EXPECT_TRUE(cat.started.has_value());
  EXPECT_EQ(cat.output, "hello\n");
  EXPECT_EQ(cat.how, "exited with 0");
  EXPECT_EQ(run({"sh", "-c", "exit 7"}, "").how, "exited with 7");
  EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}, "").how, "was killed by signal 9");
}

TEST(Child, ACommandThatIsNotThereIsAnErrorWithItsName) {
  const auto seen = run({"no-such-program-here"}, "");
  ASSERT_FALSE(seen.started);
  EXPECT_THAT(seen.started.error().message, ::testing::HasSubstr("no-such-program-here"));
  EXPECT_THAT(seen.started.error().message, ::testing::HasSubstr("No such file"));
}

TEST(Child, InheritsNoDescriptorAndMayDumpNoCoreAndGainNoPrivileges) {
  const int leak = dup(2);  // without close-on-exec
  const auto seen =
      run({"sh", "-c", "ls /proc/self/fd; ulimit -c; grep NoNewPrivs /proc/self/status"}, "");
  close(leak);
  // 3 is the directory that ls reads.
  EXPECT_EQ(seen.output, "0\n1\n2\n3\n0\nNoNewPrivs:\t1\n");
}

TEST(Child, WhatItStartedEndsWithIt) {
  net::Loop loop{1};
  auto child = Child::start(loop, options({"python3", "-c", kForks}));
  ASSERT_TRUE(child);
  std::string output;
  const auto read_line = [](std::shared_ptr<Child> process, std::string& into) -> net::Task<> {
    std::array<char, 1024> buffer{};
    while (into.find('\n') == std::string::npos) {
      const std::size_t size = co_await process->read_output(buffer);
      if (size == 0) break;
      into.append(buffer.data(), size);
    }
    process->kill();
    co_await process->wait();
  };
  net::spawn(loop, read_line(*child, output));
  loop.run();
  const auto pids = numbers(output);
  ASSERT_EQ(pids.size(), 4u) << output;
  EXPECT_TRUE(std::ranges::all_of(pids, gone));
}

TEST(Child, NothingSurvivesAParentThatIsKilled) {
  for (int round = 0; round < 5; ++round) {
    std::array<int, 2> fds{};
    ASSERT_EQ(pipe(fds.data()), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    std::vector<std::string> words{REMIT_CHILD_HOST, "python3", "-c", kForks};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t host = 0;
    ASSERT_EQ(posix_spawn(&host, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    std::string line;
    for (char c = 0; read(fds[0], &c, 1) == 1 && c != '\n';) line += c;
    close(fds[0]);
    const auto pids = numbers(line);
    ASSERT_EQ(pids.size(), 4u) << line;
    kill(host, SIGKILL);
    waitpid(host, nullptr, 0);
    EXPECT_TRUE(all_gone(pids)) << "round " << round;
  }
}

TEST(ChildEnvironment, FilesArePrivateAndHoldThePlaceholderOnly) {
  SystemRandom random;
  const auto placeholder = make_placeholder(random);
  auto directory = PrivateDirectory::make("/tmp", "remit-env");
  ASSERT_TRUE(directory);
  EnvironmentPlan plan{.placeholder = &placeholder,
                       .egress_port = 4711,
                       .region = "eu-central-1",
                       .ca_pem = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n",
                       .extra = {{"AWS_REGION", "us-west-2"},
                                 {"HTTPS_PROXY", "http://else"},
                                 {"MINE", "1"},
                                 {"JAVA_TOOL_OPTIONS", "-Xmx1g"}}};
  const auto nothing = [](std::string_view) { return std::optional<std::string>(); };
  const auto environment = prepare_environment(plan, directory->path(), nothing);
  ASSERT_TRUE(environment);
  EXPECT_THAT(*environment, ::testing::Contains("AWS_ENDPOINT_URL=http://127.0.0.1:4711"));
  EXPECT_THAT(*environment, ::testing::Contains("AWS_REGION=us-west-2"));
  EXPECT_THAT(*environment, ::testing::Contains("AWS_DEFAULT_REGION=eu-central-1"));
  EXPECT_THAT(*environment, ::testing::Contains("MINE=1"));
  EXPECT_THAT(*environment, ::testing::Not(::testing::Contains("HTTPS_PROXY=http://else")));
  EXPECT_THAT(*environment, ::testing::Contains(::testing::StartsWith(
                                "JAVA_TOOL_OPTIONS=-Xmx1g -Djavax.net.ssl.trustStore=" +
                                (directory->path() / "ca.jks").string())));
  for (const char* file : {"aws-config", "aws-credentials", "ca.pem", "ca.jks"}) {
    const auto status = std::filesystem::status(directory->path() / file);
    EXPECT_EQ(status.permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  const auto path = directory->path();
  {
    const auto ended = *std::move(directory);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Lane, ACallThatIsOverCutsWhatRunsAndAuthorisesNothing) {
  SystemRandom random;
  auto lane = std::make_shared<Lane>("up", make_placeholder(random), std::vector<std::string>{});
  LaneTable lanes;
  lanes.add(lane);
  auto call = std::make_shared<Call>(CallFacts{}, nullptr);
  lane->put_in_force(call);
  int cut = 0;
  call->when_over([&] { ++cut; });
  const auto done = call->when_over([&] { cut += 100; });
  call->forget(done);
  const auto& placeholder = lane->placeholder();
  EXPECT_EQ(lanes.by_access_key(placeholder.access_key_id), lane);
  EXPECT_EQ(lanes.by_proxy_credentials(placeholder.access_key_id, placeholder.proxy_token.expose()),
            lane);
  EXPECT_EQ(lanes.by_proxy_credentials(placeholder.access_key_id, "wrong"), nullptr);
  lanes.remove(placeholder.access_key_id);
  EXPECT_EQ(cut, 1);
  EXPECT_TRUE(call->over());
  EXPECT_EQ(lane->in_force(), nullptr);
  EXPECT_EQ(lanes.by_access_key(placeholder.access_key_id), nullptr);
  call->when_over([&] { ++cut; });
  EXPECT_EQ(cut, 2);
}

}  // namespace
}  // namespace remit::gateway
