#pragma once

// Finding one piece of a pattern, which has no `*` but may have `?`, in a text: the search behind
// iam/wildcard.h, and for it only. Every way of searching is bounded, whatever piece and text hold:
//
// - by trial at every place, for pieces of up to 16 characters, and for longer ones while a budget
//   of steps lasts that the whole pattern shares;
// - without `?` by two-way search: linear in piece and text (Crochemore and Perrin, 1991,
//   https://doi.org/10.1145/116825.116845);
// - with `?` by shift-and (Baeza-Yates and Gonnet, 1992, https://doi.org/10.1145/135239.135243):
// all
//   places at once, a bit each; 512 characters of the piece in one pass over the text.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "iam/wildcard.h"

namespace remit::iam {

// Counts what a match takes; the one that does not count costs nothing.
struct NoSteps {
  void add(std::uint64_t) {}
};
struct CountedSteps {
  std::uint64_t total = 0;
  void add(std::uint64_t n) { total += n; }
};

// A byte of a UTF-8 sequence other than its first.
inline bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// How many bytes of `text` the whole of `piece` covers from its start; npos when none.
template <class Steps>
std::size_t covers(std::string_view piece, std::string_view text, Steps& steps) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (at >= text.size() || (piece[i] != kAnyOne && text[at] != piece[i])) {
      steps.add(i + 1);
      return std::string_view::npos;
    }
    ++at;
    if (piece[i] != kAnyOne) continue;
    while (at < text.size() && continues(text[at])) ++at;
  }
  steps.add(piece.size());
  return at;
}

