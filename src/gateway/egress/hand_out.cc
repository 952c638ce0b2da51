#include "gateway/egress/hand_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "aws/arn.h"
#include "aws/sts_request.h"
#include "base/encoding.h"
#include "gateway/egress/combined_policy.h"
#include "iam/policy.h"
#include "remit/packed.h"
#include "remit/session.h"

namespace remit::gateway {
namespace {

constexpr std::chrono::seconds kMaxTokenDuration{129'600};
constexpr std::chrono::seconds kUsualTokenDuration{43'200};
constexpr std::chrono::seconds kUsualRoleDuration{3'600};
constexpr std::string_view kNothing =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})";

std::unexpected<Error> no_hand_out(std::string message) {
  return fail(ErrorCode::Denied, std::move(message));
}
std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::InvalidInput, std::move(message));
}

Result<std::shared_ptr<const iam::Policy>> compile_own(std::string_view policy,
                                                       std::string_view action) {
  if (policy.size() > aws::kMaxSessionPolicyCharacters) {
    return invalid(
        fmt::format("the policy has more than {} characters", aws::kMaxSessionPolicyCharacters));
  }
  auto compiled = iam::compile(policy, iam::PolicyKind::Session,
                               fmt::format("the policy passed to {}", action));
  if (compiled) return std::make_shared<const iam::Policy>(*std::move(compiled));
  return invalid(
      fmt::format("the policy passed to {}: {}", action, iam::to_text(compiled.error().front())));
}

// Tags that the role inherits cannot be set again; the mark of an agent cannot be set otherwise.
Result<> settle_tags(aws::AssumeRoleRequest& role, const CallFacts& facts) {
  const auto inherited = [&](std::string_view key) {
    return std::ranges::any_of(facts.transitive, [&](const auto& known) {
      return equals_ignoring_ascii_case(known, key);
    });
  };
  std::vector<std::pair<std::string, std::string>> kept;
  for (auto& [key, value] : role.tags) {
    const auto own = std::ranges::find_if(
        facts.tags, [&](const auto& tag) { return equals_ignoring_ascii_case(tag.first, key); });
    const bool same = own != facts.tags.end() && own->second == value;
    const bool marks = equals_ignoring_ascii_case(key, "AccessType");
    if ((inherited(key) || marks) && !same) {
      return no_hand_out(fmt::format("the session tag {} is Remit's to set", key));
    }
    if (!inherited(key)) kept.emplace_back(std::move(key), std::move(value));
  }
  role.tags = std::move(kept);
  std::erase_if(role.transitive_tag_keys, inherited);
  return {};
}

// The caller's own policy goes to STS as far as it can be said beside the remit's, and when it
// fits; Remit applies all of it to each request anyhow. The packed size is a guess, so well below
// the limit: a request that STS refuses for it would have worked without.
void add_own_policy(aws::AssumeRoleRequest& role, std::string_view own) {
  constexpr int kMostPacked = 80;
  std::string both = combined_policy(role.policy, own);
  const bool plain =
      std::ranges::all_of(both, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  std::size_t size = both.size();
  for (const std::string& arn : role.policy_arns) size += arn.size();
  if (both.empty() || !plain || size > rules::kMaxPolicyCharacters) return;
  std::vector<rules::Tag> tags;
  tags.reserve(role.tags.size());
  for (const auto& [key, value] : role.tags) tags.push_back({key, value});
  if (rules::estimate_packed_percent(both, role.policy_arns, tags) > kMostPacked) return;
  role.policy = std::move(both);
}

Result<> settle_role(HandOut& asked, aws::AssumeRoleRequest role, const CallFacts& facts) {
  if (!facts.plan) return no_hand_out("the call has no session policy that would limit the role");
  if (!role.policy_arns.empty()) {
    return no_hand_out(
        "PolicyArns are not possible here: Remit cannot see what such a policy says, so "
        "it cannot hold the session to it; pass an inline Policy");
  }
  if (!role.serial_number.empty() || !role.token_code.empty()) {
    return no_hand_out("a role cannot be assumed with an MFA code from here");
  }
  if (!role.source_identity.empty() && role.source_identity != facts.source_identity) {
    return no_hand_out("SourceIdentity is Remit's to set");
  }
  REMIT_TRY(const auto arn, aws::RoleArn::parse(role.role_arn));
  REMIT_CHECKED(settle_tags(role, facts));
  const std::string own = std::exchange(role.policy, {});
  if (!own.empty()) {
    REMIT_TRY(asked.narrows, compile_own(own, "AssumeRole"));
  }
  if (role.duration.count() == 0) role.duration = kUsualRoleDuration;
  if (role.duration > aws::kMaxChainedDuration) {
    return invalid("a role assumed by a session lasts an hour at most (DurationSeconds 3600)");
  }
  asked.duration = role.duration;
  asked.asked_session_name = std::exchange(role.session_name, facts.session_name);
  role.source_identity.clear();  // inherited from the call's session
  if (!facts.plan->offloaded) role.policy = facts.plan->policy;
  // Of another account such a policy does not exist; without it the session may do less, not more.
  for (const std::string& policy : facts.plan->policy_arns) {
    const bool fits = policy.find("::aws:policy/") != policy.npos ||
                      policy.find(fmt::format("::{}:", arn.account.text())) != policy.npos;
    if (fits) role.policy_arns.push_back(policy);
  }
  if (role.policy.empty() && role.policy_arns.empty()) {
    return no_hand_out(
        "the remit's session policy is too long for STS, and its managed policies are of "
        "another account: nothing would limit the role at AWS");
  }
  if (!own.empty()) add_own_policy(role, own);
  asked.role = std::move(role);
  return {};
}

Result<> settle_token(HandOut& asked, const aws::StsRequest& request) {
  const aws::AssumeRoleRequest& said = request.role;
  if (!said.policy_arns.empty() || !said.tags.empty()) {
    return no_hand_out(
        fmt::format("{} with PolicyArns or Tags is not possible here: the credentials "
                    "act as the call's own session",
                    request.action));
  }
  if (!said.serial_number.empty() || !said.token_code.empty()) {
    return no_hand_out(fmt::format("{} with an MFA code is not possible here", request.action));
  }
  asked.duration = said.duration.count() == 0 ? kUsualTokenDuration : said.duration;
  if (asked.duration < aws::kMinSessionDuration || asked.duration > kMaxTokenDuration) {
    return invalid("DurationSeconds must be 900 to 129600");
  }
  if (asked.kind == HandOut::Kind::SessionToken) return {};
  asked.name = request.name;
  // Without a policy a federated user may do nothing.
  REMIT_TRY(asked.narrows,
            compile_own(said.policy.empty() ? kNothing : said.policy, "GetFederationToken"));
  return {};
}

}  // namespace

std::optional<HandOut::Kind> hand_out_kind(const aws::Identified& identified) {
  if (identified.candidates.size() > 1) return std::nullopt;
  if (identified.service == "sts") {
    if (identified.operation == "AssumeRole") return HandOut::Kind::AssumeRole;
    if (identified.operation == "GetSessionToken") return HandOut::Kind::SessionToken;
    if (identified.operation == "GetFederationToken") return HandOut::Kind::FederationToken;
  }
  if (identified.service == "s3" && identified.operation == "CreateSession") {
    return HandOut::Kind::ExpressSession;
  }
  return std::nullopt;
}

Result<HandOut> plan_hand_out(HandOut::Kind kind, const http::RequestHead& head,
                              std::string_view content, const CallFacts& facts) {
  HandOut asked;
  asked.kind = kind;
  if (kind == HandOut::Kind::ExpressSession) {
    const http::Field* mode = http::find(head.fields, "x-amz-create-session-mode");
    asked.read_only = mode != nullptr && mode->value == "ReadOnly";
    return asked;
  }
  REMIT_TRY(aws::StsRequest request, aws::read_sts_request(head.target, content));
  if (kind == HandOut::Kind::AssumeRole) {
    REMIT_CHECKED(settle_role(asked, std::move(request.role), facts));
  } else {
    REMIT_CHECKED(settle_token(asked, request));
  }
  return asked;
}

std::string why_not_handed_out(const aws::Identified& identified) {
  const std::string name = fmt::format("{}:{}", identified.service, identified.operation);
  if (identified.service == "sts" && identified.operation.starts_with("AssumeRole")) {
    return fmt::format(
        "{} would act as another identity than the call's own session, which Remit "
        "cannot answer for; assume a role with AssumeRole instead",
        name);
  }
  return fmt::format(
      "{} would hand out credentials, which never leave Remit, and these are none "
      "that Remit could stand in for",
      name);
}

CallFacts derived_facts(const CallFacts& parent, const HandOut& asked) {
  CallFacts facts = parent;
  if (asked.narrows) facts.narrowed_by.push_back(asked.narrows);
  if (asked.kind != HandOut::Kind::AssumeRole) return facts;
  facts.role_arn = asked.role.role_arn;
  if (const auto arn = aws::RoleArn::parse(facts.role_arn)) facts.account = arn->account.text();
  facts.session_name = asked.role.session_name;
  std::erase_if(facts.tags, [&](const auto& tag) {
    return std::ranges::find(parent.transitive, tag.first) == parent.transitive.end();
  });
  for (const auto& [key, value] : asked.role.tags) facts.tags.insert_or_assign(key, value);
  for (const std::string& key : asked.role.transitive_tag_keys) facts.transitive.push_back(key);
  return facts;
}

}  // namespace remit::gateway
