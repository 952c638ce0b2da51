// What a service asks of KMS with the caller's own rights (forward access sessions), where the
// request itself names the key. A key that is the service's own (alias/aws/s3), or that only the
// resource knows (of an encrypted object that is read), is not asked for here: AWS decides.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
#include <algorithm>
#include <array>

#include "aws/call.h"
#include "base/encoding.h"
#include "json/json.h"

namespace remit::aws {
namespace {

using Names = std::array<std::string_view, 4>;  // empty ones stand for nothing

constexpr Names kSecret = {"kms:GenerateDataKey", "kms:Decrypt"};
constexpr Names kSecretAgain = {"kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt"};
constexpr Names kTable = {"kms:DescribeKey", "kms:CreateGrant"};
constexpr Names kVolume = {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey",
                           "kms:GenerateDataKeyWithoutPlaintext"};
constexpr Names kCopy = {"kms:CreateGrant", "kms:DescribeKey", "kms:ReEncryptTo",
                         "kms:GenerateDataKeyWithoutPlaintext"};
constexpr Names kDatabase = {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey",
                             "kms:GenerateDataKey"};
constexpr Names kRestored = {"kms:CreateGrant", "kms:DescribeKey"};
constexpr Names kFiles = {"kms:CreateGrant", "kms:DescribeKey",
                          "kms:GenerateDataKeyWithoutPlaintext"};
constexpr Names kFunction = {"kms:CreateGrant", "kms:Encrypt"};

// Where the key stands: at the top of the input, in one structure there, or (a structure of "*")
// anywhere under that name.
struct Rule {
  std::string_view prefix;  // of the service's actions
  std::string_view operation;
  std::string_view structure;
  std::string_view member;
  Names actions;
  std::string_view via;  // of kms:ViaService, before the region; empty: AWS's page names none
};

// Sources, in this order of the rows: docs.aws.amazon.com
// secretsmanager/latest/apireference API_CreateSecret, API_UpdateSecret;
// kms/latest/developerguide/services-dynamodb.html (and awslabs/iam-policy-autopilot);
// ebs/latest/userguide/ebs-encryption-requirements.html;
// service-authorization/latest/reference: list_amazonrds, list_amazonredshift, list_awscloudtrail,
// list_amazondocumentdbelasticclusters, list_amazonneptuneanalytics,
// list_amazonworkspacessecurebrowser (dependent actions);
// AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html;
// efs/latest/ug/EFSKMS.html; lambda/latest/dg/configuration-envvars-encryption.html;
// aws-backup/latest/devguide/access-control.html;
// AmazonECR/latest/userguide/encryption-at-rest.html
constexpr std::array<Rule, 32> kRules = {{
    {"secretsmanager", "CreateSecret", "", "KmsKeyId", kSecret, "secretsmanager"},
    {"secretsmanager", "UpdateSecret", "", "KmsKeyId", kSecretAgain, "secretsmanager"},
    {"dynamodb", "CreateTable", "SSESpecification", "KMSMasterKeyId", kTable, "dynamodb"},
    {"dynamodb", "UpdateTable", "SSESpecification", "KMSMasterKeyId", kTable, "dynamodb"},
    {"dynamodb", "RestoreTableFromBackup", "SSESpecificationOverride", "KMSMasterKeyId", kTable,
     "dynamodb"},
    {"dynamodb", "RestoreTableToPointInTime", "SSESpecificationOverride", "KMSMasterKeyId", kTable,
     "dynamodb"},
    {"ec2", "CreateVolume", "", "KmsKeyId", kVolume, "ec2"},
    {"ec2", "RunInstances", "*", "KmsKeyId", kVolume, "ec2"},
    {"ec2", "CopySnapshot", "", "KmsKeyId", kCopy, "ec2"},
    {"ec2", "CopyImage", "", "KmsKeyId", kCopy, "ec2"},
    {"rds", "CreateDBInstance", "", "KmsKeyId", kDatabase, "rds"},
    {"rds", "CreateDBCluster", "", "KmsKeyId", kDatabase, "rds"},
    {"rds", "RestoreDBInstanceFromS3", "", "KmsKeyId", kDatabase, "rds"},
    {"rds", "RestoreDBClusterFromS3", "", "KmsKeyId", kDatabase, "rds"},
    {"rds", "CreateDBInstanceReadReplica", "", "KmsKeyId", kRestored, "rds"},
    {"rds", "CopyDBSnapshot", "", "KmsKeyId", kRestored, "rds"},
    {"rds", "CopyDBClusterSnapshot", "", "KmsKeyId", kRestored, "rds"},
    {"rds", "RestoreDBClusterFromSnapshot", "", "KmsKeyId", kRestored, "rds"},
    {"rds", "RestoreDBClusterToPointInTime", "", "KmsKeyId", kRestored, "rds"},
    {"redshift", "CreateCluster", "", "KmsKeyId", kDatabase, "redshift"},
    {"redshift", "ModifyCluster", "", "KmsKeyId", kDatabase, "redshift"},
    {"redshift", "RestoreFromClusterSnapshot", "", "KmsKeyId", kDatabase, "redshift"},
    {"cloudtrail", "CreateEventDataStore", "", "KmsKeyId", kSecret, ""},
    {"cloudtrail", "UpdateEventDataStore", "", "KmsKeyId", kSecret, ""},
    {"docdb-elastic", "CreateCluster", "", "kmsKeyId", kDatabase, ""},
    {"neptune-graph", "CreateGraph", "", "kmsKeyIdentifier", kVolume, ""},
    {"workspaces-web", "CreatePortal", "", "customerManagedKey", kDatabase, ""},
    {"elasticfilesystem", "CreateFileSystem", "", "KmsKeyId", kFiles, "elasticfilesystem"},
    {"lambda", "CreateFunction", "", "KMSKeyArn", kFunction, "lambda"},
    {"lambda", "UpdateFunctionConfiguration", "", "KMSKeyArn", kFunction, "lambda"},
    {"backup", "CreateBackupVault", "", "EncryptionKeyArn", kDatabase, "backup"},
    {"ecr", "CreateRepository", "encryptionConfiguration", "kmsKey", kRestored, "ecr"},
}};

// AWS's own key of a service: its key policy lets everybody of the account in through the service.
bool is_service_key(std::string_view key) {
  return key.starts_with("alias/aws/") || key.contains(":alias/aws/");
}

class Forward {
 public:
  Forward(const Call& call, std::vector<ActionRequest>& out) : call_(call), out_(out) {}

