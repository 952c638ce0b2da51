// Secrets Manager, CloudWatch Logs, CloudFormation, parameters of Systems Manager:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/permissions-reference-cwl.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
#include <algorithm>
#include <array>

#include "aws/call.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

bool is_clean(std::string_view name, std::string_view forbidden) {
  return !name.empty() && std::ranges::none_of(name, [&](char c) {
    return static_cast<unsigned char>(c) <= ' ' || forbidden.contains(c);
  });
}

// A secret's ARN ends in six characters that AWS chose: the request by name stands for all of them.
void add_secret(const Call& call, ActionRequest& request, std::string_view given) {
  if (given.starts_with("arn:")) {
    if (given.contains(":secretsmanager:") && given.contains(":secret:")) {
      request.resources.emplace_back(given);
    } else {
      request.resource_unknown = true;
    }
  } else if (is_clean(given, ":*?") && call.account_known()) {
    request.resources.push_back(
        call.regional_arn("secretsmanager", "secret:" + std::string(given) + "-??????"));
    request.resource_approximate = true;
  } else {
    request.resource_unknown = true;
  }
}

bool add_secretsmanager(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view name = call.name();
  if (name == "BatchGetSecretValue") {
    ActionRequest list = call.ask("secretsmanager:BatchGetSecretValue");
    list.resources.emplace_back("*");
    out.push_back(std::move(list));
    ActionRequest values = call.ask("secretsmanager:GetSecretValue");
    for (const Wire::Ref item : call.body.items(call.body.root(), "SecretIdList"))
      add_secret(call, values, call.body.text(item));
    if (values.resources.empty()) values.resource_unknown = true;  // filters choose them
    out.push_back(std::move(values));
    return true;
  }
  const bool creates = name == "CreateSecret";
  const std::string_view secret = body_text(call, creates ? "Name" : "SecretId");
  if (secret.empty()) return false;
  ActionRequest request = call.ask("secretsmanager:" + std::string(name));
  add_secret(call, request, secret);
  set_text_key(call, request, "secretsmanager:SecretId", "SecretId");
  set_text_key(call, request, "secretsmanager:Name", "Name");
  set_text_key(call, request, "secretsmanager:Description", "Description");
  set_text_key(call, request, "secretsmanager:KmsKeyId", "KmsKeyId");
  set_text_key(call, request, "secretsmanager:VersionId", "VersionId");
  set_text_key(call, request, "secretsmanager:VersionStage", "VersionStage");
  set_text_key(call, request, "secretsmanager:RecoveryWindowInDays", "RecoveryWindowInDays");
  set_text_key(call, request, "secretsmanager:ForceDeleteWithoutRecovery",
               "ForceDeleteWithoutRecovery");
  out.push_back(std::move(request));
  if (creates && call.body.child(call.body.root(), "Tags") != Wire::kNothing) {
    ActionRequest tags = call.ask("secretsmanager:TagResource");
    add_secret(call, tags, secret);
    out.push_back(std::move(tags));
  }
  return true;
}

// IAM sees a log group as the beginning of its streams' ARNs: log-group:NAME:log-stream:STREAM, the
// stream empty where the call is about the group.
void add_log_group(const Call& call, ActionRequest& request, std::string_view group,
                   std::string_view stream) {
  std::string arn;
  if (group.starts_with("arn:") && group.contains(":logs:") && group.contains(":log-group:")) {
    arn = group.ends_with(":*") ? group.substr(0, group.size() - 2) : group;
  } else if (is_clean(group, ":*") && call.account_known()) {
    arn = call.regional_arn("logs", "log-group:" + std::string(group));
  } else {
    request.resource_unknown = true;
    return;
  }
  arn.append(":log-stream:").append(stream);
  request.resources.push_back(std::move(arn));
}

// Whether a query may read other log groups than its parameters name: in SQL and PPL it names them
// itself, and so does the command SOURCE.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Source.html
bool names_its_source(const Call& call) {
  const std::string_view language = body_text(call, "queryLanguage");
  if (!language.empty() && language != "CWLI") return true;
  const std::string query = lower_ascii(body_text(call, "queryString"));
  return trim_ascii(query).starts_with("source") || query.contains("loggroups");
}

bool add_logs(const Call& call, std::vector<ActionRequest>& out) {
  const Wire& body = call.body;
  std::vector<std::string_view> groups;
  for (const std::string_view member : {"logGroupName", "logGroupIdentifier"})
    if (const std::string_view group = body_text(call, member); !group.empty())
      groups.push_back(group);
  for (const std::string_view member : {"logGroupNames", "logGroupIdentifiers", "logGroupArnList"})
    for (const Wire::Ref item : body.items(body.root(), member))
      if (body.is_scalar(item)) groups.push_back(body.text(item));
  if (groups.empty() || call.operation.action_count != 1) return false;
  const ActionRow action = call.t.actions[call.t.lists[call.operation.uses]];
  if (action.type_count == 0) return false;
  ActionRequest request = call.ask(call.t.text(action.name));
  for (const std::string_view group : groups)
    add_log_group(call, request, group, body_text(call, "logStreamName"));
  if (call.name() == "StartQuery" && names_its_source(call)) request.resource_unknown = true;
  out.push_back(std::move(request));
  return true;
}

