// credential_process programs. The only file of this room that starts processes.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "aws/base_credentials.h"
#include "base/secret.h"

extern char** environ;

namespace remit::aws {

namespace {

constexpr std::size_t kMaxOutput = 64 << 10;
constexpr std::chrono::milliseconds kReapInterval{5};

using Descriptor = boost::asio::posix::basic_stream_descriptor<net::Executor>;

std::unexpected<Error> refuse(const std::string& program, const std::string& reason) {
  return fail(ErrorCode::Unavailable, "\"" + program + "\" " + reason);
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
    close_write();
    if (read >= 0) ::close(read);
  }
  void close_write() {
    if (write >= 0) ::close(std::exchange(write, -1));
  }
  int take_read() { return std::exchange(read, -1); }
};

// In a process group of its own, so that what it starts can be ended with it.
int spawn_program(const std::vector<std::string>& argv, const Pipe& out, const Pipe& err,
                  pid_t& pid) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
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

// One run. The process is ended and reaped when this goes.
class Run {
 public:
  explicit Run(net::Loop& loop) : out_(loop), err_(loop), done_(loop) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  Result<> start(const std::vector<std::string>& argv) {
    Pipe out, err;
    if (out.read < 0 || err.read < 0) return refuse(argv[0], "could not be given pipes");
    const int error = spawn_program(argv, out, err, pid_);
    if (error != 0) {
      pid_ = -1;
      return refuse(argv[0], std::string("could not be started: ") + std::strerror(error));
    }
    out_.assign(out.take_read());
    err_.assign(err.take_read());
    return {};
  }

  net::Task<> read_all(Descriptor* from, std::string* to) {
    std::array<char, 4096> buffer;
    while (to->size() <= kMaxOutput) {
      auto [error, size] = co_await from->async_read_some(boost::asio::buffer(buffer), net::kAwait);
      if (error) break;
      to->append(buffer.data(), size);
    }
    wipe(buffer.data(), buffer.size());
    if (--open_ == 0 || to->size() > kMaxOutput) done_.set();
  }

  // True when the process has ended; its status is then in `exit_code`.
  bool reap() {
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == 0) return false;
    pid_ = -1;
    output.exit_code = reaped < 0            ? 127
                       : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                             : WEXITSTATUS(status);
    return true;
  }

  void stop_reading() {
    boost::system::error_code ignored;
    out_.close(ignored);
    err_.close(ignored);
  }

  ProcessOutput output;
  Descriptor out_;
  Descriptor err_;
  net::Event done_;
  int open_ = 2;

 private:
  pid_t pid_ = -1;
};

// The Run is shared with its readers, which end after it when the time is up.
net::Task<> read_out(std::shared_ptr<Run> run) {
  co_await run->read_all(&run->out_, &run->output.out);
}
net::Task<> read_err(std::shared_ptr<Run> run) {
  co_await run->read_all(&run->err_, &run->output.err);
}

class SpawningRunner final : public ProcessRunner {
 public:
  explicit SpawningRunner(net::Loop& loop) : loop_(loop) {}

  net::Task<Result<ProcessOutput>> run(std::vector<std::string> argv,
                                       std::chrono::milliseconds limit) override {
    auto process = std::make_shared<Run>(loop_);
    REMIT_CO_CHECKED(process->start(argv));
    const auto deadline = std::chrono::steady_clock::now() + limit;
    net::spawn(loop_, read_out(process));
    net::spawn(loop_, read_err(process));
    const bool ended = co_await process->done_.wait_for(limit);
    process->stop_reading();
    if (!ended) co_return took_too_long(argv[0], limit);
    if (process->output.out.size() > kMaxOutput || process->output.err.size() > kMaxOutput) {
      co_return fail(ErrorCode::LimitExceeded, "\"" + argv[0] + "\" printed more than 64 KiB");
    }
    while (!process->reap()) {
      if (std::chrono::steady_clock::now() >= deadline) co_return took_too_long(argv[0], limit);
      co_await net::sleep_for(kReapInterval);
    }
    co_return std::move(process->output);
  }

 private:
  static std::unexpected<Error> took_too_long(const std::string& program,
                                              std::chrono::milliseconds limit) {
    return refuse(program,
                  "took longer than " + std::to_string(limit.count()) + " ms and was ended");
  }

  net::Loop& loop_;
};

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner(net::Loop& loop) {
  return std::make_unique<SpawningRunner>(loop);
}

}  // namespace remit::aws
