#include "aws/request_target.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::size_t kMaxParameters = 20'000;

// The signature of a presigned request: not part of the operation's input.
bool is_of_signing(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {
      "X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",           "X-Amz-Expires",
      "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Security-Token", "X-Amz-Region-Set"};
  return std::ranges::any_of(
      kNames, [&](std::string_view known) { return equals_ignoring_ascii_case(known, name); });
}

bool escapes_are_whole(std::string_view text) {
  const auto digit = [&](std::size_t i) {
    return i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (!digit(at + 1) || !digit(at + 2)) return false;
  return true;
}

Result<std::string> decode(std::string_view text) {
  auto decoded = form_decode(text);
  if (!decoded) return fail(ErrorCode::InvalidInput, "a parameter's percent-encoding is broken");
  return *std::move(decoded);
}

}  // namespace

const QueryParameter* RequestTarget::find(std::string_view name) const {
  const auto found = std::ranges::find(query, name, &QueryParameter::name);
  return found == query.end() ? nullptr : &*found;
}

Result<std::vector<QueryParameter>> parse_form(std::string_view body) {
  std::vector<QueryParameter> found;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('&'), body.size());
    const std::string_view item = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (item.empty()) continue;
    if (found.size() == kMaxParameters)
      return fail(ErrorCode::LimitExceeded, "more than 20000 parameters");
    const std::size_t equals = std::min(item.find('='), item.size());
    REMIT_TRY(std::string name, decode(item.substr(0, equals)));
    REMIT_TRY(std::string value, decode(item.substr(std::min(equals + 1, item.size()))));
    found.push_back({std::move(name), std::move(value)});
  }
  return found;
}

Result<RequestTarget> parse_target(std::string_view target) {
  if (!target.starts_with('/'))
    return fail(ErrorCode::InvalidInput, "the request's target does not begin with '/'");
  for (const char c : target)
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7F || c == '#')
      return fail(ErrorCode::InvalidInput,
                  "the request's target holds a byte that must be percent-encoded");
  RequestTarget parsed;
  const std::size_t mark = std::min(target.find('?'), target.size());
  parsed.path = target.substr(0, mark);
  if (!escapes_are_whole(parsed.path))
    return fail(ErrorCode::InvalidInput, "the path's percent-encoding is broken");
  if (mark == target.size()) return parsed;
  REMIT_TRY(parsed.query, parse_form(target.substr(mark + 1)));
  const auto removed = std::ranges::remove_if(
      parsed.query, [](const QueryParameter& p) { return is_of_signing(p.name); });
  parsed.presigned = !removed.empty();
  parsed.query.erase(removed.begin(), removed.end());
  return parsed;
}

}  // namespace remit::aws
