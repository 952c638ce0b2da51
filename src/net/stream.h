#pragma once

// A connected byte stream: TCP, with TLS on top when asked for, or a pipe within this process.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/result.h"
#include "net/peer_socket.h"
#include "net/task.h"

namespace remit::net {

class Tcp;

class Stream {
 public:
  using ErrorAndSize = std::tuple<boost::system::error_code, std::size_t>;

  explicit Stream(Socket socket);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  // At least one byte, or an error (end of file is boost::asio::error::eof).
  Task<ErrorAndSize> read_some(boost::asio::mutable_buffer into);

  // All of both pieces, one behind the other.
  Task<boost::system::error_code> write(std::string_view first, std::string_view second);

  // What is taken at once of both pieces; the number of bytes. Zero with TLS.
  std::size_t try_write(std::string_view first, std::string_view second,
                        boost::system::error_code& ec);

  // From here on the bytes are TLS. `name` is checked against the peer's certificate and sent as
  // SNI; it may be an IP address.
  // With `offer_http2` the peer may choose HTTP/2: see is_http2().
  Task<Result<>> start_tls_client(std::shared_ptr<boost::asio::ssl::context> context,
                                  std::string name, bool offer_http2 = false);
  Task<Result<>> start_tls_server(std::shared_ptr<boost::asio::ssl::context> context);
  bool is_tls() const { return tls_ != nullptr; }
  // Whether the two ends agreed on HTTP/2 as they started TLS (ALPN).
  bool is_http2() const;

  // No more bytes will be sent; with TLS its close message goes first, if the system takes it.
  void shutdown_send();
  void close();
  bool is_open() const;

  // Whether the peer closed or reset the connection, even when bytes of it are still unread. One
  // that only ended its sending side and is on this machine is not done: it waits for an answer.
  bool peer_is_done() const;
  // The socket of a peer on this machine: peer_socket.h.
  std::optional<PeerSocket> peer_socket() const;

  // Whether a connection at rest is still good: open, and nothing arrived, not even its end.
  bool is_quiet();

 private:
  class Layer;
  class Tls;
  class PipeEnd;
  friend std::pair<Stream, Stream> make_pipe(std::size_t capacity);
  explicit Stream(std::unique_ptr<Layer> layer);
  ssl_st* add_tls(std::shared_ptr<boost::asio::ssl::context> context);

  int descriptor() const;  // -1 when it is closed, or of a pipe

  std::shared_ptr<Tcp> tcp_;        // bare TCP
  std::unique_ptr<Socket> socket_;  // under TLS, which holds a reference: it stays where it is
  std::unique_ptr<Layer> layer_;    // over the socket, or in its place; null for bare TCP
  Tls* tls_ = nullptr;              // the layer, when it is TLS
};

// The two ends of a pipe within this process: what one end writes the other one reads. Each way
// holds up to `capacity` bytes; then the writer waits. Both ends live on one loop.
std::pair<Stream, Stream> make_pipe(std::size_t capacity);

}  // namespace remit::net
