// EC2: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html and
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html
#include <algorithm>
#include <array>

#include "aws/call.h"

namespace remit::aws {
namespace {

std::string ec2_arn(const Call& call, std::string_view resource) {
  return call.regional_arn("ec2", resource);
}

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// One kind of resource that RunInstances touches: its ids, or all of its kind where new ones are
// made or AWS picks them.
void add_kind(const Call& call, ActionRequest& request, std::string_view kind,
              const std::vector<std::string_view>& ids) {
  for (const std::string_view id : ids) {
    if (!is_id(id)) {
      request.resource_unknown = true;
      continue;
    }
    request.resources.push_back(ec2_arn(call, std::string(kind) + "/" + std::string(id)));
  }
}

// What is about to be made has no id yet: IAM matches it as kind/*.
void add_new(const Call& call, ActionRequest& request, std::string_view kind) {
  request.resources.push_back(ec2_arn(call, std::string(kind) + "/*"));
}

std::vector<std::string_view> list(const Call& call, Wire::Ref parent, std::string_view name) {
  std::vector<std::string_view> found;
  for (const Wire::Ref item : call.body.items(parent, name))
    if (call.body.is_scalar(item)) found.push_back(call.body.text(item));
  return found;
}

void instance_keys(const Call& call, ActionRequest& request) {
  const auto set = [&](std::string_view key, std::string_view value, std::string_view otherwise) {
    if (!value.empty() || !otherwise.empty()) {
      set_context(request, std::string(key), std::string(value.empty() ? otherwise : value));
    } else {
      set_absent(request, key);
    }
  };
  const Wire& body = call.body;
  const Wire::Ref options = body.child(body.root(), "MetadataOptions");
  const Wire::Ref placement = body.child(body.root(), "Placement");
  const bool templated = body.child(body.root(), "LaunchTemplate") != Wire::kNothing;
  if (templated) {
    // The template may fill in whatever the request leaves out: only what is written is known.
    if (const auto type = body_text(call, "InstanceType"); !type.empty())
      set_context(request, "ec2:InstanceType", std::string(type));
    return;
  }
  set("ec2:InstanceType", body_text(call, "InstanceType"), "m1.small");
  set("ec2:EbsOptimized", body_text(call, "EbsOptimized"), "false");
  set("ec2:Tenancy", body.text_at(placement, "Tenancy").value_or(""), "default");
  set_absent(request, "ec2:LaunchTemplate");
  set_absent(request, "ec2:IsLaunchTemplateResource");
  if (const auto zone = body.text_at(placement, "AvailabilityZone"))
    set_context(request, "ec2:AvailabilityZone", std::string(*zone));
  for (const auto& [key, member] :
       {std::pair{"ec2:MetadataHttpTokens", "HttpTokens"},
        std::pair{"ec2:MetadataHttpEndpoint", "HttpEndpoint"},
        std::pair{"ec2:MetadataHttpPutResponseHopLimit", "HttpPutResponseHopLimit"}})
    if (const auto value = body.text_at(options, member))
      set_context(request, key, std::string(*value));
}

void run_instances(const Call& call, std::vector<ActionRequest>& out) {
  const Wire& body = call.body;
  const Wire::Ref root = body.root();
  ActionRequest request = call.ask("ec2:RunInstances");
  add_new(call, request, "instance");
  if (const auto image = body_text(call, "ImageId");
      is_id(image) && !image.starts_with("resolve")) {
    request.resources.push_back(
        call.arn("ec2", call.facts.scope_region, {}, "image/" + std::string(image)));
  } else {
    request.resource_unknown = true;
  }
  std::vector<std::string_view> subnets, groups, interfaces;
  if (const auto subnet = body_text(call, "SubnetId"); !subnet.empty()) subnets.push_back(subnet);
  groups = list(call, root, "SecurityGroupId");
  bool named_groups = !list(call, root, "SecurityGroup").empty();
  for (const Wire::Ref item : body.items(root, "NetworkInterface")) {
    if (const auto id = body.text_at(item, "NetworkInterfaceId")) interfaces.push_back(*id);
    if (const auto id = body.text_at(item, "SubnetId")) subnets.push_back(*id);
    for (const std::string_view id : list(call, item, "SecurityGroupId")) groups.push_back(id);
  }
  add_kind(call, request, "subnet", subnets);
  add_kind(call, request, "security-group", groups);
  add_kind(call, request, "network-interface", interfaces);
  if (interfaces.empty()) add_new(call, request, "network-interface");
  add_new(call, request, "volume");
  if (const auto key = body_text(call, "KeyName"); !key.empty())
    request.resources.push_back(ec2_arn(call, "key-pair/" + std::string(key)));
  const Wire::Ref launch = body.child(root, "LaunchTemplate");
  if (const auto id = body.text_at(launch, "LaunchTemplateId"))
    add_kind(call, request, "launch-template", {*id});
  // AWS picks the default subnet and group, or the template does; a group's name is not its id.
  if (subnets.empty() || groups.empty() || named_groups || launch != Wire::kNothing)
    request.resource_unknown = true;
  for (const Wire::Ref device : body.items(root, "BlockDeviceMapping"))
    if (const auto snapshot = body.text_at(body.child(device, "Ebs"), "SnapshotId"))
      request.resources.push_back(
          call.arn("ec2", call.facts.scope_region, {}, "snapshot/" + std::string(*snapshot)));
  if (!call.account_known()) {
    request.resources.clear();
    request.resource_unknown = true;
  }
  instance_keys(call, request);
  out.push_back(std::move(request));
}

// Whether the input has an instance profile anywhere: in a launch specification, one of a list ...
bool has_profile(const Wire& body, Wire::Ref node) {
  for (const Wire::Ref below : body.children(node)) {
    if (body.name(below) == "IamInstanceProfile" && body.kind(below) != Wire::Kind::Null)
      return true;
    if (has_profile(body, below)) return true;
  }
  return false;
}

// A role that rides in an instance profile. The profile's ARN is not the role's.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html
void instance_profile(const Call& call, std::vector<ActionRequest>& out) {
  if (!has_profile(call.body, call.body.root())) return;
  ActionRequest request = call.ask("iam:PassRole");
  request.resource_unknown = true;
  set_context(request, "iam:PassedToService", "ec2.amazonaws.com");
  out.push_back(std::move(request));
}

// Tags given while something is made need ec2:CreateTags on it, with ec2:CreateAction.
void tag_on_create(const Call& call, std::vector<ActionRequest>& out) {
  if (call.name() == "CreateTags") return;
  const Wire& body = call.body;
  std::vector<std::string> kinds;
  bool tags = false;
  for (const std::string_view name : {"TagSpecification", "TagSpecifications"})
    for (const Wire::Ref item : body.items(body.root(), name)) {
      tags = true;
      if (const auto kind = body.text_at(item, "ResourceType")) kinds.emplace_back(*kind);
    }
  if (!tags) return;
  ActionRequest request = call.ask("ec2:CreateTags");
  for (const std::string& kind : kinds) {
    if (is_id(kind) && call.account_known()) {
      add_new(call, request, kind);
    } else {
      request.resource_unknown = true;
    }
  }
  if (request.resources.empty()) request.resource_unknown = true;
  set_context(request, "ec2:CreateAction", std::string(call.name()));
  out.push_back(std::move(request));
}

// CreateTags and DeleteTags name resources by id; the id's head tells its kind.
void tag_resources(const Call& call, std::vector<ActionRequest>& out) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kKinds = {
      {{"i-", "instance"},
       {"vol-", "volume"},
       {"subnet-", "subnet"},
       {"vpc-", "vpc"},
       {"sg-", "security-group"},
       {"eni-", "network-interface"},
       {"rtb-", "route-table"},
       {"igw-", "internet-gateway"},
       {"nat-", "natgateway"},
       {"acl-", "network-acl"},
       {"lt-", "launch-template"},
       {"eipalloc-", "elastic-ip"},
       {"vpce-", "vpc-endpoint"},
       {"tgw-", "transit-gateway"}}};
  ActionRequest request = call.ask("ec2:" + std::string(call.name()));
  for (const std::string_view id : list(call, call.body.root(), "ResourceId")) {
    const auto kind =
        std::ranges::find_if(kKinds, [&](const auto& k) { return id.starts_with(k.first); });
    if (kind == kKinds.end() || !is_id(id) || !call.account_known()) {
      request.resource_unknown = true;
    } else {
      add_kind(call, request, kind->second, {id});
    }
  }
  if (request.resources.empty()) request.resource_unknown = true;
  std::vector<std::string> keys;
  for (const Wire::Ref tag : call.body.items(call.body.root(), "Tag")) {
    const auto key = call.body.text_at(tag, "Key");
    if (!key) continue;
    keys.emplace_back(*key);
    set_context(request, "aws:RequestTag/" + std::string(*key),
                std::string(call.body.text_at(tag, "Value").value_or("")));
  }
  set_absent(request, "aws:RequestTag/*");
  set_absent(request, "aws:TagKeys");
  if (!keys.empty()) set_context(request, "aws:TagKeys", std::move(keys), true);
  set_absent(request, "ec2:CreateAction");
  out.push_back(std::move(request));
}

bool makes(std::string_view name) {
  return std::ranges::any_of(
      std::array<std::string_view, 4>{"Create", "Allocate", "Copy", "Import"},
      [&](std::string_view head) { return name.starts_with(head); });
}

// What a call is about to make has no id: IAM matches kind/*. The kinds that an action requires and
// that no member names are those.
void add_made(const Call& call, ActionRequest& request) {
  if (!makes(call.name()) || !request.resource_unknown || !call.account_known()) return;
  const auto index = call.t.action_named(request.action);
  if (!index) return;
  const ActionRow action = call.t.actions[*index];
  for (std::uint32_t i = 0; i < action.type_count; ++i) {
    const std::uint32_t use = call.t.lists[action.type_first + i];
    if ((use & 1) == 0) continue;
    const std::string_view pattern = call.t.text(call.t.resource_types[use >> 1].arn);
    const std::size_t colon = pattern.rfind(':');
    const std::size_t slash = pattern.find('/', colon);
    if (colon == std::string_view::npos || slash == std::string_view::npos) return;
    const std::string_view kind = pattern.substr(colon + 1, slash - colon - 1);
    const bool told = std::ranges::any_of(request.resources, [&](const std::string& arn) {
      return arn.contains(":" + std::string(kind) + "/");
    });
    if (told) continue;
    // Images and snapshots, IPAM and others leave region or account out, as their template does.
    const bool region = pattern.contains("${Region}");
    const bool account = pattern.contains("${Account}");
    request.resources.push_back(call.arn("ec2", region ? call.facts.scope_region : "",
                                         account ? call.facts.account : "",
                                         std::string(kind) + "/*"));
  }
  request.resource_unknown = request.resources.empty();
}

}  // namespace

Result<bool> add_ec2_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  if (call.name() == "RunInstances") {
    run_instances(call, out);
  } else if (call.name() == "CreateTags" || call.name() == "DeleteTags") {
    tag_resources(call, out);
  } else {
    add_generic_actions(call, out);
    for (std::uint32_t i = 0; i < out.size(); ++i)
      if (!mentions_untold(call, i)) add_made(call, out[i]);
    // Its id beside a key pair's name: which counts is not documented.
    if (call.name() == "DeleteKeyPair" && !body_text(call, "KeyPairId").empty())
      for (ActionRequest& request : out) request.resource_unknown = true;
  }
  instance_profile(call, out);
  tag_on_create(call, out);
  return true;
}

}  // namespace remit::aws
