#include "net/tcp.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <cerrno>
#include <cstdint>
#include <span>
#include <utility>

#include "base/check.h"

namespace remit::net {

namespace asio = boost::asio;
using SystemError = boost::system::error_code;

namespace {

SystemError last_error() { return {errno, asio::error::get_system_category()}; }
bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// The two calls of the hot path, without glibc's wrapper: of a process with threads, that makes
// each call a point of cancellation (pthreads(7)), at a price, and no thread here is cancelled.
ssize_t receive_bytes(int fd, void* into, std::size_t room) {
  return ::syscall(SYS_recvfrom, fd, into, room, 0, nullptr, nullptr);
}
ssize_t send_bytes(int fd, std::string_view bytes) {
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
}

ssize_t send_both(int fd, std::string_view first, std::string_view second) {
  // NOLINTBEGIN(cppcoreguidelines-pro-type-const-cast): the pieces are only read
  std::array<iovec, 2> pieces = {iovec{const_cast<char*>(first.data()), first.size()},
                                 iovec{const_cast<char*>(second.data()), second.size()}};
  // NOLINTEND(cppcoreguidelines-pro-type-const-cast)
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

// ---- one socket ----

Tcp::Tcp(TcpSet& set, Executor executor, asio::ip::tcp protocol, int fd)
    : set_(set), executor_(std::move(executor)), protocol_(protocol), fd_(fd) {}

std::shared_ptr<Tcp> Tcp::take(Socket socket) {
  SystemError ec;
  const Executor executor = socket.get_executor();
  auto& set = asio::use_service<TcpSet>(executor.context());
  socket.non_blocking(true, ec);
  const auto address = socket.local_endpoint(ec);
  const int fd = socket.is_open() ? socket.release(ec) : -1;
  auto taken = std::make_shared<Tcp>(set, executor, address.protocol(), fd);
  if (taken->is_open() && !set.add(*taken)) {
    ::close(std::exchange(taken->fd_, -1));
  }
  return taken;
}

Socket Tcp::release() {
  Socket socket(executor_);
  if (!is_open()) return socket;
  leave();
  SystemError ec;
  socket.assign(protocol_, fd_, ec);
  if (ec) ::close(fd_);
  fd_ = -1;
  if (!ec) socket.non_blocking(true, ec);
  return socket;
}

bool Tcp::receive(asio::mutable_buffer into, SystemError& ec, std::size_t& n) {
  while (true) {
    const ssize_t got = receive_bytes(fd_, into.data(), into.size());
    if (got > 0) {
      n = static_cast<std::size_t>(got);
      if (steady_ && n < into.size()) readable_ = false;
      return true;
    }
    if (got == 0) {
      ec = asio::error::eof;
      return true;
    }
    if (errno == EINTR) continue;
    if (would_block()) {
      readable_ = false;
      return false;
    }
    ec = last_error();
    return true;
  }
}

std::size_t Tcp::try_write(std::string_view first, std::string_view second, SystemError& ec) {
  if (!is_open()) {
    ec = asio::error::bad_descriptor;
    return 0;
  }
  if (!writable_) return 0;
  while (true) {
    const ssize_t sent = second.empty() ? send_bytes(fd_, first) : send_both(fd_, first, second);
    if (sent >= 0) {
      // Less than all was taken: the rest waits for the system to say that there is room.
      if (static_cast<std::size_t>(sent) < first.size() + second.size()) writable_ = false;
      return static_cast<std::size_t>(sent);
    }
    if (errno == EINTR) continue;
    if (would_block()) {
      writable_ = false;
    } else {
      ec = last_error();
    }
    return 0;
  }
}

template <class CompletionHandler>
void Tcp::start(Way way, asio::mutable_buffer into, CompletionHandler handler) {
  auto slot = asio::get_associated_cancellation_slot(handler);
  if (slot.is_connected()) {
    slot.assign([socket = weak_from_this(), way](asio::cancellation_type type) {
      const auto self = socket.lock();
      if (self && type != asio::cancellation_type::none) self->abort(way);
    });
  }
  wait(way, into, Handler(std::move(handler)));
}

void Tcp::wait(Way way, asio::mutable_buffer into, Handler handler) {
  SystemError ec;
  std::size_t n = 0;
  bool done = true;
  if (!is_open()) {
    ec = asio::error::bad_descriptor;
  } else if (way == Way::Read) {
    done = readable_ && receive(into, ec, n);
  } else {
    done = writable_;
  }
  if (!done) {
    REMIT_CHECK(!waiter(way).handler);
    waiter(way) = Waiter{std::move(handler), into};
    return;
  }
  asio::post(executor_, [handler = std::move(handler), ec, n]() mutable { handler(ec, n); });
}

Task<Tcp::ErrorAndSize> Tcp::read_some(asio::mutable_buffer into) {
  // Not a coroutine itself: one frame less on the hot path.
  auto begin = [](auto handler, Tcp* self, asio::mutable_buffer its_into) {
    self->start(Way::Read, its_into, std::move(handler));
  };
  return asio::async_initiate<decltype(kAwait), void(SystemError, std::size_t)>(begin, kAwait, this,
                                                                                into);
}

Task<Tcp::ErrorAndSize> Tcp::wait_writable() {
  auto begin = [](auto handler, Tcp* self) {
    self->start(Way::Write, asio::mutable_buffer(), std::move(handler));
  };
  return asio::async_initiate<decltype(kAwait), void(SystemError, std::size_t)>(begin, kAwait,
                                                                                this);
}

Task<SystemError> Tcp::write(std::string_view first, std::string_view second) {
  const auto self = shared_from_this();  // the stream may go while somebody waits
  while (true) {
    SystemError ec;
    const std::size_t sent = try_write(first, second, ec);
    if (ec) co_return ec;
    const std::size_t of_first = std::min(sent, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(sent - of_first);
    if (first.empty()) first = std::exchange(second, {});
    if (first.empty()) co_return SystemError{};
    auto [failure, none] = co_await wait_writable();
    if (failure) co_return failure;
  }
}

void Tcp::shutdown_send() {
  if (is_open()) ::shutdown(fd_, SHUT_WR);
}

void Tcp::abort(Way way) {
  Handler handler = std::exchange(waiter(way).handler, nullptr);
  if (!handler) return;
  asio::post(executor_, [handler = std::move(handler)]() mutable {
    handler(asio::error::operation_aborted, 0);
  });
}

void Tcp::leave() { set_.remove(*this); }

void Tcp::close() {
  if (!is_open()) return;
  leave();
  ::close(std::exchange(fd_, -1));
  abort(Way::Read);
  abort(Way::Write);
}

void Tcp::mark(std::uint32_t events) {
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0) steady_ = false;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
}

void Tcp::resume() {
  SystemError ec;
  std::size_t n = 0;
  if (is_open() && writable_ && writer_.handler) {
    std::exchange(writer_.handler, nullptr)(ec, n);
  }
  if (is_open() && readable_ && reader_.handler && receive(reader_.into, ec, n)) {
    std::exchange(reader_.handler, nullptr)(ec, n);
  }
}

// ---- all of a loop ----

asio::execution_context::id TcpSet::id;

TcpSet::TcpSet(Loop& loop) : asio::execution_context::service(loop), epoll_(loop) {}

// The loop is going: so do the coroutines that wait, without being resumed.
void TcpSet::shutdown() {
  down_ = true;
  while (first_ != nullptr) {
    const auto socket = first_->shared_from_this();
    remove(*socket);
    const auto reader = std::exchange(socket->reader_.handler, nullptr);
    const auto writer = std::exchange(socket->writer_.handler, nullptr);
  }
  left_.clear();
  SystemError ignored;
  epoll_.close(ignored);
}

bool TcpSet::add(Tcp& socket) {
  SystemError ec;
  if (!epoll_.is_open()) {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) return false;
    epoll_.assign(fd, ec);
    if (ec) {
      ::close(fd);
      return false;
    }
  }
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  wanted.data.ptr = &socket;
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket.fd_, &wanted) != 0) return false;
  socket.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &socket;
  first_ = &socket;
  if (!watching_) watch();
  return true;
}

