#include "iam/near.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/encoding.h"

namespace remit::iam {
namespace {

constexpr std::size_t kLongest = 48;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Insertions, deletions and substitutions between two short names.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, kLongest + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t changed = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0U : 1U);
      row[j] = std::min({changed, above + 1, row[j - 1] + 1});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t fewest = kLongest;
  if (name.size() > kLongest) return best;
  for (const auto candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    if (const auto edits = distance(name, candidate); edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return fewest * 3 <= best.size() ? best : std::string_view{};
}

}  // namespace remit::iam