// A stack's ARN ends in an id that the name does not tell.
void add_stack(const Call& call, ActionRequest& request, std::string_view given) {
  if (given.starts_with("arn:")) {
    if (given.contains(":cloudformation:")) {
      request.resources.emplace_back(given);
    } else {
      request.resource_unknown = true;
    }
  } else if (is_clean(given, ":/*?") && call.account_known()) {
    request.resources.push_back(
        call.regional_arn("cloudformation", "stack/" + std::string(given) + "/*"));
    request.resource_approximate = true;
  } else {
    request.resource_unknown = true;
  }
}

bool add_cloudformation(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view stack = body_text(call, "StackName");
  const ActionRow action = call.t.actions[call.t.lists[call.operation.uses]];
  bool on_stack = false;
  for (std::uint32_t i = 0; i < action.type_count; ++i) {
    const std::uint32_t type = call.t.lists[action.type_first + i] >> 1;
    on_stack |= call.t.text(call.t.resource_types[type].name) == "stack";
  }
  if (stack.empty() || !on_stack) {
    add_generic_actions(call, out);
  } else {
    ActionRequest request = call.ask(call.t.text(action.name));
    add_stack(call, request, stack);
    out.push_back(std::move(request));
  }
  for (ActionRequest& request : out) {
    set_text_key(call, request, "cloudformation:TemplateUrl", "TemplateURL");
    set_text_key(call, request, "cloudformation:StackPolicyUrl", "StackPolicyURL");
    set_text_key(call, request, "cloudformation:RoleArn", "RoleARN");
    set_text_key(call, request, "cloudformation:ChangeSetName", "ChangeSetName");
    set_text_key(call, request, "cloudformation:CreateAction", "ChangeSetType");
    std::vector<std::string> types;
    for (const Wire::Ref item : call.body.items(call.body.root(), "ResourceTypes"))
      types.emplace_back(call.body.text(item));
    set_absent(request, "cloudformation:ResourceTypes");
    if (!types.empty())
      set_context(request, "cloudformation:ResourceTypes", std::move(types), true);
  }
  return true;
}

// A parameter's name, with or without the leading slash, is its ARN; ":3" or ":label" behind it
// selects a version. What reads by path is left to the generic way.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
void add_parameter(const Call& call, ActionRequest& request, std::string_view given) {
  if (given.starts_with("arn:")) {
    if (given.contains(":ssm:") && given.contains(":parameter/")) {
      request.resources.emplace_back(given);
    } else {
      request.resource_unknown = true;
    }
    return;
  }
  given = given.substr(0, given.find(':'));
  if (given.starts_with('/')) given.remove_prefix(1);
  if (is_clean(given, "*?") && call.account_known()) {
    request.resources.push_back(call.regional_arn("ssm", "parameter/" + std::string(given)));
  } else {
    request.resource_unknown = true;
  }
}

void add_node(const Call& call, ActionRequest& request, std::string_view id) {
  const std::string text(id);
  if (!is_clean(id, ":/*?") || !call.account_known()) {
    request.resource_unknown = true;
  } else if (id.starts_with("mi-")) {
    request.resources.push_back(call.regional_arn("ssm", "managed-instance/" + text));
  } else {
    request.resources.push_back(call.regional_arn("ec2", "instance/" + text));
  }
}

// The document, and the nodes that it runs on. Tags and resource groups do not tell which those
// are. https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html
bool send_command(const Call& call, std::vector<ActionRequest>& out) {
  const Wire& body = call.body;
  ActionRequest request = generic_action(call, 0);
  std::erase_if(request.resources,
                [](const std::string& arn) { return !arn.contains(":document/"); });
  const bool document = !request.resources.empty();
  request.resource_unknown = !document;
  for (const Wire::Ref item : body.items(body.root(), "InstanceIds"))
    add_node(call, request, body.is_scalar(item) ? body.text(item) : "");
  for (const Wire::Ref target : body.items(body.root(), "Targets")) {
    const bool ids = body.text_at(target, "Key").value_or("") == "InstanceIds";
    request.resource_unknown |= !ids;
    if (!ids) continue;
    for (const Wire::Ref item : body.items(target, "Values"))
      add_node(call, request, body.is_scalar(item) ? body.text(item) : "");
  }
  out.push_back(std::move(request));
  return true;
}

