#pragma once

// A request made ready for many policies: names in lower case, hashes, the parts of the resource's
// ARN, and the values of keys that follow from the request itself.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "iam/compiled.h"
#include "iam/decide.h"
#include "iam/request.h"
#include "iam/truth.h"

namespace remit::iam {

// What explain() collects while statements are evaluated; absent on the way of decide().
struct Trace {
  std::string failed;                // the first element that did not match, and why
  std::vector<std::string> unknown;  // facts that would decide
};

struct ArnView {
  std::array<std::string_view, 6> field;  // arn, partition, service, region, account, resource
  bool whole = false;                     // all six are there
};
ArnView split_arn_view(std::string_view text);

class Query {
 public:
  Query(const Stack& stack, const Request& request);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  struct Values {
    Context::State state = Context::State::Absent;
    std::span<const std::string_view> values;
  };
  // Of the context, or derived from the request when the context says nothing.
  Values values_of(const CompiledPolicy& policy, const Key& key) const;

  const Request& request;
  const Principal* principal = nullptr;
  std::string_view action;   // lower case; empty when it is no service:name
  std::string_view service;  // of the action
  std::string_view name;
  std::uint64_t action_hash = 0;
  std::uint64_t service_hash = 0;
  std::optional<std::string_view> resource_text;  // nullopt: not known
  ArnView resource;                               // of a known resource that is an ARN
  // The ARN of a session's role as the request context says it; else what its own ARN tells.
  std::string_view principal_arn;
  bool principal_arn_stated = false;  // the path in it is known
  Truth boundary_attached = Truth::No;
  // Roles that AWS makes have paths, which a session's ARN does not tell: of IAM Identity Center
  // and service-linked ones.
  bool role_path_unknown() const;

  std::string_view resource_account() const;  // empty: unknown
  bool is_trust() const;    // the resource is a role, asked of STS: its trust policy must allow
  bool is_kms_key() const;  // the resource is a KMS key: its key policy must allow

 private:
  Context::State derive(Derived key, std::string_view& value) const;
  bool unknown_to_all(Derived key) const;

  static constexpr std::size_t kMaxAction = 192;  // the longest of AWS has 90
  std::array<char, kMaxAction> lower_;
  mutable std::array<std::string_view, 9> derived_;
};

}  // namespace remit::iam
