#include "gateway/supervisor_program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "gateway/supervisor.h"

// The program as it was linked.
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    ".globl remit_supervisor_begin\n"
    ".globl remit_supervisor_end\n"
    "remit_supervisor_begin:\n"
    ".incbin \"" REMIT_SUPERVISOR_FILE
    "\"\n"
    "remit_supervisor_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char remit_supervisor_begin[];
extern const char remit_supervisor_end[];
}

namespace remit::gateway {
namespace {

// Of Linux 6.3, later than the headers: "this one is to be executed", and "its mode stays".
constexpr unsigned kMemfdExecutable = 0x10;
constexpr int kSealMode = 0x20;
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

int make_file(const std::string& name) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = memfd_create(name.c_str(), kFlags | kMemfdExecutable);
  return fd < 0 && errno == EINVAL ? memfd_create(name.c_str(), kFlags) : fd;
}

bool fill(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

bool seal(int fd) {
  if (fcntl(fd, F_ADD_SEALS, kSeals | kSealMode) == 0) return true;
  return errno == EINVAL && fcntl(fd, F_ADD_SEALS, kSeals) == 0;
}

std::unexpected<Error> cannot(const char* what, int error) {
  return fail(ErrorCode::Unavailable, what + (": " + std::generic_category().message(error)));
}

}  // namespace

Result<std::shared_ptr<const SealedProgram>> SealedProgram::make(const std::string& name,
                                                                 std::string_view bytes) {
  const int low = make_file(name);
  if (low < 0) return cannot("no executable file in memory", errno);
  const int fd = fcntl(low, F_DUPFD_CLOEXEC, 10);
  const int error = errno;
  close(low);
  if (fd < 0) return cannot("no descriptor", error);
  std::shared_ptr<const SealedProgram> made(new SealedProgram(fd));
  if (!fill(fd, bytes)) return cannot("a file in memory cannot be filled", errno);
  if (!seal(fd)) return cannot("a file in memory cannot be sealed", errno);
  return made;
}

SealedProgram::~SealedProgram() { close(fd_); }

std::shared_ptr<const Supervisor> Supervisor::ours(Log& log) {
  auto made = std::make_shared<Supervisor>();
  made->command = {"/proc/self/exe", kSupervisorVerb};
  auto sealed = SealedProgram::make(kSupervisorName, embedded_supervisor());
  if (sealed) {
    made->sealed = *std::move(sealed);
  } else {
    log.info("supervisor.not_sealed", {{"reason", std::string_view(sealed.error().message)}});
  }
  return made;
}

std::string_view embedded_supervisor() {
  return {remit_supervisor_begin,
          static_cast<std::size_t>(remit_supervisor_end - remit_supervisor_begin)};
}

}  // namespace remit::gateway
