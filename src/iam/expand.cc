#include "iam/expand.h"

#include <cstring>

#include "iam/wildcard.h"

namespace remit::iam {
namespace {

std::uint32_t variable_index(std::string_view bytes) {
  std::uint32_t index = 0;
  for (std::size_t i = kVariableBytes; i-- > 0;) {
    index = (index << 6U) | (static_cast<unsigned char>(bytes[i]) - '@');
  }
  return index;
}

}  // namespace

Expansion::Expansion(const CompiledPolicy& policy, const Pattern& pattern, const Query& query,
                     Trace* trace) {
  auto rest = policy.text(pattern.text);
  while (!rest.empty() && state_ != State::Missing && state_ != State::TooLong) {
    const auto at = rest.find(kVariable);
    append(rest.substr(0, at));
    if (at == rest.npos) return;
    const auto index = variable_index(rest.substr(at + 1, kVariableBytes));
    append_variable(policy, policy.variables[index], query, trace);
    rest.remove_prefix(at + 1 + kVariableBytes);
  }
}

void Expansion::append_variable(const CompiledPolicy& policy, const Variable& variable,
                                const Query& query, Trace* trace) {
  const auto& key = policy.keys[variable.key];
  const auto found = query.values_of(policy, key);
  if (found.state == Context::State::Absent) {
    if (variable.has_default) {
      append(policy.text(variable.default_text));
      return;
    }
    state_ = State::Missing;
    if (trace != nullptr) {
      trace->failed = "variable ${" + std::string(policy.text(key.name)) + "} has no value";
    }
    return;
  }
  // Only single-valued keys have a value here, and only text can be put into a pattern.
  if (found.state == Context::State::Known && found.values.size() == 1 &&
      !holds_codes(found.values.front())) {
    append(found.values.front());
    return;
  }
  state_ = State::Unknown;  // before append(), which may find the whole too long
  append(std::string_view(&kAnyRun, 1));
  if (trace != nullptr) trace->unknown.emplace_back(policy.text(key.name));
}

void Expansion::append(std::string_view bytes) {
  const bool star_twice = size_ > 0 && data_[size_ - 1] == kAnyRun && bytes.starts_with(kAnyRun);
  if (star_twice) bytes.remove_prefix(1);
  if (bytes.size() > kLongest - size_) {
    state_ = State::TooLong;
    return;
  }
  std::memcpy(data_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

}  // namespace remit::iam
