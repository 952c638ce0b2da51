#include "learn/learn.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "iam/decide.h"
#include "iam/policy.h"
#include "iam/request.h"
#include "remit/packed.h"
#include "remit/session.h"

namespace remit::learn {
namespace {

// Keys whose value says what a request is for. Others change with client and network, or repeat
// what the resource says. A `*` at the end stands for the rest of the name.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
constexpr std::array<std::string_view, 12> kWorthACondition = {
    "iam:PassedToService", "kms:ViaService",        "kms:EncryptionContext:*",
    "s3:prefix",           "s3:x-amz-acl",          "s3:x-amz-server-side-encryption",
    "ec2:CreateAction",    "ec2:InstanceType",      "sts:ExternalId",
    "sts:RoleSessionName", "s3express:SessionMode", "lambda:FunctionUrlAuthType"};
constexpr std::string_view kRegion = "aws:RequestedRegion";

bool worth_a_condition(std::string_view key) {
  return std::ranges::any_of(kWorthACondition, [&](std::string_view known) {
    if (!known.ends_with('*')) return equals_ignoring_ascii_case(known, key);
    known.remove_suffix(1);
    return key.size() > known.size() &&
           equals_ignoring_ascii_case(key.substr(0, known.size()), known);
  });
}

// A `${` that stood in a name is no policy variable.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) {
      out += "${$}";
    } else {
      out += text[i];
    }
  }
  return out;
}

// What was seen of one action.
struct OfAction {
  std::set<std::string> resources;
  bool any_resource = false;
  std::size_t times = 0;
  std::map<std::string, std::set<std::string>> values;  // of keys worth a condition
  std::map<std::string, std::size_t> said;              // how often a key had exactly one value
};

using ByAction = std::map<std::string, OfAction>;

ByAction gather(const ToolUse& use, const Options& options) {
  ByAction actions;
  for (const Observed& one : use.observed) {
    if (one.refused && !options.include_refused) continue;
    OfAction& of = actions[one.asked.action];
    of.times += one.times;
    of.any_resource = of.any_resource || one.asked.resource_unknown || one.asked.resources.empty();
    for (const std::string& resource : one.asked.resources) {
      if (resource == "*") {
        of.any_resource = true;
      } else {
        of.resources.insert(escaped(resource));
      }
    }
    for (const auto& [key, values] : one.asked.context) {
      if (values.size() != 1 || (key != kRegion && !worth_a_condition(key))) continue;
      of.values[key].insert(values.front());
      of.said[key] += one.times;
    }
  }
  return actions;
}

// The beginning that all share, up to its last `/`.
std::string common_folder(const std::set<std::string>& values) {
  std::string_view common = *values.begin();
  for (const std::string& value : values) {
    const auto [x, y] = std::ranges::mismatch(common, value);
    common = common.substr(0, static_cast<std::size_t>(x - common.begin()));
  }
  return std::string(common.substr(0, common.rfind('/') + 1));
}

bool is_plain(std::string_view value) { return value.find_first_of("*?$") == value.npos; }

std::vector<rules::PlainCondition> conditions_of(const OfAction& of, const Options& options) {
  std::vector<rules::PlainCondition> conditions;
  if (of.times < options.condition_from) return conditions;
  for (const auto& [key, values] : of.values) {
    if (of.said.at(key) != of.times) continue;  // some requests did not have it
    if (key == kRegion && !of.any_resource) continue;
    if (values.size() == 1) {
      conditions.push_back({"StringEquals", key, {escaped(*values.begin())}});
    } else if (key == "s3:prefix" && values.size() >= options.wildcards.from &&
               options.wildcards.from > 0) {
      const std::string folder = common_folder(values);
      if (!folder.empty() && is_plain(folder)) {
        conditions.push_back({"StringLike", key, {folder + "*"}});
      }
    }
  }
  std::ranges::sort(conditions);  // those of one operator beside each other
  return conditions;
}

std::vector<rules::PlainStatement> statements_of(const ByAction& actions, const Options& options,
                                                 bool with_conditions) {
  using Key = std::pair<std::vector<std::string>, std::vector<rules::PlainCondition>>;
  std::map<Key, std::vector<std::string>> groups;
  for (const auto& [action, of] : actions) {
    std::vector<std::string> resources{"*"};
    if (!of.any_resource) {
      resources = generalise({of.resources.begin(), of.resources.end()}, options.wildcards);
    }
    std::vector<rules::PlainCondition> conditions;
    if (with_conditions) conditions = conditions_of(of, options);
    groups[{std::move(resources), std::move(conditions)}].push_back(action);
  }
  std::vector<rules::PlainStatement> statements;
  for (auto& [key, its_actions] : groups) {
    rules::PlainStatement statement;
    statement.actions = std::move(its_actions);
    statement.resources = key.first;
    statement.conditions = key.second;
    statements.push_back(std::move(statement));
  }
  return statements;
}

