// The generic way from an operation to IAM's questions: what the catalogue says.
// docs/identify.md, section "Actions and resources".
#include <algorithm>
#include <array>
#include <iterator>

#include "aws/call.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

bool is_clean(std::string_view value) {
  return !value.empty() && std::ranges::none_of(value, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

bool is_arn(std::string_view value) { return value.starts_with("arn:"); }

// Whether an ARN given as a parameter is one of the resource type: the fixed parts of the template
// stand in it, in order, and its service is the template's.
bool arn_fits(std::string_view pattern, std::string_view arn) {
  std::size_t at = 0;
  bool first = true;
  while (!pattern.empty()) {
    const std::size_t variable = std::min(pattern.find("${"), pattern.size());
    const std::string_view literal = pattern.substr(0, variable);
    if (!literal.empty()) {
      const std::size_t found =
          first ? (arn.starts_with(literal) ? 0 : std::string_view::npos) : arn.find(literal, at);
      if (found == std::string_view::npos) return false;
      at = found + literal.size();
    }
    first = false;
    if (variable == pattern.size()) return at == arn.size();
    const std::size_t end = pattern.find('}', variable);
    if (end == std::string_view::npos) return false;
    pattern.remove_prefix(end + 1);
  }
  return true;
}

// Members that say whose the resource is, where it may be another account's than the caller's.
struct OwnerMember {
  std::string_view service, member;
  // All that the operation names is that account's: its ARNs can be told.
  bool of_all;
};
constexpr std::array<OwnerMember, 26> kOwnerMembers = {{
    {"account", "AccountId", false},
    {"application-insights", "AccountId", false},
    {"appmesh", "meshOwner", true},
    {"backup", "BackupVaultAccountId", true},
    {"bedrock-agentcore", "accountId", false},
    {"budgets", "AccountId", true},
    {"cloudtrail", "EventDataStoreOwnerAccountId", true},
    {"codeartifact", "domainOwner", true},
    {"ecr", "registryId", true},
    {"ecr-public", "registryId", true},
    {"glacier", "accountId", true},
    {"glue", "CatalogId", true},
    {"glue", "CatalogID", true},
    {"glue", "ParentCatalogId", true},
    {"mgn", "accountID", false},
    {"omics", "workflowOwnerId", false},
    {"quicksight", "AwsAccountId", true},
    {"quicksight", "accountId", true},
    {"quicksight", "awsAccountId", true},
    {"redshift", "OwnerAccount", false},
    {"redshift", "ResourceOwner", false},
    {"redshift-serverless", "ownerAccount", false},
    {"s3control", "AccountId", true},
    {"servicediscovery", "OwnerAccount", false},
    {"signer", "jobOwner", false},
    {"signer", "profileOwner", false},
}};

// The account whose resource the input names: the caller's, unless a member says another. Empty:
// not known.
std::string owner_of(const Call& call) {
  const std::string_view own = call.facts.account;
  std::string owner(own);
  const std::string_view service = call.t.text(call.service.name);
  for (const OwnerMember& rule : kOwnerMembers) {
    if (rule.service != service) continue;
    std::vector<std::string> given = call.values(rule.member);
    if (given.empty()) given.emplace_back(body_text(call, rule.member));
    if (service == "s3control") given.emplace_back(call.header("x-amz-account-id"));
    for (const std::string& value : given) {
      // Glacier's "-" is the caller.
      if (value.empty() || value == own || (value == "-" && service == "glacier")) continue;
      const bool account = value.size() == 12 &&
                           std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
      if (!account || !rule.of_all || owner != own) return {};  // such as a nested catalogue
      owner = value;
    }
  }
  return owner;
}

// What stands for all there are, or for a part of the ARN that AWS chooses.
const std::string kEverything = "*";

// What is meant where the member is absent: "If you do not specify a cluster, the default cluster
// is assumed" and its like in the API references (ECS; CreateCluster; Athena's WorkGroup,
// https://docs.aws.amazon.com/athena/latest/ug/workgroups-manage-queries-control-costs.html;
// EventBridge Scheduler's GroupName).
struct Usual {
  std::string_view service, member, value;
};
constexpr std::array<Usual, 5> kUsual = {{{"athena", "WorkGroup", "primary"},
                                          {"ecs", "cluster", "default"},
                                          {"ecs", "clusterName", "default"},
                                          {"ecs", "clusters", "default"},
                                          {"scheduler", "GroupName", "default"}}};

// The values of a member that fills a variable.
std::vector<std::string> bound_values(const Call& call, std::uint8_t index) {
  if (index == kAny) return {kEverything};
  std::vector<std::string> values = call.values_of(index);
  const std::string_view service = call.t.text(call.service.name);
  if (service != "ecs" && service != "athena" && service != "scheduler" && service != "wafv2")
    return values;
  const MemberRow member = call.t.members[call.operation.member_first + index];
  const std::string_view name = call.t.text(member.name);
  if (values.empty() &&
      call.body.child(call.body.root(), call.t.text(member.wire)) == Wire::kNothing) {
    const auto usual = std::ranges::find_if(
        kUsual, [&](const Usual& u) { return u.service == service && u.member == name; });
    if (usual != kUsual.end()) values.emplace_back(usual->value);
  }
  // https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateWebACL.html
  if (service == "wafv2" && name == "Scope")
    for (std::string& value : values)
      value = value == "REGIONAL" ? "regional" : value == "CLOUDFRONT" ? "global" : "";
  // A cluster may be named by its ARN.
  if (service == "ecs" && name == "cluster" && call.account_known()) {
    const std::string prefix = call.regional_arn("ecs", "cluster/");
    for (std::string& value : values)
      if (value.starts_with(prefix)) value.erase(0, prefix.size());
  }
  return values;
}

struct Filled {
  std::string arn;
  bool complete = true;
};

// Puts values into a template. `values` follow the template's variables, those of partition, region
// and account aside; nullptr is an unbound one.
Filled fill(const Call& call, std::string_view pattern,
            const std::vector<const std::string*>& values) {
  Filled filled;
  std::size_t next = 0;
  while (!pattern.empty()) {
    const std::size_t variable = std::min(pattern.find("${"), pattern.size());
    filled.arn.append(pattern.substr(0, variable));
    if (variable == pattern.size()) break;
    const std::size_t end = std::min(pattern.find('}', variable), pattern.size() - 1);
    const std::string_view name = pattern.substr(variable + 2, end - variable - 2);
    pattern.remove_prefix(end + 1);
    if (name == "Partition") {
      filled.arn.append(call.facts.partition.empty() ? "aws" : call.facts.partition);
    } else if (name == "Region") {
      filled.arn.append(call.facts.scope_region);
      filled.complete &= !call.facts.scope_region.empty();
    } else if (name == "Account") {
      const std::string account = owner_of(call);
      filled.arn.append(account);
      filled.complete &= !account.empty();
    } else {
      const std::string* value = next < values.size() ? values[next] : nullptr;
      ++next;
      // A value that holds the delimiter behind it would make another resource's ARN.
      const bool last = pattern.empty();
      if (value == nullptr || !is_clean(*value) ||
          (value != &kEverything && value->find_first_of("*?") != std::string::npos) ||
          (!last && (value->contains('/') || value->contains(':')))) {
        filled.complete = false;
        return filled;
      }
      filled.arn.append(*value);
    }
  }
  return filled;
}

// What one recipe yields: ARNs, and whether it told all there is.
struct Told {
  std::vector<std::string> arns;
  bool known = false;
  bool approximate = false;
};

Told by_arn_member(const Call& call, const RecipeRow& recipe, std::string_view pattern) {
  Told told;
  if (recipe.arn_member == kNone) return told;
  std::vector<std::string> values = call.values_of(recipe.arn_member);
  if (values.empty()) return told;
  for (std::string& value : values) {
    if (!is_arn(value) || !is_clean(value) || !arn_fits(pattern, value)) return {};
    told.arns.push_back(std::move(value));
  }
  told.known = true;
  return told;
}

Told by_template(const Call& call, const RecipeRow& recipe, std::string_view pattern) {
  Told told;
  std::vector<std::vector<std::string>> values(recipe.binding_count);
  std::size_t many = recipe.binding_count;  // the variable with a list, if any
  for (std::uint32_t i = 0; i < recipe.binding_count; ++i) {
    const std::uint8_t member = call.t.bindings[recipe.binding_first + i];
    if (member == kNone) return told;
    values[i] = bound_values(call, member);
    told.approximate |= member == kAny;
    if (values[i].empty()) return told;
    if (values[i].size() > 1) {
      if (many != recipe.binding_count) return told;
      many = i;
    }
  }
  const std::size_t rounds = many == recipe.binding_count ? 1 : values[many].size();
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<const std::string*> chosen;
    chosen.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool any = call.t.bindings[recipe.binding_first + i] == kAny;
      chosen.push_back(any ? &kEverything : &values[i][i == many ? round : 0]);
    }
    // A name member may hold the whole ARN instead.
    if (!chosen.empty() && is_arn(*chosen.back())) {
      if (!is_clean(*chosen.back()) || !arn_fits(pattern, *chosen.back())) return {};
      told.arns.push_back(*chosen.back());
      continue;
    }
    Filled filled = fill(call, pattern, chosen);
    if (!filled.complete) return {};
    told.arns.push_back(std::move(filled.arn));
  }
  told.known = true;
  return told;
}

