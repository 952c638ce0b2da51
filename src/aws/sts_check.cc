// What can be known to be wrong with an AssumeRole request before it is sent.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

#include <algorithm>
#include <set>
#include <utility>

#include "aws/arn.h"
#include "aws/sts.h"
#include "base/encoding.h"

namespace remit::aws {

namespace {

constexpr std::size_t kMaxTags = 50;
constexpr std::size_t kMaxPolicyArns = 10;
constexpr char32_t kBadCodePoint = 0xFFFFFFFF;

// Takes one code point off `text`; kBadCodePoint when it is not UTF-8.
char32_t next_code_point(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  char32_t value = size == 1 ? first : first & (0xFFU >> (size + 1));
  const bool bad_start = (first >= 0x80 && first < 0xC2) || first > 0xF4 || size > text.size();
  bool bad = bad_start;
  for (std::size_t i = 1; i < size && !bad; ++i) {
    bad = (byte(i) & 0xC0) != 0x80;
    value = value << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  if (bad || overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    text = {};
    return kBadCodePoint;
  }
  text.remove_prefix(size);
  return value;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    next_code_point(text);
    ++count;
  }
  return count;
}

bool all_characters(std::string_view text, bool (*allowed)(char32_t)) {
  while (!text.empty()) {
    if (!allowed(next_code_point(text))) return false;
  }
  return true;
}

bool is_word(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_one_of(char32_t c, std::string_view set) {
  return c < 0x80 && set.find(static_cast<char>(c)) != set.npos;
}
bool is_name(char32_t c) { return is_word(c) || is_one_of(c, "+=,.@-"); }
bool is_external_id(char32_t c) { return is_word(c) || is_one_of(c, "+=,.@:/-"); }
// Which of the others are letters, digits or separators is left to STS.
bool is_tag(char32_t c) {
  return is_word(c) || is_one_of(c, " .:/=+-@") || (c >= 0xA0 && c != kBadCodePoint);
}
bool is_policy(char32_t c) { return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xFF); }

class Problems {
 public:
  void require(bool holds, std::string problem) {
    if (holds) return;
    if (!text_.empty()) text_ += "; ";
    text_ += problem;
  }
  Result<> result() && {
    if (text_.empty()) return {};
    return fail(ErrorCode::InvalidInput, std::move(text_));
  }

 private:
  std::string text_;
};

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text.substr(0, 160)) + "\"";
}

void check_name(Problems& problems, std::string_view what, std::string_view name) {
  const std::size_t size = characters(name);
  problems.require(
      size >= 2 && size <= 64 && all_characters(name, is_name),
      std::string(what) + " is 2 to 64 of letters, digits and _+=,.@-, not " + in_quotes(name));
}

void check_policies(Problems& problems, const AssumeRoleRequest& request, const RoleArn* role) {
  problems.require(all_characters(request.policy, is_policy),
                   "the session policy has a character outside U+0009, A, D, 20 to FF");
  problems.require(request.policy_arns.size() <= kMaxPolicyArns,
                   "at most 10 managed session policies may be passed, not " +
                       std::to_string(request.policy_arns.size()));
  std::size_t of_arns = 0;
  for (const std::string& text : request.policy_arns) {
    of_arns += characters(text);
    const auto arn = Arn::parse(text);
    const bool good =
        arn && arn->service == "iam" && arn->region.empty() &&
        arn->resource.starts_with("policy/") &&
        (role == nullptr || arn->account == "aws" || arn->account == role->account.text());
    problems.require(good,
                     in_quotes(text) + " is not a managed policy of the role's account or of AWS");
  }
  const std::size_t total = policy_characters(request);
  problems.require(total <= kMaxSessionPolicyCharacters,
                   "the session policy has " + std::to_string(total) +
                       " characters, STS takes at most 2048: inline policy " +
                       std::to_string(total - of_arns) + ", " +
                       std::to_string(request.policy_arns.size()) + " policy ARNs " +
                       std::to_string(of_arns));
}

void check_tags(Problems& problems, const AssumeRoleRequest& request) {
  problems.require(request.tags.size() <= kMaxTags, "at most 50 session tags may be passed, not " +
                                                        std::to_string(request.tags.size()));
  std::set<std::string> keys;
  for (const auto& [key, value] : request.tags) {
    const std::size_t size = characters(key);
    problems.require(
        size >= 1 && size <= 128 && all_characters(key, is_tag),
        "a tag's key is 1 to 128 of letters, digits, blanks and _.:/=+-@, not " + in_quotes(key));
    problems.require(characters(value) <= 256 && all_characters(value, is_tag),
                     "the value of the tag " + in_quotes(key) +
                         " is not up to 256 of letters, digits, blanks and _.:/=+-@");
    const std::string folded = lower_ascii(key);
    problems.require(!folded.starts_with("aws:"),
                     "the tag " + in_quotes(key) + " starts with aws:, which AWS keeps");
    problems.require(keys.insert(folded).second,
                     "the tag " + in_quotes(key) + " is there twice (keys do not differ by case)");
  }
  for (const std::string& key : request.transitive_tag_keys) {
    problems.require(keys.contains(lower_ascii(key)),
                     "the transitive tag key " + in_quotes(key) + " is not one of the tags");
  }
}

void check_duration(Problems& problems, std::chrono::seconds duration, Chained chained) {
  if (duration.count() == 0) return;
  problems.require(duration >= kMinSessionDuration && duration <= kMaxSessionDuration,
                   "a session lasts 900 to 43200 seconds, not " + std::to_string(duration.count()));
  problems.require(
      chained == Chained::No || duration <= kMaxChainedDuration,
      "a session lasts at most 3600 seconds when the base credentials are themselves of an "
      "assumed role (role chaining), not " +
          std::to_string(duration.count()));
}

}  // namespace

std::size_t policy_characters(const AssumeRoleRequest& request) {
  std::size_t total = characters(request.policy);
  for (const std::string& arn : request.policy_arns) total += characters(arn);
  return total;
}

Result<> check(const AssumeRoleRequest& request, Chained chained) {
  Problems problems;
  const auto role = RoleArn::parse(request.role_arn);
  problems.require(role.has_value(), role ? "" : role.error().message);
  check_name(problems, "the session name", request.session_name);
  check_policies(problems, request, role ? &*role : nullptr);
  check_tags(problems, request);
  check_duration(problems, request.duration, chained);
  if (!request.external_id.empty()) {
    const std::size_t size = characters(request.external_id);
    problems.require(
        size >= 2 && size <= 1224 && all_characters(request.external_id, is_external_id),
        "the external id is 2 to 1224 of letters, digits and _+=,.@:/-");
  }
  if (!request.source_identity.empty()) {
    check_name(problems, "the source identity", request.source_identity);
    problems.require(!lower_ascii(request.source_identity).starts_with("aws:"),
                     "the source identity may not start with aws:");
  }
  const std::string_view code = request.token_code.expose();
  problems.require(request.serial_number.empty() == code.empty(),
                   "an MFA device's serial number and its code go together");
  problems.require(
      code.empty() || (code.size() == 6 &&
                       std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; })),
      "an MFA code is six digits");
  return std::move(problems).result();
}

}  // namespace remit::aws
