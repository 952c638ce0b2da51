#pragma once

// Carries what an upstream says unasked to the agent: progress and log messages, questions
// (sampling, elicitation, roots) and their answers. Ids and tokens are mapped: neither side sees
// the other's.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/log.h"
#include "gateway/agent.h"
#include "gateway/connection.h"
#include "gateway/lane_process.h"

namespace remit::gateway {

class Relay final : public UpstreamEvents {
 public:
  // `tools_changed` is called when the upstream says that its list of tools is another one. `loop`,
  // `agent` and `log` must outlive the relay.
  Relay(net::Loop& loop, Agent& agent, Log& log, std::weak_ptr<LaneProcess> process,
        std::function<void(std::shared_ptr<LaneProcess>)> tools_changed)
      : loop_(loop),
        agent_(agent),
        log_(log),
        process_(std::move(process)),
        tools_changed_(std::move(tools_changed)),
        questions_(std::make_shared<Questions>()) {}
  ~Relay() override;

  void on_notification(const mcp::Message& notification) override;
  void on_request(mcp::Message request) override;
  void on_closed() override;

  static constexpr std::size_t kMaxQuestions = 16;

 private:
  using Questions = std::map<std::string, std::shared_ptr<Question>>;  // by the upstream's id

  void progress(const mcp::Message& notification);
  void withdraw(const mcp::Message& notification);
  void withdraw_all(std::string_view reason);
  static net::Task<> carry_answer(std::shared_ptr<Connection> connection,
                                  std::shared_ptr<Question> question, std::string raw_id,
                                  std::string key, std::shared_ptr<Questions> questions);

  net::Loop& loop_;
  Agent& agent_;
  Log& log_;
  std::weak_ptr<LaneProcess> process_;
  std::function<void(std::shared_ptr<LaneProcess>)> tools_changed_;
  std::shared_ptr<Questions> questions_;
};

}  // namespace remit::gateway
