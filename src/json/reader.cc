#include "json/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/utf8.h"

namespace remit::json::detail {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether each of the eight bytes at `p` stands for itself in a string: printable ASCII other than
// quote and backslash. May say no for one that does, never yes for one that does not.
bool eight_plain_bytes(const char* p) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHigh = 0x8080808080808080U;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, p, sizeof(bytes));
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHigh; };
  const std::uint64_t special = bytes | has_zero(bytes ^ (kOnes * '"')) |
                                has_zero(bytes ^ (kOnes * '\\')) | (bytes - kOnes * 0x20);
  return (special & kHigh) == 0;
}

// The first byte from `p` on that does not stand for itself, or `end`.
const char* skip_plain(const char* p, const char* end) {
  while (end - p >= 8 && eight_plain_bytes(p)) p += 8;
  while (p != end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20) {
    if (static_cast<unsigned char>(*p) < 0x80) {
      ++p;
      continue;
    }
    const std::size_t length = utf8_length({p, end});
    if (length == 0) return p;
    p += length;
  }
  return p;
}

// Whether a well-formed number that has no double lies beyond the greatest, not next to zero.
bool is_too_great(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  const std::size_t e = number.find_first_of("eE");
  std::int64_t exponent = 0;
  if (e != number.npos) {
    std::string_view digits = number.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    // No text is long enough for its digits to weigh against so many.
    constexpr std::int64_t kDecides = std::int64_t{1} << 40;
    if (read.ec != std::errc{}) return !digits.starts_with('-');
    if (exponent > kDecides || exponent < -kDecides) return exponent > 0;
  }
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + exponent > 0;
}

}  // namespace

std::string_view string_of(const Tree& tree, const Node& node) {
  if (node.flag) return std::string_view(tree.decoded).substr(node.decoded, node.size);
  return {tree.text.data() + node.begin + 1, node.size};
}

Reader::Reader(Limits limits) : limits_(limits) {
  constexpr std::size_t kMostBytes = std::numeric_limits<std::uint32_t>::max();
  constexpr std::size_t kMostDepth = 1024;  // canonical() recurses
  limits_.max_bytes = std::min(limits_.max_bytes, kMostBytes);
  limits_.max_depth = std::min(limits_.max_depth, kMostDepth);
}

std::expected<void, ParseError> Reader::read(std::string_view text, Tree& tree) {
  tree_ = &tree;
  tree.text = text;
  tree.nodes.clear();
  tree.decoded.clear();
  begin_ = at_ = text.data();
  end_ = begin_ + text.size();
  values_ = 0;
  open_.clear();

  bool good = refuse_long_or_marked();
  if (good) {
    skip_space();
    good = at_ == end_ ? refuse(at_, "the text is empty: expected a JSON value") : begin_value();
  }
  while (good && !open_.empty()) {
    const std::uint32_t top = open_.back();
    good =
        tree.nodes[top].kind == Kind::Object ? next_member_or_end(top) : next_element_or_end(top);
  }
  if (good) {
    skip_space();
    good = at_ == end_ || refuse_unexpected("nothing after the value");
  }
  if (good) return {};
  return std::unexpected(
      ParseError{position_in(text, error_offset_), error_offset_, std::move(error_)});
}

bool Reader::refuse(const char* where, std::string message) {
  error_offset_ = static_cast<std::size_t>(where - begin_);
  error_ = std::move(message);
  return false;
}

bool Reader::refuse_unexpected(std::string_view wanted) {
  if (at_ == end_) {
    return refuse(at_, fmt::format("expected {} but found the end of the text", wanted));
  }
  const auto c = static_cast<unsigned char>(*at_);
  return refuse(at_, c > 0x20 && c < 0x7F
                         ? fmt::format("expected {} but found '{}'", wanted, *at_)
                         : fmt::format("expected {} but found byte 0x{:02x}", wanted, c));
}

// False, with the error noted, for a text that is too long or begins with a byte order mark.
bool Reader::refuse_long_or_marked() {
  if (tree_->text.size() > limits_.max_bytes) {
    return refuse(begin_, fmt::format("the text has {} bytes: at most {} are read",
                                      tree_->text.size(), limits_.max_bytes));
  }
  if (tree_->text.starts_with("\xEF\xBB\xBF")) {
    return refuse(begin_, "a byte order mark stands before the value: JSON has none");
  }
  return true;
}

void Reader::skip_space() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

