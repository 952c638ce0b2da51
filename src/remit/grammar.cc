#include "remit/grammar.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "aws/arn.h"
#include "base/utf8.h"
#include "remit/contains.h"

namespace remit::rules {

struct Grammar::Expression {
  explicit Expression(const std::string& text, const RE2::Options& options) : re(text, options) {}
  RE2 re;
};

namespace {

constexpr std::size_t kMaxValue = 1024;
constexpr std::size_t kMaxExpression = 512;
constexpr std::size_t kMaxValues = 1000;
constexpr std::int64_t kExpressionMemory = std::int64_t{1} << 20;

struct Named {
  GrammarKind kind;
  std::string_view name;
  std::string_view sample;
};
constexpr std::array kNamed = {
    Named{GrammarKind::Bucket, "bucket", "sample-bucket"},
    Named{GrammarKind::Key, "key", "sample/key"},
    Named{GrammarKind::Name, "name", "sample"},
    Named{GrammarKind::Account, "account", "111122223333"},
    Named{GrammarKind::Region, "region", "us-east-1"},
    Named{GrammarKind::Arn, "arn", "arn:aws:s3:::sample-bucket"},
    Named{GrammarKind::Number, "number", "1"},
    Named{GrammarKind::Boolean, "boolean", "true"},
    Named{GrammarKind::Token, "token", "sample"},
};

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alnum(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c); }

bool made_of(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(
      text, [&](char c) { return is_alnum(c) || extra.find(c) != std::string_view::npos; });
}

std::unexpected<Error> refuse(std::string why) { return fail(ErrorCode::Denied, std::move(why)); }

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
Result<> accept_bucket(std::string_view value) {
  const bool shape =
      value.size() >= 3 && value.size() <= 63 &&
      std::ranges::all_of(
          value, [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '-'; }) &&
      (is_lower(value.front()) || is_digit(value.front())) &&
      (is_lower(value.back()) || is_digit(value.back())) &&
      value.find("..") == std::string_view::npos;
  if (!shape)
    return refuse(
        "is no bucket name: 3 to 63 of a-z, 0-9, '.', '-', beginning and ending with a "
        "letter or digit");
  const bool address = std::ranges::count(value, '.') == 3 &&
                       std::ranges::all_of(value, [](char c) { return is_digit(c) || c == '.'; });
  if (address) return refuse("is no bucket name: it has the form of an IP address");
  return {};
}

Result<> accept_key(std::string_view value) {
  if (value.front() == '/') return refuse("is no object key: it begins with '/'");
  for (std::size_t start = 0; start < value.size();) {
    const std::size_t slash = std::min(value.find('/', start), value.size());
    const std::string_view segment = value.substr(start, slash - start);
    if (segment.empty() || segment == "." || segment == "..")
      return refuse("is no object key: an empty, '.' or '..' segment");
    start = slash + 1;
  }
  return {};
}

Result<> accept_name(std::string_view value) {
  if (value.size() <= 128 && is_alnum(value.front()) && made_of(value, "_.@+=,-")) return {};
  return refuse("is no name: a letter or digit, then up to 127 of letters, digits and _.@+=,-");
}

Result<> accept_number(std::string_view value) {
  const bool digits = value.size() <= 15 && std::ranges::all_of(value, is_digit);
  if (digits && (value == "0" || value.front() != '0')) return {};
  return refuse("is no number: 0, or up to 15 digits without sign and leading zero");
}

Result<> accept_token(std::string_view value) {
  if (value.size() <= 64 && made_of(value, "_-")) return {};
  return refuse("is no token: 1 to 64 of letters, digits, '_' and '-'");
}

template <class T>
Result<> as_refusal(const Result<T>& parsed, std::string_view what) {
  if (parsed) return {};
  return refuse(fmt::format("is no {}: {}", what, parsed.error().message));
}

char32_t decode(std::string_view sequence) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(sequence[i]));
  };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    default:
      return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U |
             (byte(3) & 0x3FU);
  }
}

