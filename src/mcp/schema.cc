#include "mcp/schema.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/encoding.h"

namespace remit::mcp {
namespace {

using json::Kind;
using json::Value;

constexpr int kMaxDepth = 64;
constexpr int kMaxSteps = 200'000;
constexpr std::size_t kMaxPattern = 4096;

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_integral(Value number) {
  if (number.as_int64()) return true;
  const auto value = number.as_double();
  return value && std::trunc(*value) == *value;
}

bool is_type(Value value, std::string_view type) {
  switch (value.kind()) {
    case Kind::Null:
      return type == "null";
    case Kind::Bool:
      return type == "boolean";
    case Kind::String:
      return type == "string";
    case Kind::Array:
      return type == "array";
    case Kind::Object:
      return type == "object";
    case Kind::Number:
      return type == "number" || (type == "integer" && is_integral(value));
  }
  return false;
}

// JSON Schema equality: 1 equals 1.0, members in any order.
bool equal(Value a, Value b, int& steps) {
  if (++steps > kMaxSteps || a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::Null:
      return true;
    case Kind::Bool:
      return a.boolean() == b.boolean();
    case Kind::String:
      return a.string() == b.string();
    case Kind::Number: {
      if (a.raw() == b.raw()) return true;
      const auto x = a.as_int64();
      const auto y = b.as_int64();
      return x && y ? *x == *y : a.as_double() && a.as_double() == b.as_double();
    }
    case Kind::Array: {
      if (a.size() != b.size()) return false;
      const auto theirs = b.elements();
      return std::equal(a.elements().begin(), a.elements().end(), theirs.begin(),
                        [&](Value x, Value y) { return equal(x, y, steps); });
    }
    case Kind::Object: {
      if (a.size() != b.size()) return false;
      for (const auto& [key, offset, value] : a.members()) {
        const auto other = b.find(key);
        if (!other || !equal(value, *other, steps)) return false;
      }
      return true;
    }
  }
  return false;
}

class Validator {
 public:
  explicit Validator(Value root) : root_(root) {}

  Result<> check(Value schema, Value value, const std::string& where, int depth) {
    if (depth > kMaxDepth || ++steps_ > kMaxSteps) {
      return fail(ErrorCode::LimitExceeded, "the tool's inputSchema is too deep or too large");
    }
    if (schema.is(Kind::Bool)) {
      return schema.boolean() ? Result<>{} : wrong(where, "is not allowed");
    }
    if (!schema.is(Kind::Object)) return {};
    if (const auto reference = schema.find("$ref")) {
      REMIT_TRY(const Value target, resolve(*reference));
      REMIT_CHECKED(check(target, value, where, depth + 1));
    }
    REMIT_CHECKED(check_type(schema, value, where));
    REMIT_CHECKED(check_values(schema, value, where));
    switch (value.kind()) {
      case Kind::Object:
        REMIT_CHECKED(check_object(schema, value, where, depth));
        break;
      case Kind::Array:
        REMIT_CHECKED(check_array(schema, value, where, depth));
        break;
      case Kind::String:
        REMIT_CHECKED(check_string(schema, value, where));
        break;
      case Kind::Number:
        REMIT_CHECKED(check_number(schema, value, where));
        break;
      case Kind::Null:
      case Kind::Bool:
        break;
    }
    return check_combined(schema, value, where, depth);
  }

 private:
  static std::unexpected<Error> wrong(const std::string& where, std::string_view what) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("{} {}", where.empty() ? "arguments" : where, what));
  }

  static std::string at(const std::string& where, std::string_view key) {
    return fmt::format("{}/{:.64}", where, key);
  }

  // A step back of our own limits is no verdict on the value: it must surface through anyOf.
  static bool is_limit(const Result<>& verdict) {
    return !verdict && verdict.error().code != ErrorCode::InvalidInput;
  }

  Result<Value> resolve(Value reference) {
    const auto text = reference.as_string();
    if (!text || !text->starts_with('#')) {
      return fail(ErrorCode::Denied, "the tool's inputSchema refers to another document");
    }
    std::string_view rest = text->substr(1);
    std::optional<Value> target = root_;
    while (target && rest.starts_with('/')) {
      rest.remove_prefix(1);
      const auto raw = uri_decode(rest.substr(0, rest.find('/')));
      rest.remove_prefix(std::min(rest.size(), rest.find('/')));
      if (!raw) return fail(ErrorCode::Denied, "the tool's inputSchema has a broken $ref");
      std::string token = *raw;
      for (std::size_t i = 0; (i = token.find('~', i)) != std::string::npos; ++i) {
        token.replace(i, 2, token.substr(i + 1, 1) == "1" ? "/" : "~");
      }
      target = step(*target, token);
    }
    if (!target || !rest.empty()) {
      return fail(ErrorCode::Denied, "the tool's inputSchema has a $ref that leads nowhere");
    }
    return *target;
  }

  static std::optional<Value> step(Value from, const std::string& token) {
    if (!from.is(Kind::Array)) return from.find(token);
    std::size_t index = 0;
    for (const Value element : from.elements()) {
      if (std::to_string(index++) == token) return element;
    }
    return std::nullopt;
  }

