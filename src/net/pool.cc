#include "net/pool.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <tuple>
#include <utility>

#include "net/client_tls.h"
#include "net/http2_client.h"

namespace remit::net {
namespace {

namespace asio = boost::asio;
using Endpoint = asio::ip::tcp::endpoint;

struct OriginOrder {
  bool operator()(const Origin& a, const Origin& b) const {
    return std::tie(a.port, a.host, a.tls) < std::tie(b.port, b.host, b.tls);
  }
};

struct Resolution {
  Event done;
  boost::system::error_code ec;
  std::vector<Endpoint> endpoints;
};

// Asio resolves on a thread of its own, which cannot be stopped: this task outlives a caller that
// has stopped waiting, so the two share `into`.
Task<> resolve(std::string host, std::uint16_t port, std::shared_ptr<Resolution> into) {
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(co_await asio::this_coro::executor);
  auto [ec, found] = co_await resolver.async_resolve(
      host, fmt::format("{}", port), asio::ip::tcp::resolver::numeric_service, kAwait);
  into->ec = ec;
  for (const auto& entry : found) into->endpoints.push_back(entry.endpoint());
  into->done.set();
}

Task<Result<std::vector<Endpoint>>> endpoints_of(const Origin& origin,
                                                 std::chrono::milliseconds limit) {
  boost::system::error_code not_literal;
  const auto address = asio::ip::make_address(origin.host, not_literal);
  if (!not_literal) {
    std::vector<Endpoint> one = {Endpoint(address, origin.port)};
    co_return one;
  }
  auto resolution = std::make_shared<Resolution>();
  spawn(co_await asio::this_coro::executor, resolve(origin.host, origin.port, resolution));
  const bool in_time = co_await resolution->done.wait_for(limit);
  if (!in_time) {
    co_return fail(ErrorCode::Unavailable, fmt::format("{}: no name server answered", origin.host));
  }
  if (resolution->ec || resolution->endpoints.empty()) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("{}: {}", origin.host, resolution->ec.message()));
  }
  co_return std::move(resolution->endpoints);
}

// HTTP/2's preface and an empty SETTINGS frame. RFC 9113, 3.4: the server's first frame is SETTINGS
// too, so a frame's type tells. Servers of HTTP/1.1 refuse the preface, each in its own way.
constexpr std::string_view kGreeting{
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    "\0\0\0\4\0\0\0\0\0",
    33};
constexpr std::size_t kFrameType = 3;  // where it stands in a frame
constexpr char kSettings = 4;

}  // namespace

struct ClientPool::State {
  State(Loop& its_loop, ClientOptions its_options, Timeouts its_timeouts,
        std::unique_ptr<ClientTls> its_tls)
      : loop(its_loop),
        options(std::move(its_options)),
        timeouts(its_timeouts),
        tls(std::move(its_tls)),
        sweep(loop, std::chrono::milliseconds(100)) {}

  Loop& loop;
  ClientOptions options;
  Timeouts timeouts;
  std::unique_ptr<ClientTls> tls;
  DeadlineSweep sweep;
  std::map<Origin, std::vector<std::unique_ptr<ClientConnection>>, OriginOrder> idle;
  std::map<Origin, bool, OriginOrder> http2;  // whether a server without TLS speaks it
};

Result<std::unique_ptr<ClientPool>> ClientPool::make(Loop& loop, ClientOptions options,
                                                     Timeouts timeouts) {
  REMIT_TRY(auto tls, ClientTls::make(loop, options.ca_file));
  auto state = std::make_unique<State>(loop, std::move(options), timeouts, std::move(tls));
  return std::unique_ptr<ClientPool>(new ClientPool(std::move(state)));
}

