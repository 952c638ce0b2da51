#pragma once

// One signed AWS request from its head to its answer: verify, identify, decide, record, re-sign,
// forward. Internal to src/gateway/egress.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/identify.h"
#include "aws/sigv4.h"
#include "gateway/egress/derived.h"
#include "gateway/egress/forward.h"
#include "gateway/egress/hand_out.h"
#include "gateway/egress/judge.h"
#include "gateway/egress/records.h"
#include "gateway/egress/service.h"
#include "gateway/session.h"
#include "net/channel.h"

namespace remit::gateway {

// How the request came to us. Both empty: at the endpoint.
struct Via {
  const net::Origin* connect = nullptr;  // of CONNECT, or of a proxied http:// URL
  std::shared_ptr<Lane> lane;            // that the proxy credentials named
};

// What one connection keeps from request to request.
struct Scratch {
  std::string body;
  http::ResponseHead answer;
  std::optional<Judge> judge;
};

class Exchange {
 public:
  Exchange(EgressService& service, net::ServerConnection& client, http::RequestHead& head, Via via,
           Scratch& scratch)
      : service_(service),
        client_(client),
        head_(head),
        via_(std::move(via)),
        scratch_(scratch),
        held_bytes_(service) {}

  // Answers the request, one way or another.
  net::Task<> run();

 private:
  struct Refused {
    Refusal refusal;
    std::string_view code = "AccessDenied";
    int status = 0;         // 0: what AWS uses for the code
    bool decided = false;   // a decision on an identified request, not a request nobody understood
    bool recorded = false;  // in the ledger already
  };
  using Step = std::expected<void, std::unique_ptr<Refused>>;  // small: it is passed on and on

  Step find_lane();
  void hold_body_if_needed();
  net::Task<Step> read_body();
  Step verify();
  Step find_call();
  Step identify();
  Step decide();
  net::Task<Step> renew_credentials();
  Decided decided() const;
  Step recorded(const Result<ledger::Appended>& durable);
  void restore_queue_url();
  Step sign();
  // All of the above, in the steps between which run() may wait.
  Step read_head();
  Step understand();
  Step make_ready();
  Step reframe();
  Step sent();
  net::Task<> answer_caller_identity();
  // exchange_hand_out.cc
  struct Given {
    std::shared_ptr<Session> session;
    TimePoint expires{};
    std::optional<Derived::Express> express;
    std::string request_id;
    std::string source_identity;
    std::optional<int> packed_policy_percent;
    int status = 0;  // of AWS's answer
  };
  Step plan_hand_out();
  net::Task<Step> hand_out();
  net::Task<Step> assume_role(Given& given);
  net::Task<Step> create_express_session(Given& given);
  net::Task<Step> give(Given given);
  net::Task<> refuse(std::unique_ptr<Refused> refused);

  std::unexpected<std::unique_ptr<Refused>> no(std::string layer, std::string message,
                                               std::string_view code = "AccessDenied",
                                               int status = 0) const;
  aws::RequestFacts facts() const;
  const Secret& inbound_secret() const {
    return derived_ ? derived_->secret_access_key : lane_->placeholder().secret_access_key;
  }
  bool is_caller_identity() const;
  bool is_reframed() const;  // the body's own signatures are replaced while it passes
  ledger::Kind decided_kind() const;

  EgressService& service_;
  net::ServerConnection& client_;
  http::RequestHead& head_;
  Via via_;
  Scratch& scratch_;

  aws::SignedRequest signed_;
  HeldBytes held_bytes_;
  bool body_changed_ = false;  // by restore_queue_url()
  bool held_ = false;          // the whole body is in scratch_.body
  std::size_t body_limit_ = 0;
  std::string decoded_;       // its content when it is aws-chunked; then its re-signed form
  std::string_view content_;  // what identification may look at
  std::string body_hash_;
  std::shared_ptr<Lane> lane_;
  std::shared_ptr<const Derived> derived_;  // whose key signed the request; null: the lane's own
  std::optional<HandOut> hand_out_;         // the answer is a placeholder
  Destination destination_;
  std::shared_ptr<Call> call_;
  std::optional<aws::Identification> identification_;
  std::optional<aws::Identified> identified_;
  std::shared_ptr<const SessionCredentials> credentials_;
  ledger::Appended decided_;  // the decision's record
  std::optional<aws::Seed> inbound_seed_;
  std::string chunk_trailers_;
  std::uint64_t decoded_length_ = 0;
  aws::Payload payload_ = aws::Payload::Absent;
  Outgoing outgoing_;
  Forwarded forwarded_;
  std::optional<aws::Reframer> reframer_;
  TimePoint now_{};  // as it is verified and decided, which waits for nobody
  std::chrono::steady_clock::time_point sending_since_;
};

}  // namespace remit::gateway
