#include "gateway/egress/metadata.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/scrub.h"
#include "gateway/egress/records.h"
#include "net/server.h"

namespace remit::gateway {
namespace {

constexpr std::size_t kMaxConnections = 64;  // of one lane
constexpr int kHops = 1;                     // as AWS answers by default: no router passes it on

struct Door {
  std::shared_ptr<EgressService> service;
  std::shared_ptr<Lane> lane;
  MayAsk may_ask;
  std::uint16_t port = 0;
};

bool is_own(const Door& door, std::string_view authority) {
  return authority == fmt::format("127.0.0.1:{}", door.port) ||
         authority == fmt::format("localhost:{}", door.port);
}

CredentialAnswer not_for_you(const Door& door, int status, std::string reason) {
  return CredentialEndpoint::refusal(status, std::move(reason), door.lane);
}

CredentialAnswer answer_of(const Door& door, net::ServerConnection& client,
                           const http::RequestHead& head, bool& known) {
  if (!is_own(door, http::find(head.fields, "host")->value)) {
    return not_for_you(door, 421, "metadata were asked for by another host's name");
  }
  if (!known) {
    const auto peer = client.stream().peer_socket();
    known = peer && door.may_ask(*peer);
    if (!known) {
      client.close_after_exchange();  // each look goes through all of the lane's processes
      return not_for_you(door, 403,
                         peer ? fmt::format("metadata were asked for by a process of user {} that "
                                            "this lane did not start",
                                            peer->user)
                              : "the system does not tell who asks for metadata");
    }
  }
  const CredentialParts parts{.clock = door.service->parts.clock,
                              .random = door.service->parts.random,
                              .lanes = door.service->parts.lanes,
                              .derived = *door.service->derived};
  return door.service->credentials.metadata(parts, head, door.lane);
}

net::Task<> serve(std::shared_ptr<const Door> door, net::ServerConnection& client) {
  http::RequestHead head;
  bool known = false;
  while (true) {
    auto more = co_await client.read_request(head);
    CredentialAnswer answer;
    if (!more && more.error().code != ErrorCode::Unavailable) {
      head = {};
      client.close_after_exchange();
      answer = not_for_you(*door, 400, std::move(more).error().message);
    } else if (!more || !*more) {
      co_return;
    } else {
      answer = answer_of(*door, client, head, known);
    }
    http::RequestHead told{head.method, head.target, head.version, {}};
    co_await send_credentials(*door->service, client, std::move(answer), std::move(told));
    if (!co_await client.finish_exchange()) co_return;
  }
}

class OpenDoor final : public MetadataDoor {
 public:
  explicit OpenDoor(std::unique_ptr<net::Server> server) : server_(std::move(server)) {}
  std::uint16_t port() const override { return server_->port(); }

 private:
  std::unique_ptr<net::Server> server_;
};

}  // namespace

Result<std::unique_ptr<MetadataDoor>> open_metadata_door(std::shared_ptr<EgressService> service,
                                                         std::shared_ptr<Lane> lane,
                                                         MayAsk may_ask) {
  net::ServerOptions options;
  options.max_connections = kMaxConnections;
  options.timeouts = service->options.timeouts;
  options.tick = service->options.tick;
  options.hops = kHops;
  auto door = std::make_shared<Door>(std::move(service), std::move(lane), std::move(may_ask));
  auto handler = [door](net::ServerConnection& client) { return serve(door, client); };
  REMIT_TRY(auto server, net::Server::listen(door->service->parts.loop, options, handler));
  door->port = server->port();
  return std::make_unique<OpenDoor>(std::move(server));
}

net::Task<> send_credentials(EgressService& service, net::ServerConnection& client,
                             CredentialAnswer answer, http::RequestHead told) {
  if (!client.body_done()) client.close_after_exchange();  // nothing here takes a body
  if (!answer.refused.empty()) {
    const Refusal refusal{{}, {}, "credentials", {}, std::move(answer.refused)};
    service.parts.log.info("egress-refused",
                           {{"layer", refusal.layer}, {"reason", refusal.message}});
    append(service, ledger::Kind::Refused, {},
           refused_body(answer.lane ? std::string_view(answer.lane->upstream()) : "", "", told,
                        refusal));
  }
  http::Fields fields = std::move(answer.more);
  fields.push_back({"Content-Type", std::string(answer.content_type)});
  fields.push_back({"Cache-Control", "no-store"});
  [[maybe_unused]] auto answered = co_await client.respond(
      answer.status, std::move(fields), answer.body, net::ServerConnection::After::KeepAlive);
  wipe(answer.body.data(), answer.body.size());
}

}  // namespace remit::gateway
