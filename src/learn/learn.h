#pragma once

// From what a tool asked of AWS to the least session policy that allows it: the actions that were
// used, on the resources that were seen or patterns over them, with conditions where a value never
// changed. What is answered has been proved: the policy, run through the engine, allows every
// request that it was learnt from.

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "learn/generalise.h"
#include "learn/observe.h"
#include "remit/canonical.h"

namespace remit::iam {
class Policy;
}

namespace remit::learn {

struct Options {
  Wildcards wildcards;
  bool include_refused = false;    // learn from refused requests too
  std::size_t condition_from = 3;  // a value seen so often and no other becomes a condition
};

struct Learnt {
  std::vector<rules::PlainStatement> statements;  // as a person would write them
  rules::PolicyText policy;                       // as STS would get it
  int packed_percent = 0;                         // of the statements alone
  std::vector<Observed> left_out;                 // refused, and not learnt from
  std::vector<std::string> notes;                 // what to know before pasting it
};

// Internal when the policy would not allow what it was learnt from: then there is none.
Result<Learnt> learn(const ToolUse& use, const Options& options);

// Whether the policy allows a request that was seen.
bool allows(const iam::Policy& policy, const ToolUse& use, const Asked& asked);

}  // namespace remit::learn