// Whether the input names a part of a resource of this recipe.
bool names_part(const Call& call, const RecipeRow& recipe) {
  for (std::uint32_t i = 0; i < recipe.binding_count; ++i) {
    const std::uint8_t member = call.t.bindings[recipe.binding_first + i];
    if (member != kNone && member != kAny && !call.values_of(member).empty()) return true;
  }
  return false;
}

// Whether the input says anything that could name a resource of this recipe.
bool mentioned(const Call& call, const RecipeRow& recipe) {
  return (recipe.arn_member != kNone && !call.values_of(recipe.arn_member).empty()) ||
         names_part(call, recipe);
}

// Whether each ARN of the member is of one type or another of the action.
bool all_asked_for(const Call& call, std::uint8_t member, const ActionRequest& request) {
  return std::ranges::all_of(call.values_of(member), [&](const std::string& arn) {
    return std::ranges::find(request.resources, arn) != request.resources.end();
  });
}

void add_resources(const Call& call, ActionRequest& request, const ActionRow& action,
                   std::uint32_t first, std::uint32_t count) {
  if (action.type_count == 0 && (action.flags & kActionKnown) != 0) {
    request.resources.emplace_back("*");
    return;
  }
  std::uint32_t required_told = 0;
  std::uint32_t alternatives = 0;             // required types of which the request names one
  std::vector<std::uint8_t> of_another_type;  // members with an ARN that is not of the type
  for (std::uint32_t i = 0; i < count; ++i) {
    const RecipeRow recipe = call.t.recipes[first + i];
    alternatives += recipe.one_of & recipe.required;
    const std::string_view pattern = call.t.text(call.t.resource_types[recipe.type].arn);
    Told told = by_arn_member(call, recipe, pattern);
    // A name beside an ARN: which of them the service goes by is not told.
    if (Told named = by_template(call, recipe, pattern); !told.known) {
      told = std::move(named);
    } else if (named.known && recipe.binding_count != 0) {
      std::ranges::move(named.arns, std::back_inserter(told.arns));
    }
    if (told.known) {
      required_told += recipe.required;
      request.resource_approximate |= told.approximate;
      for (std::string& arn : told.arns)
        if (std::ranges::find(request.resources, arn) == request.resources.end())
          request.resources.push_back(std::move(arn));
    } else if (names_part(call, recipe)) {
      request.resource_unknown = true;
    } else if (recipe.arn_member != kNone) {
      of_another_type.push_back(recipe.arn_member);
    }
  }
  for (const std::uint8_t member : of_another_type)
    request.resource_unknown |= !all_asked_for(call, member, request);
  if (required_told != 0) required_told = std::max(required_told, alternatives);
  std::uint32_t required = 0;
  for (std::uint32_t i = 0; i < action.type_count; ++i)
    required += call.t.lists[action.type_first + i] & 1;
  if (request.resources.empty() || required_told < required) request.resource_unknown = true;
}

