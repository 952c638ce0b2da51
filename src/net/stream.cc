#include "net/stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

#include "net/stream_layer.h"
#include "net/tcp.h"

namespace remit::net {

namespace asio = boost::asio;
using ErrorCodeOf = boost::system::error_code;

class Stream::Tls final : public Stream::Layer {
 public:
  Tls(Socket& socket, std::shared_ptr<asio::ssl::context> shared)
      : context_(std::move(shared)), stream_(socket, *context_) {}

  asio::ssl::stream<Socket&>& stream() { return stream_; }

  Task<ErrorAndSize> read_some(asio::mutable_buffer into) override {
    // Not a coroutine itself: one frame less on the hot path.
    return stream_.async_read_some(into, kAwait);
  }
  std::size_t try_write(std::string_view, std::string_view, ErrorCodeOf&) override { return 0; }
  Task<ErrorCodeOf> write(std::string_view first, std::string_view second) override {
    for (const std::string_view piece : {first, second}) {
      if (piece.empty()) continue;
      auto [ec, n] = co_await asio::async_write(stream_, asio::buffer(piece), kAwait);
      if (ec) co_return ec;
    }
    co_return ErrorCodeOf{};
  }
  // One attempt: the peer either has room for a few bytes or learns from the closed socket.
  void shutdown_send() override { SSL_shutdown(stream_.native_handle()); }

 private:
  std::shared_ptr<asio::ssl::context> context_;  // lives as long as the session made from it
  asio::ssl::stream<Socket&> stream_;
};

Stream::Stream(Socket socket) {
  ErrorCodeOf ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  tcp_ = Tcp::take(std::move(socket));
}
Stream::Stream(std::unique_ptr<Layer> layer) : layer_(std::move(layer)) {}
Stream::Stream(Stream&&) noexcept = default;
// Not the default: the old layer goes before the socket that it refers to, and a socket is closed.
Stream& Stream::operator=(Stream&& other) noexcept {
  if (tcp_) tcp_->close();
  layer_ = std::move(other.layer_);
  socket_ = std::move(other.socket_);
  tcp_ = std::move(other.tcp_);
  tls_ = std::exchange(other.tls_, nullptr);
  return *this;
}
Stream::~Stream() {
  if (tcp_) tcp_->close();
}

Task<Stream::ErrorAndSize> Stream::read_some(asio::mutable_buffer into) {
  // Not a coroutine itself: one frame less on the hot path.
  if (layer_) return layer_->read_some(into);
  return tcp_->read_some(into);
}

std::size_t Stream::try_write(std::string_view first, std::string_view second, ErrorCodeOf& ec) {
  if (layer_) return layer_->try_write(first, second, ec);
  return tcp_->try_write(first, second, ec);
}

Task<ErrorCodeOf> Stream::write(std::string_view first, std::string_view second) {
  // Not a coroutine itself: one frame less.
  if (layer_) return layer_->write(first, second);
  return tcp_->write(first, second);
}

namespace {

std::string tls_reason(const ErrorCodeOf& ec, SSL* ssl) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  return ec.message();
}

}  // namespace

SSL* Stream::add_tls(std::shared_ptr<asio::ssl::context> context) {
  socket_ = std::make_unique<Socket>(std::exchange(tcp_, nullptr)->release());
  auto tls = std::make_unique<Tls>(*socket_, std::move(context));
  tls_ = tls.get();
  layer_ = std::move(tls);
  return tls_->stream().native_handle();
}

bool Stream::is_http2() const {
  if (tls_ == nullptr) return false;
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls_->stream().native_handle(), &name, &size);
  return size == 2 && name[0] == 'h' && name[1] == '2';
}

Task<Result<>> Stream::start_tls_client(std::shared_ptr<asio::ssl::context> context,
                                        std::string name, bool offer_http2) {
  SSL* const ssl = add_tls(std::move(context));
  ErrorCodeOf is_name;
  asio::ip::make_address(name, is_name);
  X509_VERIFY_PARAM* const check = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool told = is_name ? SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 &&
                                  X509_VERIFY_PARAM_set1_host(check, name.c_str(), 0) == 1
                            : X509_VERIFY_PARAM_set1_ip_asc(check, name.c_str()) == 1;
  if (!told) co_return fail(ErrorCode::InvalidInput, fmt::format("not a host name: {}", name));
  static constexpr unsigned char kBoth[] = "\x02h2\x08http/1.1";
  if (offer_http2 && SSL_set_alpn_protos(ssl, kBoth, sizeof kBoth - 1) != 0) {
    co_return fail(ErrorCode::Internal, "offering HTTP/2 failed");
  }
  auto [ec] = co_await tls_->stream().async_handshake(asio::ssl::stream_base::client, kAwait);
  if (ec) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("TLS with {} failed: {}", name, tls_reason(ec, ssl)));
  }
  co_return Result<>{};
}

Task<Result<>> Stream::start_tls_server(std::shared_ptr<asio::ssl::context> context) {
  add_tls(std::move(context));
  auto [ec] = co_await tls_->stream().async_handshake(asio::ssl::stream_base::server, kAwait);
  if (ec) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("TLS with the client failed: {}", ec.message()));
  }
  co_return Result<>{};
}

void Stream::shutdown_send() {
  if (tcp_) return tcp_->shutdown_send();
  if (layer_) layer_->shutdown_send();
  ErrorCodeOf ignored;
  if (socket_) socket_->shutdown(asio::socket_base::shutdown_send, ignored);
}

void Stream::close() {
  ErrorCodeOf ignored;
  if (tcp_) {
    tcp_->close();
  } else if (socket_) {
    socket_->close(ignored);
  } else if (layer_) {
    layer_->close();
  }
}

int Stream::descriptor() const {
  if (tcp_) return tcp_->native_handle();
  return socket_ && socket_->is_open() ? socket_->native_handle() : -1;
}

bool Stream::is_open() const {
  if (tcp_ || socket_) return descriptor() >= 0;
  return layer_ && layer_->is_open();
}

bool Stream::peer_is_done() const {
  if (!tcp_ && !socket_) return !layer_ || layer_->peer_is_done();
  pollfd state{descriptor(), POLLRDHUP, 0};
  if (state.fd < 0) return true;
  if (::poll(&state, 1, 0) <= 0) return false;
  if ((state.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return true;
  // Half-closed: who has said all and still holds its socket waits for us.
  return !net::peer_socket(state.fd);
}

std::optional<PeerSocket> Stream::peer_socket() const {
  const int fd = descriptor();
  if (fd < 0) return std::nullopt;
  return net::peer_socket(fd);
}

bool Stream::is_quiet() {
  const int fd = descriptor();
  if (fd < 0) return false;
  if (tcp_ && tcp_->is_drained()) return true;
  char byte;
  const ssize_t n = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // With TLS, tickets may lie in the socket of a good connection; its end may not.
  if (n > 0) return tls_ != nullptr;
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace remit::net