  // One question of `action` for a key as the request names it.
  ActionRequest& ask(std::string_view action, std::string_view key, std::string_view via) {
    ActionRequest request = call_.ask(action);
    add_kms_key(call_, request, key);
    if (key.contains("alias/")) {  // whether it comes so far, no page says
      std::erase_if(request.context, is_alias);
      if (request.keys_told) request.unknown_keys.push_back("kms:RequestAlias");
    }
    if (call_.account_known())
      set_context(request, "kms:CallerAccount", std::string(call_.facts.account));
    const std::string_view partition =
        call_.facts.partition.empty() ? "aws" : call_.facts.partition;
    const bool usual = partition == "aws" || partition == "aws-us-gov";
    if (usual && !via.empty() && !call_.facts.scope_region.empty()) {
      std::string service(via);
      service.append(".").append(call_.facts.scope_region).append(".amazonaws.com");
      set_context(request, "kms:ViaService", std::move(service));
    }
    if (action == "kms:CreateGrant") set_context(request, "kms:GrantIsForAWSResource", "true");
    set_context(request, "aws:ViaAWSService", "true");
    if (request.keys_told)
      for (const std::string_view unknown : {"aws:CalledVia", "aws:CalledViaFirst",
                                             "aws:CalledViaLast", "aws:UserAgent", "aws:Referer"})
        request.unknown_keys.push_back(unknown);
    out_.push_back(std::move(request));
    return out_.back();
  }

 private:
  static bool is_alias(const ContextEntry& entry) { return entry.key == "kms:RequestAlias"; }

