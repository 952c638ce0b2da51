#include "iam/wildcard.h"

#include <cstring>

namespace remit::iam {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// How many bytes of `text` the whole of `piece` (no stars) covers from its start; npos when none.
std::size_t covers(std::string_view piece, std::string_view text) {
  std::size_t at = 0;
  for (const char c : piece) {
    if (at >= text.size()) return std::string_view::npos;
    if (c == kAnyOne) {
      ++at;
      while (at < text.size() && continues(text[at])) ++at;
      continue;
    }
    if (text[at] != c) return std::string_view::npos;
    ++at;
  }
  return at;
}

struct Place {
  std::size_t begin = std::string_view::npos;
  std::size_t size = 0;
};

bool has_any_one(std::string_view piece) {
  return std::memchr(piece.data(), static_cast<unsigned char>(kAnyOne), piece.size()) != nullptr;
}

// The leftmost place of `piece` in `text`.
Place find_piece(std::string_view piece, std::string_view text) {
  if (!has_any_one(piece)) {
    // memmem is the two-way search: linear in text and piece together.
    const void* found = memmem(text.data(), text.size(), piece.data(), piece.size());
    if (found == nullptr) return {};
    return {static_cast<std::size_t>(static_cast<const char*>(found) - text.data()), piece.size()};
  }
  const char first = piece.front();
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (first != kAnyOne) {
      const void* found = std::memchr(text.data() + at, first, text.size() - at);
      if (found == nullptr) return {};
      at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    } else if (continues(text[at])) {
      continue;
    }
    if (const auto size = covers(piece, text.substr(at)); size != std::string_view::npos) {
      return {at, size};
    }
  }
  return {};
}

// Whether `piece` covers a whole tail of `text`: counted back, one character for a `?`.
bool ends_with(std::string_view piece, std::string_view text) {
  std::size_t at = text.size();
  for (std::size_t i = piece.size(); i-- > 0;) {
    if (at == 0) return false;
    --at;
    if (piece[i] == kAnyOne) {
      while (at > 0 && continues(text[at])) --at;
    } else if (text[at] != piece[i]) {
      return false;
    }
  }
  return true;
}

std::size_t star_in(std::string_view pattern) {
  const void* found =
      std::memchr(pattern.data(), static_cast<unsigned char>(kAnyRun), pattern.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - pattern.data());
}

}  // namespace

bool holds_codes(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= kFirstCode) return true;
  }
  return false;
}

void append_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '*') {
      if (out.empty() || out.back() != kAnyRun) out.push_back(kAnyRun);
    } else {
      out.push_back(c == '?' ? kAnyOne : c);
    }
  }
}

bool matches(std::string_view pattern, std::string_view text) {
  auto star = star_in(pattern);
  if (star == std::string_view::npos) return covers(pattern, text) == text.size();
  const auto head = covers(pattern.substr(0, star), text);
  if (head == std::string_view::npos) return false;
  text.remove_prefix(head);
  pattern.remove_prefix(star + 1);
  while ((star = star_in(pattern)) != std::string_view::npos) {
    const auto piece = pattern.substr(0, star);
    if (!piece.empty()) {
      const auto place = find_piece(piece, text);
      if (place.begin == std::string_view::npos) return false;
      text.remove_prefix(place.begin + place.size);
    }
    pattern.remove_prefix(star + 1);
  }
  return ends_with(pattern, text);
}

}  // namespace remit::iam
