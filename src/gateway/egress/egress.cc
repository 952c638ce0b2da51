#include "gateway/egress/egress.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/egress/connection.h"
#include "gateway/egress/metadata.h"
#include "gateway/egress/service.h"
#include "net/server.h"

namespace remit::gateway {
namespace {

class RunningEgress final : public Egress {
 public:
  explicit RunningEgress(std::shared_ptr<EgressService> service) : service_(std::move(service)) {}

  Result<> listen() {
    net::ServerOptions options;
    options.address = service_->options.address;
    options.port = service_->options.port;
    options.max_connections = service_->options.max_connections;
    options.timeouts = service_->options.timeouts;
    options.tick = service_->options.tick;
    auto service = service_;
    REMIT_TRY(server_, net::Server::listen(service_->parts.loop, options,
                                           [service](net::ServerConnection& client) {
                                             return serve(service, client);
                                           }));
    service_->own_authority = fmt::format("{}:{}", options.address, server_->port());
    return {};
  }

  std::uint16_t port() const override { return server_->port(); }
  const std::string& ca_pem() const override { return service_->ca.ca_pem(); }
  Result<std::unique_ptr<MetadataDoor>> open_metadata(std::shared_ptr<Lane> lane,
                                                      MayAsk may_ask) override {
    return open_metadata_door(service_, std::move(lane), std::move(may_ask));
  }
  std::size_t end_derived(const std::function<bool(const CallFacts& facts)>& fits) override {
    return service_->derived->end(fits);
  }
  void stop() override { server_->stop(); }

 private:
  static net::Task<> serve(std::shared_ptr<EgressService> service, net::ServerConnection& client) {
    EgressConnection connection(*service, client);
    co_await connection.run();
  }

  std::shared_ptr<EgressService> service_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace

Result<std::unique_ptr<Egress>> Egress::start(EgressParts parts, EgressOptions options) {
  REMIT_TRY(auto endpoints, Endpoints::make(options.endpoints));
  // AWS may take its time to answer: a synchronous Lambda function runs up to 15 minutes, and an
  // event stream may be silent for long. The call's own limit ends what takes too long.
  net::Timeouts towards_aws = options.timeouts;
  towards_aws.answer = options.answer_limit;
  towards_aws.stall = options.answer_limit;
  REMIT_TRY(auto pool, net::ClientPool::make(parts.loop, options.client, towards_aws));
  REMIT_TRY(auto ca, net::PrivateCa::make(parts.clock));
  if (options.unsafe_decision_off) {
    parts.log.warn("UNSAFE: Remit's own check of AWS requests is SWITCHED OFF; for tests only");
  }
  auto service = std::make_shared<EgressService>(parts, std::move(options), std::move(endpoints),
                                                 std::move(pool), std::move(ca));
  auto egress = std::make_unique<RunningEgress>(std::move(service));
  REMIT_CHECKED(egress->listen());
  return egress;
}

}  // namespace remit::gateway
