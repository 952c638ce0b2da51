#pragma once

// What is known of the caller of an AWS request made in a planned session: the principal and the
// condition keys that STS will give it. Everything else stays unknown, and unknown never allows.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

#include <string>
#include <utility>
#include <vector>

#include "iam/request.h"
#include "remit/session.h"

namespace remit::rules {

class SessionFacts {
 public:
  explicit SessionFacts(const SessionPlan& plan);

  const iam::Principal& principal() const { return principal_; }
  // arn:aws:sts::111122223333:assumed-role/name/session
  std::string_view session_arn() const { return principal_.text(); }
  // Sets the keys; the Context may be used as long as this object lives.
  void fill(iam::Context& context) const;

 private:
  iam::Principal principal_;
  std::vector<std::pair<std::string, std::string>> keys_;
  bool has_source_identity_ = false;
};

}  // namespace remit::rules
