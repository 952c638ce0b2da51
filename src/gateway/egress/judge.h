#pragma once

// Whether the call in force may make an identified request: every action on every resource against
// the session policy, with the condition keys that the gateway knows. Pure but for the clock's
// reading that is passed in.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/identify.h"
#include "base/clock.h"
#include "gateway/call.h"
#include "iam/decide.h"
#include "iam/request.h"
#include "net/http.h"

namespace remit::gateway {

// Facts of the transport that condition keys ask for.
struct Circumstances {
  const http::RequestHead* head = nullptr;
  TimePoint now{};
  bool secure_transport = true;  // towards AWS
  std::string_view region_set;   // of a SigV4a signature; empty with SigV4
};

// Whether a policy of the call asks for a condition key. Where none does, identification need not
// tell the keys (aws::RequestFacts::keys).
bool asks_keys(const CallFacts& facts);

// Decides for one call; keeps what does not change from request to request. Not for two threads.
class Judge {
 public:
  // InvalidInput when the call's facts are not those of a session.
  static Result<Judge> make(std::shared_ptr<Call> call);

  const std::shared_ptr<Call>& call() const { return call_; }

  // nullopt: allowed. Otherwise what the agent is to be told.
  std::optional<Refusal> judge(const aws::Identified& identified,
                               const Circumstances& circumstances);

 private:
  Judge() = default;
  std::optional<Refusal> judge_action(const aws::Identified& identified,
                                      const aws::ActionRequest& action,
                                      const Circumstances& circumstances);
  void fill_context(const aws::Identified& identified, const aws::ActionRequest& action,
                    const Circumstances& circumstances);
  bool set_global(std::string_view key, const aws::Identified& identified,
                  const Circumstances& circumstances);
  Refusal refusal(const aws::ActionRequest& action, const std::optional<std::string_view>& resource,
                  const iam::Stack& stack, const iam::Request& request) const;

  std::shared_ptr<Call> call_;
  std::unique_ptr<iam::Principal> principal_;  // iam::Request points at it
  std::vector<const iam::Policy*> session_;
  std::vector<std::vector<const iam::Policy*>> narrowed_;  // each must allow by itself
  std::vector<const iam::Policy*> approve_;
  iam::Stack session_stack_, approve_stack_;  // of the two, which they point into
  std::vector<std::string> keys_;             // condition keys that the policies ask for
  iam::Context context_;
  std::vector<std::string_view> values_;
  std::string now_text_;
  std::string epoch_text_;
};

// Whether the request changes something: what the remit's limit of writes counts.
bool is_write(const aws::Identified& identified);

}  // namespace remit::gateway
