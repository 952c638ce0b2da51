#include "gateway/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include "gateway/supervisor.h"

namespace remit::gateway {
namespace {

// A descriptor that closes itself. All are made close-on-exec and above the numbers that the
// supervisor gets.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  // The same above 9, so that dup2 to 0..3 in the child never hits one that is still needed.
  Fd high() && {
    const Fd low = std::move(*this);
    return Fd(fcntl(low.fd_, F_DUPFD_CLOEXEC, 10));
  }

 private:
  int fd_ = -1;
};

struct Pair {
  Fd ours;
  Fd theirs;
};

std::string reason(int error) { return std::generic_category().message(error); }

Result<Pair> make_pipe(bool we_write) {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) {
    return fail(ErrorCode::Unavailable, "no pipe: " + reason(errno));
  }
  Fd read_end(fds[0]);
  Fd write_end(fds[1]);
  if (we_write) std::swap(read_end, write_end);
  return Pair{.ours = std::move(read_end).high(), .theirs = std::move(write_end).high()};
}

Result<Pair> make_socketpair() {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return fail(ErrorCode::Unavailable, "no socket: " + reason(errno));
  }
  return Pair{.ours = Fd(fds[0]).high(), .theirs = Fd(fds[1]).high()};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// posix_spawn and not fork: other threads of ours may hold locks, and the child never shares our
// memory longer than until exec. The child gets fds as 0, 1, ... and no other descriptor. Returns
// the process id, or minus errno.
int spawn_process(const char* program, std::vector<std::string> command, ChildOptions& options,
                  std::span<const int> fds) {
  command.insert(command.end(), options.command.begin(), options.command.end());
  const auto argv = pointers(command);
  const auto environment = pointers(options.environment);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int next = 0;
  for (const int fd : fds) posix_spawn_file_actions_adddup2(&actions, fd, next++);
  posix_spawn_file_actions_addclosefrom_np(&actions, next);
  if (!options.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.cwd.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t set;
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  sigfillset(&set);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, program, &actions, &attributes, argv.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -error;
}

Result<int> spawn_supervisor(ChildOptions& options, const std::array<int, 4>& fds) {
  const Supervisor& supervisor = *options.supervisor;
  if (supervisor.sealed) {
    // A descriptor of the file goes along, because its name is the way to it; the supervisor closes
    // it first of all.
    static_assert(kSupervisorControl == 3);
    const std::array<int, 5> all{fds[0], fds[1], fds[2], fds[3], supervisor.sealed->descriptor()};
    const int pid = spawn_process("/proc/self/fd/4", {kSupervisorName}, options, all);
    if (pid > 0) return pid;
    // The system may not want files in memory to be executed: what else is wrong shows again.
  }
  const std::string& program = supervisor.command.front();
  const int pid = spawn_process(program.c_str(), supervisor.command, options, fds);
  if (pid > 0) return pid;
  return fail(ErrorCode::Unavailable, fmt::format("cannot start {}: {}", program, reason(-pid)));
}

}  // namespace

Child::Child(net::Loop& loop, std::string name)
    : name_(std::move(name)),
      input_(loop.get_executor()),
      output_(loop.get_executor()),
      errors_(loop.get_executor()),
      control_(loop.get_executor()),
      started_(loop),
      ended_(loop) {}

Child::~Child() {
  if (supervisor_ < 0) return;
  order(static_cast<char>(Order::Kill));
  boost::system::error_code ignored;
  control_.close(ignored);
  waitpid(supervisor_, nullptr, 0);
}

Result<std::shared_ptr<Child>> Child::start(net::Loop& loop, ChildOptions options) {
  REMIT_TRY(auto input, make_pipe(true));
  REMIT_TRY(auto output, make_pipe(false));
  REMIT_TRY(auto errors, make_pipe(false));
  REMIT_TRY(auto control, make_socketpair());
  const std::array<int, 4> theirs{input.theirs.get(), output.theirs.get(), errors.theirs.get(),
                                  control.theirs.get()};
  REMIT_TRY(const int pid, spawn_supervisor(options, theirs));
  std::shared_ptr<Child> child(new Child(loop, options.command.front()));
  child->supervisor_ = pid;
  child->input_.assign(input.ours.release());
  child->output_.assign(output.ours.release());
  child->errors_.assign(errors.ours.release());
  child->control_.assign(control.ours.release());
  net::spawn(loop, watch(child));
  return child;
}

net::Task<> Child::watch(std::shared_ptr<Child> self) {
  std::array<char, 5> bytes{};
  while (true) {
    const auto [error, size] =
        co_await boost::asio::async_read(self->control_, boost::asio::buffer(bytes), net::kAwait);
    if (error) break;
    std::int32_t number = 0;
    std::memcpy(&number, bytes.data() + 1, sizeof number);
    switch (static_cast<Report>(bytes[0])) {
      case Report::Started:
        self->process_id_ = number;
        break;
      case Report::Failed:
        self->exec_error_ = number;
        break;
      case Report::Ended:
        self->status_ = number;
        break;
    }
    self->started_.set();
  }
  // The control socket closes with the supervisor's process: it is a zombie now or in an instant.
  int status = 0;
  waitpid(std::exchange(self->supervisor_, -1), &status, 0);
  if (self->process_id_ == 0 && self->exec_error_ == 0) self->exec_error_ = ECHILD;
  self->started_.set();
  self->ended_.set();
}

net::Task<Result<>> Child::started() {
  co_await started_.wait();
  if (exec_error_ == 0) co_return Result<>{};
  co_return fail(ErrorCode::Unavailable,
                 fmt::format("cannot run {}: {}", name_, reason(exec_error_)));
}

net::Task<Result<>> Child::write(std::string_view bytes) {
  const auto buffer = boost::asio::buffer(bytes.data(), bytes.size());
  const auto [error, size] = co_await boost::asio::async_write(input_, buffer, net::kAwait);
  if (error) co_return fail(ErrorCode::Unavailable, name_ + " does not read: " + error.message());
  co_return Result<>{};
}

net::Task<std::size_t> Child::read_output(std::span<char> into) {
  const auto buffer = boost::asio::buffer(into.data(), into.size());
  const auto [error, size] = co_await output_.async_read_some(buffer, net::kAwait);
  co_return error ? 0 : size;
}

net::Task<std::size_t> Child::read_errors(std::span<char> into) {
  const auto buffer = boost::asio::buffer(into.data(), into.size());
  const auto [error, size] = co_await errors_.async_read_some(buffer, net::kAwait);
  co_return error ? 0 : size;
}

void Child::close_input() {
  boost::system::error_code ignored;
  input_.close(ignored);
}

void Child::order(char what) {
  if (control_.is_open()) (void)send(control_.native_handle(), &what, 1, MSG_NOSIGNAL);
}

void Child::terminate() { order(static_cast<char>(Order::Terminate)); }

void Child::kill() {
  order(static_cast<char>(Order::Kill));
  // A reader must not wait for what a dying process holds open.
  boost::system::error_code ignored;
  output_.cancel(ignored);
  errors_.cancel(ignored);
  input_.close(ignored);
}

std::string Child::how_it_ended() const {
  if (exec_error_ != 0) return "could not be run: " + reason(exec_error_);
  if (WIFEXITED(status_)) return fmt::format("exited with {}", WEXITSTATUS(status_));
  if (WIFSIGNALED(status_)) return fmt::format("was killed by signal {}", WTERMSIG(status_));
  return "ended";
}

}  // namespace remit::gateway