struct Tags {
  bool can_carry = false;  // the operation has members for tags
  bool doubtful = false;   // a reader may see other tags than are here
  std::vector<std::string> keys, values;
  std::vector<std::string> only_keys;  // of untagging
};

// Each service writes a tag in one of these ways, and passes the others over.
void add_tag(const Wire& body, Wire::Ref pair, Tags& tags) {
  bool found = false;
  for (const auto& [key_name, value_name] :
       {std::pair{"Key", "Value"}, std::pair{"key", "value"}, std::pair{"TagKey", "TagValue"},
        std::pair{"tagKey", "tagValue"}}) {
    const auto key = body.text_at(pair, key_name);
    if (!key) continue;
    tags.doubtful |= found;
    found = true;
    tags.keys.emplace_back(*key);
    tags.values.emplace_back(body.text_at(pair, value_name).value_or(""));
  }
}

// Condition keys know no case: two such tags are one key with two values.
bool names_twice(const std::vector<std::string>& keys) {
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (std::size_t j = i + 1; j < keys.size(); ++j)
      if (equals_ignoring_ascii_case(keys[i], keys[j])) return true;
  return false;
}

void collect_map(const Wire& body, Wire::Ref map, Tags& tags) {
  for (const Wire::Ref entry : body.children(map)) {
    if (body.is_scalar(entry)) {
      tags.keys.emplace_back(body.name(entry));
      tags.values.emplace_back(body.text(entry));
    } else {  // a form's entry.1.key / entry.1.value
      for (const Wire::Ref pair : body.children(entry)) add_tag(body, pair, tags);
    }
  }
}