  const Call& call_;
  std::vector<ActionRequest>& out_;
};

void set_encryption_context(ActionRequest& request,
                            const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : pairs) {
    set_context(request, "kms:EncryptionContext:" + key, value);
    keys.push_back(key);
  }
  set_absent(request, "kms:EncryptionContext:*");
  set_context(request, "kms:EncryptionContextKeys", std::move(keys), true);
}

// The context of an object's data key: its ARN, or its bucket's where the request says that a
// bucket key is used; without that the bucket's own setting decides, and nothing is known.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
void add_s3_context(const Call& call, ActionRequest& request, std::string_view object) {
  const std::string_view by_bucket = call.header("x-amz-server-side-encryption-bucket-key-enabled");
  const bool plain = object.starts_with("arn:") && object.contains(":s3:::");
  if (!plain || by_bucket.empty()) return;
  const bool bucket = equals_ignoring_ascii_case(by_bucket, "true");
  std::string owner(bucket ? object.substr(0, object.find('/')) : object);
  std::vector<std::pair<std::string, std::string>> pairs = {{"aws:s3:arn", std::move(owner)}};
  if (const std::string_view given = call.header("x-amz-server-side-encryption-context");
      !given.empty()) {
    const auto text = unbase64(given);
    if (!text) return;
    const auto parsed = json::parse(*text);
    if (!parsed || !parsed->root().is(json::Kind::Object)) return;
    for (const auto& member : parsed->root().members()) {
      if (!member.value.is(json::Kind::String)) return;
      if (member.key != "aws:s3:arn") pairs.emplace_back(member.key, member.value.string());
    }
  }
  set_encryption_context(request, pairs);
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html: Decrypt too, for
// the parts. Directory buckets encrypt by the session's key.
void add_s3(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view name = call.name();
  const bool parts = name == "CreateMultipartUpload";
  if (name != "PutObject" && name != "CopyObject" && !parts) return;
  const std::string key(call.header("x-amz-server-side-encryption-aws-kms-key-id"));
  if (key.empty() || is_service_key(key)) return;
  const auto written = std::ranges::find(out, "s3:PutObject", &ActionRequest::action);
  if (written == out.end()) return;
  const std::string object = written->resources.empty() ? "" : written->resources.front();
  Forward forward(call, out);
  add_s3_context(call, forward.ask("kms:GenerateDataKey", key, "s3"), object);
  if (parts) add_s3_context(call, forward.ask("kms:Decrypt", key, "s3"), object);
}

// https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
void add_parameter(const Call& call, std::vector<ActionRequest>& out) {
  if (call.name() != "PutParameter" || body_text(call, "Type") != "SecureString") return;
  const std::string_view key = body_text(call, "KeyId");
  if (key.empty() || is_service_key(key)) return;
  const std::string_view tier = body_text(call, "Tier");
  std::string_view name = body_text(call, "Name");
  std::vector<std::string_view> actions;
  if (tier != "Advanced") actions.emplace_back("kms:Encrypt");
  if (tier != "Standard") actions.emplace_back("kms:GenerateDataKey");  // or the account's default
  Forward forward(call, out);
  for (const std::string_view action : actions) {
    ActionRequest& request = forward.ask(action, key, "ssm");
    if (!call.account_known() || name.empty()) continue;
    std::string arn(name);
    if (!name.starts_with("arn:"))
      arn = call.regional_arn("ssm", (name.starts_with('/') ? "parameter" : "parameter/") + arn);
    set_encryption_context(request, {{"PARAMETER_ARN", std::move(arn)}});
  }
}

// The keys that a rule's input names, each once.
std::vector<std::string_view> keys_of(const Call& call, const Rule& rule) {
  const Wire& body = call.body;
  std::vector<std::string_view> keys;
  const auto take = [&](std::string_view key) {
    const bool known = std::ranges::find(keys, key) != keys.end();
    if (!key.empty() && !known && !is_service_key(key)) keys.push_back(key);
  };
  if (rule.structure == "*") {
    body.scalars([&](Wire::Ref node) {
      if (body.name(node) == rule.member) take(body.text(node));
    });
    return keys;
  }
  Wire::Ref parent = body.root();
  if (!rule.structure.empty()) parent = body.child(parent, rule.structure);
  take(body.text_at(parent, rule.member).value_or(""));
  return keys;
}

}  // namespace

void add_forward_access(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view prefix = call.t.text(call.service.iam_prefix);
  if (prefix == "s3") return add_s3(call, out);
  if (call.body.root() == Wire::kNothing) return;
  if (prefix == "ssm") return add_parameter(call, out);
  const auto rule = std::ranges::find_if(
      kRules, [&](const Rule& r) { return r.prefix == prefix && r.operation == call.name(); });
  if (rule == kRules.end()) return;
  Forward forward(call, out);
  for (const std::string_view key : keys_of(call, *rule))
    for (const std::string_view action : rule->actions)
      if (!action.empty()) forward.ask(action, key, rule->via);
}

}  // namespace remit::aws
