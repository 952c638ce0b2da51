#pragma once

// A pattern with its policy variables replaced by the request's values.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "iam/query.h"

namespace remit::iam {

class Expansion {
 public:
  enum class State : std::uint8_t {
    Known,
    Missing,  // a variable has no value and no default: the pattern matches nothing
    Unknown,  // a variable's value is not known, or not usable; text() has a star in its place
  };

  // `pattern` has the form Template.
  Expansion(const CompiledPolicy& policy, const Pattern& pattern, const Query& query, Trace* trace);
  Expansion(const Expansion&) = delete;
  Expansion& operator=(const Expansion&) = delete;

  State state() const { return state_; }
  std::string_view text() const { return {data_, size_}; }  // encoded (iam/wildcard.h)

 private:
  void append(std::string_view bytes);
  void append_variable(const CompiledPolicy& policy, const Variable& variable, const Query& query,
                       Trace* trace);

  static constexpr std::size_t kInline = 1024;
  std::array<char, kInline> inline_;
  std::string heap_;  // for what does not fit
  char* data_ = inline_.data();
  std::size_t size_ = 0;
  State state_ = State::Known;
};

}  // namespace remit::iam
