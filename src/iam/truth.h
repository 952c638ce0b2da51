#pragma once

#include <algorithm>
#include <cstdint>

namespace remit::iam {

// Three-valued logic (Kleene): Maybe is "it depends on what is not known".
enum class Truth : std::uint8_t { No, Maybe, Yes };

constexpr Truth both(Truth a, Truth b) { return std::min(a, b); }
constexpr Truth either(Truth a, Truth b) { return std::max(a, b); }
constexpr Truth opposite(Truth a) { return static_cast<Truth>(2 - static_cast<std::uint8_t>(a)); }
constexpr Truth truth_of(bool value) { return value ? Truth::Yes : Truth::No; }

}  // namespace remit::iam