  static Result<> check_type(Value schema, Value value, const std::string& where) {
    const auto type = schema.find("type");
    if (!type) return {};
    if (const auto one = type->as_string()) {
      if (is_type(value, *one)) return {};
      return wrong(where, fmt::format("must be of type {:.32}", *one));
    }
    if (!type->is(Kind::Array)) return {};
    for (const Value one : type->elements()) {
      if (is_type(value, one.as_string().value_or(""))) return {};
    }
    return wrong(where, fmt::format("must be of one of the types {:.128}", type->raw()));
  }

  Result<> check_values(Value schema, Value value, const std::string& where) {
    if (const auto only = schema.find("const"); only && !equal(*only, value, steps_)) {
      return wrong(where, fmt::format("must be {:.128}", only->raw()));
    }
    const auto list = schema.find("enum");
    if (!list || !list->is(Kind::Array)) return {};
    for (const Value one : list->elements()) {
      if (equal(one, value, steps_)) return {};
    }
    return wrong(where, fmt::format("must be one of {:.256}", list->raw()));
  }

  static std::optional<std::size_t> count(Value schema, std::string_view key) {
    const auto value = schema.find(key);
    const auto number = value ? value->as_double() : std::nullopt;
    if (!number || *number < 0 || *number > 1e15) return std::nullopt;
    return static_cast<std::size_t>(*number);
  }

  static Result<> check_count(Value schema, std::string_view least, std::string_view most,
                              std::size_t n, std::string_view what, const std::string& where) {
    if (const auto min = count(schema, least); min && n < *min) {
      return wrong(where, fmt::format("must have at least {} {}", *min, what));
    }
    if (const auto max = count(schema, most); max && n > *max) {
      return wrong(where, fmt::format("must have at most {} {}", *max, what));
    }
    return {};
  }

  Result<> check_object(Value schema, Value value, const std::string& where, int depth) {
    REMIT_CHECKED(
        check_count(schema, "minProperties", "maxProperties", value.size(), "members", where));
    if (const auto required = schema.find("required"); required && required->is(Kind::Array)) {
      for (const Value name : required->elements()) {
        const auto key = name.as_string();
        if (key && !value.find(*key)) return wrong(at(where, *key), "is required");
      }
    }
    const auto names = schema.find("propertyNames");
    for (const auto& [key, offset, member] : value.members()) {
      if (names) REMIT_CHECKED(check_name(*names, key, where));
      REMIT_CHECKED(check_member(schema, key, member, at(where, key), depth));
    }
    return {};
  }

  // Only what names are described with in practice: a pattern and lengths.
  Result<> check_name(Value names, std::string_view key, const std::string& where) {
    REMIT_CHECKED(check_count(names, "minLength", "maxLength", code_points(key), "characters",
                              at(where, key)));
    const auto pattern = names.find("pattern");
    if (!pattern) return {};
    REMIT_TRY(const bool matches, matches_pattern(*pattern, key));
    return matches ? Result<>{} : wrong(at(where, key), "has a name that is not allowed");
  }

  Result<> check_member(Value schema, std::string_view key, Value member, const std::string& where,
                        int depth) {
    bool known = false;
    const auto properties = schema.find("properties");
    if (const auto property = properties ? properties->find(key) : std::nullopt) {
      known = true;
      REMIT_CHECKED(check(*property, member, where, depth + 1));
    }
    if (const auto patterns = schema.find("patternProperties");
        patterns && patterns->is(Kind::Object)) {
      for (const auto& [pattern, offset, sub] : patterns->members()) {
        REMIT_TRY(const bool matches, matches_pattern(pattern, key));
        if (!matches) continue;
        known = true;
        REMIT_CHECKED(check(sub, member, where, depth + 1));
      }
    }
    const auto additional = schema.find("additionalProperties");
    if (known || !additional) return {};
    if (additional->as_boolean() == false) return wrong(where, "is not an argument of this tool");
    return check(*additional, member, where, depth + 1);
  }

  Result<> check_array(Value schema, Value value, const std::string& where, int depth) {
    REMIT_CHECKED(check_count(schema, "minItems", "maxItems", value.size(), "items", where));
    if (const auto unique = schema.find("uniqueItems"); unique && unique->as_boolean() == true) {
      REMIT_CHECKED(check_unique(value, where));
    }
    auto prefix = schema.find("prefixItems");
    auto rest = schema.find("items");
    if (rest && rest->is(Kind::Array)) {  // draft-07's tuples
      prefix = rest;
      rest = schema.find("additionalItems");
    }
    std::vector<Value> tuple;
    if (prefix && prefix->is(Kind::Array)) {
      tuple.assign(prefix->elements().begin(), prefix->elements().end());
    }
    std::size_t index = 0;
    for (const Value element : value.elements()) {
      const std::string place = at(where, std::to_string(index));
      if (index < tuple.size()) {
        REMIT_CHECKED(check(tuple[index], element, place, depth + 1));
      } else if (rest) {
        REMIT_CHECKED(check(*rest, element, place, depth + 1));
      }
      ++index;
    }
    return {};
  }

