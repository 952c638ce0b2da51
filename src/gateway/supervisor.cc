#include "gateway/supervisor.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string_view>

namespace remit::gateway {
namespace {

void report(Report kind, std::int32_t number) {
  std::array<char, 5> bytes{static_cast<char>(kind)};
  std::memcpy(bytes.data() + 1, &number, sizeof number);
  // The gateway may be gone: then there is nobody to tell.
  (void)send(kSupervisorControl, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// The parent of a process from /proc/<pid>/stat: "pid (name) state ppid ...", where the name may
// hold blanks and parentheses, so the last ')' counts.
pid_t parent_of(const char* pid) {
  std::array<char, 64> path{};
  std::string_view name(pid);
  if (name.size() > 16) return 0;
  std::memcpy(path.data(), "/proc/", 6);
  std::memcpy(path.data() + 6, name.data(), name.size());
  std::memcpy(path.data() + 6 + name.size(), "/stat", 6);
  const int file = open(path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 512> text{};
  const ssize_t size = read(file, text.data(), text.size());
  close(file);
  std::string_view stat(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t end = stat.rfind(')');
  if (end == std::string_view::npos || end + 4 >= stat.size()) return 0;
  stat.remove_prefix(end + 4);
  pid_t parent = 0;
  std::from_chars(stat.data(), stat.data() + stat.size(), parent);
  return parent;
}

// Only direct children are signalled: nobody else can reap them, so their ids cannot have been
// given to another process. What they leave behind becomes ours and is met in the next round.
void kill_children(pid_t self) {
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return;
  while (const dirent* entry = readdir(processes)) {
    pid_t pid = 0;
    const std::string_view name(entry->d_name);
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    if (parent_of(entry->d_name) == self) kill(pid, SIGKILL);
  }
  closedir(processes);
}

void kill_everything(pid_t group) {
  const pid_t self = getpid();
  // A process that the kernel will not let die (waiting on a device) must not hold us for ever.
  for (int round = 0; round < 5'000; ++round) {
    if (group > 0) kill(-group, SIGKILL);
    kill_children(self);
    pid_t reaped = 0;
    do reaped = waitpid(-1, nullptr, WNOHANG);
    while (reaped > 0);
    if (reaped < 0 && errno == ECHILD) return;
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    nanosleep(&pause, nullptr);
  }
}

[[noreturn]] void run(char** argv, int failure) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvp(argv[0], argv);
  const int error = errno;
  (void)!write(failure, &error, sizeof error);
  _exit(127);
}

// Starts the upstream; its process id, or minus errno.
pid_t start(char** argv) {
  std::array<int, 2> failure{};
  if (pipe2(failure.data(), O_CLOEXEC) != 0) return -errno;
  const pid_t child = fork();
  if (child == 0) run(argv, failure[1]);
  const int fork_error = errno;
  close(failure[1]);
  if (child < 0) {
    close(failure[0]);
    return -fork_error;
  }
  int error = 0;
  const bool failed = read(failure[0], &error, sizeof error) == sizeof error;
  close(failure[0]);
  return failed ? -error : child;
}

// Whatever else was open here (the file that this program runs from), the upstream must not get.
// Were one of its own three missing, the next file opened would take its number.
void keep_only_the_upstreams_descriptors() {
  closefrom(kSupervisorControl + 1);
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) (void)!open("/dev/null", O_RDWR);  // the lowest number: this one
  }
}

void let_go_of_the_upstreams_pipes() {
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd) {
    if (nothing < 0)
      close(fd);
    else
      dup2(nothing, fd);
  }
  if (nothing > 2) close(nothing);
}

// False when everything has to end.
bool obey(pid_t child) {
  char order = 0;
  const ssize_t size = recv(kSupervisorControl, &order, 1, 0);
  if (size < 0 && errno == EINTR) return true;
  if (size != 1 || order != static_cast<char>(Order::Terminate)) return false;
  kill(-child, SIGTERM);
  return true;
}

// False when the upstream's first process has ended, with its status.
bool reap(pid_t child, int& status) {
  while (true) {
    int one = 0;
    const pid_t pid = waitpid(-1, &one, WNOHANG);
    if (pid <= 0) return true;
    if (pid != child) continue;
    status = one;
    return false;
  }
}

int watch(pid_t child, int signals) {
  std::array<pollfd, 2> waits{{{.fd = kSupervisorControl, .events = POLLIN, .revents = 0},
                               {.fd = signals, .events = POLLIN, .revents = 0}}};
  while (true) {
    if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) break;
    if (waits[0].revents != 0 && !obey(child)) break;
    if ((waits[1].revents & POLLIN) == 0) continue;
    signalfd_siginfo signal{};
    if (read(signals, &signal, sizeof signal) != sizeof signal) continue;
    if (signal.ssi_signo != SIGCHLD) break;
    int status = 0;
    if (reap(child, status)) continue;
    kill_everything(child);
    report(Report::Ended, status);
    return 0;
  }
  kill_everything(child);
  report(Report::Ended, SIGKILL);
  return 0;
}

}  // namespace

int supervise(int argc, char** argv) {
  if (argc < 1 || fcntl(kSupervisorControl, F_SETFD, FD_CLOEXEC) != 0) return 2;
  keep_only_the_upstreams_descriptors();
  prctl(PR_SET_NAME, kSupervisorName);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  constexpr rlimit kNoCore{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &kNoCore);

  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&watched, signal);
  sigprocmask(SIG_BLOCK, &watched, nullptr);
  const int signals = signalfd(-1, &watched, SFD_CLOEXEC);
  if (signals < 0) return 2;

  const pid_t child = start(argv);
  if (child < 0) {
    report(Report::Failed, -child);
    return 0;
  }
  let_go_of_the_upstreams_pipes();
  report(Report::Started, child);
  return watch(child, signals);
}

}  // namespace remit::gateway