// The path is asked for as it is given, with a slash at its end where it has one: who may read it
// may read what lies below, as the user guide's page on access says.
bool read_by_path(const Call& call, std::vector<ActionRequest>& out) {
  ActionRequest request = generic_action(call, 0);
  const std::string_view path = body_text(call, "Path");
  request.resources.clear();
  request.resource_unknown =
      !path.starts_with('/') || !is_clean(path, ":*?") || !call.account_known();
  if (!request.resource_unknown)
    request.resources.push_back(call.regional_arn("ssm", "parameter" + std::string(path)));
  out.push_back(std::move(request));
  return true;
}

// The node, and the document where one is named. Of a container ("ecs:CLUSTER_TASK_RUNTIME") the
// parts are not told apart.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html
bool start_session(const Call& call, std::vector<ActionRequest>& out) {
  ActionRequest request = generic_action(call, 0);
  const Wire::Ref document = call.body.child(call.body.root(), "DocumentName");
  const bool told = std::ranges::any_of(
      request.resources, [](const std::string& arn) { return arn.contains(":document/"); });
  request.resource_unknown = document != Wire::kNothing && !told;
  const std::string_view target = body_text(call, "Target");
  const bool node = target.starts_with("i-") || target.starts_with("mi-");
  add_node(call, request, node ? target : "");
  out.push_back(std::move(request));
  return true;
}

bool add_ssm(const Call& call, std::vector<ActionRequest>& out) {
  if (call.name() == "SendCommand") return send_command(call, out);
  if (call.name() == "GetParametersByPath") return read_by_path(call, out);
  if (call.name() == "StartSession") return start_session(call, out);
  constexpr std::array<std::string_view, 8> kByName = {
      "GetParameter",    "GetParameters",    "GetParameterHistory",   "PutParameter",
      "DeleteParameter", "DeleteParameters", "LabelParameterVersion", "UnlabelParameterVersion"};
  const std::string_view name = call.name();
  if (std::ranges::find(kByName, name) == kByName.end()) return false;
  const Wire& body = call.body;
  ActionRequest request = call.ask("ssm:" + std::string(name));
  for (const Wire::Ref item : body.items(body.root(), "Names"))
    if (body.is_scalar(item)) add_parameter(call, request, body.text(item));
  if (const std::string_view one = body_text(call, "Name"); !one.empty())
    add_parameter(call, request, one);
  if (request.resources.empty()) request.resource_unknown = true;
  const bool tagged = name == "PutParameter" && body.child(body.root(), "Tags") != Wire::kNothing;
  if (name == "PutParameter") set_text_key(call, request, "ssm:Overwrite", "Overwrite", "false");
  out.push_back(request);
  if (!tagged) return true;
  ActionRequest tags = call.ask("ssm:AddTagsToResource");
  tags.resources = request.resources;
  tags.resource_unknown = request.resource_unknown;
  out.push_back(std::move(tags));
  return true;
}

// SQL is run as somebody: with a secret, or with credentials of the database that the service asks
// for in the caller's name. Of a serverless workgroup the name does not tell the ARN: left to AWS.
// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html and
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.access.html
bool add_data_api(const Call& call, std::vector<ActionRequest>& out) {
  add_generic_actions(call, out);
  std::string_view secret;
  for (const std::string_view member : {"SecretArn", "secretArn", "awsSecretStoreArn"})
    if (secret.empty()) secret = body_text(call, member);
  if (!secret.empty()) {
    ActionRequest value = call.ask("secretsmanager:GetSecretValue");
    add_secret(call, value, secret);
    out.push_back(std::move(value));
    return true;
  }
  const std::string cluster(body_text(call, "ClusterIdentifier"));
  if (cluster.empty() || call.name() == "ListStatements" || call.name() == "ListSessions")
    return true;
  const std::string user(body_text(call, "DbUser"));
  const std::string database(body_text(call, "Database"));
  ActionRequest login = call.ask(user.empty() ? "redshift:GetClusterCredentialsWithIAM"
                                              : "redshift:GetClusterCredentials");
  const bool clean = is_clean(cluster, ":/*?") && is_clean(database, ":/*?") &&
                     (user.empty() || is_clean(user, "/*?")) && call.account_known();
  login.resource_unknown = !clean;
  if (clean) {
    login.resources.push_back(call.regional_arn("redshift", "dbname:" + cluster + "/" + database));
    if (!user.empty())
      login.resources.push_back(call.regional_arn("redshift", "dbuser:" + cluster + "/" + user));
  }
  out.push_back(std::move(login));
  return true;
}

}  // namespace

Result<bool> add_other_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  const std::string_view service = call.t.text(call.service.name);
  if (service == "secretsmanager") return add_secretsmanager(call, out);
  if (service == "logs") return add_logs(call, out);
  if (service == "ssm") return add_ssm(call, out);
  if (service.ends_with("-data")) return add_data_api(call, out);
  return add_cloudformation(call, out);
}

}  // namespace remit::aws
