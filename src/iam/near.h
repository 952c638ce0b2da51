#pragma once

// "Did you mean ...?"

#include <span>
#include <string_view>

namespace remit::iam {

// The candidate with the fewest edits from `name`, ignoring ASCII case; empty when that is more
// than a third of its length.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace remit::iam
