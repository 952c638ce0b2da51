#include "iam/known_keys.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace remit::iam {
namespace {

using enum KeyType;

// Global keys, the keys of AWS's MCP servers and of sign-in; then service keys that hold several
// values (type ArrayOf... in the Service Authorization Reference).
constexpr std::array kKeys{
    KnownKey{"aws:AssumedRoot", Bool},
    KnownKey{"aws:CalledVia", String, true},
    KnownKey{"aws:CalledViaAWSMCP", String},
    KnownKey{"aws:CalledViaFirst", String},
    KnownKey{"aws:CalledViaLast", String},
    KnownKey{"aws:ChatbotSourceArn", Arn},
    KnownKey{"aws:CurrentTime", Date},
    KnownKey{"aws:Ec2InstanceSourcePrivateIPv4", IpAddress},
    KnownKey{"aws:Ec2InstanceSourceVpc", String},
    KnownKey{"aws:EpochTime", Date},
    KnownKey{"aws:FederatedProvider", String},
    KnownKey{"aws:MultiFactorAuthAge", Numeric},
    KnownKey{"aws:MultiFactorAuthPresent", Bool},
    KnownKey{"aws:PrincipalAccount", String},
    KnownKey{"aws:PrincipalArn", Arn},
    KnownKey{"aws:PrincipalIsAWSService", Bool},
    KnownKey{"aws:PrincipalOrgID", String},
    KnownKey{"aws:PrincipalOrgPaths", String, true},
    KnownKey{"aws:PrincipalServiceName", String},
    KnownKey{"aws:PrincipalServiceNamesList", String, true},
    KnownKey{"aws:PrincipalTag/", String},
    KnownKey{"aws:PrincipalType", String},
    KnownKey{"aws:Referer", String},
    KnownKey{"aws:RequestTag/", String},
    KnownKey{"aws:RequestedRegion", String},
    KnownKey{"aws:ResourceAccount", String},
    KnownKey{"aws:ResourceOrgID", String},
    KnownKey{"aws:ResourceOrgPaths", String, true},
    KnownKey{"aws:ResourceTag/", String},
    KnownKey{"aws:SecureTransport", Bool},
    KnownKey{"aws:SignInSessionArn", Arn},
    KnownKey{"aws:SourceAccount", String},
    KnownKey{"aws:SourceArn", Arn},
    KnownKey{"aws:SourceIdentity", String},
    KnownKey{"aws:SourceIp", IpAddress},
    KnownKey{"aws:SourceOrgID", String},
    KnownKey{"aws:SourceOrgPaths", String, true},
    KnownKey{"aws:SourceVpc", String},
    KnownKey{"aws:SourceVpcArn", Arn},
    KnownKey{"aws:SourceVpce", String},
    KnownKey{"aws:TagKeys", String, true},
    KnownKey{"aws:TokenIssueTime", Date},
    KnownKey{"aws:UserAgent", String},
    KnownKey{"aws:ViaAWSMCPService", Bool},
    KnownKey{"aws:ViaAWSService", Bool},
    KnownKey{"aws:VpcSourceIp", IpAddress},
    KnownKey{"aws:VpceAccount", String},
    KnownKey{"aws:VpceOrgID", String},
    KnownKey{"aws:VpceOrgPaths", String, true},
    KnownKey{"aws:userid", String},
    KnownKey{"aws:username", String},
    KnownKey{"signin:", String},
    KnownKey{"dynamodb:Attributes", String, true},
    KnownKey{"dynamodb:LeadingKeys", String, true},
    KnownKey{"ec2:FisTargetArns", Arn, true},
    KnownKey{"glue:SubnetIds", String, true},
    KnownKey{"iam:PermissionsBoundary", Arn},
    KnownKey{"kms:EncryptionContextKeys", String, true},
    KnownKey{"kms:GrantOperations", String, true},
    KnownKey{"kms:ResourceAliases", String, true},
    KnownKey{"lambda:Layer", String, true},
    KnownKey{"lambda:SecurityGroupIds", String, true},
    KnownKey{"lambda:SubnetIds", String, true},
    KnownKey{"route53:ChangeResourceRecordSetsActions", String, true},
    KnownKey{"route53:ChangeResourceRecordSetsNormalizedRecordNames", String, true},
    KnownKey{"route53:ChangeResourceRecordSetsRecordTypes", String, true},
    KnownKey{"s3:InventoryAccessibleOptionalFields", String, true},
    KnownKey{"s3:RequestObjectTagKeys", String, true},
    KnownKey{"s3:max-keys", Numeric},
    KnownKey{"saml:edupersonaffiliation", String, true},
    KnownKey{"saml:edupersonorgdn", String, true},
    KnownKey{"secretsmanager:AddReplicaRegions", String, true},
    KnownKey{"ses:Recipients", String, true},
    KnownKey{"sts:DurationSeconds", Numeric},
    KnownKey{"sts:TransitiveTagKeys", String, true},
    KnownKey{"sts:RequestContextProviders", Arn, true},
};

bool names(const KnownKey& key, std::string_view name) {
  const bool family = key.name.ends_with('/') || key.name.ends_with(':');
  if (family) {
    if (name.size() <= key.name.size()) return false;
    name = name.substr(0, key.name.size());
  }
  return equals_ignoring_ascii_case(key.name, name);
}

struct DerivedName {
  std::string_view name;
  Derived derived;
};

constexpr std::array kDerived{
    DerivedName{"aws:PrincipalArn", Derived::PrincipalArn},
    DerivedName{"aws:PrincipalAccount", Derived::PrincipalAccount},
    DerivedName{"aws:PrincipalType", Derived::PrincipalType},
    DerivedName{"aws:PrincipalIsAWSService", Derived::PrincipalIsAwsService},
    DerivedName{"aws:PrincipalServiceName", Derived::PrincipalServiceName},
    DerivedName{"aws:username", Derived::UserName},
    DerivedName{"aws:userid", Derived::UserId},
    DerivedName{"aws:ResourceAccount", Derived::ResourceAccount},
};

}  // namespace

std::span<const KnownKey> known_keys() { return kKeys; }

const KnownKey* find_known_key(std::string_view name) {
  const auto found = std::ranges::find_if(kKeys, [&](const auto& key) { return names(key, name); });
  return found == kKeys.end() ? nullptr : &*found;
}

Derived derived_key(std::string_view name) {
  if (name.size() < 10 || name.size() > 26 || (name[0] != 'a' && name[0] != 'A')) {
    return Derived::None;
  }
  for (const auto& key : kDerived) {
    if (equals_ignoring_ascii_case(key.name, name)) return key.derived;
  }
  return Derived::None;
}

}  // namespace remit::iam
