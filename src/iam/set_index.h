#pragma once

// The index of a PolicySet: action or service, then effect, then the literal text with which a
// resource pattern begins (its head). Sorted, not hashed: no input makes it slow.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "iam/compiled.h"

namespace remit::iam {

// A statement that a request may concern.
struct StatementRef {
  std::uint32_t policy = 0;     // into SetIndex::policies
  std::uint32_t statement = 0;  // of that policy
  std::uint32_t wild = 0;       // of a service's wildcards: into CompiledPolicy::wild
  auto operator<=>(const StatementRef&) const = default;
};

// All resource patterns with one head.
struct ResourceHead {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::uint64_t key = 0;         // the eight bytes after the side's common text, big end first
  Text text;                     // of SetIndex::pool
  std::uint32_t parent = kNone;  // the longest other head that this one begins with
  Range whole;                   // refs of patterns that are this text and no more
  Range open;                    // refs of patterns that go on with a wildcard or variable
};

// One effect of a group.
struct SetSide {
  Range always;  // refs without a head: any resource may concern them
  Range heads;   // sorted by text
  Range headed;  // the refs of all heads
  Text common;   // the text with which all heads begin
};

struct SetGroup {
  std::uint64_t hash = 0;  // of the action or service
  Text name;               // of an action, lower case
  SetSide deny;
  SetSide allow;
};

struct SetIndex {
  std::vector<const Policy*> policies;
  std::uint64_t service_mask = 0;  // as CompiledPolicy::service_mask
  std::vector<SetGroup> actions;   // statements that name the action; sorted by hash
  std::vector<SetGroup> services;  // statements with wildcards in the service; sorted by hash
  SetGroup general;                // statements that any service may concern
  std::vector<StatementRef> refs;
  std::vector<ResourceHead> heads;
  std::string pool;

  explicit SetIndex(std::span<const Policy* const> all);

  std::string_view text(Text t) const { return {pool.data() + t.offset, t.size}; }
  template <class T>
  std::span<const T> slice(const std::vector<T>& all, Range r) const {
    return {all.data() + r.first, r.count};
  }
  // The last head that is not after `resource`; kNone when all are.
  std::uint32_t last_not_after(const SetSide& side, std::string_view resource) const;
};

}  // namespace remit::iam