Tags collect_tags(const Call& call) {
  Tags tags;
  const Wire& body = call.body;
  for (std::uint8_t i = 0; i < call.operation.member_count; ++i) {
    const MemberRow member = call.t.members[call.operation.member_first + i];
    const std::string_view wire = call.t.text(member.wire);
    switch (static_cast<TagForm>(member.tags)) {
      case TagForm::None:
        break;
      case TagForm::Map: {
        tags.can_carry = true;
        collect_map(body, body.child(body.root(), wire), tags);
        break;
      }
      case TagForm::List:
        tags.can_carry = true;
        for (const Wire::Ref pair : body.items(body.root(), wire)) add_tag(body, pair, tags);
        break;
      case TagForm::Keys:
        tags.can_carry = true;
        for (std::string& key : call.values_of(i)) tags.only_keys.push_back(std::move(key));
        break;
      case TagForm::Specifications:
        tags.can_carry = true;
        for (const Wire::Ref specification : body.items(body.root(), wire)) {
          tags.doubtful |= body.child(specification, "Tags") != Wire::kNothing &&
                           body.child(specification, "Tag") != Wire::kNothing;
          for (const std::string_view name : {"Tags", "Tag"})
            for (const Wire::Ref pair : body.items(specification, name)) add_tag(body, pair, tags);
        }
        break;
    }
  }
  // Its older protocol has another name for them.
  tags.doubtful |=
      call.t.text(call.service.name) == "sqs" && body.child(body.root(), "Tag") != Wire::kNothing;
  return tags;
}

// Operations that make one thing, whose tags need a right of their own on it. EC2, S3, Secrets
// Manager and Systems Manager have theirs in their own files.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html and the API references (kms
// API_CreateKey, dynamodb API_CreateTable, sqs API_CreateQueue, sns API_CreateTopic, logs
// API_CreateLogGroup, lambda API_TagResource, states API_CreateStateMachine, ecr
// API_CreateRepository, events API_PutRule, cloudwatch API_PutMetricAlarm).
struct TagsOnCreate {
  std::string_view service, operation, action;
};
constexpr std::array<TagsOnCreate, 19> kTagsOnCreate = {{
    {"cloudwatch", "PutMetricAlarm", "cloudwatch:TagResource"},
    {"dynamodb", "CreateTable", "dynamodb:TagResource"},
    {"ecr", "CreateRepository", "ecr:TagResource"},
    {"events", "PutRule", "events:TagResource"},
    {"iam", "CreateInstanceProfile", "iam:TagInstanceProfile"},
    {"iam", "CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"},
    {"iam", "CreatePolicy", "iam:TagPolicy"},
    {"iam", "CreateRole", "iam:TagRole"},
    {"iam", "CreateSAMLProvider", "iam:TagSAMLProvider"},
    {"iam", "CreateUser", "iam:TagUser"},
    {"iam", "CreateVirtualMFADevice", "iam:TagMFADevice"},
    {"iam", "UploadServerCertificate", "iam:TagServerCertificate"},
    {"kms", "CreateKey", "kms:TagResource"},
    {"kms", "ReplicateKey", "kms:TagResource"},
    {"lambda", "CreateFunction", "lambda:TagResource"},
    {"logs", "CreateLogGroup", "logs:TagResource"},
    {"sns", "CreateTopic", "sns:TagResource"},
    {"sqs", "CreateQueue", "sqs:TagQueue"},
    {"stepfunctions", "CreateStateMachine", "states:TagResource"},
}};

void add_tags_on_create(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view service = call.t.text(call.service.name);
  const auto rule = std::ranges::find_if(kTagsOnCreate, [&](const TagsOnCreate& r) {
    return r.service == service && r.operation == call.name();
  });
  if (rule == kTagsOnCreate.end() || out.empty()) return;
  const Tags tags = collect_tags(call);
  if (tags.keys.empty() && !tags.doubtful) return;
  ActionRequest request = call.ask(rule->action);
  request.resources = out.front().resources;
  request.resource_unknown = out.front().resource_unknown;
  request.resource_approximate = out.front().resource_approximate;
  out.push_back(std::move(request));
}

}  // namespace

