// Kills and races real processes: what was acknowledged must be there and the chain whole.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <thread>

#include "ledger/for_tests.h"
#include "ledger/reader.h"

namespace remit::ledger {
namespace {

struct Child {
  pid_t pid = -1;
  int output = -1;
};

Child start_appender(const std::filesystem::path& path, const char* durability, const char* count,
                     const char* checkpoint_pages = "2000") {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(REMIT_LEDGER_APPENDER, "ledger_appender", path.c_str(), durability, count,
            checkpoint_pages, nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

// Reads what the child acknowledged, up to `enough` bytes or its end.
std::string read_output(const Child& child, std::size_t enough) {
  std::string output;
  char buffer[4096];
  while (output.size() < enough) {
    const ssize_t got = ::read(child.output, buffer, sizeof(buffer));
    if (got <= 0) break;
    output.append(buffer, static_cast<std::size_t>(got));
  }
  return output;
}

int finish(const Child& child) {
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  ::close(child.output);
  return status;
}

std::map<std::int64_t, std::string> acknowledged_in(const std::string& output) {
  std::map<std::int64_t, std::string> acknowledged;
  std::size_t at = 0;
  // A line without its end was cut by the kill.
  for (std::size_t end = output.find('\n'); end != output.npos; end = output.find('\n', at)) {
    const std::string line = output.substr(at, end - at);
    const std::size_t blank = line.find(' ');
    acknowledged[std::stoll(line.substr(0, blank))] = line.substr(blank + 1);
    at = end + 1;
  }
  return acknowledged;
}

void expect_all_there(const std::filesystem::path& path,
                      const std::map<std::int64_t, std::string>& acknowledged) {
  auto reader = Reader::open(path);
  ASSERT_TRUE(reader) << reader.error().message;
  std::map<std::int64_t, std::string> there;
  ASSERT_TRUE(reader->each(1, [&](const Entry& entry) {
    there[entry.sequence] = entry.body;
    return true;
  }));
  for (const auto& [sequence, name] : acknowledged) {
    ASSERT_TRUE(there.contains(sequence)) << sequence;
    EXPECT_EQ(there[sequence], "{\"name\":\"" + name + "\"}");
  }
  const auto verification = reader->verify();
  ASSERT_TRUE(verification);
  EXPECT_FALSE(verification->fault) << verification->fault->message;
}

TEST(LedgerCrash, KeepsEveryAcknowledgedRecordThroughKills) {
  std::mt19937 random(11);
  for (const char* durability : {"disk", "process"}) {
    const TestFolder folder;
    std::map<std::int64_t, std::string> acknowledged;
    for (int kill = 0; kill < 25; ++kill) {
      const Child child = start_appender(folder.ledger(), durability, "0");
      // The moment is chosen by how much was acknowledged and a random little more.
      std::string output = read_output(child, 1 + random() % 20'000);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
      ::kill(child.pid, SIGKILL);
      output += read_output(child, std::string::npos);
      finish(child);
      acknowledged.merge(acknowledged_in(output));
    }
    EXPECT_GT(acknowledged.size(), 500U);
    expect_all_there(folder.ledger(), acknowledged);
  }
}

// With a log so short, it is being brought into the file at nearly any moment.
TEST(LedgerCrash, KeepsEveryAcknowledgedRecordThroughKillsWhileTheLogIsBroughtIn) {
  std::mt19937 random(12);
  for (const char* durability : {"disk", "process"}) {
    const TestFolder folder;
    std::map<std::int64_t, std::string> acknowledged;
    for (int kill = 0; kill < 25; ++kill) {
      const Child child = start_appender(folder.ledger(), durability, "0", "40");
      std::string output = read_output(child, 10'000 + random() % 40'000);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
      ::kill(child.pid, SIGKILL);
      output += read_output(child, std::string::npos);
      finish(child);
      acknowledged.merge(acknowledged_in(output));
    }
    EXPECT_GT(acknowledged.size(), 5000U);
    expect_all_there(folder.ledger(), acknowledged);
  }
}

TEST(LedgerCrash, LetsProcessesBringTheLogInAtTheSameTime) {
  const TestFolder folder;
  std::vector<Child> children;
  for (const char* durability : {"disk", "process"}) {
    children.push_back(start_appender(folder.ledger(), durability, "3000", "40"));
  }
  std::vector<std::string> outputs(children.size());
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < children.size(); ++i) {
    readers.emplace_back([&, i] { outputs[i] = read_output(children[i], std::string::npos); });
  }
  for (std::thread& reader : readers) reader.join();
  std::map<std::int64_t, std::string> acknowledged;
  for (std::size_t i = 0; i < children.size(); ++i) {
    EXPECT_EQ(finish(children[i]), 0);
    acknowledged.merge(acknowledged_in(outputs[i]));
  }
  EXPECT_EQ(acknowledged.size(), 6000U);
  expect_all_there(folder.ledger(), acknowledged);
}

TEST(LedgerCrash, LetsProcessesAppendAtTheSameTime) {
  const TestFolder folder;
  std::vector<Child> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(start_appender(folder.ledger(), i == 0 ? "disk" : "process", "3000"));
  }
  std::map<std::int64_t, std::string> acknowledged;
  std::vector<std::thread> readers;
  std::vector<std::string> outputs(children.size());
  for (std::size_t i = 0; i < children.size(); ++i) {
    readers.emplace_back([&, i] { outputs[i] = read_output(children[i], std::string::npos); });
  }
  for (std::thread& reader : readers) reader.join();
  for (std::size_t i = 0; i < children.size(); ++i) {
    EXPECT_EQ(finish(children[i]), 0);
    acknowledged.merge(acknowledged_in(outputs[i]));
  }
  EXPECT_EQ(acknowledged.size(), 9000U);
  EXPECT_EQ(acknowledged.rbegin()->first, 9000);
  expect_all_there(folder.ledger(), acknowledged);
}

}  // namespace
}  // namespace remit::ledger
