// IAM and STS:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
#include <algorithm>
#include <array>

#include "aws/call.h"

namespace remit::aws {
namespace {

// A user, role, group or policy is known by name alone, but its ARN holds its path. What a request
// makes has the path the request gives; what it names is taken to have none, which the request's
// receipt shows as approximate: AWS itself decides with the true ARN.
void mend_paths(const Call& call, ActionRequest& request) {
  const std::string_view path = body_text(call, "Path");
  const bool creates = call.name().starts_with("Create");
  for (std::string& arn : request.resources) {
    for (const std::string_view kind :
         {":user/", ":role/", ":group/", ":policy/", ":instance-profile/"}) {
      const std::size_t at = arn.find(kind);
      if (at == std::string::npos || arn.find(":iam::") == std::string::npos) continue;
      if (!creates) {
        request.resource_approximate = true;
      } else if (path.size() > 1 && path.starts_with('/') && path.ends_with('/')) {
        arn.insert(at + kind.size(), path.substr(1));
      } else if (!path.empty() && path != "/") {
        request.resource_unknown = true;
      }
    }
  }
}

Result<bool> add_iam(const Call& call, std::vector<ActionRequest>& out) {
  add_generic_actions(call, out);
  const std::string_view name = call.name();
  for (ActionRequest& request : out) {
    mend_paths(call, request);
    if (std::ranges::find(request.unknown_keys, "iam:PolicyARN") != request.unknown_keys.end())
      set_text_key(call, request, "iam:PolicyARN", "PolicyArn");
    // On a user or role that exists the key is its boundary, which only AWS knows.
    if (name == "CreateUser" || name == "CreateRole" || name.ends_with("PermissionsBoundary"))
      set_text_key(call, request, "iam:PermissionsBoundary", "PermissionsBoundary");
    set_text_key(call, request, "iam:AWSServiceName", "AWSServiceName");
  }
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
  if (name == "AddRoleToInstanceProfile") {
    ActionRequest request = call.ask("iam:PassRole");
    if (const std::string_view role = body_text(call, "RoleName");
        !role.empty() && call.account_known() && !role.contains('/')) {
      request.resources.push_back(
          call.arn("iam", {}, call.facts.account, "role/" + std::string(role)));
      request.resource_approximate = true;
    } else {
      request.resource_unknown = true;
    }
    set_context(request, "iam:PassedToService", "ec2.amazonaws.com");
    out.push_back(std::move(request));
  }
  return true;
}

Result<bool> add_sts(const Call& call, std::vector<ActionRequest>& out) {
  add_generic_actions(call, out);
  const std::string_view name = call.name();
  if (!name.starts_with("AssumeRole")) return true;
  const std::vector<std::string> resources = out.back().resources;
  const bool unknown = out.back().resource_unknown;
  std::vector<std::string> transitive;
  for (const Wire::Ref item : call.body.items(call.body.root(), "TransitiveTagKeys"))
    transitive.emplace_back(call.body.text(item));
  const auto add = [&](std::string_view action) {
    ActionRequest request = call.ask(action);
    request.resources = resources;
    request.resource_unknown = unknown;
    out.push_back(std::move(request));
  };
  if (call.body.child(call.body.root(), "Tags") != Wire::kNothing) add("sts:TagSession");
  if (!body_text(call, "SourceIdentity").empty()) add("sts:SetSourceIdentity");
  for (ActionRequest& request : out) {
    set_text_key(call, request, "sts:ExternalId", "ExternalId");
    set_text_key(call, request, "sts:RoleSessionName", "RoleSessionName");
    set_text_key(call, request, "sts:SourceIdentity", "SourceIdentity");
    set_absent(request, "sts:TransitiveTagKeys");
    if (!transitive.empty()) set_context(request, "sts:TransitiveTagKeys", transitive, true);
  }
  return true;
}

}  // namespace

Result<bool> add_iam_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  return call.t.text(call.service.name) == "iam" ? add_iam(call, out) : add_sts(call, out);
}

}  // namespace remit::aws
