#pragma once

// Matching of IAM's wildcards: `*` is any run of characters, `?` exactly one (a whole UTF-8
// sequence). A pattern is encoded once: the wildcards become bytes that never occur in UTF-8, so
// that a `*` that came from `${*}` or from a variable's value stays a plain character.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace remit::iam {

inline constexpr char kAnyRun = static_cast<char>(0xFF);    // *
inline constexpr char kAnyOne = static_cast<char>(0xFE);    // ?
inline constexpr char kVariable = static_cast<char>(0xFD);  // followed by kVariableBytes bytes
inline constexpr std::size_t kVariableBytes = 4;
inline constexpr unsigned char kFirstCode = 0xFD;

// The longest text that a decision matches: beyond it a resource or a value is not known
// (docs/iam.md). AWS's own ARNs and values are far shorter.
inline constexpr std::size_t kLongestText = 8192;

// True when `text` holds a byte that would be read as a code inside a pattern.
bool holds_codes(std::string_view text);

// Appends `text` with `*` and `?` as codes; a run of stars becomes one.
void append_encoded(std::string& out, std::string_view text);

// `pattern` is encoded and holds no variable. Between two stars the leftmost place is taken and
// never given back, so that there is no blow-up. The time is linear in pattern and text together;
// a piece between stars that has a `?` and more than 512 characters costs one more pass over the
// text for each further 512, so that no pattern costs a text of kLongestText more than 32 passes.
// Allocates nothing for texts up to kLongestText.
bool matches(std::string_view pattern, std::string_view text);

// The same, and what it took: comparisons of characters, and operations on 64-bit words. For tests.
struct CountedMatch {
  bool matched = false;
  std::uint64_t steps = 0;
};
CountedMatch matches_counted(std::string_view pattern, std::string_view text);

}  // namespace remit::iam