struct Range {
  char32_t first;
  char32_t last;
};
// What a person cannot see, or what changes how the rest is shown (Unicode 15, categories Cc, Cf,
// Zl, Zp, and the fillers and variation selectors that are drawn as nothing).
constexpr Range kInvisible[] = {
    {0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},     {0x34F, 0x34F},   {0x600, 0x605},
    {0x61C, 0x61C},     {0x6DD, 0x6DD},     {0x70F, 0x70F},   {0x115F, 0x1160}, {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
    {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x110BD, 0x110BD},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

bool is_invisible(char32_t c) {
  return std::ranges::any_of(kInvisible, [&](Range r) { return c >= r.first && c <= r.last; });
}

// A value as it may be shown to a person: it passed refuse_unsafe_text, so it is printable.
std::string shown(std::string_view value) {
  constexpr std::size_t kShown = 60;
  return value.size() <= kShown ? fmt::format("'{}'", value)
                                : fmt::format("a value of {} bytes", value.size());
}

}  // namespace

Result<> refuse_unsafe_text(std::string_view value) {
  if (value.empty()) return refuse("is empty");
  if (value.size() > kMaxValue) return refuse(fmt::format("is longer than {} bytes", kMaxValue));
  for (std::size_t i = 0; i < value.size();) {
    const std::size_t length = utf8_length(value.substr(i));
    if (length == 0) return refuse("is not valid UTF-8");
    const char32_t c = decode(value.substr(i, length));
    if (is_invisible(c))
      return refuse(fmt::format("contains the control or invisible character U+{:04X}",
                                static_cast<std::uint32_t>(c)));
    if (c == U'*' || c == U'?') return refuse(fmt::format("contains the wildcard '{}'", value[i]));
    if (c == U'$') return refuse("contains '$', which begins a policy variable");
    if (c == U'\\') return refuse("contains a backslash");
    i += length;
  }
  return {};
}

Grammar::Grammar() : kind_(GrammarKind::Token) {}

Result<Grammar> Grammar::named(std::string_view name) {
  for (const Named& known : kNamed) {
    if (known.name != name) continue;
    Grammar grammar;
    grammar.kind_ = known.kind;
    return grammar;
  }
  std::vector<std::string_view> names;
  names.reserve(std::size(kNamed));
  for (const Named& known : kNamed) names.push_back(known.name);
  return fail(ErrorCode::InvalidInput,
              fmt::format("'{}' is no grammar; write one of {}, or a mapping with `pattern` or "
                          "`values`",
                          name, fmt::join(names, ", ")));
}

Result<Grammar> Grammar::pattern(std::string_view expression) {
  if (expression.empty() || expression.size() > kMaxExpression)
    return fail(ErrorCode::InvalidInput,
                fmt::format("a pattern has 1 to {} bytes", kMaxExpression));
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kExpressionMemory);
  Grammar grammar;
  grammar.kind_ = GrammarKind::Pattern;
  grammar.text_ = std::string(expression);
  auto compiled = std::make_shared<const Expression>(grammar.text_, options);
  if (!compiled->re.ok())
    return fail(ErrorCode::InvalidInput,
                fmt::format("no regular expression (RE2): {}", compiled->re.error()));
  grammar.expression_ = std::move(compiled);
  return grammar;
}

Result<Grammar> Grammar::values(std::vector<std::string> list) {
  if (list.empty() || list.size() > kMaxValues)
    return fail(ErrorCode::InvalidInput, fmt::format("a list has 1 to {} values", kMaxValues));
  for (const std::string& value : list) {
    if (auto safe = refuse_unsafe_text(value); !safe)
      return fail(ErrorCode::InvalidInput, "a value of the list " + safe.error().message);
  }
  Grammar grammar;
  grammar.kind_ = GrammarKind::Values;
  grammar.list_ = std::move(list);
  return grammar;
}

Result<> Grammar::accepts(std::string_view value) const {
  REMIT_CHECKED(refuse_unsafe_text(value));
  Result<> fits;
  switch (kind_) {
    case GrammarKind::Bucket:
      fits = accept_bucket(value);
      break;
    case GrammarKind::Key:
      fits = accept_key(value);
      break;
    case GrammarKind::Name:
      fits = accept_name(value);
      break;
    case GrammarKind::Account:
      fits = as_refusal(aws::AccountId::parse(value), "account id");
      break;
    case GrammarKind::Region:
      fits = as_refusal(aws::Region::parse(value), "region");
      break;
    case GrammarKind::Arn:
      fits = as_refusal(aws::Arn::parse(value), "ARN");
      break;
    case GrammarKind::Number:
      fits = accept_number(value);
      break;
    case GrammarKind::Boolean:
      if (value != "true" && value != "false") fits = refuse("is neither true nor false");
      break;
    case GrammarKind::Token:
      fits = accept_token(value);
      break;
    case GrammarKind::Pattern:
      if (!RE2::FullMatch(re2::StringPiece(value.data(), value.size()), expression_->re))
        fits = refuse(fmt::format("does not match {} as a whole", text_));
      break;
    case GrammarKind::Values:
      if (!contains(list_, value)) fits = refuse("is not one of the allowed values");
      break;
  }
  if (!fits) fits.error().message.insert(0, shown(value) + " ");
  return fits;
}

std::string Grammar::sample() const {
  if (kind_ == GrammarKind::Values) return list_.front();
  for (const Named& known : kNamed)
    if (known.kind == kind_) return std::string(known.sample);
  return "sample";
}

std::string Grammar::describe() const {
  if (kind_ == GrammarKind::Pattern) return "pattern " + text_;
  if (kind_ == GrammarKind::Values) return fmt::format("one of: {}", fmt::join(list_, ", "));
  for (const Named& known : kNamed)
    if (known.kind == kind_) return std::string(known.name);
  return "";
}

}  // namespace remit::rules
