// Any bytes: either a configuration or at least one error, never both; what loads can be planned,
// and no plan breaks a limit of STS.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "remit/config.h"
#include "remit/session.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace remit::rules;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LoadedConfig loaded = load_config(text, {.home = "/home/jane"});
  bool failed = false;
  for (const Problem& problem : loaded.problems)
    failed = failed || problem.severity == Problem::Severity::Error;
  REMIT_CHECK(failed == (loaded.config == nullptr));
  if (!loaded.config) return 0;
  for (const Remit& remit : loaded.config->remits) {
    const auto bound = bind_arguments(remit, std::nullopt);
    if (!bound) continue;
    const auto plan = plan_session(*loaded.config, remit, *bound);
    if (!plan) continue;
    REMIT_CHECK(plan->session_name.size() >= 2 && plan->session_name.size() <= 64);
    REMIT_CHECK(plan->tags.size() <= 50 && plan->policy_arns.size() <= 10);
    REMIT_CHECK(plan->key == plan_session(*loaded.config, remit, *bound)->key);
  }
  return 0;
}
