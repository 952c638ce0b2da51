#include "aws/sts_request.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::size_t kMaxMembers = 50;  // of a list: STS takes 50 tags, 10 policies

std::unexpected<Error> refused_request(std::string message) {
  return fail(ErrorCode::InvalidInput, std::move(message));
}

using Parameters = std::map<std::string, std::string, std::less<>>;

Result<> read_pairs(std::string_view text, bool of_query, Parameters& into) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = form_decode(pair.substr(0, equals));
    auto value = form_decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return refused_request("a parameter is not properly percent-encoded");
    const bool of_signature =
        of_query && name->size() > 6 && equals_ignoring_ascii_case(name->substr(0, 6), "x-amz-");
    if (of_signature) continue;
    if (!into.emplace(*std::move(name), *std::move(value)).second) {
      return refused_request("a parameter stands twice");
    }
  }
  return {};
}

// "Tags.member.3.Key" is member 3 of Tags, below it ".Key".
struct Member {
  std::string_view list;
  std::size_t number = 0;
  std::string_view below;
};

std::optional<Member> member_of(std::string_view name) {
  constexpr std::string_view kMark = ".member.";
  const std::size_t at = name.find(kMark);
  if (at == name.npos) return std::nullopt;
  Member member;
  member.list = name.substr(0, at);
  const std::string_view rest = name.substr(at + kMark.size());
  const auto [stop, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), member.number);
  if (ec != std::errc() || rest.front() == '0') return std::nullopt;
  member.below = rest.substr(static_cast<std::size_t>(stop - rest.data()));
  if (member.number < 1 || member.number > kMaxMembers) return std::nullopt;
  return member;
}

template <class T>
T& at(std::vector<T>& list, std::size_t number) {
  if (list.size() < number) list.resize(number);
  return list[number - 1];
}

bool put_member(const Member& member, const std::string& value, AssumeRoleRequest& role) {
  if (member.list == "PolicyArns" && member.below == ".arn") {
    at(role.policy_arns, member.number) = value;
  } else if (member.list == "Tags" && member.below == ".Key") {
    at(role.tags, member.number).first = value;
  } else if (member.list == "Tags" && member.below == ".Value") {
    at(role.tags, member.number).second = value;
  } else if (member.list == "TransitiveTagKeys" && member.below.empty()) {
    at(role.transitive_tag_keys, member.number) = value;
  } else {
    return false;
  }
  return true;
}

Result<> put(const std::string& name, const std::string& value, StsRequest& into) {
  AssumeRoleRequest& role = into.role;
  const std::pair<std::string_view, std::string*> texts[] = {
      {"Action", &into.action},
      {"Name", &into.name},
      {"RoleArn", &role.role_arn},
      {"RoleSessionName", &role.session_name},
      {"Policy", &role.policy},
      {"ExternalId", &role.external_id},
      {"SourceIdentity", &role.source_identity},
      {"SerialNumber", &role.serial_number},
  };
  for (const auto& [known, field] : texts) {
    if (name != known) continue;
    *field = value;
    return {};
  }
  if (name == "Version") return {};
  if (name == "TokenCode") {
    role.token_code = Secret(value);
    return {};
  }
  if (name == "DurationSeconds") {
    int seconds = 0;
    const auto [stop, ec] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (ec != std::errc() || stop != value.data() + value.size() || seconds < 1) {
      return refused_request("DurationSeconds is no number of seconds");
    }
    role.duration = std::chrono::seconds(seconds);
    return {};
  }
  const auto member = member_of(name);
  if (member && put_member(*member, value, role)) return {};
  return refused_request("the parameter " + name.substr(0, 64) + " is none that Remit passes on");
}

// A list with a hole would become another list when it is sent.
Result<> check_lists(const AssumeRoleRequest& role) {
  const auto empty = [](const std::string& text) { return text.empty(); };
  const bool holes =
      std::ranges::any_of(role.policy_arns, empty) ||
      std::ranges::any_of(role.transitive_tag_keys, empty) ||
      std::ranges::any_of(role.tags, empty, &std::pair<std::string, std::string>::first);
  if (holes) return refused_request("a list of parameters lacks one of its members");
  return {};
}

}  // namespace

Result<StsRequest> read_sts_request(std::string_view target, std::string_view form) {
  Parameters parameters;
  if (const std::size_t mark = target.find('?'); mark != target.npos) {
    REMIT_CHECKED(read_pairs(target.substr(mark + 1), true, parameters));
  }
  REMIT_CHECKED(read_pairs(form, false, parameters));
  StsRequest request;
  for (const auto& [name, value] : parameters) REMIT_CHECKED(put(name, value, request));
  REMIT_CHECKED(check_lists(request.role));
  if (request.action.empty()) return refused_request("no Action is asked for");
  return request;
}

}  // namespace remit::aws
