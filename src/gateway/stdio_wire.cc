#include "gateway/stdio_wire.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <system_error>

namespace remit::gateway {
namespace {

using Pipe = boost::asio::posix::basic_stream_descriptor<net::Executor>;

// One end. Plain files cannot be waited for and never block for long: they are read and written at
// once.
class End {
 public:
  End(net::Loop& loop, int fd) : pipe_(loop.get_executor()), flags_(fcntl(fd, F_GETFL)) {
    boost::system::error_code refused;
    pipe_.assign(fd, refused);
    if (refused) plain_ = fd;
  }
  ~End() {
    // The other users of the same open file get it back as it was.
    if (pipe_.is_open()) fcntl(pipe_.native_handle(), F_SETFL, flags_);
    if (plain_ >= 0) ::close(plain_);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  net::Task<std::size_t> read(std::span<char> into) {
    if (plain_ >= 0) {
      const ssize_t size = ::read(plain_, into.data(), into.size());
      co_return size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    const auto buffer = boost::asio::buffer(into.data(), into.size());
    const auto [error, size] = co_await pipe_.async_read_some(buffer, net::kAwait);
    co_return error ? 0 : size;
  }

  net::Task<bool> write(std::string_view bytes) {
    if (plain_ >= 0) {
      while (!bytes.empty()) {
        const ssize_t size = ::write(plain_, bytes.data(), bytes.size());
        if (size <= 0 && errno != EINTR) co_return false;
        if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
      }
      co_return true;
    }
    const auto buffer = boost::asio::buffer(bytes.data(), bytes.size());
    const auto [error, size] = co_await boost::asio::async_write(pipe_, buffer, net::kAwait);
    co_return !error;
  }

  void cancel() {
    boost::system::error_code ignored;
    if (pipe_.is_open()) pipe_.cancel(ignored);
  }

 private:
  Pipe pipe_;
  int flags_;
  int plain_ = -1;
};

class StdioWire final : public Wire {
 public:
  StdioWire(net::Loop& loop, int input, int output) : input_(loop, input), output_(loop, output) {}
  net::Task<std::size_t> read(std::span<char> into) override {
    if (closed_) return nothing();
    return input_.read(into);
  }
  net::Task<bool> write(std::string_view bytes) override { return output_.write(bytes); }
  void close() override {
    closed_ = true;
    input_.cancel();
    output_.cancel();
  }

 private:
  static net::Task<std::size_t> nothing() { co_return 0; }
  End input_;
  End output_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Wire> make_wire(net::Loop& loop, int input, int output) {
  return std::make_unique<StdioWire>(loop, input, output);
}

Result<std::unique_ptr<Wire>> make_stdio_wire(net::Loop& loop) {
  const int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
  const int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
  if (input < 0 || output < 0) {
    return fail(ErrorCode::Unavailable, "standard input or output is closed");
  }
  // Nobody else is to read or write them: where there is no /dev/null, input is closed.
  if (const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC); nothing >= 0) {
    dup2(nothing, STDIN_FILENO);
    ::close(nothing);
  } else {
    ::close(STDIN_FILENO);
  }
  dup2(STDERR_FILENO, STDOUT_FILENO);
  return make_wire(loop, input, output);
}

}  // namespace remit::gateway
