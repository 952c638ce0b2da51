// The supervisor as a program of its own for tests, where the gateway's own program is a test. With
// --host it is a small gateway: it starts the command that follows as a Child, prints what the
// child prints, and lives until it is killed.
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "aws/base_credentials.h"
#include "gateway/child.h"
#include "gateway/supervisor.h"

namespace {

remit::net::Task<> copy_output(std::shared_ptr<remit::gateway::Child> child) {
  std::array<char, 4096> buffer{};
  while (const std::size_t size = co_await child->read_output(buffer)) {
    std::fwrite(buffer.data(), 1, size, stdout);
    std::fflush(stdout);
  }
}

int host(const char* self, int argc, char** argv) {
  remit::net::Loop loop;
  remit::gateway::ChildOptions options;
  options.supervisor = {self};
  for (int i = 0; i < argc; ++i) options.command.emplace_back(argv[i]);
  const auto path = remit::aws::process_environment()("PATH");
  options.environment = {"PATH=" + path.value_or("/usr/bin:/bin")};
  auto child = remit::gateway::Child::start(loop, std::move(options));
  if (!child) return 1;
  remit::net::spawn(loop, copy_output(*child));
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::string_view(argv[1]) == "--host") return host(argv[0], argc - 2, argv + 2);
  return remit::gateway::supervise(argc - 1, argv + 1);
}