// arn:aws:iam::111122223333:role/a/b as the ARN of one of its sessions.
std::string session_arn(std::string_view role) {
  std::array<std::string_view, 5> part;
  std::string_view rest = role;
  for (std::string_view& one : part) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    one = rest.substr(0, colon);
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return fmt::format("arn:{}:sts::{}:assumed-role/{}/learn", part[1], part[4],
                     rest.substr(rest.rfind('/') + 1));
}

}  // namespace

bool allows(const iam::Policy& policy, const ToolUse& use, const Asked& asked) {
  const auto principal = iam::Principal::parse(session_arn(use.role));
  if (!principal) return false;
  const iam::Principal session = principal->with_role_arn(use.role);
  iam::Context context;
  std::vector<std::vector<std::string_view>> kept;
  kept.reserve(asked.context.size());
  for (const auto& [key, values] : asked.context) {
    kept.emplace_back(values.begin(), values.end());
    context.set(key, kept.back());
  }
  iam::Request request;
  request.principal = &session;
  request.action = asked.action;
  request.context = &context;
  const iam::Policy* const policies[] = {&policy};
  const iam::Stack stack = iam::Stack::session_only(policies);
  const auto ask = [&](std::optional<std::string_view> resource) {
    request.resource = resource;
    return iam::decide(stack, request).allowed();
  };
  for (const std::string& resource : asked.resources) {
    if (!ask(std::string_view(resource))) return false;
  }
  return (!asked.resource_unknown && !asked.resources.empty()) || ask(std::nullopt);
}

namespace {

// The marks of bound arguments become what stands for them in remit.yaml.
void restore_arguments(Learnt& learnt, const ToolUse& use) {
  if (use.arguments.names().empty()) return;
  for (rules::PlainStatement& statement : learnt.statements) {
    for (std::string& resource : statement.resources) resource = use.arguments.restore(resource);
    for (rules::PlainCondition& condition : statement.conditions) {
      for (std::string& value : condition.values) value = use.arguments.restore(value);
    }
  }
  learnt.policy = rules::write_canonical(learnt.statements);
  for (Observed& one : learnt.left_out) {
    for (std::string& resource : one.asked.resources) resource = use.arguments.restore(resource);
  }
  std::string names;
  for (const std::string& name : use.arguments.names()) {
    names += (names.empty() ? "" : ", ") + ("${arg:" + name + "}");
  }
  learnt.notes.push_back(names +
                         " stands where the value of that argument stood; it has no length here");
}

}  // namespace

Result<Learnt> learn(const ToolUse& use, const Options& options) {
  Learnt learnt;
  for (const Observed& one : use.observed) {
    if (one.refused && !options.include_refused) learnt.left_out.push_back(one);
  }
  const ByAction actions = gather(use, options);
  if (actions.empty()) return learnt;
  const auto proved = [&](const iam::Policy& policy) {
    return std::ranges::all_of(use.observed, [&](const Observed& one) {
      return (one.refused && !options.include_refused) || allows(policy, use, one.asked);
    });
  };
  for (const bool with_conditions : {true, false}) {
    learnt.statements = statements_of(actions, options, with_conditions);
    learnt.policy = rules::write_canonical(learnt.statements);
    const auto compiled =
        iam::compile(learnt.policy.json, iam::PolicyKind::Session, "the learnt session policy");
    if (!compiled || !proved(*compiled)) continue;
    restore_arguments(learnt, use);
    learnt.packed_percent = rules::estimate_packed_percent(learnt.policy.json, {}, {});
    if (!with_conditions)
      learnt.notes.emplace_back(
          "conditions were left out: with them a request that was seen would be refused");
    if (learnt.policy.json.size() > rules::kMaxPolicyCharacters) {
      learnt.notes.push_back(fmt::format(
          "{} characters are more than the {} that STS takes: lower --wildcard-from, or split the "
          "tool's remit",
          learnt.policy.json.size(), rules::kMaxPolicyCharacters));
    }
    if (use.resources_left_out > 0) {
      learnt.notes.push_back(
          fmt::format("{} requests named more resources than the ledger keeps: the policy may not "
                      "cover all of them",
                      use.resources_left_out));
    }
    if (!use.with_context) {
      learnt.notes.emplace_back(
          "no condition keys were recorded: set ledger.observe to learn conditions");
    }
    return learnt;
  }
  return fail(ErrorCode::Internal,
              fmt::format("the policy learnt for {}/{} does not allow what it was learnt from",
                          use.upstream, use.tool));
}

}  // namespace remit::learn
