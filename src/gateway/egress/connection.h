#pragma once

// One client connection of egress: endpoint requests, proxied requests, CONNECT and what comes
// through the tunnel. Over HTTP/2 every stream is served as a connection of its own. Internal to
// src/gateway/egress.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/egress/exchange.h"
#include "gateway/egress/service.h"
#include "net/channel.h"

namespace remit::gateway {

class EgressConnection {
 public:
  struct Tunnel {
    net::Origin origin;
    std::shared_ptr<Lane> lane;
  };

  EgressConnection(EgressService& service, net::ServerConnection& client)
      : service_(service), client_(client) {}
  // A stream of HTTP/2, maybe within a tunnel.
  EgressConnection(EgressService& service, net::ServerConnection& stream,
                   std::optional<Tunnel> tunnel)
      : service_(service), client_(stream), tunnel_(std::move(tunnel)), is_stream_(true) {}
  EgressConnection(const EgressConnection&) = delete;
  EgressConnection& operator=(const EgressConnection&) = delete;
  // Wipes the head of the last request: signed for AWS, it carries the session's token.
  ~EgressConnection();

  net::Task<> run();

 private:
  net::Task<> serve_streams();
  void note_malformed(std::string reason);
  net::Task<> answer_request();
  net::Task<> answer_tunnelled();
  net::Task<> answer_proxied();
  net::Task<> answer(Via via);
  net::Task<> open_tunnel();
  net::PrivateCa::Spoken spoken_at(const Tunnel& tunnel) const;
  net::Task<> answer_credentials();
  // True: `origin` and `lane` say where the request wants to go. False: it was answered already.
  net::Task<bool> read_proxied(net::Origin& origin, std::shared_ptr<Lane>& lane);
  net::Task<> public_read(const net::Origin& origin, std::shared_ptr<Lane> lane);
  net::Task<> ask_for_proxy_credentials();
  net::Task<> refuse_plain(int status, Refusal refusal, const net::Origin* origin,
                           std::shared_ptr<Lane> lane);
  std::shared_ptr<Lane> lane_of_proxy_credentials() const;
  bool is_own(std::string_view authority) const;

  EgressService& service_;
  net::ServerConnection& client_;
  http::RequestHead head_;
  Scratch scratch_;
  std::optional<Exchange> exchange_;  // here, not in a frame: it is large
  std::optional<Tunnel> tunnel_;
  net::Origin origin_;  // that the request being answered is for, when it is not the endpoint's
  bool is_stream_ = false;
};

}  // namespace remit::gateway