ClientPool::ClientPool(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientPool::~ClientPool() = default;

ClientPool::Lease ClientPool::acquire_idle(const Origin& origin) {
  const auto found = state_->idle.find(origin);
  while (found != state_->idle.end() && !found->second.empty()) {
    auto connection = std::move(found->second.back());
    found->second.pop_back();
    if (!connection->is_quiet()) continue;  // closed, or spoke out of turn: not used again
    connection->clear_deadline();
    return {std::move(connection), true};
  }
  return {};
}

Task<Result<ClientPool::Lease>> ClientPool::acquire(const Origin& origin, Use use) {
  if (use == Use::AnyConnection) {
    Lease lease = acquire_idle(origin);
    if (lease.connection) co_return lease;
  }
  auto stream = co_await connect(origin, false);
  if (!stream) co_return std::unexpected(std::move(stream).error());
  Lease lease;
  lease.connection =
      std::make_unique<ClientConnection>(*std::move(stream), state_->sweep, state_->timeouts);
  co_return lease;
}

Task<Result<ClientPool::Lease>> ClientPool::acquire_http2(const Origin& origin) {
  bool http2 = false;
  if (!origin.tls) {
    REMIT_CO_TRY(http2, co_await greets_as_http2(origin));
  }
  auto stream = co_await connect(origin, true);
  if (!stream) co_return std::unexpected(std::move(stream).error());
  Lease lease;
  if (http2 || stream->is_http2()) {
    lease.connection =
        start_http2_client(state_->loop, *std::move(stream), state_->sweep, state_->timeouts);
  } else {
    lease.connection =
        std::make_unique<ClientConnection>(*std::move(stream), state_->sweep, state_->timeouts);
  }
  co_return lease;
}

Task<Result<bool>> ClientPool::greets_as_http2(const Origin& origin) {
  if (const auto known = state_->http2.find(origin); known != state_->http2.end()) {
    co_return known->second;
  }
  auto stream = co_await connect(origin, false);
  if (!stream) co_return std::unexpected(std::move(stream).error());
  bool late = false;
  Deadline deadline(state_->sweep, [&late, &stream] {
    late = true;
    stream->close();
  });
  deadline.arm(state_->options.connect_timeout);
  boost::system::error_code ended = co_await stream->write(kGreeting, {});
  std::array<char, kFrameType + 1> answer{};
  std::size_t size = 0;
  while (!ended && size < answer.size()) {
    const auto rest = asio::buffer(answer) + size;
    const auto [ec, n] = co_await stream->read_some(rest);
    ended = ec;
    size += n;
  }
  if (late) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("{}:{} took the connection and says nothing, neither as HTTP/2 nor "
                               "as HTTP/1.1",
                               origin.host, origin.port));
  }
  // Who only hangs up may be a server that is going down: not remembered.
  if (size == 0) co_return false;
  const bool http2 = size == answer.size() && answer[kFrameType] == kSettings;
  state_->http2[origin] = http2;
  co_return http2;
}

Task<Result<Stream>> ClientPool::connect(Origin origin, bool offer_http2) {
  const auto limit = state_->options.connect_timeout;
  if (origin.tls) state_->tls->prepare();
  auto endpoints = co_await endpoints_of(origin, limit);
  if (!endpoints) co_return std::unexpected(std::move(endpoints).error());
  Socket socket(state_->loop);
  bool late = false;
  Deadline deadline(state_->sweep, [&late, &socket] {
    late = true;
    boost::system::error_code ignored;
    socket.close(ignored);
  });
  deadline.arm(limit);
  boost::system::error_code failure;
  for (const Endpoint& endpoint : *endpoints) {
    auto [ec] = co_await socket.async_connect(endpoint, kAwait);
    failure = ec;
    if (!ec || late) break;
    boost::system::error_code ignored;
    socket.close(ignored);
  }
  deadline.disarm();
  if (failure || late) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("connect to {}:{}: {}", origin.host, origin.port,
                               late ? "no answer in time" : failure.message()));
  }
  Stream stream(std::move(socket));
  if (origin.tls) {
    REMIT_CO_TRY(const auto context, co_await state_->tls->context(limit));
    Deadline handshake(state_->sweep, [&late, &stream] {
      late = true;
      stream.close();
    });
    handshake.arm(limit);
    auto started = co_await stream.start_tls_client(context, origin.host, offer_http2);
    if (!started) co_return std::unexpected(std::move(started).error());
  }
  co_return std::move(stream);
}

void ClientPool::release(const Origin& origin, std::unique_ptr<ClientConnection> connection) {
  if (!connection->reusable()) return;
  auto& idle = state_->idle[origin];
  if (idle.size() >= state_->options.max_idle_per_origin) return;
  connection->set_deadline(state_->options.idle_limit);
  idle.push_back(std::move(connection));
}

std::size_t ClientPool::idle() const {
  std::size_t all = 0;
  for (const auto& [origin, connections] : state_->idle) all += connections.size();
  return all;
}

}  // namespace remit::net
