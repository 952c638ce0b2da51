#pragma once

// All upstreams of the configuration: their lanes and their tools. Finds out at start, in the
// background, which tools each has; an upstream that does not start is reported, its tools are
// absent, and it is tried again.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/agent.h"
#include "gateway/journal.h"
#include "gateway/lane_pool.h"
#include "gateway/sessions.h"
#include "gateway/toolbox.h"
#include "remit/config.h"
#include "remit/session.h"

namespace remit::gateway {

// What every lane's process is told, as far as it is known before an agent comes.
struct LaneSetting {
  std::uint16_t egress_port = 0;
  std::string ca_pem;
  std::string directory;  // private directories of lanes are made below it
  std::string version;
  std::shared_ptr<const Supervisor> supervisor;
  OpenMetadata open_metadata = nullptr;  // null: no upstream may have `credentials: imds`
};

// All must outlive the Upstreams.
struct UpstreamParts {
  net::Loop& loop;
  const Clock& clock;
  Random& random;
  Log& log;
  LaneTable& lanes;
  rules::Planner& planner;
  Sessions& sessions;
  Journal& journal;
  Toolbox& toolbox;
};

class Upstreams final : public LaneHost {
 public:
  Upstreams(UpstreamParts parts, std::shared_ptr<const rules::Config> config, LaneSetting setting);

  // Starts discovery. `agent` must outlive the Upstreams and have said who it is.
  void begin(Agent& agent);
  // Returns when each upstream's tools are known or it is known to have failed.
  net::Task<> known();

  LanePool* find(std::string_view upstream);
  void wake();                             // LanePool::wake of all
  void set_log_level(std::string params);  // logging/setLevel, for all processes now and later
  void roots_changed();
  net::Task<> drain(std::chrono::milliseconds patience);

  Facts facts() const override;
  Result<std::unique_ptr<MetadataDoor>> open_metadata(std::shared_ptr<Lane> lane,
                                                      MayAsk may_ask) override;
  net::Task<Result<std::shared_ptr<Call>>> startup_call(const rules::Upstream& upstream) override;
  std::unique_ptr<UpstreamEvents> listen(std::weak_ptr<LaneProcess> process) override;

 private:
  struct Server {
    Server(net::Loop& loop, PoolParts pool_parts, const rules::Upstream& upstream)
        : pool(pool_parts, upstream), known(loop) {}
    LanePool pool;
    net::Event known;
  };

  net::Task<> discover(Server& server);
  net::Task<> relist(Server& server, std::shared_ptr<LaneProcess> process);
  static net::Task<Result<>> read_tools(Upstreams& self, std::string upstream, LaneProcess& process,
                                        std::chrono::milliseconds limit);
  void tools_are(std::string_view upstream, const std::vector<std::string>& definitions);
  net::Task<> sweep();
  template <class Visit>
  void each_process(Visit visit);

  UpstreamParts parts_;
  std::shared_ptr<const rules::Config> config_;
  LaneSetting setting_;
  Agent* agent_ = nullptr;
  std::map<std::string, std::unique_ptr<Server>, std::less<>> servers_;
  std::string log_level_;  // params of logging/setLevel; empty: never set
  std::shared_ptr<bool> draining_ = std::make_shared<bool>(false);
};

// A new call id: the time, then randomness, in the order of time.
std::string make_call_id(const Clock& clock, Random& random);

// Fills what a call's facts take from its plan and credentials.
void add_session_facts(CallFacts& facts, const rules::SessionPlan& plan,
                       const SessionCredentials& credentials);

}  // namespace remit::gateway
