#include "remit/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "aws/arn.h"
#include "base/digest.h"
#include "base/utf8.h"
#include "iam/policy.h"
#include "json/writer.h"
#include "remit/contains.h"
#include "remit/packed.h"
#include "remit/template.h"

namespace remit::rules {
namespace {

constexpr std::size_t kMaxPlans = 1024;
constexpr std::size_t kAgentPart = 20;
constexpr std::size_t kRemitPart = 30;
constexpr std::size_t kHashPart = 12;  // hex digits; 20 + 30 + 12 + two dots = 64

struct Character {
  std::size_t count = 0;
  bool beyond_latin1 = false;  // STS takes U+0020 to U+00FF, tab, LF and CR
};

Character count_characters(std::string_view text) {
  Character seen;
  for (std::size_t i = 0; i < text.size(); ++seen.count) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text.substr(i)));
    const auto first = static_cast<unsigned char>(text[i]);
    seen.beyond_latin1 = seen.beyond_latin1 || first > 0xC3 || (length == 1 && first < 0x20);
    i += length;
  }
  return seen;
}

std::size_t managed_characters(const SessionPlan& plan) {
  std::size_t managed = 0;
  for (const std::string& arn : plan.policy_arns) managed += arn.size();
  return managed;
}

// The characters of each statement and ARN, the largest first, as many as a person wants to read.
std::string parts_of(const SessionPlan& plan) {
  constexpr std::size_t kTold = 8;
  std::vector<std::pair<std::size_t, std::string>> parts;
  const auto document = json::parse(plan.policy);
  const auto statements = document ? document->root().find("Statement") : std::nullopt;
  // One alone stands without brackets.
  std::vector<json::Value> all;
  if (statements && statements->is(json::Kind::Object)) all.push_back(*statements);
  if (statements && statements->is(json::Kind::Array)) {
    for (const json::Value statement : statements->elements()) all.push_back(statement);
  }
  std::size_t index = 0;
  for (const json::Value statement : all) {
    std::string name = fmt::format("statement {}", index + 1);
    if (index < plan.origins.size() && !plan.origins[index].empty()) {
      const StatementOrigin& origin = plan.origins[index].front();
      name += origin.sid.empty() ? fmt::format(" of line {}", origin.position.line)
                                 : fmt::format(" ({}, line {})", origin.sid, origin.position.line);
    }
    parts.emplace_back(count_characters(statement.raw()).count, std::move(name));
    ++index;
  }
  for (const std::string& arn : plan.policy_arns) parts.emplace_back(arn.size(), arn);
  std::ranges::sort(parts, std::greater<>(), &std::pair<std::size_t, std::string>::first);
  std::string text;
  for (std::size_t i = 0; i < parts.size() && i < kTold; ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", parts[i].second, parts[i].first);
  }
  if (parts.size() > kTold) text += fmt::format(", and {} smaller ones", parts.size() - kTold);
  return text;
}

// The limit counts the inline policy and the managed policies' ARNs; both are shown.
Result<> check_policy_size(SessionPlan& plan, const std::vector<std::string>& offload) {
  const Character inline_policy = count_characters(plan.policy);
  if (inline_policy.beyond_latin1)
    return fail(ErrorCode::Denied,
                fmt::format("the session policy of remit {} would hold a character that STS does "
                            "not take (above U+00FF, or a control character)",
                            plan.remit));
  const std::size_t managed = managed_characters(plan);
  if (inline_policy.count + managed <= kMaxPolicyCharacters) return {};
  if (!offload.empty()) {
    plan.offloaded = true;
    plan.policy_arns.insert(plan.policy_arns.end(), offload.begin(), offload.end());
    std::ranges::sort(plan.policy_arns);
    const auto doubles = std::ranges::unique(plan.policy_arns);
    plan.policy_arns.erase(doubles.begin(), doubles.end());
    if (const std::size_t all = managed_characters(plan); all > kMaxPolicyCharacters)
      return fail(ErrorCode::LimitExceeded,
                  fmt::format("the managed policies of remit {} alone are too long for STS: {} "
                              "characters of ARNs, and {} is the limit",
                              plan.remit, all, kMaxPolicyCharacters));
    return {};
  }
  return fail(
      ErrorCode::LimitExceeded,
      fmt::format("the session policy of remit {} is too long for STS: {} characters inline "
                  "+ {} of managed policy ARNs = {}, and {} is the limit ({}); use patterns for "
                  "what has a common beginning, split the remit, or name managed policies in "
                  "`offload`",
                  plan.remit, inline_policy.count, managed, inline_policy.count + managed,
                  kMaxPolicyCharacters, parts_of(plan)));
}

