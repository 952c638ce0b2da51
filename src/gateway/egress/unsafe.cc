#include "gateway/egress/unsafe.h"

namespace remit::gateway {

Result<std::optional<UnsafeDecisionOff>> UnsafeDecisionOff::ask(bool configured,
                                                                const Environment& environment) {
  if (!configured) return std::optional<UnsafeDecisionOff>();
  if (environment("REMIT_UNSAFE_TESTING") != "1") {
    return fail(ErrorCode::InvalidInput,
                "egress.unsafe_disable_decision switches off Remit's check of AWS requests; it is "
                "for tests only and also needs REMIT_UNSAFE_TESTING=1 in the environment");
  }
  return std::optional(UnsafeDecisionOff());
}

}  // namespace remit::gateway
