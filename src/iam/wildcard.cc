#include "iam/wildcard.h"

#include <cstdint>
#include <cstring>
#include <vector>

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

// Tries every place: for short pieces and texts.
Place find_by_trial(std::string_view piece, std::string_view text) {
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

// All places at once, a bit each (shift-and): bit i says that the first i + 1 symbols of the piece
// end here. Each byte of the text costs one step per 64 symbols, whatever text and piece hold.
// A `?` takes the first byte of a character and stays while its other bytes follow.
class ShiftAnd {
 public:
  explicit ShiftAnd(std::string_view piece)
      : last_(piece.size() - 1),
        words_(piece.size() / 64 + 1),
        now_(words_),
        stays_(words_),
        takes_(256 * words_) {
    for (std::size_t i = 0; i < piece.size(); ++i) {
      if (piece[i] != kAnyOne) {
        set(takes(static_cast<unsigned char>(piece[i])), i);
        continue;
      }
      set(stays_.data(), i);
      for (unsigned byte = 0; byte < 256; ++byte) {
        if (!continues(static_cast<char>(byte))) set(takes(byte), i);
      }
    }
  }

  // One past the first place where the piece ends; npos when there is none.
  std::size_t first_end(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      step(static_cast<unsigned char>(text[at]));
      if ((now_[last_ / 64] >> (last_ % 64) & 1U) == 0) continue;
      ++at;
      while (at < text.size() && continues(text[at])) ++at;
      return at;
    }
    return std::string_view::npos;
  }

 private:
  static void set(std::uint64_t* bits, std::size_t i) {
    bits[i / 64] |= std::uint64_t{1} << i % 64;
  }
  std::uint64_t* takes(unsigned byte) { return takes_.data() + byte * words_; }

  void step(unsigned char byte) {
    const std::uint64_t* take = takes(byte);
    const bool follows = continues(static_cast<char>(byte));
    std::uint64_t carry = 1;  // the piece may begin at every byte
    for (std::size_t w = 0; w < words_; ++w) {
      const std::uint64_t stay = follows ? now_[w] & stays_[w] : 0;
      const std::uint64_t shifted = now_[w] << 1U | carry;
      carry = now_[w] >> 63U;
      now_[w] = (shifted & take[w]) | stay;
    }
  }

  std::size_t last_;
  std::size_t words_;
  std::vector<std::uint64_t> now_;
  std::vector<std::uint64_t> stays_;
  std::vector<std::uint64_t> takes_;  // by byte: which symbols take it
};

// The leftmost place of `piece` in `text`; all places have one length in characters, so that the
// first to end is the first to begin. Only where it ends matters to the caller.
Place find_piece(std::string_view piece, std::string_view text) {
  if (!has_any_one(piece)) {
    // memmem is the two-way search: linear in text and piece together.
    const void* found = memmem(text.data(), text.size(), piece.data(), piece.size());
    if (found == nullptr) return {};
    return {static_cast<std::size_t>(static_cast<const char*>(found) - text.data()), piece.size()};
  }
  constexpr std::size_t kTrialWork = 4096;
  if (piece.size() > text.size()) return {};
  if (piece.size() * text.size() <= kTrialWork) return find_by_trial(piece, text);
  const auto end = ShiftAnd(piece).first_end(text);
  return end == std::string_view::npos ? Place{} : Place{0, end};
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