void write_optional(json::Writer& writer, std::string_view key,
                    const std::optional<std::string>& value) {
  writer.key(key);
  if (value)
    writer.string(*value);
  else
    writer.null();
}

void write_strings(json::Writer& writer, std::string_view key,
                   const std::vector<std::string>& values) {
  writer.key(key).begin_array();
  for (const std::string& value : values) writer.string(value);
  writer.end_array();
}

// JSON, because it keeps fields apart without a convention of ours.
std::string key_of(const SessionPlan& plan, const Config& config) {
  json::Writer writer;
  writer.begin_object();
  writer.key("agent").string(config.agent.name);
  writer.key("base").integer(static_cast<std::int64_t>(config.aws.base.kind));
  writer.key("duration").integer(plan.duration.count());
  write_optional(writer, "externalId", plan.external_id);
  writer.key("policy").string(plan.policy);
  if (plan.offloaded) writer.key("offloaded").boolean(true);
  write_strings(writer, "policyArns", plan.policy_arns);
  writer.key("profile").string(config.aws.base.profile);
  writer.key("region").string(plan.region);
  writer.key("remit").string(plan.remit);
  writer.key("role").string(plan.role);
  write_optional(writer, "sourceIdentity", plan.source_identity);
  writer.key("tags").begin_array();
  for (const Tag& tag : plan.tags)
    writer.begin_array().string(tag.key).string(tag.value).end_array();
  writer.end_array();
  write_strings(writer, "transitive", plan.transitive);
  writer.end_object();
  return sha256_hex(std::move(writer).take());
}

std::string session_name_of(const Config& config, const SessionPlan& plan) {
  std::string remit = plan.remit.substr(0, kRemitPart);
  std::ranges::replace(remit, ':', '-');  // of "startup:api"; STS takes no colon
  return fmt::format("{}.{}.{}", std::string_view(config.agent.name).substr(0, kAgentPart), remit,
                     std::string_view(plan.key).substr(0, kHashPart));
}

Result<std::shared_ptr<const iam::Policy>> compile_policy(const SessionPlan& plan,
                                                          std::string_view policy) {
  auto compiled = iam::compile(policy, iam::PolicyKind::Session,
                               fmt::format("session policy of remit {}", plan.remit));
  if (compiled) return std::make_shared<const iam::Policy>(*std::move(compiled));
  const iam::PolicyError& first = compiled.error().front();
  return fail(
      ErrorCode::Denied,
      fmt::format("the session policy of remit {} is no valid policy once the arguments are "
                  "bound: {}: {}",
                  plan.remit, first.path, first.message));
}

