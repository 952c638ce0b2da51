#include "gateway/egress/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/scrub.h"
#include "gateway/egress/forward.h"
#include "gateway/egress/metadata.h"
#include "gateway/egress/records.h"
#include "net/http2_server.h"

namespace remit::gateway {
namespace {

using After = net::ServerConnection::After;

constexpr std::size_t kKeptBody = 64 << 10;

bool lists(const std::vector<std::string>& hosts, std::string_view host) {
  return std::ranges::find(hosts, host) != hosts.end();
}

// Holds a share of the service: streams may outlive the connection when everything stops at once.
net::Task<> serve_stream(std::shared_ptr<EgressService> service, net::ServerConnection& stream,
                         std::optional<EgressConnection::Tunnel> tunnel) {
  EgressConnection connection(*service, stream, std::move(tunnel));
  co_await connection.run();
}

}  // namespace

net::Task<> EgressConnection::serve_streams() {
  net::Http2Serving serving;
  serving.serve = [service = service_.shared_from_this(), tunnel = tunnel_](auto& stream) {
    return serve_stream(service, stream, tunnel);
  };
  serving.malformed = [this](std::string_view reason) { note_malformed(std::string(reason)); };
  co_await net::serve_http2(service_.parts.loop, client_, std::move(serving));
}

// A request over HTTP/2 that was refused by its form: its stream, or the connection, was reset.
void EgressConnection::note_malformed(std::string reason) {
  head_ = {};
  const Refusal refusal{{}, {}, "HTTP", {}, std::move(reason)};
  service_.parts.log.info("egress-refused",
                          {{"layer", refusal.layer}, {"reason", refusal.message}});
  append(service_, ledger::Kind::Refused, {},
         refused_body(tunnel_ ? std::string_view(tunnel_->lane->upstream()) : "",
                      tunnel_ ? std::string_view(tunnel_->origin.host) : "", head_, refusal));
}

// HTTP/2 where AWS's own endpoints need it; elsewhere it would only cost time.
net::PrivateCa::Spoken EgressConnection::spoken_at(const Tunnel& tunnel) const {
  using Spoken = net::PrivateCa::Spoken;
  return aws::takes_event_streams(service_.parts.catalogue, tunnel.origin.host) ? Spoken::Http2Too
                                                                                : Spoken::Http11;
}

EgressConnection::~EgressConnection() {
  for (http::Field& field : head_.fields) scrub(field.value);
}

net::Task<> EgressConnection::run() {
  while (true) {
    auto more = co_await client_.read_request(head_);
    if (!more && client_.begins_http2()) co_return co_await serve_streams();
    if (!more && more.error().code != ErrorCode::Unavailable) {
      head_ = {};  // whatever was read of it means nothing
      Refusal refusal{{}, {}, "HTTP", {}, std::move(more).error().message};
      client_.close_after_exchange();
      co_await refuse_plain(400, std::move(refusal), tunnel_ ? &tunnel_->origin : nullptr,
                            tunnel_ ? tunnel_->lane : nullptr);
      co_await client_.finish_exchange();
      co_return;
    }
    if (!more || !*more) co_return;
    if (is_stream_) head_.version = 20;
    const bool had_tunnel = tunnel_.has_value();
    co_await answer_request();
    exchange_.reset();
    if (!had_tunnel && tunnel_) {
      auto context = service_.ca.context_for(tunnel_->origin.host, spoken_at(*tunnel_));
      if (!context) co_return;
      auto started = co_await client_.start_tls(*std::move(context));
      if (!started) {
        service_.parts.log.info("egress-tls-failed", {{"host", tunnel_->origin.host},
                                                      {"reason", started.error().message}});
        co_return;
      }
      if (client_.begins_http2()) co_return co_await serve_streams();
      continue;
    }
    if (!client_.exchange_finished() && !co_await client_.finish_exchange()) co_return;
    // A connection at rest keeps only a little of what a large request needed.
    if (scratch_.body.capacity() > kKeptBody) scratch_.body = {};
  }
}

std::shared_ptr<Lane> EgressConnection::lane_of_proxy_credentials() const {
  if (http::count(head_.fields, "proxy-authorization") != 1) return nullptr;
  const std::string& value = http::find(head_.fields, "proxy-authorization")->value;
  if (value.size() < 6 || !equals_ignoring_ascii_case(value.substr(0, 6), "basic ")) return nullptr;
  const auto text = unbase64(trim_ascii(std::string_view(value).substr(6)));
  if (!text) return nullptr;
  const std::size_t colon = text->find(':');
  if (colon == std::string::npos) return nullptr;
  const std::string_view all = *text;
  return service_.parts.lanes.by_proxy_credentials(all.substr(0, colon), all.substr(colon + 1));
}

// By which names a client may call this listener. Any other name could be read as a bucket.
bool EgressConnection::is_own(std::string_view authority) const {
  if (authority == service_.own_authority) return true;
  const std::size_t colon = service_.own_authority.rfind(':');
  const std::string port = service_.own_authority.substr(colon);
  return authority == "localhost" + port || authority == "[::1]" + port;
}

// Not a coroutine itself: one frame less on the hot path.
net::Task<> EgressConnection::answer_request() {
  if (head_.method == "CONNECT") return open_tunnel();
  if (tunnel_) return answer_tunnelled();
  if (head_.target.starts_with("http://") || head_.target.starts_with("https://")) {
    return answer_proxied();
  }
  if (!head_.target.starts_with('/') || !is_own(http::find(head_.fields, "host")->value)) {
    Refusal refusal{{}, {}, "host", {}, "the request is for a host that is not this endpoint"};
    return refuse_plain(421, std::move(refusal), nullptr, nullptr);
  }
  return answer({});
}

net::Task<> EgressConnection::answer_tunnelled() {
  origin_ = tunnel_->origin;
  const std::string& host = http::find(head_.fields, "host")->value;
  const auto named = net::parse_authority(host, 443);
  if (!head_.target.starts_with('/') || !named || named->host != origin_.host ||
      named->port != origin_.port) {
    Refusal refusal{{}, {}, "host", {}, "the request names another host than its tunnel"};
    return refuse_plain(421, std::move(refusal), &origin_, tunnel_->lane);
  }
  return answer({&origin_, tunnel_->lane});
}

net::Task<> EgressConnection::answer_proxied() {
  Via via;
  if (!co_await read_proxied(origin_, via.lane)) co_return;
  if (via.lane) via.connect = &origin_;
  co_await answer(std::move(via));
}

net::Task<> EgressConnection::answer(Via via) {
  if (via.connect == nullptr && CredentialEndpoint::is_target(head_.target)) {
    return answer_credentials();
  }
  if (via.connect != nullptr && !aws::has_signature(head_)) {
    return public_read(origin_, std::move(via.lane));
  }
  exchange_.emplace(service_, client_, head_, std::move(via), scratch_);
  return exchange_->run();
}

net::Task<> EgressConnection::answer_credentials() {
  CredentialParts parts{.clock = service_.parts.clock,
                        .random = service_.parts.random,
                        .lanes = service_.parts.lanes,
                        .derived = *service_.derived};
  CredentialAnswer answer = service_.credentials.answer(parts, head_);
  http::RequestHead told{head_.method, head_.target, head_.version, {}};
  co_await send_credentials(service_, client_, std::move(answer), std::move(told));
}

net::Task<> EgressConnection::open_tunnel() {
  auto lane = lane_of_proxy_credentials();
  auto origin = net::parse_authority(head_.target, 0);
  if (tunnel_ || !origin || origin->port == 0 || !client_.body_done()) {
    client_.close_after_exchange();
    co_await refuse_plain(400, Refusal{{}, {}, "HTTP", {}, "malformed CONNECT"}, nullptr, lane);
    co_return;
  }
  if (!lane) {
    co_await ask_for_proxy_credentials();
    co_return;
  }
  origin->tls = true;
  auto sent = co_await client_.accept_connect("Connection established");
  if (sent) tunnel_ = Tunnel{*std::move(origin), std::move(lane)};
}

// Java and Rust send even loopback http:// through HTTP_PROXY, in absolute form: a request for this
// listener is then an endpoint request like any other.
net::Task<bool> EgressConnection::read_proxied(net::Origin& origin, std::shared_ptr<Lane>& lane) {
  auto url = net::parse_url(head_.target);
  const std::string& host = http::find(head_.fields, "host")->value;
  if (!url || url->origin.tls || !equals_ignoring_ascii_case(host, url->authority)) {
    co_await refuse_plain(
        400, Refusal{{}, {}, "host", {}, "malformed URL, https without CONNECT, or another Host"},
        nullptr, nullptr);
    co_return false;
  }
  if (is_own(url->authority)) {
    head_.target = url->target;
    co_return true;
  }
  lane = lane_of_proxy_credentials();
  if (!lane) {
    co_await ask_for_proxy_credentials();
    co_return false;
  }
  head_.target = url->target;
  origin = url->origin;
  co_return true;
}

net::Task<> EgressConnection::public_read(const net::Origin& origin, std::shared_ptr<Lane> lane) {
  const bool reads = head_.method == "GET" || head_.method == "HEAD";
  const bool bodyless = client_.body_done();
  const auto call = lane->in_force();
  if (!lists(lane->public_hosts(), origin.host) || !reads || !bodyless) {
    Refusal refusal;
    refusal.layer = "foreign host";
    refusal.message = fmt::format("{} {} without an AWS signature: {}", head_.method, origin.host,
                                  lists(lane->public_hosts(), origin.host)
                                      ? "only GET and HEAD may pass"
                                      : "the host is not among the upstream's public_hosts");
    co_await refuse_plain(403, std::move(refusal), &origin, std::move(lane));
    co_return;
  }
  const auto kind = call && call->facts().kind == CallKind::Tool ? ledger::Kind::AwsDecided
                                                                 : ledger::Kind::StartupDecided;
  auto durable = co_await append_and_wait(service_, kind, call ? call->facts().id : std::string(),
                                          public_read_body(lane->upstream(), origin.host, head_));
  if (!durable) {
    Refusal refusal{{}, {}, "ledger", {}, std::move(durable).error().message};
    co_await refuse_plain(503, std::move(refusal), &origin, std::move(lane));
    co_return;
  }
  const Destination destination = service_.endpoints.resolve_public(origin);
  strip_connection_fields(head_.fields, false);
  http::remove(head_.fields, "cookie");
  http::set(head_.fields, "Host", destination.authority);
  Outgoing outgoing;
  outgoing.head = &head_;
  Forwarded done;
  const auto started = service_.parts.clock.steady();
  co_await forward(service_, client_, destination, outgoing, call.get(), scratch_.answer, done);
  if (call) {  // as for AWS: how it ended is told in the story of the call
    const auto took = service_.parts.clock.steady() - started;
    service_.answers.add(call, done_of(*durable, done, took));
  }
  if (done.answer_started || !client_.is_open()) co_return;
  [[maybe_unused]] auto answered = co_await client_.respond(
      502, {{"Content-Type", "text/plain"}},
      fmt::format("Remit: {} did not answer: {}\n", origin.host, done.error), After::KeepAlive);
}

net::Task<> EgressConnection::ask_for_proxy_credentials() {
  http::Fields fields = {{"Proxy-Authenticate", "Basic realm=\"remit\""},
                         {"Content-Type", "text/plain"}};
  [[maybe_unused]] auto answered = co_await client_.respond(
      407, std::move(fields), "Remit: this proxy serves only processes that Remit started\n",
      After::KeepAlive);
}

net::Task<> EgressConnection::refuse_plain(int status, Refusal refusal, const net::Origin* origin,
                                           std::shared_ptr<Lane> lane) {
  service_.parts.log.info("egress-refused",
                          {{"layer", refusal.layer}, {"reason", refusal.message}});
  const auto call = lane ? lane->in_force() : nullptr;
  append(service_, ledger::Kind::Refused, call ? call->facts().id : std::string(),
         refused_body(lane ? std::string_view(lane->upstream()) : std::string_view(),
                      origin != nullptr ? std::string_view(origin->host) : std::string_view(),
                      head_, refusal));
  const std::string text = fmt::format("Remit: {}\n", refusal.message);
  if (call) call->refused(std::move(refusal));
  [[maybe_unused]] auto answered =
      co_await client_.respond(status, {{"Content-Type", "text/plain"}}, text, After::KeepAlive);
}

}  // namespace remit::gateway
