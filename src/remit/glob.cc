#include "remit/glob.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace remit::rules {
namespace {

// Every step of a pattern pair either takes one character from both or skips a star. A cell is
// visited once, so the work is bounded by the product of the lengths.
class Product {
 public:
  Product(std::string_view a, std::string_view b)
      : a_(a), b_(b), seen_((a.size() + 1) * (b.size() + 1), false) {}

  std::optional<std::string> common() {
    if (!walk(0, 0)) return std::nullopt;
    std::ranges::reverse(text_);
    return std::move(text_);
  }

 private:
  static bool any(std::string_view pattern, std::size_t at) {
    return at < pattern.size() && pattern[at] == '*';
  }

  // Depth is at most the sum of the lengths: names are short.
  bool walk(std::size_t i, std::size_t j) {
    if (i == a_.size() && j == b_.size()) return true;
    const std::size_t cell = i * (b_.size() + 1) + j;
    if (seen_[cell]) return false;
    seen_[cell] = true;
    if (any(a_, i) && walk(i + 1, j)) return true;
    if (any(b_, j) && walk(i, j + 1)) return true;
    if (i == a_.size() || j == b_.size()) return false;
    const char x = a_[i];
    const char y = b_[j];
    const bool wild_x = x == '*' || x == '?';
    const bool wild_y = y == '*' || y == '?';
    if (!wild_x && !wild_y && x != y) return false;
    if (!walk(any(a_, i) ? i : i + 1, any(b_, j) ? j : j + 1)) return false;
    text_ += wild_x ? (wild_y ? 'x' : y) : x;
    return true;
  }

  std::string_view a_;
  std::string_view b_;
  std::vector<bool> seen_;
  std::string text_;
};

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = kNone;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != kNone) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::optional<std::string> globs_overlap(std::string_view a, std::string_view b) {
  return Product(a, b).common();
}

Result<ToolPattern> parse_tool_pattern(std::string_view text) {
  constexpr std::size_t kMaxName = 128;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    return fail(ErrorCode::InvalidInput, "must be upstream/tool, such as api/call_aws or api/*");
  ToolPattern pattern{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
  if (pattern.upstream.empty() || pattern.tool.empty())
    return fail(ErrorCode::InvalidInput, "must be upstream/tool: one of both is empty");
  if (pattern.upstream.find_first_of("*?") != std::string::npos)
    return fail(ErrorCode::InvalidInput, "* and ? may stand in the tool part only");
  if (pattern.tool.size() > kMaxName)
    return fail(ErrorCode::InvalidInput, "the tool part is longer than 128 bytes");
  return pattern;
}

}  // namespace remit::rules