  Result<> check_unique(Value value, const std::string& where) {
    const std::vector<Value> all(value.elements().begin(), value.elements().end());
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = i + 1; j < all.size(); ++j) {
        if (equal(all[i], all[j], steps_)) return wrong(where, "must not repeat an item");
        if (steps_ > kMaxSteps) {
          return fail(ErrorCode::LimitExceeded, "too many items to compare with each other");
        }
      }
    }
    return {};
  }

  Result<bool> matches_pattern(Value pattern, std::string_view text) {
    const auto expression = pattern.as_string();
    return expression ? matches_pattern(*expression, text) : Result<bool>(true);
  }

  Result<bool> matches_pattern(std::string_view expression, std::string_view text) {
    steps_ += static_cast<int>(std::min<std::size_t>(expression.size() + text.size() / 64, 10'000));
    if (expression.size() > kMaxPattern || steps_ > kMaxSteps) {
      return fail(ErrorCode::LimitExceeded, "the tool's inputSchema has too much pattern in it");
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    const RE2 compiled(re2::StringPiece(expression.data(), expression.size()), options);
    // ECMA-262 has what RE2 has not (look-around): such a pattern is not ours to judge, the
    // upstream validates it again.
    if (!compiled.ok()) return true;
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled);
  }

  Result<> check_string(Value schema, Value value, const std::string& where) {
    const std::string_view text = value.string();
    REMIT_CHECKED(
        check_count(schema, "minLength", "maxLength", code_points(text), "characters", where));
    const auto pattern = schema.find("pattern");
    if (!pattern) return {};
    REMIT_TRY(const bool matches, matches_pattern(*pattern, text));
    if (matches) return {};
    return wrong(where, fmt::format("must match the pattern {:.256}", pattern->raw()));
  }

  static Result<> check_number(Value schema, Value value, const std::string& where) {
    const auto number = value.as_double();
    if (!number) return wrong(where, "must be a finite number");
    const auto bound = [&](std::string_view key) {
      const auto limit = schema.find(key);
      return limit ? limit->as_double() : std::nullopt;
    };
    if (const auto b = bound("minimum"); b && *number < *b) {
      return wrong(where, fmt::format("must be at least {}", *b));
    }
    if (const auto b = bound("maximum"); b && *number > *b) {
      return wrong(where, fmt::format("must be at most {}", *b));
    }
    if (const auto b = bound("exclusiveMinimum"); b && *number <= *b) {
      return wrong(where, fmt::format("must be more than {}", *b));
    }
    if (const auto b = bound("exclusiveMaximum"); b && *number >= *b) {
      return wrong(where, fmt::format("must be less than {}", *b));
    }
    const auto factor = schema.find("multipleOf");
    const auto step = factor ? factor->as_int64() : std::nullopt;
    const auto whole = value.as_int64();
    if (step && *step > 0 && whole && *whole % *step != 0) {
      return wrong(where, fmt::format("must be a multiple of {}", *step));
    }
    return {};
  }

  Result<> check_combined(Value schema, Value value, const std::string& where, int depth) {
    if (const auto all = schema.find("allOf"); all && all->is(Kind::Array)) {
      for (const Value sub : all->elements()) REMIT_CHECKED(check(sub, value, where, depth + 1));
    }
    if (const auto any = schema.find("anyOf"); any && any->is(Kind::Array)) {
      REMIT_CHECKED(check_some(*any, value, where, depth, false));
    }
    if (const auto one = schema.find("oneOf"); one && one->is(Kind::Array)) {
      REMIT_CHECKED(check_some(*one, value, where, depth, true));
    }
    if (const auto negated = schema.find("not")) {
      const auto verdict = check(*negated, value, where, depth + 1);
      if (is_limit(verdict)) return verdict;
      if (verdict) return wrong(where, "has a form that is not allowed");
    }
    const auto condition = schema.find("if");
    if (!condition) return {};
    const auto verdict = check(*condition, value, where, depth + 1);
    if (is_limit(verdict)) return verdict;
    const auto branch = schema.find(verdict ? "then" : "else");
    return branch ? check(*branch, value, where, depth + 1) : Result<>{};
  }

  Result<> check_some(Value list, Value value, const std::string& where, int depth,
                      bool exactly_one) {
    std::size_t matched = 0;
    Result<> last = wrong(where, "fits none of the allowed forms");
    for (const Value sub : list.elements()) {
      auto verdict = check(sub, value, where, depth + 1);
      if (is_limit(verdict)) return verdict;
      if (!verdict) {
        last = std::move(verdict);
        continue;
      }
      ++matched;
      if (!exactly_one) return {};
    }
    if (matched == 1) return {};
    if (matched > 1) return wrong(where, "fits more than one of the allowed forms");
    if (list.size() == 1) return last;
    return wrong(where, fmt::format("fits none of the allowed forms ({})", last.error().message));
  }

  Value root_;
  int steps_ = 0;
};

}  // namespace

Result<> validate(json::Value schema, json::Value value) {
  return Validator(schema).check(schema, value, "", 0);
}

}  // namespace remit::mcp
