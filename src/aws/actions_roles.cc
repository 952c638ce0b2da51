// The roles that a request hands to a service: iam:PassRole. docs/identify.md, section "Actions and
// resources".
#include <algorithm>
#include <array>

#include "aws/call.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

bool is_role_arn(std::string_view text) {
  if (!text.starts_with("arn:")) return false;
  const std::size_t iam = text.find(":iam::");
  if (iam == std::string_view::npos || text.size() < iam + 6 + 12 + 6) return false;
  return text.substr(iam + 6 + 12).starts_with(":role/");
}

// Members that hold a role by its name alone, where they hold no ARN.
bool names_role(std::string_view member) {
  return std::ranges::any_of(std::array<std::string_view, 5>{"rolearn", "rolename", "iamrole",
                                                             "taskrole", "executionrole"},
                             [&](std::string_view end) { return member.ends_with(end); });
}

// Members that hold an instance profile, whose name is not even the role's. EC2's are looked for in
// actions_ec2.cc; those of DMS are none of IAM's.
bool names_profile(std::string_view service, std::string_view member) {
  if (member.contains("instanceprofile"))
    return service != "ec2" && service != "dms" && service != "securityhub";
  return (service == "emr" && member == "jobflowrole") ||
         (service == "batch" && member == "instancerole") ||
         (service == "machinelearning" && member == "resourcerole");
}

// "The name or ARN of the role": the API references' CreateJob, CreateCrawler, CreateService,
// RunJobFlow, CreateStudio, StartNotebookExecution, CreateComputeEnvironment, CreateApplication,
// CreateDataSourceFromRDS. The role's path is not told, unless the name has it.
bool takes_role_name(std::string_view service, std::string_view member) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kTakers = {
      {{"glue", "role"},
       {"ecs", "role"},
       {"emr", "servicerole"},
       {"emr", "autoscalingrole"},
       {"emr", "userrole"},
       {"batch", "servicerole"},
       {"batch", "spotiamfleetrole"},
       {"elasticbeanstalk", "servicerole"},
       {"elasticbeanstalk", "codebuildservicerole"},
       {"machinelearning", "servicerole"}}};
  return std::ranges::find(kTakers, std::pair(service, member)) != kTakers.end();
}

bool is_role_name(std::string_view text) {
  return text.size() <= 576 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_+=,.@-/").contains(c);
         });
}

// Members that hold a role's ARN though they do not call it one: API Gateway's integrations,
// Cognito's messages, flow logs, DMS, and the two roles of an identity pool.
bool holds_role(std::string_view member) {
  constexpr std::array<std::string_view, 6> kOthers = {
      "snscallerarn",         "callerarn",     "deliverlogspermissionarn",
      "keycachesecretiamarn", "authenticated", "unauthenticated"};
  return member.contains("role") || member.contains("credentials") ||
         std::ranges::find(kOthers, member) != kOthers.end();
}

// Members whose own text says that a role or an instance profile is given: in the member beside
// them, or within that text.
// https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/command-options-general.html,
// https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-default.html,
// https://docs.aws.amazon.com/servicecatalog/latest/dg/API_CreateConstraint.html,
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutAccountPolicy.html,
// https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html
bool sets_role(std::string_view service, std::string_view member, std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSettings = {
      {{"elasticbeanstalk", "optionname"},
       {"datapipeline", "key"},
       {"logs", "policydocument"},
       {"servicecatalog", "parameters"},
       {"ssm", "settingid"}}};
  if (std::ranges::find(kSettings, std::pair(service, member)) == kSettings.end()) return false;
  const std::string said = lower_ascii(text);
  if (member == "parameters" || member == "policydocument") return said.contains("role");
  return said.ends_with("role") || said == "iaminstanceprofile";
}

// Whether the role in that member may go to another service than the usual one of [passed_to]: ECS
// itself, vpc-flow-logs, vmie, spotfleet, tasks.apprunner, pods.eks, credentials.iot, ssm.
bool passed_elsewhere(const Call& call, std::string_view service, std::string_view member) {
  const std::string_view operation = call.name();
  if (service == "ec2") return true;
  if (service == "ecs") return member != "executionrolearn" && member != "taskrolearn";
  if (service == "apprunner") return member != "accessrolearn";
  if (service == "eks") return operation != "CreateCluster" || member != "rolearn";
  if (service == "iot") return operation.ends_with("RoleAlias");
  if (service == "config")
    return operation.contains("Remediation") || operation.contains("ConformancePack");
  return false;
}

// Members that hold whatever a key beside them, or the list they stand in, says.
bool holds_anything(std::string_view member) {
  return member.empty() || member == "value" || member == "attributevalue" ||
         member == "stringvalue" || member == "member" ||
         std::ranges::all_of(member, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void add_passed_roles(const Call& call, std::vector<ActionRequest>& out) {
  if ((call.operation.flags & kPassesRole) == 0) return;
  const std::string_view service = call.t.text(call.service.name);
  std::vector<std::string> roles;
  bool by_name = call.body_unknown;
  bool approximate = false;
  bool elsewhere = call.body_unknown;
  const auto take = [&](std::string role) {
    if (std::ranges::find(roles, role) == roles.end()) roles.push_back(std::move(role));
  };
  for (const QueryParameter& p : call.resolved.target.query)
    if (is_role_arn(p.value) && lower_ascii(p.name).contains("role")) take(p.value);
  for (std::uint8_t i = 0; i < call.operation.member_count; ++i) {  // those within the path
    const MemberRow member = call.t.members[call.operation.member_first + i];
    const auto location = static_cast<Location>(member.location);
    if (location != Location::Label && location != Location::GreedyLabel) continue;
    if (!lower_ascii(call.t.text(member.name)).contains("role")) continue;
    for (std::string& value : call.values_of(i))
      if (is_role_arn(value)) take(std::move(value));
  }
  call.body.scalars([&](Wire::Ref node) {
    const std::string name = lower_ascii(call.body.name(node));
    const std::string_view text = call.body.text(node);
    bool passed = true;
    // Under another name it is a principal or a resource: not handed over.
    if (is_role_arn(text) && (holds_role(name) || holds_anything(name))) {
      take(std::string(text));
    } else if (text.empty()) {
      return;
    } else if (takes_role_name(service, name) && is_role_name(text) && call.account_known()) {
      const std::string_view path = text.starts_with('/') ? text.substr(1) : text;
      take(call.arn("iam", {}, call.facts.account, "role/" + std::string(path)));
      approximate = true;
    } else {
      passed = names_role(name) || names_profile(service, name) || takes_role_name(service, name) ||
               sets_role(service, name, text);
      by_name |= passed;
    }
    elsewhere |= passed && passed_elsewhere(call, service, name);
  });
  if (roles.empty() && !by_name) return;
  ActionRequest request = call.ask("iam:PassRole");
  request.resource_unknown = by_name;  // a name does not tell the role's path
  request.resource_approximate = approximate;
  request.resources = std::move(roles);
  const std::string_view principal = call.t.text(call.service.passed_to);
  if (!principal.empty() && !elsewhere)
    set_context(request, "iam:PassedToService", std::string(principal));
  out.push_back(std::move(request));
}

}  // namespace remit::aws
