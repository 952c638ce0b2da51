#include "json/writer.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace remit::json {
namespace {

constexpr std::size_t kEight = sizeof(std::uint64_t);

std::uint64_t load_eight(const char* bytes) {
  std::uint64_t eight;
  std::memcpy(&eight, bytes, sizeof eight);
  return eight;
}

// Has the high bit of a byte set where one of eight is no ASCII, a control character, a quote or a
// backslash; a carry can only add a false alarm.
std::uint64_t must_be_looked_at(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  const std::uint64_t quote = eight ^ (kOnes * '"');
  const std::uint64_t backslash = eight ^ (kOnes * '\\');
  return (eight | (eight - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes)) & kHigh;
}

bool stand_for_themselves(const char* bytes) { return must_be_looked_at(load_eight(bytes)) == 0; }

// Copies `text`, and tells whether all of it stands for itself: most strings do.
bool copy_plain(char* to, std::string_view text) {
  const char* const from = text.data();
  const std::size_t size = text.size();
  if (size >= kEight) {
    const std::size_t last = size - kEight;  // its eight may overlap those before them
    std::uint64_t found = 0;
    for (std::size_t i = 0;; i = std::min(i + kEight, last)) {
      const std::uint64_t eight = load_eight(from + i);
      found |= must_be_looked_at(eight);
      std::memcpy(to + i, &eight, kEight);
      if (i == last) return found == 0;
    }
  }
  bool plain = true;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = from[i];
    plain = plain && c >= 0x20 && c != '"' && c != '\\';
    to[i] = c;
  }
  return plain;
}

void append_escape(std::string& out, unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
  }
}

// What must be looked at byte by byte, with its quotes.
void append_escaped(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // where the run of bytes that stand for themselves began
  std::size_t i = 0;
  while (i < text.size()) {
    while (text.size() - i >= kEight && stand_for_themselves(text.data() + i)) i += kEight;
    if (i == text.size()) break;
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    if (const std::size_t length = c < 0x80 ? 0 : utf8_length(text.substr(i)); length != 0) {
      i += length;
      continue;
    }
    out += text.substr(plain, i - plain);
    if (c < 0x80) {
      append_escape(out, c);
    } else {
      out += "\xEF\xBF\xBD";
    }
    plain = ++i;
  }
  out += text.substr(plain);
  out += '"';
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  bool plain = true;
  // The size that the function is given may be the capacity (libstdc++ 12).
  out.resize_and_overwrite(before + text.size() + 2, [&](char* bytes, std::size_t) {
    plain = copy_plain(bytes + before + 1, text);
    if (!plain) return before;
    bytes[before] = '"';
    bytes[before + 1 + text.size()] = '"';
    return before + text.size() + 2;
  });
  if (!plain) append_escaped(out, text);
}

// Where `size` bytes may be written, behind what was written.
char* Writer::room(std::size_t size) {
  if (out_.size() - size_ < size) {
    constexpr std::size_t kLeast = 256;
    const std::size_t wanted = std::max({out_.capacity(), size_ + size, 2 * size_, kLeast});
    out_.resize_and_overwrite(wanted, [&](char*, std::size_t) { return wanted; });
  }
  return out_.data() + size_;
}

void Writer::put(char c) {
  *room(1) = c;
  ++size_;
}

void Writer::put(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  size_ += bytes.size();
}

void Writer::put_string(std::string_view text) {
  char* const at = room(text.size() + 2);
  if (copy_plain(at + 1, text)) {
    at[0] = '"';
    at[text.size() + 1] = '"';
    size_ += text.size() + 2;
    return;
  }
  out_.resize(size_);
  append_escaped(out_, text);
  size_ = out_.size();
}

void Writer::before_value() {
  if (open_.empty()) {
    REMIT_CHECK(!done_);
    done_ = true;
    return;
  }
  switch (top()) {
    case Place::FirstElement:
      set_top(Place::LaterElement);
      return;
    case Place::LaterElement:
      put(',');
      return;
    case Place::Member:
      set_top(Place::LaterKey);
      return;
    case Place::FirstKey:
    case Place::LaterKey:
      REMIT_CHECK(open_.empty());  // a value stands where a key must be
  }
}

void Writer::end(bool object, char close) {
  REMIT_CHECK(!open_.empty());
  const Place place = top();
  REMIT_CHECK(object ? place == Place::FirstKey || place == Place::LaterKey
                     : place == Place::FirstElement || place == Place::LaterElement);
  open_.pop_back();
  put(close);
}

Writer& Writer::begin_object() {
  before_value();
  push(Place::FirstKey);
  put('{');
  return *this;
}

Writer& Writer::end_object() {
  end(true, '}');
  return *this;
}

Writer& Writer::begin_array() {
  before_value();
  push(Place::FirstElement);
  put('[');
  return *this;
}

Writer& Writer::end_array() {
  end(false, ']');
  return *this;
}

Writer& Writer::key(std::string_view name) {
  REMIT_CHECK(!open_.empty() && (top() == Place::FirstKey || top() == Place::LaterKey));
  char* at = room(name.size() + 4);
  if (top() == Place::LaterKey) {
    *at++ = ',';
    ++size_;
  }
  set_top(Place::Member);
  if (copy_plain(at + 1, name)) {
    at[0] = '"';
    at[name.size() + 1] = '"';
    at[name.size() + 2] = ':';
    size_ += name.size() + 3;
    return *this;
  }
  put_string(name);
  put(':');
  return *this;
}

Writer& Writer::string(std::string_view text) {
  before_value();
  put_string(text);
  return *this;
}

Writer& Writer::integer(std::int64_t number) {
  before_value();
  constexpr std::size_t kMostDigits = 20;  // with the sign
  char* const at = room(kMostDigits);
  size_ += static_cast<std::size_t>(std::to_chars(at, at + kMostDigits, number).ptr - at);
  return *this;
}

Writer& Writer::boolean(bool value) {
  before_value();
  put(value ? "true" : "false");
  return *this;
}

Writer& Writer::null() {
  before_value();
  put("null");
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  before_value();
  put(json);
  return *this;
}

std::string Writer::take() && {
  REMIT_CHECK(open_.empty() && done_);
  out_.resize(std::exchange(size_, 0));
  return std::move(out_);
}

}  // namespace remit::json