Node& Reader::add(Kind kind, const char* begin, const char* end) {
  Node& node = tree_->nodes.emplace_back();
  node.begin = offset(begin);
  node.end = offset(end);
  node.next = static_cast<std::uint32_t>(tree_->nodes.size());
  node.kind = kind;
  return node;
}

bool Reader::begin_value() {
  if (++values_ > limits_.max_values) {
    return refuse(at_, fmt::format("more than {} values", limits_.max_values));
  }
  if (at_ == end_) return refuse_unexpected("a value");
  switch (*at_) {
    case '"':
      return string();
    case 't':
      return literal("true", Kind::Bool, true);
    case 'f':
      return literal("false", Kind::Bool, false);
    case 'n':
      return literal("null", Kind::Null, false);
    case '{':
    case '[':
      break;
    default:
      return number();
  }
  if (open_.size() >= limits_.max_depth) {
    return refuse(
        at_, fmt::format("more than {} arrays and objects inside each other", limits_.max_depth));
  }
  open_.push_back(static_cast<std::uint32_t>(tree_->nodes.size()));
  add(*at_ == '{' ? Kind::Object : Kind::Array, at_, at_ + 1);
  ++at_;
  return true;
}

bool Reader::next_member_or_end(std::uint32_t object) {
  const bool first = tree_->nodes[object].size++ == 0;
  skip_space();
  if (at_ != end_ && *at_ == '}') {
    --tree_->nodes[object].size;
    return refuse_duplicates(object) && close();
  }
  if (!first) {
    if (at_ == end_ || *at_ != ',') return refuse_unexpected("',' or '}'");
    ++at_;
    skip_space();
  }
  if (at_ == end_ || *at_ != '"') return refuse_unexpected("a key in double quotes");
  if (!string()) return false;
  skip_space();
  if (at_ == end_ || *at_ != ':') return refuse_unexpected("':' after the key");
  ++at_;
  skip_space();
  return begin_value();
}

bool Reader::next_element_or_end(std::uint32_t array) {
  const bool first = tree_->nodes[array].size++ == 0;
  skip_space();
  if (at_ != end_ && *at_ == ']') {
    --tree_->nodes[array].size;
    return close();
  }
  if (!first) {
    if (at_ == end_ || *at_ != ',') return refuse_unexpected("',' or ']'");
    ++at_;
    skip_space();
  }
  return begin_value();
}

bool Reader::close() {
  Node& node = tree_->nodes[open_.back()];
  open_.pop_back();
  ++at_;
  node.end = offset(at_);
  node.next = static_cast<std::uint32_t>(tree_->nodes.size());
  return true;
}

bool Reader::literal(std::string_view word, Kind kind, bool flag) {
  if (!std::string_view(at_, end_).starts_with(word)) return refuse_unexpected("a value");
  add(kind, at_, at_ + word.size()).flag = flag;
  at_ += word.size();
  return true;
}

bool Reader::number() {
  const char* const begin = at_;
  const auto skip_digits = [this] {
    while (at_ != end_ && is_digit(*at_)) ++at_;
  };
  const auto at_digit = [this] { return at_ != end_ && is_digit(*at_); };
  if (*at_ == '-') ++at_;
  if (!at_digit()) return refuse_unexpected(at_ == begin ? "a value" : "a digit after '-'");
  const bool zero = *at_ == '0';
  ++at_;
  if (zero && at_digit()) return refuse(at_, "a number begins with 0 and goes on");
  skip_digits();
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    if (!at_digit()) return refuse_unexpected("a digit after the point");
    skip_digits();
  }
  const bool scaled = at_ != end_ && (*at_ == 'e' || *at_ == 'E');
  if (scaled) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!at_digit()) return refuse_unexpected("a digit in the exponent");
    skip_digits();
  }
  // Without an exponent it takes more than this many digits to leave the range of a double.
  constexpr std::ptrdiff_t kSafeLength = 300;
  if (scaled || at_ - begin > kSafeLength) {
    double ignored = 0;
    if (std::from_chars(begin, at_, ignored).ec == std::errc::result_out_of_range &&
        is_too_great({begin, at_})) {
      return refuse(begin, "the number is beyond the range of a double");
    }
  }
  add(Kind::Number, begin, at_);
  return true;
}

bool Reader::string() {
  const char* const begin = at_;
  const char* const stop = skip_plain(begin + 1, end_);
  if (stop == end_ || *stop != '"') {
    at_ = stop;
    return escapes(begin);
  }
  at_ = stop + 1;
  add(Kind::String, begin, at_).size = static_cast<std::uint32_t>(stop - begin - 1);
  return true;
}

