// The supervisor's own program, driven as the gateway drives it and as nobody should.

#include "gateway/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace remit::gateway {
namespace {

struct Told {
  Report kind;
  std::int32_t number;
  bool operator==(const Told&) const = default;
};

enum class Given : std::uint8_t { Everything, NoStandardStreams, NoControlSocket };

// The program with a command to supervise. What writes to standard output or error is heard by us.
class Supervised {
 public:
  explicit Supervised(std::vector<std::string> words, Given given = Given::Everything) {
    std::array<int, 2> control{};
    std::array<int, 2> output{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control.data()), 0);
    EXPECT_EQ(pipe2(output.data(), O_CLOEXEC), 0);
    words.insert(words.begin(), REMIT_SUPERVISOR);
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // Out of the way of the numbers that are given away.
    const int theirs = fcntl(control[1], F_DUPFD_CLOEXEC, 10);
    const int writes = fcntl(output[1], F_DUPFD_CLOEXEC, 10);
    for (const int fd : {1, 2, 6}) posix_spawn_file_actions_adddup2(&actions, writes, fd);
    posix_spawn_file_actions_adddup2(&actions, theirs, kSupervisorControl);
    const int first = given == Given::NoStandardStreams ? 0 : kSupervisorControl;
    if (given != Given::Everything) {
      for (int fd = first; fd <= first + 2; ++fd) {
        posix_spawn_file_actions_addclose(&actions, fd);
      }
    }
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    for (const int fd : {control[1], theirs, output[1], writes}) close(fd);
    control_ = control[0];
    output_ = output[0];
  }
  ~Supervised() {
    hang_up();
    if (!ended_) waitpid(pid_, nullptr, 0);
    close(output_);
  }

  std::optional<Told> next() const {
    std::array<char, 5> bytes{};
    if (recv(control_, bytes.data(), bytes.size(), MSG_WAITALL) != 5) return std::nullopt;
    Told told{.kind = static_cast<Report>(bytes[0]), .number = 0};
    std::memcpy(&told.number, bytes.data() + 1, sizeof told.number);
    return told;
  }
  void order(char what) const { EXPECT_EQ(send(control_, &what, 1, MSG_NOSIGNAL), 1); }
  void signal(int number) const { kill(pid_, number); }
  void hang_up() {
    if (control_ >= 0) close(control_);
    control_ = -1;
  }
  std::string line() const {
    std::string text;
    for (char c = 0; read(output_, &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }
  // All that is written until nobody is left that could write.
  std::string rest() const {
    std::string text;
    for (char c = 0; read(output_, &c, 1) == 1;) text += c;
    return text;
  }
  int exit_code() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::filesystem::path about() const { return "/proc/" + std::to_string(pid_); }

 private:
  pid_t pid_ = -1;
  int control_ = -1;
  int output_ = -1;
  bool ended_ = false;
};

std::vector<std::string> shell(const std::string& script) { return {"sh", "-c", script}; }
Told ended_with(int code) { return {.kind = Report::Ended, .number = code << 8}; }
constexpr Told kKilled{.kind = Report::Ended, .number = SIGKILL};

// One that leaves its group, one that leaves its session and its parent, one that hears no SIGTERM.
constexpr const char* kDetached =
    "setsid sleep 600 & (setsid sh -c 'sleep 600 & sleep 600' &); "
    "(trap '' TERM; sleep 600) & echo ready; ";

TEST(Supervisor, TellsThatItStartedAndHowItEnded) {
  Supervised one(shell("echo $$; exit 7"));
  const auto started = one.next();
  ASSERT_TRUE(started);
  EXPECT_EQ(started->kind, Report::Started);
  EXPECT_EQ(one.line(), std::to_string(started->number));
  EXPECT_EQ(one.next(), ended_with(7));
  EXPECT_EQ(one.next(), std::nullopt);
  EXPECT_EQ(one.exit_code(), 0);
}

TEST(Supervisor, TellsWhyACommandCannotBeRun) {
  const std::vector<std::pair<std::string, int>> cases{
      {"no-such-program-here", ENOENT}, {"/", EACCES}, {"/dev/null", EACCES}};
  for (const auto& [command, why] : cases) {
    Supervised one({command});
    EXPECT_EQ(one.next(), (Told{.kind = Report::Failed, .number = why})) << command;
    EXPECT_EQ(one.next(), std::nullopt);
    EXPECT_EQ(one.exit_code(), 0);
  }
}

TEST(Supervisor, LeavesNothingWhenTheControlSocketIsClosedAtOnce) {
  for (int round = 0; round < 20; ++round) {
    Supervised one(shell(std::string(kDetached) + "sleep 600"));
    one.hang_up();
    one.rest();  // returns: nobody is left
    EXPECT_EQ(one.exit_code(), 0);
  }
}

TEST(Supervisor, LeavesNothingWhenTheControlSocketCloses) {
  Supervised one(shell(std::string(kDetached) + "sleep 600"));
  EXPECT_EQ(one.line(), "ready");
  one.hang_up();
  EXPECT_EQ(one.rest(), "");
  EXPECT_EQ(one.exit_code(), 0);
}

TEST(Supervisor, WhatTheFirstProcessLeavesBehindEndsWithIt) {
  Supervised one(shell(std::string(kDetached) + "exit 3"));
  EXPECT_EQ(one.next()->kind, Report::Started);
  EXPECT_EQ(one.next(), ended_with(3));
  EXPECT_EQ(one.rest(), "ready\n");
}

TEST(Supervisor, ASignalToItselfEndsEverything) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    Supervised one(shell(std::string(kDetached) + "sleep 600"));
    EXPECT_EQ(one.line(), "ready");
    one.signal(number);
    EXPECT_EQ(one.rest(), "");
    EXPECT_EQ(one.next()->kind, Report::Started);
    EXPECT_EQ(one.next(), kKilled) << number;
    EXPECT_EQ(one.exit_code(), 0);
  }
}

