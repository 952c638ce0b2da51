#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <utility>

#include "base/encoding.h"
#include "base/scrub.h"
#include "net/deadline.h"
#include "net/pool.h"

namespace remit::net {
namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc() || end != text.data() + text.size() || port == 0) {
    return fail(ErrorCode::InvalidInput, fmt::format("not a port: \"{}\"", text));
  }
  return port;
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!plain) return false;
  }
  return true;
}

}  // namespace

Result<Origin> parse_authority(std::string_view authority, std::uint16_t default_port) {
  Origin origin;
  origin.port = default_port;
  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == authority.npos) return fail(ErrorCode::InvalidInput, "unclosed '[' in host");
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else if (const std::size_t colon = authority.find(':'); colon != authority.npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (!port.empty()) {
    if (port.front() != ':') return fail(ErrorCode::InvalidInput, "malformed host");
    REMIT_TRY(origin.port, parse_port(port.substr(1)));
  }
  origin.host = lower_ascii(host);
  boost::system::error_code not_address;
  boost::asio::ip::make_address(origin.host, not_address);
  const bool bracketed = authority.starts_with('[');
  if (bracketed ? not_address.failed() || origin.host.find(':') == std::string::npos
                : !is_host(origin.host)) {
    return fail(ErrorCode::InvalidInput, fmt::format("malformed host \"{}\"", authority));
  }
  return origin;
}

std::string authority_of(const Origin& origin) {
  const bool v6 = origin.host.find(':') != std::string::npos;
  std::string text = v6 ? fmt::format("[{}]", origin.host) : origin.host;
  if (origin.port != (origin.tls ? 443 : 80)) text += fmt::format(":{}", origin.port);
  return text;
}

Result<Url> parse_url(std::string_view url) {
  Url parsed;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    parsed.origin.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return fail(ErrorCode::InvalidInput, fmt::format("not an http:// or https:// URL: {}", url));
  }
  const std::size_t end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, end);
  const std::string_view target = end == rest.npos ? std::string_view() : rest.substr(end);
  if (authority.find('@') != authority.npos || target.find('#') != target.npos) {
    return fail(ErrorCode::InvalidInput, "URL with user information or a fragment");
  }
  const bool tls = parsed.origin.tls;
  REMIT_TRY(parsed.origin, parse_authority(authority, tls ? 443 : 80));
  parsed.origin.tls = tls;
  parsed.authority = authority_of(parsed.origin);
  parsed.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  if (!is_target(parsed.target)) {
    return fail(ErrorCode::InvalidInput, "URL with bytes that need percent-encoding");
  }
  return parsed;
}

namespace {

class ScrubRequest {
 public:
  ScrubRequest(http::RequestHead& head, std::string& body) : head_(head), body_(body) {}
  ScrubRequest(const ScrubRequest&) = delete;
  ScrubRequest& operator=(const ScrubRequest&) = delete;
  ~ScrubRequest() {
    for (http::Field& field : head_.fields) scrub(field.value);
    scrub(body_);
  }

 private:
  http::RequestHead& head_;
  std::string& body_;
};

class PooledHttpClient final : public HttpClient {
 public:
  PooledHttpClient(Loop& loop, std::unique_ptr<ClientPool> pool, std::size_t max_body)
      : pool_(std::move(pool)), max_body_(max_body), sweep_(loop, std::chrono::milliseconds(50)) {}

  Task<Result<Response>> request(std::string url, std::string method, http::Fields fields,
                                 std::string body, std::chrono::milliseconds timeout) override {
    auto parsed = parse_url(url);
    if (!parsed) co_return std::unexpected(std::move(parsed).error());
    http::RequestHead head;
    head.method = std::move(method);
    head.target = parsed->target;
    head.fields = std::move(fields);
    // What this process asks for itself may carry tokens, in a field or in the body.
    const ScrubRequest scrub_request(head, body);
    if (http::find(head.fields, "host") == nullptr) {
      head.fields.insert(head.fields.begin(), http::Field{"Host", parsed->authority});
    }
    const Origin origin = parsed->origin;
    auto lease = co_await pool_->acquire(origin, ClientPool::Use::AnyConnection);
    if (!lease) co_return std::unexpected(std::move(lease).error());
    auto answer = co_await exchange(*lease->connection, head, body, timeout);
    // A connection at rest may have been closed in the meantime. Trying again is safe only as
    // long as nothing of a body left and nothing came back.
    if (!answer && lease->reused && body.empty() && !lease->connection->answered() &&
        !lease->connection->timed_out()) {
      lease = co_await pool_->acquire(origin, ClientPool::Use::NewConnection);
      if (!lease) co_return std::unexpected(std::move(lease).error());
      answer = co_await exchange(*lease->connection, head, body, timeout);
    }
    if (!answer) co_return wrap(parsed->authority, std::move(answer).error());
    pool_->release(origin, std::move(lease->connection));
    co_return answer;
  }

 private:
  Task<Result<Response>> exchange(ClientConnection& connection, const http::RequestHead& head,
                                  const std::string& body, std::chrono::milliseconds timeout) {
    bool late = false;
    Deadline whole(sweep_, [&late, &connection] {
      late = true;
      connection.close();
    });
    whole.arm(timeout);
    auto answer = co_await send_and_read(connection, head, body);
    if (!answer && late) co_return fail(ErrorCode::Unavailable, "no answer in time");
    co_return answer;
  }

  Task<Result<Response>> send_and_read(ClientConnection& connection, const http::RequestHead& head,
                                       const std::string& body) {
    const bool sends_length = !body.empty() || head.method == "POST" || head.method == "PUT";
    const Framing framing{sends_length ? Framing::Kind::Length : Framing::Kind::None, body.size()};
    REMIT_CO_CHECKED(connection.start_request(head, framing));
    REMIT_CO_CHECKED(co_await connection.write_body(body));
    REMIT_CO_CHECKED(co_await connection.finish_body());
    Response response;
    REMIT_CO_CHECKED(co_await connection.read_response(response.head));
    // It may hold credentials: the receiver wipes it, and cannot wipe what growing leaves behind.
    const Framing& incoming = connection.incoming();
    if (incoming.kind == Framing::Kind::Length)
      response.body.reserve(std::min<std::uint64_t>(incoming.length, max_body_));
    while (!connection.body_done()) {
      auto piece = co_await connection.read_body();
      if (!piece) co_return std::unexpected(std::move(piece).error());
      if (response.body.size() + piece->size() > max_body_) {
        co_return fail(ErrorCode::LimitExceeded,
                       fmt::format("answer larger than {} bytes", max_body_));
      }
      response.body.append(*piece);
    }
    co_return response;
  }

  std::unique_ptr<ClientPool> pool_;
  std::size_t max_body_;
  DeadlineSweep sweep_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_http_client(Loop& loop, ClientOptions options) {
  const std::size_t max_body = options.max_whole_body;
  REMIT_TRY(auto pool, ClientPool::make(loop, std::move(options)));
  return std::make_unique<PooledHttpClient>(loop, std::move(pool), max_body);
}

}  // namespace remit::net
