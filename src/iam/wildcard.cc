#include "iam/wildcard.h"

#include <cstring>

#include "iam/search.h"

namespace remit::iam {
namespace {

std::size_t star_in(std::string_view pattern) {
  const void* found =
      std::memchr(pattern.data(), static_cast<unsigned char>(kAnyRun), pattern.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - pattern.data());
}

template <class Steps>
bool match(std::string_view pattern, std::string_view text, Steps& steps) {
  auto star = star_in(pattern);
  if (star == std::string_view::npos) return covers(pattern, text, steps) == text.size();
  const auto head = covers(pattern.substr(0, star), text, steps);
  if (head == std::string_view::npos) return false;
  text.remove_prefix(head);
  pattern.remove_prefix(star + 1);
  Search search(text.size());
  while ((star = star_in(pattern)) != std::string_view::npos) {
    if (star > 0) {
      const auto end = search.end_of_first(pattern.substr(0, star), text, steps);
      if (end == std::string_view::npos) return false;
      text.remove_prefix(end);
    }
    pattern.remove_prefix(star + 1);
  }
  return ends_with(pattern, text, steps);
}

}  // namespace

bool holds_codes(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= kFirstCode) return true;
  }
  return false;
}

void append_encoded(std::string& out, std::string_view text) {
  const auto begin = out.size();
  for (const char c : text) {
    if (c == '*') {
      if (out.size() == begin || out.back() != kAnyRun) out.push_back(kAnyRun);
    } else {
      out.push_back(c == '?' ? kAnyOne : c);
    }
  }
}

bool matches(std::string_view pattern, std::string_view text) {
  NoSteps none;
  return match(pattern, text, none);
}

CountedMatch matches_counted(std::string_view pattern, std::string_view text) {
  CountedSteps steps;
  const bool matched = match(pattern, text, steps);
  return {matched, steps.total};
}

}  // namespace remit::iam
