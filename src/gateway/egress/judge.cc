#include "gateway/egress/judge.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "gateway/egress/pins.h"
#include "iam/compiled.h"
#include "iam/explain.h"

namespace remit::gateway {
namespace {

bool same(std::string_view a, std::string_view b) { return equals_ignoring_ascii_case(a, b); }

bool has_prefix(std::string_view key, std::string_view prefix) {
  return key.size() > prefix.size() && same(key.substr(0, prefix.size()), prefix);
}

// "s3:ExistingObjectTag/*" stands for every key below it; others are exact.
bool covers(std::string_view pattern, std::string_view key) {
  if (pattern.ends_with("/*") || pattern.ends_with(":*")) {
    return has_prefix(key, pattern.substr(0, pattern.size() - 1));
  }
  // The catalogue also writes families as AWS does: aws:ResourceTag/${TagKey}.
  if (const auto at = pattern.find("/${"); at != pattern.npos) {
    return has_prefix(key, pattern.substr(0, at + 1));
  }
  return same(pattern, key);
}

std::string_view prefix_of(std::string_view name) { return name.substr(0, name.find(':')); }

void collect_keys(const std::shared_ptr<const iam::Policy>& policy,
                  std::vector<std::string>& keys) {
  if (!policy) return;
  const iam::CompiledPolicy& compiled = policy->compiled();
  for (const iam::Key& key : compiled.keys) {
    const std::string_view name = compiled.text(key.name);
    const bool known = std::ranges::any_of(keys, [&](const auto& k) { return same(k, name); });
    if (!known) keys.emplace_back(name);
  }
}

// arn:aws:iam::111122223333:role/path/name → arn:aws:sts::111122223333:assumed-role/name/session
std::string session_arn(const CallFacts& facts) {
  const std::string_view role = facts.role_arn;
  const std::string_view name = role.substr(role.rfind('/') + 1);
  return fmt::format("arn:{}:sts::{}:assumed-role/{}/{}", facts.partition, facts.account, name,
                     facts.session_name);
}

std::string resource_text(const std::optional<std::string_view>& resource) {
  return resource ? std::string(*resource)
                  : std::string("a resource that the request does not tell");
}

}  // namespace

bool asks_keys(const CallFacts& facts) {
  const auto asks = [](const std::shared_ptr<const iam::Policy>& policy) {
    return policy && !policy->compiled().keys.empty();
  };
  return asks(facts.session_policy) || asks(facts.approve) ||
         std::ranges::any_of(facts.narrowed_by, asks);
}

Result<Judge> Judge::make(std::shared_ptr<Call> call) {
  Judge judge;
  const CallFacts& facts = call->facts();
  if (!facts.role_arn.empty()) {
    auto principal = iam::Principal::parse(session_arn(facts));
    if (!principal) {
      return fail(ErrorCode::InvalidInput,
                  fmt::format("the call's session: {}", principal.error()));
    }
    judge.principal_ = std::make_unique<iam::Principal>(principal->with_role_arn(facts.role_arn));
  }
  if (facts.session_policy) judge.session_.push_back(facts.session_policy.get());
  for (const auto& policy : facts.narrowed_by) {
    judge.narrowed_.push_back({policy.get()});
    collect_keys(policy, judge.keys_);
  }
  if (facts.approve) judge.approve_.push_back(facts.approve.get());
  collect_keys(facts.session_policy, judge.keys_);
  collect_keys(facts.approve, judge.keys_);
  judge.session_stack_ = iam::Stack::session_only(judge.session_);
  judge.approve_stack_ = iam::Stack::session_only(judge.approve_);
  judge.call_ = std::move(call);
  return judge;
}

// Keys whose value does not depend on the operation. True: the context says what it is.
bool Judge::set_global(std::string_view key, const aws::Identified& identified,
                       const Circumstances& circumstances) {
  const CallFacts& facts = call_->facts();
  if (has_prefix(key, "aws:PrincipalTag/")) {
    const std::string_view tag = key.substr(std::string_view("aws:PrincipalTag/").size());
    for (const auto& [name, value] : facts.tags) {
      if (same(name, tag)) {
        context_.set(key, value);
        return true;
      }
    }
    context_.set_unknown(key);  // the role may have such a tag
    return true;
  }
  if (same(key, "aws:SourceIdentity")) {
    if (facts.source_identity.empty()) {
      context_.set_unknown(key);  // base credentials may carry one
    } else {
      context_.set(key, facts.source_identity);
    }
    return true;
  }
  if (same(key, "aws:RequestedRegion")) {
    if (identified.region.empty()) {
      context_.set_unknown(key);
    } else {
      context_.set(key, identified.region);
    }
    return true;
  }
  if (same(key, "aws:CurrentTime")) {
    now_text_ =
        fmt::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(circumstances.now));
    context_.set(key, now_text_);
    return true;
  }
  if (same(key, "aws:EpochTime")) {
    epoch_text_ = fmt::format(
        "{}",
        std::chrono::floor<std::chrono::seconds>(circumstances.now).time_since_epoch().count());
    context_.set(key, epoch_text_);
    return true;
  }
  if (same(key, "aws:SecureTransport")) {
    context_.set(key, circumstances.secure_transport ? "true" : "false");
    return true;
  }
  if (same(key, "aws:ViaAWSService") || same(key, "aws:ViaAWSMCPService")) {
    context_.set(key, "false");
    return true;
  }
  if (same(key, "aws:UserAgent") || same(key, "aws:Referer")) {
    const http::Field* field =
        http::find(circumstances.head->fields, same(key, "aws:Referer") ? "referer" : "user-agent");
    if (field != nullptr) context_.set(key, field->value);
    return true;
  }
  // AWS's own services say these two in headers of their requests. Whether anybody else's count is
  // not documented.
  if ((same(key, "aws:SourceArn") &&
       http::find(circumstances.head->fields, "x-amz-source-arn") != nullptr) ||
      (same(key, "aws:SourceAccount") &&
       http::find(circumstances.head->fields, "x-amz-source-account") != nullptr)) {
    context_.set_unknown(key);
    return true;
  }
  // Only requests that an AWS service makes for somebody have these.
  constexpr std::array<std::string_view, 10> kAbsent = {
      "aws:CalledVia",     "aws:CalledViaFirst",       "aws:CalledViaLast",
      "aws:SourceArn",     "aws:CalledViaAWSMCP",      "aws:SourceAccount",
      "aws:SourceOrgID",   "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList",
      "aws:SourceOrgPaths"};
  if (std::ranges::any_of(kAbsent, [&](auto name) { return same(name, key); })) return true;
  // The engine derives these from the principal and the resource.
  constexpr std::array<std::string_view, 7> kDerived = {
      "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType",  "aws:PrincipalIsAWSService",
      "aws:username",     "aws:userid",           "aws:ResourceAccount"};
  if (std::ranges::any_of(kDerived, [&](auto name) { return same(name, key); })) return true;
  // What the request would say itself: not said, so absent.
  if (has_prefix(key, "aws:RequestTag/") || same(key, "aws:TagKeys")) return true;
  return false;
}