// Whether `piece` covers a whole tail of `text`: counted back, one character for a `?`.
template <class Steps>
bool ends_with(std::string_view piece, std::string_view text, Steps& steps) {
  std::size_t at = text.size();
  for (std::size_t i = piece.size(); i-- > 0;) {
    steps.add(1);
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

// Two-way search of a piece without `?`: where it first begins in `text`; npos when nowhere.
template <class Steps>
class TwoWay {
 public:
  TwoWay(std::string_view piece, std::string_view text, Steps& steps)
      : piece_(piece), text_(text), steps_(steps) {}

  std::size_t find() {
    if (piece_.size() > text_.size()) return std::string_view::npos;
    const auto up = maximal_suffix(false);
    const auto down = maximal_suffix(true);
    cut_ = up.begin > down.begin ? up.begin : down.begin;
    period_ = up.begin > down.begin ? up.period : down.period;
    steps_.add(cut_);
    const bool periodic = std::memcmp(piece_.data(), piece_.data() + period_, cut_) == 0;
    return periodic ? find_periodic() : find_plain();
  }

 private:
  struct Suffix {
    std::size_t begin = 0;
    std::size_t period = 1;
  };

  // The greatest suffix in the order of bytes, or in the reverse order.
  Suffix maximal_suffix(bool reverse) {
    Suffix out;
    std::size_t next = 1;
    std::size_t k = 0;
    while (next + k < piece_.size()) {
      steps_.add(1);
      const auto a = static_cast<unsigned char>(piece_[next + k]);
      const auto b = static_cast<unsigned char>(piece_[out.begin + k]);
      if (a == b) {
        if (++k == out.period) {
          next += out.period;
          k = 0;
        }
      } else if (reverse ? a > b : a < b) {
        next += k + 1;
        k = 0;
        out.period = next - out.begin;
      } else {
        out.begin = next++;
        k = 0;
        out.period = 1;
      }
    }
    return out;
  }

  bool same(std::size_t at, std::size_t i) {
    steps_.add(1);
    return piece_[i] == text_[at + i];
  }

  std::size_t find_plain() {
    const auto size = piece_.size();
    const auto shift = (cut_ > size - cut_ ? cut_ : size - cut_) + 1;
    for (std::size_t at = 0; at + size <= text_.size();) {
      std::size_t i = cut_;
      while (i < size && same(at, i)) ++i;
      if (i < size) {
        at += i - cut_ + 1;
        continue;
      }
      i = cut_;
      while (i > 0 && same(at, i - 1)) --i;
      if (i == 0) return at;
      at += shift;
    }
    return std::string_view::npos;
  }

  std::size_t find_periodic() {
    const auto size = piece_.size();
    std::size_t known = 0;  // so many of the piece's first bytes are known to match
    for (std::size_t at = 0; at + size <= text_.size();) {
      std::size_t i = cut_ > known ? cut_ : known;
      while (i < size && same(at, i)) ++i;
      if (i < size) {
        at += i - cut_ + 1;
        known = 0;
        continue;
      }
      i = cut_;
      while (i > known && same(at, i - 1)) --i;
      if (i <= known) return at;
      at += period_;
      known = size - period_;
    }
    return std::string_view::npos;
  }

  std::string_view piece_;
  std::string_view text_;
  Steps& steps_;
  std::size_t cut_ = 0;
  std::size_t period_ = 1;
};

// Places of a text, a bit each.
class Places {
 public:
  explicit Places(std::size_t size) {
    if (size <= kLongestText) return;
    more_.resize(size / 64 + 1);
    words_ = more_.data();
  }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;
  bool at(std::size_t i) const { return (words_[i / 64] >> (i % 64) & 1U) != 0; }
  void put(std::size_t i, bool value) {
    const auto bit = std::uint64_t{1} << (i % 64);
    words_[i / 64] = value ? words_[i / 64] | bit : words_[i / 64] & ~bit;
  }

 private:
  std::array<std::uint64_t, kLongestText / 64 + 1> inline_{};
  std::vector<std::uint64_t> more_;
  std::uint64_t* words_ = inline_.data();
};

// Shift-and over one block of up to Words * 64 characters of a piece. Bit i says that the first
// i + 1 of them end here. A `?` takes the first byte of a character and stays while its other bytes
// follow.
template <std::size_t Words>
class Block {
 public:
  explicit Block(std::string_view characters) : last_(characters.size() - 1) {
    for (std::size_t i = 0; i < characters.size(); ++i) {
      if (characters[i] != kAnyOne) {
        set(takes_[static_cast<unsigned char>(characters[i])], i);
      } else {
        set(any_, i);
      }
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (continues(static_cast<char>(byte))) continue;
      for (std::size_t w = 0; w < Words; ++w) takes_[byte][w] |= any_[w];
    }
  }

  // Takes one byte; `begin`: the block may begin with it. Whether the block ends with it.
  bool step(char byte, bool begin) {
    const auto& take = takes_[static_cast<unsigned char>(byte)];
    Bits next;
    next[0] = (now_[0] << 1U) | (begin ? 1U : 0U);
    for (std::size_t w = 1; w < Words; ++w) next[w] = (now_[w] << 1U) | (now_[w - 1] >> 63U);
    for (std::size_t w = 0; w < Words; ++w) next[w] &= take[w];
    if (continues(byte)) {
      for (std::size_t w = 0; w < Words; ++w) next[w] |= now_[w] & any_[w];
    }
    now_ = next;
    return (now_[last_ / 64] >> (last_ % 64) & 1U) != 0;
  }

 private:
  using Bits = std::array<std::uint64_t, Words>;
  static void set(Bits& bits, std::size_t i) { bits[i / 64] |= std::uint64_t{1} << (i % 64); }

  std::size_t last_;
  Bits now_{};
  Bits any_{};                     // which characters are `?`
  std::array<Bits, 256> takes_{};  // by byte: which characters take it
};

inline constexpr std::size_t kBlock = 512;

// One pass: where the block first ends in `text`, one past it; npos when nowhere.
template <std::size_t Words, class Steps>
std::size_t first_end(std::string_view piece, std::string_view text, Steps& steps) {
  Block<Words> block(piece);
  steps.add(256 * Words + piece.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    steps.add(Words);
    if (block.step(text[at], true)) return at + 1;
  }
  return std::string_view::npos;
}

// Block after block: where each ends is where the next may begin.
template <class Steps>
std::size_t first_end_in_blocks(std::string_view piece, std::string_view text, Steps& steps) {
  constexpr std::size_t kWords = kBlock / 64;
  Places ends(text.size());
  for (std::size_t from = 0; from < piece.size(); from += kBlock) {
    const bool first = from == 0;
    const bool last = from + kBlock >= piece.size();
    Block<kWords> block(piece.substr(from, kBlock));
    steps.add(256 * kWords + kBlock);
    bool any = false;
    bool before = first;
    for (std::size_t at = from; at < text.size(); ++at) {
      steps.add(kWords);
      const bool ended = at > 0 && !first && at == from ? ends.at(at - 1) : before;
      const bool next = first || ends.at(at);
      const bool ends_here = block.step(text[at], ended);
      if (ends_here && last) return at + 1;
      any = any || ends_here;
      before = next;
      ends.put(at, ends_here);
    }
    if (!any) return std::string_view::npos;
  }
  return std::string_view::npos;
}

// The search of all pieces of one pattern in one text.
class Search {
 public:
  explicit Search(std::size_t text_size) : budget_(4 * text_size + 256) {}

  // One past the leftmost place of `piece` in `text`; npos when there is none.
  template <class Steps>
  std::size_t end_of_first(std::string_view piece, std::string_view text, Steps& steps) {
    if (piece.size() > text.size()) return std::string_view::npos;
    bool spent = false;
    const auto tried = trial(piece, text, spent, steps);
    if (!spent) return tried;
    if (!has_any_one(piece)) {
      const auto at = TwoWay<Steps>(piece, text, steps).find();
      return at == std::string_view::npos ? at : at + piece.size();
    }
    auto end = std::string_view::npos;
    if (piece.size() <= 64) {
      end = first_end<1>(piece, text, steps);
    } else if (piece.size() <= kBlock) {
      end = first_end<kBlock / 64>(piece, text, steps);
    } else {
      end = first_end_in_blocks(piece, text, steps);
    }
    if (end == std::string_view::npos) return end;
    while (end < text.size() && continues(text[end])) ++end;
    return end;
  }

 private:
  static constexpr std::size_t kShort = 16;

  static bool has_any_one(std::string_view piece) {
    return std::memchr(piece.data(), static_cast<unsigned char>(kAnyOne), piece.size()) != nullptr;
  }

  // Tries every place; `spent`: gave up because the budget is.
  template <class Steps>
  std::size_t trial(std::string_view piece, std::string_view text, bool& spent, Steps& steps) {
    const char first = piece.front();
    for (std::size_t at = 0; at + piece.size() <= text.size(); ++at) {
      if (piece.size() > kShort && budget_ == 0) {
        spent = true;
        return std::string_view::npos;
      }
      if (first != kAnyOne) {
        const void* found = std::memchr(text.data() + at, first, text.size() - at);
        if (found == nullptr) {
          steps.add(text.size() - at);
          return std::string_view::npos;
        }
        const auto next = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        steps.add(next - at);
        at = next;
      } else if (continues(text[at])) {
        steps.add(1);
        continue;
      }
      CountedSteps here;
      const auto size = covers(piece, text.substr(at), here);
      steps.add(here.total);
      if (size != std::string_view::npos) return at + size;
      budget_ = budget_ > here.total ? budget_ - here.total : 0;
    }
    return std::string_view::npos;
  }

  std::size_t budget_;
};

}  // namespace remit::iam
