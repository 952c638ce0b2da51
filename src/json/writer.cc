#include "json/writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "base/utf8.h"

namespace remit::json {
namespace {

// Whether the next eight bytes are all ASCII, no control character, no quote, no backslash. The
// high bit of a byte of each term shows the byte to be such a one; a carry can only add a false
// alarm.
bool stand_for_themselves(const char* bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::uint64_t eight;
  std::memcpy(&eight, bytes, sizeof(eight));
  const std::uint64_t quote = eight ^ (kOnes * '"');
  const std::uint64_t backslash = eight ^ (kOnes * '\\');
  const std::uint64_t found =
      eight | (eight - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes);
  return (found & kHigh) == 0;
}

// Whether all of it does: most strings are such, and are then copied in one go.
bool stands_for_itself(std::string_view text) {
  constexpr std::size_t kEight = sizeof(std::uint64_t);
  if (text.size() < kEight) {
    return std::ranges::all_of(
        text, [](char c) { return c >= 0x20 && c != '"' && c != '\\' && c != 0x7F; });
  }
  const char* const last = text.data() + text.size() - kEight;
  for (const char* at = text.data(); at < last; at += kEight) {
    if (!stand_for_themselves(at)) return false;
  }
  return stand_for_themselves(last);
}

// `"text"`, with a byte before and one behind it where these are not zero.
void append_plain(std::string& out, std::string_view text, char before_it = 0, char behind_it = 0) {
  const std::size_t before = out.size() + (before_it != 0 ? 1 : 0);
  const std::size_t after = before + text.size() + 2;
  // The size that the function is given may be the capacity (libstdc++ 12).
  const std::size_t end = after + (behind_it != 0 ? 1 : 0);
  out.resize_and_overwrite(end, [&](char* bytes, std::size_t) {
    if (before_it != 0) bytes[before - 1] = before_it;
    bytes[before] = '"';
    text.copy(bytes + before + 1, text.size());
    bytes[after - 1] = '"';
    if (behind_it != 0) bytes[after] = behind_it;
    return end;
  });
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

}  // namespace

void append_string(std::string& out, std::string_view text) {
  if (stands_for_itself(text)) return append_plain(out, text);
  out += '"';
  std::size_t plain = 0;  // where the run of bytes that stand for themselves began
  std::size_t i = 0;
  while (i < text.size()) {
    while (text.size() - i >= sizeof(std::uint64_t) && stand_for_themselves(text.data() + i)) {
      i += sizeof(std::uint64_t);
    }
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
      out_ += ',';
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
  out_ += close;
}

Writer& Writer::begin_object() {
  before_value();
  push(Place::FirstKey);
  out_ += '{';
  return *this;
}

Writer& Writer::end_object() {
  end(true, '}');
  return *this;
}

Writer& Writer::begin_array() {
  before_value();
  push(Place::FirstElement);
  out_ += '[';
  return *this;
}

Writer& Writer::end_array() {
  end(false, ']');
  return *this;
}

Writer& Writer::key(std::string_view name) {
  REMIT_CHECK(!open_.empty() && (top() == Place::FirstKey || top() == Place::LaterKey));
  const char comma = top() == Place::LaterKey ? ',' : '\0';
  set_top(Place::Member);
  if (stands_for_itself(name)) {
    append_plain(out_, name, comma, ':');
    return *this;
  }
  if (comma != 0) out_ += comma;
  append_string(out_, name);
  out_ += ':';
  return *this;
}

Writer& Writer::string(std::string_view text) {
  before_value();
  append_string(out_, text);
  return *this;
}

Writer& Writer::integer(std::int64_t number) {
  before_value();
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out_.append(digits.data(), end);
  return *this;
}

Writer& Writer::boolean(bool value) {
  before_value();
  out_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  before_value();
  out_ += "null";
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

std::string Writer::take() && {
  REMIT_CHECK(open_.empty() && done_);
  return std::move(out_);
}

}  // namespace remit::json
