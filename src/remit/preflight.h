#pragma once

// What `remit check` finds without calling AWS: beyond the file's own faults, the sizes of every
// session policy, and whether this machine has what the configuration names. Nothing secret is read
// into a message.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remit/bind.h"
#include "remit/config.h"

namespace remit::aws {
class Catalogue;
}

namespace remit::rules {

struct RemitSummary {
  std::string name;
  std::vector<std::string> tools;
  std::vector<std::string> roles;
  std::size_t policy_characters = 0;  // inline and managed ARNs, of kMaxPolicyCharacters
  int packed_percent_estimate = 0;
  bool sampled = false;  // its arguments were given sample values: a real call may be longer
};

struct Preflight {
  std::vector<Problem> problems;
  std::vector<RemitSummary> remits;  // those that could be planned, startup remits too
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// Values that fit the grammars of the remit's arguments, so that it can be planned without a call.
// With `role_value`, the argument that chooses the role has that value.
BoundArguments sample_arguments(const Remit& remit,
                                const std::optional<std::string>& role_value = std::nullopt);

// Sizes and everything else that follows from the configuration alone.
Preflight inspect(const Config& config);

// Actions of sessions and startup sessions that the catalogue does not know: misspelt, as a rule.
// Warnings, because AWS has actions that the catalogue's date is too old for. Patterns are left
// alone.
std::vector<Problem> inspect_actions(const Config& config, const aws::Catalogue& catalogue);

// The machine: programs of upstreams on PATH, the ledger's folder, the CA bundle, a plausible
// source of base credentials. Warnings, but for what is sure to fail.
std::vector<Problem> inspect_machine(const Config& config, const Environment& environment,
                                     const std::string& home);

}  // namespace remit::rules
