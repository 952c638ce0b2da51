#pragma once

// A pattern with its policy variables replaced by the request's values.

#include <array>
#include <cstddef>
#include <string_view>

#include "iam/query.h"
#include "iam/wildcard.h"

namespace remit::iam {

class Expansion {
 public:
  enum class State : std::uint8_t {
    Known,
    Missing,  // a variable has no value and no default: the pattern matches nothing
    Unknown,  // a variable's value is not known, or not usable; text() has a star in its place
    TooLong,  // no text that is matched is as long: the pattern matches nothing
  };

  // `pattern` has the form Template.
  Expansion(const CompiledPolicy& policy, const Pattern& pattern, const Query& query, Trace* trace);
  Expansion(const Expansion&) = delete;
  Expansion& operator=(const Expansion&) = delete;

  State state() const { return state_; }
  std::string_view text() const { return {data_.data(), size_}; }  // encoded (iam/wildcard.h)

 private:
  void append(std::string_view bytes);
  void append_variable(const CompiledPolicy& policy, const Variable& variable, const Query& query,
                       Trace* trace);

  // Every symbol but a star takes at least one byte of the text, and no two stars are neighbours:
  // what does not fit here is longer than any text.
  static constexpr std::size_t kLongest = 2 * kLongestText + 2;
  std::array<char, kLongest> data_;
  std::size_t size_ = 0;
  State state_ = State::Known;
};

}  // namespace remit::iam