void Judge::fill_context(const aws::Identified& identified, const aws::ActionRequest& action,
                         const Circumstances& circumstances) {
  context_.clear();
  for (const std::string& key : keys_) {
    if (!action.keys_told) {  // never so where there are keys (asks_keys); if it were: not allowed
      context_.set_unknown(key);
      continue;
    }
    const auto said = std::ranges::find_if(
        action.context, [&](const aws::ContextEntry& entry) { return same(entry.key, key); });
    if (said != action.context.end()) {
      values_.assign(said->values.begin(), said->values.end());
      context_.set(key, values_);
      continue;
    }
    const bool unknown = std::ranges::any_of(
        action.unknown_keys, [&](std::string_view pattern) { return covers(pattern, key); });
    if (unknown) {
      context_.set_unknown(key);
      continue;
    }
    if (set_global(key, identified, circumstances)) continue;
    // A key of the action's own service that identification did not mention is one that the
    // request does not have. Any other is AWS's to know: network, organisation, key material.
    if (same(prefix_of(key), prefix_of(action.action))) continue;
    context_.set_unknown(key);
  }
}

Refusal Judge::refusal(const aws::ActionRequest& action,
                       const std::optional<std::string_view>& resource, const iam::Stack& stack,
                       const iam::Request& request) const {
  const iam::Explanation why = iam::explain(stack, request);
  Refusal refusal;
  refusal.action = action.action;
  refusal.resource = resource.value_or("");
  refusal.layer = iam::name_of(why.decision.layer);
  for (const iam::LayerReport& layer : why.layers) {
    for (const iam::StatementReport& statement : layer.statements) {
      const bool decided =
          why.decision.policy == statement.policy && why.decision.statement == statement.index;
      if (!decided) continue;
      refusal.statement =
          statement.sid.empty() ? fmt::format("Statement[{}]", statement.index) : statement.sid;
    }
  }
  const auto because = why.because();
  refusal.message = fmt::format(
      "{} on {} is not allowed by remit \"{}\"{}{}", action.action, resource_text(resource),
      call_->facts().remit, because.empty() ? "" : ": ", because.empty() ? "" : because.front());
  if (why.suggestion && why.suggestion->possible) {
    refusal.message += fmt::format("; to allow it: {}", why.suggestion->text);
  }
  return refusal;
}