TEST(Supervisor, PassesOnTheOrderToEndAndKillsAtAnyOther) {
  Supervised polite(shell("trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done"));
  EXPECT_EQ(polite.line(), "ready");
  polite.order(static_cast<char>(Order::Terminate));
  EXPECT_EQ(polite.next()->kind, Report::Started);
  EXPECT_EQ(polite.next(), ended_with(9));

  for (const char what : {static_cast<char>(Order::Kill), '?', '\0'}) {
    Supervised one(shell(std::string(kDetached) + "sleep 600"));
    EXPECT_EQ(one.line(), "ready");
    one.order(what);
    EXPECT_EQ(one.rest(), "");
    EXPECT_EQ(one.next()->kind, Report::Started);
    EXPECT_EQ(one.next(), kKilled);
  }
}

TEST(Supervisor, GivesTheCommandNoDescriptorButTheFirstThree) {
  // 6 is open here too; 3 is the directory that ls reads.
  Supervised one({"ls", "/proc/self/fd"});
  EXPECT_EQ(one.rest(), "0\n1\n2\n3\n");
}

TEST(Supervisor, PutsNothingInThePlaceOfStandardStreamsThatAreMissing) {
  Supervised one(shell("for fd in 0 1 2; do"
                       " [ \"$(readlink /proc/$$/fd/$fd)\" = /dev/null ] || exit 1; done; exit 5"),
                 Given::NoStandardStreams);
  EXPECT_EQ(one.next()->kind, Report::Started);
  EXPECT_EQ(one.next(), ended_with(5));
  EXPECT_EQ(one.exit_code(), 0);
}

TEST(Supervisor, RunsNothingThatNobodyControls) {
  Supervised uncontrolled(shell("echo ran"), Given::NoControlSocket);
  EXPECT_EQ(uncontrolled.rest(), "");
  EXPECT_EQ(uncontrolled.exit_code(), 2);
  Supervised idle({});
  EXPECT_EQ(idle.rest(), "");
  EXPECT_EQ(idle.exit_code(), 2);
}

TEST(Supervisor, HoldsOnlyItsControlSocketAndHasItsName) {
  Supervised one(shell("echo ready; sleep 600"));
  ASSERT_EQ(one.line(), "ready");
  ASSERT_TRUE(one.next());  // it has let go of the pipes
  std::vector<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator(one.about() / "fd")) {
    open.push_back(std::filesystem::read_symlink(entry).string());
  }
  EXPECT_THAT(open, ::testing::UnorderedElementsAre("/dev/null", "/dev/null", "/dev/null",
                                                    ::testing::StartsWith("socket:"),
                                                    ::testing::HasSubstr("signalfd")));
  std::string name;
  std::getline(std::ifstream(one.about() / "comm"), name);
  EXPECT_EQ(name, std::string(kSupervisorName).substr(0, 15));
}

}  // namespace
}  // namespace remit::gateway