// Goes on with a string at the first byte that does not stand for itself.
bool Reader::escapes(const char* begin) {
  std::string& decoded = tree_->decoded;
  // What is decoded is never longer than the text: one allocation, and no copy left behind by
  // growth.
  if (decoded.empty()) decoded.reserve(tree_->text.size());
  const std::size_t start = decoded.size();
  decoded.append(begin + 1, at_);
  while (true) {
    if (at_ == end_) return refuse(begin, "the string has no closing quote");
    if (*at_ == '"') break;
    if (*at_ != '\\') {
      return refuse(at_, static_cast<unsigned char>(*at_) < 0x20
                             ? "a control character stands in a string: it must be escaped"
                             : "the string is not valid UTF-8");
    }
    ++at_;
    if (!escape()) return false;
    const char* const plain = at_;
    at_ = skip_plain(at_, end_);
    decoded.append(plain, at_);
  }
  ++at_;
  Node& node = add(Kind::String, begin, at_);
  node.flag = true;
  node.decoded = static_cast<std::uint32_t>(start);
  node.size = static_cast<std::uint32_t>(decoded.size() - start);
  return true;
}

// Reads what follows a backslash.
bool Reader::escape() {
  constexpr std::string_view kWritten = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  if (at_ == end_) return refuse(at_, "the string has no closing quote");
  if (*at_ == 'u') return unicode_escape();
  const std::size_t which = kWritten.find(*at_);
  if (which == kWritten.npos) {
    return refuse(at_ - 1, "unknown escape: expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
  }
  tree_->decoded += kMeant[which];
  ++at_;
  return true;
}

bool Reader::unicode_escape() {
  const char* const begin = at_ - 1;
  constexpr std::string_view kAlone =
      "a surrogate stands alone: \\ud800 to \\udbff and \\udc00 to \\udfff come in pairs";
  const auto first = four_hex_digits();
  if (!first) return false;
  unsigned code = *first;
  if (code >= 0xDC00 && code <= 0xDFFF) return refuse(begin, std::string(kAlone));
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') {
      return refuse(begin, std::string(kAlone));
    }
    ++at_;
    const auto second = four_hex_digits();
    if (!second) return false;
    if (*second < 0xDC00 || *second > 0xDFFF) return refuse(begin, std::string(kAlone));
    code = 0x10000 + ((code - 0xD800) << 10) + (*second - 0xDC00);
  }
  append_utf8(tree_->decoded, code);
  return true;
}

// Reads "uXXXX".
std::optional<unsigned> Reader::four_hex_digits() {
  unsigned code = 0;
  if (end_ - at_ < 5 || std::from_chars(at_ + 1, at_ + 5, code, 16).ptr != at_ + 5 ||
      at_[1] == '-') {
    refuse(at_ - 1, "\\u must be followed by four hexadecimal digits");
    return std::nullopt;
  }
  at_ += 5;
  return code;
}

bool Reader::refuse_duplicates(std::uint32_t object) {
  constexpr std::uint32_t kFewKeys = 8;  // comparing each with each beats sorting up to here
  const auto& nodes = tree_->nodes;
  const std::uint32_t size = nodes[object].size;
  if (size < 2) return true;
  keys_.clear();
  for (std::uint32_t i = object + 1; i < nodes.size(); i = nodes[i + 1].next) {
    const std::string_view key = string_of(*tree_, nodes[i]);
    if (size <= kFewKeys) {
      for (const auto& [earlier, place] : keys_) {
        if (earlier == key) return refuse_key(i);
      }
    }
    keys_.emplace_back(key, i);
  }
  if (size <= kFewKeys) return true;
  std::ranges::sort(keys_);
  constexpr auto kNone = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t first_repeat = kNone;
  for (std::size_t i = 1; i < keys_.size(); ++i) {
    if (keys_[i].first == keys_[i - 1].first) {
      first_repeat = std::min(first_repeat, keys_[i].second);
    }
  }
  return first_repeat == kNone || refuse_key(first_repeat);
}

bool Reader::refuse_key(std::uint32_t key) {
  constexpr std::uint32_t kShown = 80;
  const Node& node = tree_->nodes[key];
  const std::uint32_t length = node.end - node.begin;
  return refuse(begin_ + node.begin, length > kShown
                                         ? "a key stands twice in this object"
                                         : fmt::format("the key {} stands twice in this object",
                                                       tree_->text.substr(node.begin, length)));
}

}  // namespace remit::json::detail
