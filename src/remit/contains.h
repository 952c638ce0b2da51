#pragma once

#include <algorithm>
#include <functional>

namespace remit::rules {

// std::ranges::contains, which the standard library of Debian 12 does not have yet.
template <class Range, class Value, class Projection = std::identity>
bool contains(const Range& range, const Value& value, Projection projection = {}) {
  return std::ranges::find(range, value, projection) != std::ranges::end(range);
}

}  // namespace remit::rules
