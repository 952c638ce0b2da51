#pragma once

// A connected TCP socket that waits in an epoll set of its loop's own, instead of in Asio's.
//
// Asio tries a read before it waits for one, and does not tell that a read took all there was: of
// five reads a proxied request three found nothing. Here a read that got less than it asked for
// means that the socket is drained until the system says otherwise, which is epoll(7)'s rule for
// EPOLLET; a peer's end is told apart by EPOLLRDHUP, so that it is not lost behind its last bytes.
// Internal to src/net.

#include <sys/epoll.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <vector>

#include "net/task.h"

namespace remit::net {

class TcpSet;

class Tcp : public std::enable_shared_from_this<Tcp> {
 public:
  using ErrorAndSize = std::tuple<boost::system::error_code, std::size_t>;

  // Takes the socket over. Where the set cannot be made (no descriptors left), what is returned is
  // closed.
  static std::shared_ptr<Tcp> take(Socket socket);
  // Gives the socket back to Asio. Nobody may wait for it.
  Socket release();

  Tcp(TcpSet& set, Executor executor, boost::asio::ip::tcp protocol, int fd);
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;
  ~Tcp() = default;

  // As of Stream.
  Task<ErrorAndSize> read_some(boost::asio::mutable_buffer into);
  std::size_t try_write(std::string_view first, std::string_view second,
                        boost::system::error_code& ec);
  Task<boost::system::error_code> write(std::string_view first, std::string_view second);
  void shutdown_send();
  // Whoever waits is told, later, that the operation was aborted.
  void close();
  bool is_open() const { return fd_ >= 0; }
  int native_handle() const { return fd_; }

  // Nothing is there to be read, by what the system has said so far.
  bool is_drained() const { return !readable_; }

 private:
  friend class TcpSet;
  using Handler = std::move_only_function<void(boost::system::error_code, std::size_t)>;

  enum class Way : bool { Read, Write };
  struct Waiter {
    Handler handler;  // empty: nobody waits
    boost::asio::mutable_buffer into;
  };

  template <class CompletionHandler>
  void start(Way way, boost::asio::mutable_buffer into, CompletionHandler handler);
  void wait(Way way, boost::asio::mutable_buffer into, Handler handler);
  Task<ErrorAndSize> wait_writable();
  Waiter& waiter(Way way) { return way == Way::Read ? reader_ : writer_; }
  void abort(Way way);
  void leave();

  // What the system says of the socket, and then whoever can go on because of it.
  void mark(std::uint32_t events);
  void resume();
  // False: there is nothing yet.
  bool receive(boost::asio::mutable_buffer into, boost::system::error_code& ec, std::size_t& n);

  TcpSet& set_;
  Executor executor_;
  boost::asio::ip::tcp protocol_;
  int fd_;
  bool readable_ = true;  // or not known
  bool writable_ = true;
  bool steady_ = true;  // false: a short read does not mean that there is no more
  Waiter reader_;
  Waiter writer_;
  Tcp* next_ = nullptr;  // in the set's list
  Tcp* previous_ = nullptr;
};

// All sockets of a loop. One of Asio's descriptors stands for them: the epoll set itself, which is
// readable when one of them is.
class TcpSet final : public boost::asio::execution_context::service {
 public:
  using key_type = TcpSet;
  static boost::asio::execution_context::id id;

  explicit TcpSet(Loop& loop);

 private:
  friend class Tcp;

  void shutdown() override;
  bool add(Tcp& socket);
  void remove(Tcp& socket);
  void watch();
  void turn();

  boost::asio::posix::basic_stream_descriptor<Executor> epoll_;
  std::array<epoll_event, 256> events_;
  bool watching_ = false;
  bool down_ = false;
  Tcp* first_ = nullptr;
  // Left during this turn: an event of theirs may still be in its hands.
  std::vector<std::shared_ptr<Tcp>> left_;
};

}  // namespace remit::net
