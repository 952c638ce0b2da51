#pragma once

// Condition keys by name: which the engine derives from the request, and what AWS says of the type
// and cardinality of global keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "iam/compiled.h"

namespace remit::iam {

enum class KeyType : std::uint8_t { String, Arn, Bool, Numeric, Date, IpAddress };

struct KnownKey {
  std::string_view name;  // as AWS writes it; a name that ends in `/` stands for all keys below it
  KeyType type = KeyType::String;
  bool multivalued = false;
};

std::span<const KnownKey> known_keys();
// Ignores case; a key of an unknown service or name is nullptr.
const KnownKey* find_known_key(std::string_view name);

Derived derived_key(std::string_view name);

}  // namespace remit::iam
