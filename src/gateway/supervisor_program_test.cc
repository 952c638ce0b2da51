// The supervisor as the gateway starts it: from a sealed file in memory, or by another program.

#include "gateway/supervisor_program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "gateway/child.h"

namespace remit::gateway {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Kilobytes by name, of all that the process has in memory.
std::map<std::string, int> memory_of(const std::filesystem::path& process) {
  std::map<std::string, int> sizes;
  std::ifstream rollup(process / "smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    std::istringstream words(line);
    std::string name;
    int size = 0;
    if (words >> name >> size) sizes[name] = size;
  }
  return sizes;
}

net::Task<> look_and_kill(std::shared_ptr<Child> child,
                          std::function<void(const std::filesystem::path&)> look) {
  const auto started = co_await child->started();
  EXPECT_TRUE(started) << started.error().message;
  look("/proc/" + std::to_string(child->supervisor_id()));
  child->kill();
  co_await child->wait();
}

// What the supervisor's process in /proc looks like while it has a command.
void look_at(std::shared_ptr<const Supervisor> supervisor,
             std::function<void(const std::filesystem::path&)> look) {
  net::Loop loop{1};
  auto child = Child::start(loop, {.command = {"sleep", "600"},
                                   .environment = {std::string("PATH=") + getenv("PATH")},
                                   .cwd = "/",
                                   .supervisor = std::move(supervisor)});
  ASSERT_TRUE(child.has_value()) << child.error().message;
  net::spawn(loop, look_and_kill(*child, std::move(look)));
  loop.run();
}

TEST(SupervisorProgram, IsEmbeddedAsItWasLinked) {
  EXPECT_TRUE(embedded_supervisor() == contents(REMIT_SUPERVISOR));
  EXPECT_TRUE(
      embedded_supervisor().starts_with("\x7f"
                                        "ELF"));
}

TEST(SupervisorProgram, NobodyCanChangeASealedFile) {
  const auto program = SealedProgram::make("remit-test", "bytes");
  ASSERT_TRUE(program) << program.error().message;
  const int fd = (*program)->descriptor();
  const int again = open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC);
  for (const int way : {fd, again}) {
    EXPECT_LT(pwrite(way, "x", 1, 0), 0);
    EXPECT_NE(ftruncate(way, 0), 0);
    EXPECT_NE(ftruncate(way, 100), 0);
    EXPECT_EQ(mmap(nullptr, 5, PROT_READ | PROT_WRITE, MAP_SHARED, way, 0), MAP_FAILED);
    EXPECT_NE(fcntl(way, F_ADD_SEALS, F_SEAL_WRITE), 0);
  }
  const int seals = fcntl(fd, F_GET_SEALS);
  EXPECT_EQ(seals & 0xf, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  if ((seals & 0x20) != 0) EXPECT_NE(fchmod(fd, 0), 0);  // Linux 6.3
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  char byte = 0;
  EXPECT_EQ(pread(fd, &byte, 1, 4), 1);
  EXPECT_EQ(byte, 's');
  close(again);
}

TEST(SupervisorProgram, RunsFromMemoryAndIsSmall) {
  NoLog log;
  const auto ours = Supervisor::ours(log);
  if (!ours->sealed) GTEST_SKIP() << "no file in memory may be executed here";
  look_at(ours, [](const std::filesystem::path& process) {
    EXPECT_EQ(std::filesystem::read_symlink(process / "exe"),
              "/memfd:remit-supervise-lane (deleted)");
    EXPECT_THAT(contents(process / "cmdline"),
                ::testing::StartsWith(std::string("remit-supervise-lane\0sleep\0", 27)));
    auto memory = memory_of(process);
    ASSERT_GT(memory["Rss:"], 0);
    EXPECT_LT(memory["Anonymous:"], 256);
    EXPECT_LT(memory["Private_Dirty:"] + memory["Private_Clean:"], 1024);
    EXPECT_LT(memory["Rss:"], 2048);
  });
}

TEST(SupervisorProgram, AnotherProgramDoesItWhereTheSystemRefusesTheSealedOne) {
  const auto refused = SealedProgram::make("remit-test", "these bytes are no program");
  ASSERT_TRUE(refused) << refused.error().message;
  for (const auto& sealed : {*refused, std::shared_ptr<const SealedProgram>()}) {
    auto supervisor =
        std::make_shared<Supervisor>(Supervisor{.sealed = sealed, .command = {REMIT_SUPERVISOR}});
    look_at(supervisor, [](const std::filesystem::path& process) {
      EXPECT_EQ(std::filesystem::read_symlink(process / "exe"), REMIT_SUPERVISOR);
    });
  }
}

TEST(SupervisorProgram, WhenNoneCanBeStartedTheErrorNamesIt) {
  net::Loop loop{1};
  auto nothing = std::make_shared<Supervisor>(Supervisor{.sealed = {}, .command = {"/no/such"}});
  const auto child = Child::start(
      loop, {.command = {"true"}, .environment = {}, .cwd = "", .supervisor = nothing});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "cannot start /no/such: No such file or directory");
}

}  // namespace
}  // namespace remit::gateway
