#include "json/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "json/reader.h"
#include "json/writer.h"

namespace remit::json {
namespace {

// The integer that a number which is not written as one may still be: "1e3", "12.50e1", "3.0".
std::optional<std::int64_t> integer_from_decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::int64_t exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != text.npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto end = digits.data() + digits.size();
    if (std::from_chars(digits.data(), end, exponent).ec != std::errc{}) return std::nullopt;
    text = text.substr(0, e);
  }
  std::string digits(text.substr(0, text.find('.')));
  if (const std::size_t point = text.find('.'); point != text.npos) {
    digits += text.substr(point + 1);
    exponent -= static_cast<std::int64_t>(text.size() - point - 1);
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return 0;
  while (exponent < 0 && digits.ends_with('0')) {
    digits.pop_back();
    ++exponent;
  }
  constexpr std::int64_t kMostDigits = 19;
  if (exponent < 0 || static_cast<std::int64_t>(digits.size()) > kMostDigits ||
      exponent > kMostDigits - static_cast<std::int64_t>(digits.size())) {
    return std::nullopt;
  }
  digits.append(static_cast<std::size_t>(exponent), '0');
  if (negative) digits.insert(digits.begin(), '-');
  std::int64_t number = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (result.ec != std::errc{}) return std::nullopt;
  return number;
}

void append_canonical(std::string& out, Value value) {
  switch (value.kind()) {
    case Kind::Null:
    case Kind::Bool:
    case Kind::Number:
      out += value.raw();
      return;
    case Kind::String:
      append_string(out, value.string());
      return;
    case Kind::Array: {
      char before = '[';
      for (const Value element : value.elements()) {
        out += before;
        append_canonical(out, element);
        before = ',';
      }
      if (value.size() == 0) out += '[';
      out += ']';
      return;
    }
    case Kind::Object:
      break;
  }
  std::vector<Member> members;
  members.reserve(value.size());
  for (const Member member : value.members()) members.push_back(member);
  std::ranges::sort(members, {}, &Member::key);
  char before = '{';
  for (const Member& member : members) {
    out += before;
    append_string(out, member.key);
    out += ':';
    append_canonical(out, member.value);
    before = ',';
  }
  if (members.empty()) out += '{';
  out += '}';
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::Null:
      return "null";
    case Kind::Bool:
      return "true or false";
    case Kind::Number:
      return "a number";
    case Kind::String:
      return "a string";
    case Kind::Array:
      return "an array";
    case Kind::Object:
      return "an object";
  }
  return "a value";
}

Position position_in(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {lines + 1, before.size() - line_start + 1};
}

Error ParseError::to_error(std::string_view file) const {
  return {ErrorCode::InvalidInput,
          fmt::format("{}:{}:{}: {}", file, position.line, position.column, message)};
}

bool Value::boolean() const {
  REMIT_CHECK(is(Kind::Bool));
  return node().flag;
}

std::string_view Value::string() const {
  REMIT_CHECK(is(Kind::String));
  return decoded_string();
}

std::string_view Value::decoded_string() const { return detail::string_of(*tree_, node()); }

std::string_view Value::number_text() const {
  REMIT_CHECK(is(Kind::Number));
  return raw();
}

std::optional<std::int64_t> Value::as_int64() const {
  if (!is(Kind::Number)) return std::nullopt;
  const std::string_view text = raw();
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ptr != text.data() + text.size()) return integer_from_decimal(text);
  if (result.ec != std::errc{}) return std::nullopt;
  return number;
}

std::optional<double> Value::as_double() const {
  if (!is(Kind::Number)) return std::nullopt;
  const std::string_view text = raw();
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  // What lies too near to zero for a double comes as an error too: it has no double of its own.
  if (result.ec != std::errc{} || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::string_view> Value::as_string() const {
  if (!is(Kind::String)) return std::nullopt;
  return decoded_string();
}

std::optional<bool> Value::as_boolean() const {
  if (!is(Kind::Bool)) return std::nullopt;
  return node().flag;
}

std::size_t Value::size() const { return is(Kind::Array) || is(Kind::Object) ? node().size : 0; }

std::optional<Value> Value::find(std::string_view key) const {
  if (!is(Kind::Object)) return std::nullopt;
  const auto& nodes = tree_->nodes;
  const std::uint32_t end = node().next;
  for (std::uint32_t i = index_ + 1; i < end; i = nodes[i + 1].next) {
    if (nodes[i].size == key.size() && detail::string_of(*tree_, nodes[i]) == key) {
      return Value(tree_, i + 1);
    }
  }
  return std::nullopt;
}

std::optional<Value> Value::at(std::initializer_list<std::string_view> path) const {
  std::optional<Value> value = *this;
  for (const std::string_view key : path) {
    value = value->find(key);
    if (!value) return std::nullopt;
  }
  return value;
}

Members Value::members() const {
  REMIT_CHECK(is(Kind::Object));
  return Members(*this);
}

Elements Value::elements() const {
  REMIT_CHECK(is(Kind::Array));
  return Elements(*this);
}

std::string_view Value::raw() const {
  return tree_->text.substr(node().begin, node().end - node().begin);
}

std::size_t Value::offset() const { return node().begin; }

Position Value::position() const { return position_in(tree_->text, node().begin); }

Member Members::iterator::operator*() const {
  const detail::Node& key = tree_->nodes[index_];
  return {detail::string_of(*tree_, key), key.begin, Value(tree_, index_ + 1)};
}

Members::iterator& Members::iterator::operator++() {
  index_ = tree_->nodes[index_ + 1].next;
  return *this;
}

Members::iterator Members::iterator::operator++(int) {
  const iterator before = *this;
  ++*this;
  return before;
}

Elements::iterator& Elements::iterator::operator++() {
  index_ = tree_->nodes[index_].next;
  return *this;
}

Elements::iterator Elements::iterator::operator++(int) {
  const iterator before = *this;
  ++*this;
  return before;
}

std::expected<Document, ParseError> parse(std::string text, Limits limits) {
  auto storage = std::make_unique<Document::Storage>();
  storage->text = std::move(text);
  detail::Reader reader(limits);
  if (auto read = reader.read(storage->text, storage->tree); !read) {
    return std::unexpected(std::move(read).error());
  }
  return Document(std::move(storage));
}

Parser::Parser(Limits limits)
    : tree_(std::make_unique<detail::Tree>()), reader_(std::make_unique<detail::Reader>(limits)) {}
Parser::~Parser() = default;

std::expected<Value, ParseError> Parser::parse(std::string_view text) {
  if (auto read = reader_->read(text, *tree_); !read) {
    return std::unexpected(std::move(read).error());
  }
  return Value(tree_.get(), 0);
}

std::string canonical(Value value) {
  std::string out;
  out.reserve(value.raw().size());
  append_canonical(out, value);
  return out;
}

}  // namespace remit::json
