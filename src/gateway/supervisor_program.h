#pragma once

// What the gateway starts as the supervisor of a lane (supervisor.h).
//
// It is a small program of its own whose bytes are part of ours: `remit` stays one file, wherever
// it is copied to, and nothing is looked for beside it, in PATH or in the working directory. It
// runs from a file in memory that is sealed, so nobody can put other bytes in its place. Where the
// system lets no such file be executed (sysctl vm.memfd_noexec=2, a security module), our own
// program is the supervisor by its verb `supervise-lane`: the same code in a bigger process. Linux
// only (memfd_create). docs/decisions/0017-supervisor-program.md

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace remit::gateway {

// An executable file in memory that nobody can change any more.
class SealedProgram {
 public:
  // Unavailable, with the system's reason, where there can be no such file.
  static Result<std::shared_ptr<const SealedProgram>> make(const std::string& name,
                                                           std::string_view bytes);
  ~SealedProgram();
  SealedProgram(const SealedProgram&) = delete;
  SealedProgram& operator=(const SealedProgram&) = delete;

  int descriptor() const { return fd_; }  // close-on-exec, above 9

 private:
  explicit SealedProgram(int fd) : fd_(fd) {}
  int fd_;
};

struct Supervisor {
  std::shared_ptr<const SealedProgram> sealed;  // tried first; null: not at all
  std::vector<std::string> command;             // otherwise; what it supervises follows

  // Of this program. Logs when the sealed file cannot be made.
  static std::shared_ptr<const Supervisor> ours(Log& log);
};

// The small program as it is embedded: an ELF executable.
std::string_view embedded_supervisor();

}  // namespace remit::gateway