void TcpSet::remove(Tcp& socket) {
  if (epoll_.is_open()) {
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, socket.fd_, nullptr);
  }
  if (socket.next_ != nullptr) socket.next_->previous_ = socket.previous_;
  if (socket.previous_ != nullptr) socket.previous_->next_ = socket.next_;
  if (first_ == &socket) first_ = socket.next_;
  socket.next_ = socket.previous_ = nullptr;
  if (down_) return;
  left_.push_back(socket.shared_from_this());
  // Waiting for no socket would keep the loop from running out of work.
  SystemError ignored;
  if (first_ == nullptr) epoll_.cancel(ignored);
}

void TcpSet::watch() {
  watching_ = true;
  epoll_.async_wait(asio::posix::descriptor_base::wait_read, [this](const SystemError& ec) {
    watching_ = false;
    left_.clear();
    if (!ec) turn();
    if (first_ != nullptr && !watching_) watch();
  });
}

// First all that the system says, then whoever can go on: who takes a connection at rest then sees
// that its peer has closed it meanwhile. What no longer fits is said the next time. Where much
// came, more has come by then, and is cheaper to ask for here than by way of Asio; but others wait
// too.
void TcpSet::turn() {
  constexpr int kMostRounds = 3;
  constexpr int kMuch = 4;
  for (int round = 0; round < kMostRounds; ++round) {
    const int count =
        ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
    if (count <= 0) return;
    const auto said = std::span(events_).first(static_cast<std::size_t>(count));
    for (const epoll_event& event : said) static_cast<Tcp*>(event.data.ptr)->mark(event.events);
    for (const epoll_event& event : said) static_cast<Tcp*>(event.data.ptr)->resume();
    if (count < kMuch) return;
  }
}

}  // namespace remit::net
