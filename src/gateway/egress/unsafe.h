#pragma once

// DANGER: the one way to switch off Remit's own check of AWS requests, for tests that show that
// the STS session refuses by itself. Nothing else in the gateway can make the token below.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace remit::gateway {

// Proof that somebody asked for it twice: in the configuration and in the environment.
class UnsafeDecisionOff {
 public:
  // `configured`: egress.unsafe_disable_decision of the configuration. An error when it is set and
  // the environment does not say REMIT_UNSAFE_TESTING=1; nullopt when it is not set.
  using Environment = std::function<std::optional<std::string>(std::string_view name)>;
  static Result<std::optional<UnsafeDecisionOff>> ask(bool configured,
                                                      const Environment& environment);

 private:
  UnsafeDecisionOff() = default;
};

}  // namespace remit::gateway
