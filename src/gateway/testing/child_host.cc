// A small gateway for tests: it starts the command that follows as a Child, prints what the child
// prints, and lives until it is killed.
#include <array>
#include <cstdio>
#include <utility>

#include "aws/base_credentials.h"
#include "gateway/child.h"

namespace {

remit::net::Task<> copy_output(std::shared_ptr<remit::gateway::Child> child) {
  std::array<char, 4096> buffer{};
  while (const std::size_t size = co_await child->read_output(buffer)) {
    std::fwrite(buffer.data(), 1, size, stdout);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  remit::net::Loop loop;
  remit::NoLog log;
  remit::gateway::ChildOptions options;
  options.supervisor = remit::gateway::Supervisor::ours(log);
  for (int i = 1; i < argc; ++i) options.command.emplace_back(argv[i]);
  if (options.command.empty() || !options.supervisor->sealed) return 2;
  const auto path = remit::aws::process_environment()("PATH");
  options.environment = {"PATH=" + path.value_or("/usr/bin:/bin")};
  auto child = remit::gateway::Child::start(loop, std::move(options));
  if (!child) return 1;
  remit::net::spawn(loop, copy_output(*child));
  loop.run();
  return 0;
}
