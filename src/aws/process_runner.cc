// credential_process programs. The only file of this room that starts processes and threads: a
// program runs once in many minutes, and a thread that waits for it needs nothing of the loop.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "aws/base_credentials.h"
#include "base/secret.h"

extern char** environ;

namespace remit::aws {

namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kMaxOutput = 64 << 10;
constexpr milliseconds kReapInterval{5};

std::unexpected<Error> failed_run(const std::string& program, const std::string& reason) {
  return fail(ErrorCode::Unavailable, "\"" + program + "\" " + reason);
}

std::unexpected<Error> took_too_long(const std::string& program, milliseconds limit) {
  return failed_run(program,
                    "took longer than " + std::to_string(limit.count()) + " ms and was ended");
}

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    read = ends[0];
    write = ends[1];
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() {
    if (read >= 0) ::close(std::exchange(read, -1));
  }
  void close_write() {
    if (write >= 0) ::close(std::exchange(write, -1));
  }
};

// In a process group of its own, so that what it starts can be ended with it. Its standard input is
// empty and its signals are as they are by default.
int spawn_program(const std::vector<std::string>& argv, const Pipe& out, const Pipe& err,
                  pid_t& pid) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  const int error =
      ::posix_spawnp(&pid, pointers[0], &actions, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

// A process that is ended and reaped when this goes.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  int start(const std::vector<std::string>& argv, const Pipe& out, const Pipe& err) {
    const int error = spawn_program(argv, out, err, pid_);
    if (error != 0) pid_ = -1;
    return error;
  }

  // The exit code once it has ended.
  std::optional<int> reap() {
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == 0 || (reaped < 0 && errno == EINTR)) return std::nullopt;
    pid_ = -1;
    if (reaped < 0) return 127;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = -1;
};

// Everything there is to read now; closes the end at its end.
void read_some(Pipe& from, std::string& to) {
  std::array<char, 4096> buffer;
  const ssize_t size = ::read(from.read, buffer.data(), buffer.size());
  if (size > 0) {
    to.append(buffer.data(), static_cast<std::size_t>(size));
  } else if (size == 0 || errno != EINTR) {
    from.close_read();
  }
  wipe(buffer.data(), buffer.size());
}

// Blocks. `stop` ends it early.
Result<ProcessOutput> run_program(const std::vector<std::string>& argv, milliseconds limit,
                                  const std::atomic<bool>& stop) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  const auto late = [&] { return stop || std::chrono::steady_clock::now() >= deadline; };
  Pipe out, err;
  if (out.read < 0 || err.read < 0) return failed_run(argv[0], "could not be given pipes");
  Process process;
  if (const int error = process.start(argv, out, err); error != 0) {
    return failed_run(argv[0], std::string("could not be started: ") + std::strerror(error));
  }
  out.close_write();
  err.close_write();
  ProcessOutput output;
  output.out.reserve(kMaxOutput + 4096);  // credentials are not left behind as it grows
  while (out.read >= 0 || err.read >= 0) {
    if (late()) return took_too_long(argv[0], limit);
    std::array<pollfd, 2> ends{pollfd{out.read, POLLIN, 0}, pollfd{err.read, POLLIN, 0}};
    if (::poll(ends.data(), ends.size(), 20) <= 0) continue;
    if (ends[0].revents != 0) read_some(out, output.out);
    if (ends[1].revents != 0) read_some(err, output.err);
    if (output.out.size() > kMaxOutput || output.err.size() > kMaxOutput) {
      return fail(ErrorCode::LimitExceeded, "\"" + argv[0] + "\" printed more than 64 KiB");
    }
  }
  for (;;) {
    if (const auto code = process.reap()) {
      output.exit_code = *code;
      return output;
    }
    if (late()) return took_too_long(argv[0], limit);
    std::this_thread::sleep_for(kReapInterval);
  }
}

// One run on a thread of its own, which is stopped and joined when this goes.
class Run {
 public:
  Run(net::Loop& loop, std::vector<std::string> argv, milliseconds limit)
      : shared_(std::make_shared<Shared>(loop)),
        thread_([shared = shared_, &loop, argv = std::move(argv), limit]() mutable {
          shared->result = run_program(argv, limit, shared->stop);
          // Moved, so that it is always the loop's thread that lets go of the event last.
          net::post(loop, [shared = std::move(shared)] { shared->done.set(); });
        }) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    shared_->stop = true;
    thread_.join();
  }

  net::Task<> wait() { co_await shared_->done.wait(); }
  Result<ProcessOutput> take() {
    if (!shared_->done.is_set()) return fail(ErrorCode::Unavailable, "the program was stopped");
    return std::move(shared_->result);
  }

 private:
  struct Shared {
    explicit Shared(net::Loop& loop) : done(loop) {}
    std::atomic<bool> stop = false;
    Result<ProcessOutput> result;
    net::Event done;
  };
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

class SpawningRunner final : public ProcessRunner {
 public:
  explicit SpawningRunner(net::Loop& loop) : loop_(loop) {}

  net::Task<Result<ProcessOutput>> run(std::vector<std::string> argv, milliseconds limit) override {
    Run one(loop_, std::move(argv), limit);
    co_await one.wait();
    co_return one.take();
  }

 private:
  net::Loop& loop_;
};

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner(net::Loop& loop) {
  return std::make_unique<SpawningRunner>(loop);
}

}  // namespace remit::aws
