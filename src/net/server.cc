#include "net/server.h"

#include <fmt/format.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/unicast.hpp>
#include <list>
#include <utility>

namespace remit::net {
namespace {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

class TcpServer final : public Server, public std::enable_shared_from_this<TcpServer> {
 public:
  TcpServer(Loop& loop, ServerOptions options, Handler handler)
      : loop_(loop),
        options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(loop),
        sweep_(loop, options_.tick) {}

  Result<> open() {
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(options_.address, ec);
    if (ec) {
      return fail(ErrorCode::InvalidInput,
                  fmt::format("not an address to listen on: \"{}\"", options_.address));
    }
    const asio::ip::tcp::endpoint endpoint(address, options_.port);
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec && options_.hops > 0) {
      acceptor_.set_option(asio::ip::unicast::hops(options_.hops), ec);  // connections inherit it
    }
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) {
      return fail(ErrorCode::Unavailable, fmt::format("listen on {}:{}: {}", options_.address,
                                                      options_.port, ec.message()));
    }
    port_ = acceptor_.local_endpoint(ec).port();
    return {};
  }

  static Task<> accept(std::shared_ptr<TcpServer> self) {
    while (self->acceptor_.is_open()) {
      auto [ec, socket] = co_await self->acceptor_.async_accept(kAwait);
      if (ec == asio::error::operation_aborted) co_return;
      if (ec) {
        // Out of descriptors, most likely: others must end before more can come.
        co_await sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      if (self->connections_.size() >= self->options_.max_connections) continue;
      spawn(self->loop_, serve(self, std::move(socket)));
    }
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return connections_.size(); }

  void stop() override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (ServerConnection* connection : connections_) connection->close();
  }

 private:
  static Task<> serve(std::shared_ptr<TcpServer> self, Socket socket) {
    ServerConnection connection(Stream(std::move(socket)), self->sweep_, self->options_.timeouts);
    const Registered registered(self->connections_, connection);
    co_await self->handler_(connection);
  }

  // In the list for as long as the connection's coroutine lives, however that ends.
  class Registered {
   public:
    Registered(std::list<ServerConnection*>& all, ServerConnection& connection)
        : all_(all), place_(all.insert(all.end(), &connection)) {}
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
    ~Registered() { all_.erase(place_); }

   private:
    std::list<ServerConnection*>& all_;
    std::list<ServerConnection*>::iterator place_;
  };

  Loop& loop_;
  ServerOptions options_;
  Handler handler_;
  Acceptor acceptor_;
  DeadlineSweep sweep_;
  std::list<ServerConnection*> connections_;
  std::uint16_t port_ = 0;
};

// What the owner holds. The connections share the server with it, so that either may go first.
class ServerHandle final : public Server {
 public:
  explicit ServerHandle(std::shared_ptr<TcpServer> server) : server_(std::move(server)) {}
  ~ServerHandle() override { server_->stop(); }
  std::uint16_t port() const override { return server_->port(); }
  std::size_t connections() const override { return server_->connections(); }
  void stop() override { server_->stop(); }

 private:
  std::shared_ptr<TcpServer> server_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(Loop& loop, ServerOptions options, Handler handler) {
  auto server = std::make_shared<TcpServer>(loop, std::move(options), std::move(handler));
  REMIT_CHECKED(server->open());
  spawn(loop, TcpServer::accept(server));
  return std::make_unique<ServerHandle>(std::move(server));
}

}  // namespace remit::net