// Whose a bucket is, no request tells and only AWS knows: of the accounts that a remit is pinned
// to, the session is told too. An action without the key, AWS's own resources included, passes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
std::string with_account_pin(std::string_view policy, const std::vector<std::string>& accounts) {
  const auto document = json::parse(std::string(policy));
  REMIT_CHECK(document.has_value());  // it was written here
  const json::Value statements = *document->root().find("Statement");
  json::Writer writer;
  writer.begin_object().key("Statement").begin_array();
  if (statements.is(json::Kind::Array)) {
    for (const json::Value statement : statements.elements()) writer.raw(statement.raw());
  } else {
    writer.raw(statements.raw());
  }
  writer.begin_object().key("Action").string("*").key("Condition").begin_object();
  writer.key("Null").begin_object().key("aws:ResourceAccount").string("false").end_object();
  writer.key("StringNotEquals").begin_object().key("aws:ResourceAccount");
  if (accounts.size() == 1) {
    writer.string(accounts.front());
  } else {
    writer.begin_array();
    for (const std::string& account : accounts) writer.string(account);
    writer.end_array();
  }
  writer.end_object().end_object().key("Effect").string("Deny").key("Resource").string("*");
  writer.end_object().end_array().key("Version").string("2012-10-17").end_object();
  return std::move(writer).take();
}

// What a plan depends on besides the configuration, which a Planner has once.
std::string id_of(const Remit& remit, const BoundArguments& bound) {
  json::Writer writer;
  writer.begin_array().string(remit.name);
  for (const BoundArgument& argument : bound) writer.string(argument.name).string(argument.value);
  writer.end_array();
  return std::move(writer).take();
}

}  // namespace

std::size_t plan_characters(const SessionPlan& plan) {
  return (plan.offloaded ? 0 : count_characters(plan.policy).count) + managed_characters(plan);
}

Result<SessionPlan> plan_session(const Config& config, const Remit& remit, BoundArguments bound) {
  SessionPlan plan;
  plan.remit = remit.name;
  REMIT_TRY(plan.role, choose_role(remit, bound));
  REMIT_TRY(const auto role, aws::RoleArn::parse(plan.role));
  plan.account = role.account.text();
  REMIT_TRY(PolicyText policy, remit.session->fill(bound));
  plan.policy = std::move(policy.json);
  const std::string decided_by = plan.policy;
  if (remit.pins && !remit.pins->accounts.empty())
    plan.policy = with_account_pin(plan.policy, remit.pins->accounts);
  plan.origins = std::move(policy.origins);
  plan.policy_arns = remit.policy_arns;
  plan.tags = remit.tags;
  plan.transitive = remit.transitive;
  plan.source_identity = remit.source_identity;
  plan.external_id = remit.external_id;
  plan.duration = remit.duration;
  plan.region = config.aws.region;
  plan.bound = std::move(bound);
  for (const BoundArgument& argument : plan.bound)
    if (contains(remit.session->arguments(), argument.name)) plan.in_policy.push_back(argument);
  REMIT_CHECKED(check_policy_size(plan, remit.offload));
  plan.key = key_of(plan, config);
  plan.session_name = session_name_of(config, plan);
  plan.packed_percent_estimate = estimate_packed_percent(
      plan.offloaded ? std::string_view() : plan.policy, plan.policy_arns, plan.tags);
  REMIT_TRY(plan.compiled, compile_policy(plan, decided_by));
  return plan;
}

Planner::Planner(std::shared_ptr<const Config> config) : config_(std::move(config)) {}

Result<std::shared_ptr<const SessionPlan>> Planner::plan(const Remit& remit,
                                                         std::optional<json::Value> arguments) {
  REMIT_TRY(BoundArguments bound, bind_arguments(remit, arguments));
  std::string id = id_of(remit, bound);
  if (const auto known = by_id_.find(id); known != by_id_.end()) {
    recent_.splice(recent_.begin(), recent_, known->second);
    return recent_.front().plan;
  }
  REMIT_TRY(SessionPlan made, plan_session(*config_, remit, std::move(bound)));
  auto plan = std::make_shared<const SessionPlan>(std::move(made));
  recent_.push_front({id, plan});
  by_id_.emplace(std::move(id), recent_.begin());
  if (recent_.size() > kMaxPlans) {
    by_id_.erase(recent_.back().id);
    recent_.pop_back();
  }
  return plan;
}

}  // namespace remit::rules