void add_tag_context(const Call& call, ActionRequest& request) {
  if (!request.keys_told) return;
  const bool wants =
      std::ranges::find(request.unknown_keys, "aws:TagKeys") != request.unknown_keys.end() ||
      std::ranges::find(request.unknown_keys, "aws:RequestTag/*") != request.unknown_keys.end();
  if (!wants || call.body_unknown) return;
  Tags tags = collect_tags(call);
  if (!tags.can_carry) return;            // the tags may be where nobody looked: they stay unknown
  constexpr std::size_t kMostTags = 500;  // more than any service takes
  if (tags.doubtful || tags.keys.size() > kMostTags || names_twice(tags.keys)) return;
  std::vector<std::string> keys = tags.keys;
  keys.insert(keys.end(), tags.only_keys.begin(), tags.only_keys.end());
  for (std::size_t i = 0; i < tags.keys.size(); ++i)
    set_context(request, "aws:RequestTag/" + tags.keys[i], tags.values[i]);
  set_absent(request, "aws:RequestTag/*");
  set_absent(request, "aws:TagKeys");
  if (!keys.empty()) set_context(request, "aws:TagKeys", std::move(keys), true);
}

ActionRequest generic_action(const Call& call, std::uint32_t index) {
  const std::uint32_t use = call.operation.uses + index * 3;
  const ActionRow action = call.t.actions[call.t.lists[use]];
  ActionRequest request = call.ask(action);
  if (call.body_unknown) {
    request.resource_unknown = action.type_count > 0;
    if (!request.resource_unknown) request.resources.emplace_back("*");
    return request;
  }
  add_resources(call, request, action, call.t.lists[use + 1], call.t.lists[use + 2]);
  return request;
}

bool mentions_untold(const Call& call, std::uint32_t index) {
  const std::uint32_t use = call.operation.uses + index * 3;
  for (std::uint32_t i = 0; i < call.t.lists[use + 2]; ++i) {
    const RecipeRow recipe = call.t.recipes[call.t.lists[use + 1] + i];
    const std::string_view pattern = call.t.text(call.t.resource_types[recipe.type].arn);
    if (mentioned(call, recipe) && !by_arn_member(call, recipe, pattern).known &&
        !by_template(call, recipe, pattern).known)
      return true;
  }
  return false;
}

void add_generic_actions(const Call& call, std::vector<ActionRequest>& out) {
  for (std::uint32_t i = 0; i < call.operation.action_count; ++i)
    out.push_back(generic_action(call, i));
}

Result<void> add_actions(const Call& call, std::vector<ActionRequest>& out) {
  using Rule = Result<bool> (*)(const Call&, std::vector<ActionRequest>&);
  struct Own {
    std::string_view service;
    Rule rule;
  };
  constexpr std::array<Own, 22> kOwn = {{{"s3", add_s3_actions},
                                         {"s3control", add_s3control_actions},
                                         {"dynamodb", add_dynamodb_actions},
                                         {"sqs", add_messaging_actions},
                                         {"sns", add_messaging_actions},
                                         {"lambda", add_lambda_actions},
                                         {"kms", add_kms_actions},
                                         {"iam", add_iam_actions},
                                         {"sts", add_iam_actions},
                                         {"ec2", add_ec2_actions},
                                         {"secretsmanager", add_other_actions},
                                         {"logs", add_other_actions},
                                         {"cloudformation", add_other_actions},
                                         {"ssm", add_other_actions},
                                         {"redshift-data", add_other_actions},
                                         {"rds-data", add_other_actions},
                                         {"apigateway", add_path_actions},
                                         {"apigatewayv2", add_path_actions},
                                         {"bedrock-runtime", add_path_actions},
                                         {"ecs", add_named_actions},
                                         {"events", add_named_actions},
                                         {"glue", add_named_actions}}};
  const std::string_view service = call.t.text(call.service.name);
  const auto own = std::ranges::find(kOwn, service, &Own::service);
  bool done = false;
  if (own != kOwn.end()) {
    REMIT_TRY(done, own->rule(call, out));
  }
  if (!done) add_generic_actions(call, out);
  if (service != "iam" && service != "sts" && service != "s3") add_passed_roles(call, out);
  if (!call.body_unknown) {
    add_tags_on_create(call, out);
    add_forward_access(call, out);
  }
  return {};
}

}  // namespace remit::aws
