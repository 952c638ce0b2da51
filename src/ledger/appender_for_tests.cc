// ledger_appender PATH disk|process COUNT [PAGES]: appends records as fast as they are
// acknowledged, 64 at a time, and writes "SEQUENCE PID-NUMBER" for each acknowledged one. COUNT 0:
// until it is killed. The log is brought into the file when it has PAGES pages.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "ledger/for_tests.h"

using namespace remit::ledger;

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  TestLoop loop;
  Options options;
  options.path = argv[1];
  options.durability = std::string_view(argv[2]) == "disk" ? Durability::Disk : Durability::Process;
  if (argc == 5) options.checkpoint_pages = std::atoi(argv[4]);
  const long count = std::strtol(argv[3], nullptr, 10);
  auto ledger = open(options, loop.post());
  if (!ledger) {
    std::fprintf(stderr, "%s\n", ledger.error().message.c_str());
    return 2;
  }
  long sent = 0;
  long open_calls = 0;
  while (count == 0 || sent < count || open_calls > 0) {
    while (open_calls < 64 && (count == 0 || sent < count)) {
      const std::string name = std::to_string(::getpid()) + "-" + std::to_string(sent);
      ++sent;
      ++open_calls;
      (*ledger)->append(sample_record(sent, "{\"name\":\"" + name + "\"}"),
                        [&open_calls, name](remit::Result<Appended> result) {
                          --open_calls;
                          if (!result) {
                            std::fprintf(stderr, "%s\n", result.error().message.c_str());
                            std::_Exit(3);
                          }
                          const std::string line =
                              std::to_string(result->sequence) + " " + name + "\n";
                          (void)!::write(STDOUT_FILENO, line.data(), line.size());
                        });
    }
    loop.run_some();
  }
  return 0;
}