std::optional<Refusal> Judge::judge_action(const aws::Identified& identified,
                                           const aws::ActionRequest& action,
                                           const Circumstances& circumstances) {
  fill_context(identified, action, circumstances);
  iam::Request request;
  request.principal = principal_.get();
  request.action = action.action;
  request.context = &context_;
  const auto ask = [&](std::optional<std::string_view> resource) -> std::optional<Refusal> {
    request.resource = resource;
    if (!iam::decide(session_stack_, request).allowed()) {
      return refusal(action, resource, session_stack_, request);
    }
    for (const auto& policy : narrowed_) {
      const iam::Stack own = iam::Stack::session_only(policy);
      if (iam::decide(own, request).allowed()) continue;
      Refusal refused = refusal(action, resource, own, request);
      refused.layer = "the caller's own policy";
      refused.message = fmt::format("{} on {} is not allowed by {}", action.action,
                                    resource_text(resource), policy.front()->name());
      return refused;
    }
    if (approve_.empty()) return std::nullopt;
    const iam::Outcome outcome = iam::decide(approve_stack_, request).outcome;
    if (outcome != iam::Outcome::ExplicitDeny && outcome != iam::Outcome::Undetermined) {
      return std::nullopt;
    }
    return Refusal{.action = action.action,
                   .resource = std::string(resource.value_or("")),
                   .layer = "approval",
                   .statement = {},
                   .message = fmt::format("{} on {} needs a human's approval, and this gateway has "
                                          "no way to ask yet",
                                          action.action, resource_text(resource))};
  };
  for (const std::string& resource : action.resources) {
    if (auto refused = ask(std::string_view(resource))) return refused;
  }
  if (action.resource_unknown || action.resources.empty()) return ask(std::nullopt);
  return std::nullopt;
}

std::optional<Refusal> Judge::judge(const aws::Identified& identified,
                                    const Circumstances& circumstances) {
  if (session_.empty() || !principal_ || identified.actions.empty()) {
    return Refusal{
        .action = std::string(identified.operation),
        .resource = {},
        .layer = "remit",
        .statement = {},
        .message = fmt::format("{}:{} is not allowed: {} has no AWS session", identified.service,
                               identified.operation, call_->facts().remit)};
  }
  if (auto refused = leaves_pins(call_->facts(), identified, circumstances.region_set)) {
    return refused;
  }
  for (const aws::ActionRequest& action : identified.actions) {
    if (auto refused = judge_action(identified, action, circumstances)) return refused;
  }
  return std::nullopt;
}

bool is_write(const aws::Identified& identified) {
  return std::ranges::any_of(identified.actions, [](const aws::ActionRequest& action) {
    switch (action.level) {
      case aws::AccessLevel::List:
      case aws::AccessLevel::Read:
        return false;
      case aws::AccessLevel::Unknown:
      case aws::AccessLevel::Write:
      case aws::AccessLevel::Tagging:
      case aws::AccessLevel::PermissionsManagement:
        return true;
    }
    return true;
  });
}

}  // namespace remit::gateway
