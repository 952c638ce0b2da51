#pragma once

// The policies of one layer with one index over all of them: made once for what is attached to a
// principal, immutable, shared between threads. What a decision costs then grows only with the
// statements whose action fits and whose resource begins as the requested one does.
//
// A layer of one or two policies needs none: each policy has an index of its own.

#include <memory>
#include <span>

#include "iam/policy.h"

namespace remit::iam {

struct SetIndex;  // iam/set_index.h: for the engine and its tests only

class PolicySet {
 public:
  // The policies are referred to and must outlive the set.
  explicit PolicySet(std::span<const Policy* const> policies);
  PolicySet(PolicySet&&) noexcept;
  PolicySet& operator=(PolicySet&&) noexcept;
  ~PolicySet();

  std::span<const Policy* const> policies() const;
  const SetIndex& index() const { return *index_; }

 private:
  std::unique_ptr<const SetIndex> index_;
};

}  // namespace remit::iam
