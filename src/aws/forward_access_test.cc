// What a service will ask of KMS in the caller's name; the sources stand beside the rules.

#include "aws/identify.h"
#include "aws/identify_for_tests.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

using testing::context;
using testing::form;
using testing::json;
using testing::Request;
using testing::s3;
using testing::words;

const std::string kId = "1234abcd-12ab-34cd-56ef-1234567890ab";
const std::string kArn = "arn:aws:kms:us-east-1:111122223333:key/" + kId;

http::Fields encrypted(std::string key, http::Fields more = {}) {
  more.push_back({"x-amz-server-side-encryption", "aws:kms"});
  more.push_back({"x-amz-server-side-encryption-aws-kms-key-id", std::move(key)});
  return more;
}

TEST(ForwardAccess, IsAskedForWhereTheRequestNamesTheKey) {
  struct Case {
    Request request;
    std::string wanted;
  };
  const std::string put = "PutObject: s3:PutObject arn:aws:s3:::b/k";
  const std::string ec2 = "&Version=2016-11-15";
  const std::string rds = "&Version=2014-10-31";
  const std::string secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-?\?\?\?\?\?";
  const std::string parameter = "arn:aws:ssm:us-east-1:111122223333:parameter/db";
  for (const Case& each : std::vector<Case>{
           {s3("PUT", "/b/k", encrypted(kArn)), put + "; kms:GenerateDataKey " + kArn},
           {s3("PUT", "/b/k", encrypted(kId)), put + "; kms:GenerateDataKey " + kArn},
           {s3("PUT", "/b/k", encrypted("alias/mine")), put + "; kms:GenerateDataKey ?"},
           {s3("PUT", "/b/k?X-Amz-Signature=0&X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id=" + kId),
            put + "; kms:GenerateDataKey " + kArn},
           {s3("POST", "/b/k?uploads", encrypted(kArn)),
            "CreateMultipartUpload: s3:PutObject arn:aws:s3:::b/k; kms:GenerateDataKey " + kArn +
                "; kms:Decrypt " + kArn},
           {s3("PUT", "/b/k", encrypted(kArn, {{"x-amz-copy-source", "a/x"}})),
            "CopyObject: s3:PutObject arn:aws:s3:::b/k; s3:GetObject arn:aws:s3:::a/x; "
            "kms:GenerateDataKey " +
                kArn},
           // The service's own key, and keys that only the bucket or the object knows.
           {s3("PUT", "/b/k", encrypted("alias/aws/s3")), put},
           {s3("PUT", "/b/k", encrypted("arn:aws:kms:us-east-1:111122223333:alias/aws/s3")), put},
           {s3("PUT", "/b/k", {{"x-amz-server-side-encryption", "aws:kms"}}), put},
           {s3("PUT", "/b/k"), put},
           {s3("GET", "/b/k"), "GetObject: s3:GetObject arn:aws:s3:::b/k"},
           {json("secretsmanager", "secretsmanager.CreateSecret",
                 R"({"Name":"db","SecretString":"x","KmsKeyId":")" + kArn + "\"}"),
            "CreateSecret: secretsmanager:CreateSecret " + secret + "; kms:GenerateDataKey " +
                kArn + "; kms:Decrypt " + kArn},
           {json("secretsmanager", "secretsmanager.CreateSecret",
                 R"({"Name":"db","KmsKeyId":"alias/aws/secretsmanager"})"),
            "CreateSecret: secretsmanager:CreateSecret " + secret},
           {json("secretsmanager", "secretsmanager.GetSecretValue", R"({"SecretId":"db"})"),
            "GetSecretValue: secretsmanager:GetSecretValue " + secret},
           {json("ssm", "AmazonSSM.PutParameter",
                 R"({"Name":"/db","Value":"x","Type":"SecureString","Tier":"Standard","KeyId":")" +
                     kId + "\"}"),
            "PutParameter: ssm:PutParameter " + parameter + "; kms:Encrypt " + kArn},
           {json("ssm", "AmazonSSM.PutParameter",
                 R"({"Name":"db","Value":"x","Type":"SecureString","Tier":"Advanced","KeyId":")" +
                     kId + "\"}"),
            "PutParameter: ssm:PutParameter " + parameter + "; kms:GenerateDataKey " + kArn},
           {json("ssm", "AmazonSSM.PutParameter",
                 R"({"Name":"db","Value":"x","Type":"SecureString","KeyId":")" + kId + "\"}"),
            "PutParameter: ssm:PutParameter " + parameter + "; kms:Encrypt " + kArn +
                "; kms:GenerateDataKey " + kArn},
           {json("ssm", "AmazonSSM.PutParameter", R"({"Name":"db","Value":"x","Type":"String"})"),
            "PutParameter: ssm:PutParameter " + parameter},
           {json("ssm", "AmazonSSM.GetParameter", R"({"Name":"db","WithDecryption":true})"),
            "GetParameter: ssm:GetParameter " + parameter},
           {form("ec2",
                 "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=1&KmsKeyId=" + kId + ec2),
            "CreateVolume: ec2:CreateVolume arn:aws:ec2:us-east-1:111122223333:volume/*; "
            "kms:CreateGrant " +
                kArn + "; kms:Decrypt " + kArn + "; kms:DescribeKey " + kArn +
                "; kms:GenerateDataKeyWithoutPlaintext " + kArn},
           {form("rds",
                 "Action=CopyDBSnapshot&SourceDBSnapshotIdentifier=a&"
                 "TargetDBSnapshotIdentifier=b&KmsKeyId=" +
                     kId + rds),
            "CopyDBSnapshot: rds:CopyDBSnapshot ?; kms:CreateGrant " + kArn + "; kms:DescribeKey " +
                kArn},
           // A key of another account, for the pins and the policy to see.
           {s3("PUT", "/b/k", encrypted("arn:aws:kms:eu-west-1:999988887777:key/" + kId)),
            put + "; kms:GenerateDataKey arn:aws:kms:eu-west-1:999988887777:key/" + kId},
       }) {
    EXPECT_EQ(words(each.request.identify()), each.wanted)
        << each.request.target << " " << each.request.body;
  }
}

TEST(ForwardAccess, IsFoundInsideOfTheInputToo) {
  const auto asks = [](const Request& request, std::string_view action) {
    const auto found = request.identify();
    EXPECT_TRUE(found) << found.error().message;
    const ActionRequest* asked = found ? testing::find(*found, action) : nullptr;
    return asked != nullptr && asked->resources == std::vector<std::string>{kArn};
  };
  EXPECT_TRUE(
      asks(form("ec2",
                "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1&"
                "InstanceType=t3.micro&BlockDeviceMapping.1.DeviceName=a&"
                "BlockDeviceMapping.1.Ebs.Encrypted=true&BlockDeviceMapping.1.Ebs.KmsKeyId=" +
                    kId),
           "kms:GenerateDataKeyWithoutPlaintext"));
  EXPECT_TRUE(asks(json("dynamodb", "DynamoDB_20120810.CreateTable",
                        R"({"TableName":"t","SSESpecification":{"Enabled":true,"SSEType":"KMS",)"
                        R"("KMSMasterKeyId":")" +
                            kId + "\"}}"),
                   "kms:CreateGrant"));
  EXPECT_TRUE(asks(Request{.service = "lambda",
                           .target = "/2015-03-31/functions",
                           .fields = {{"Content-Type", "application/json"}},
                           .body = R"({"FunctionName":"f","KMSKeyArn":")" + kArn + "\"}"},
                   "kms:Encrypt"));
  EXPECT_TRUE(asks(json("ecr", "AmazonEC2ContainerRegistry_V20150921.CreateRepository",
                        R"({"repositoryName":"r","encryptionConfiguration":)"
                        R"({"encryptionType":"KMS","kmsKey":")" +
                            kId + "\"}}"),
                   "kms:DescribeKey"));
}

TEST(ForwardAccess, HasTheKeysOfARequestThatAServiceMakes) {
  struct Case {
    http::Fields fields;
    std::string_view key, wanted;
  };
  const std::string mine = base64(R"({"team":"billing"})");
  const http::Fields by_bucket = {{"x-amz-server-side-encryption-bucket-key-enabled", "true"}};
  const http::Fields by_object = {{"x-amz-server-side-encryption-bucket-key-enabled", "false"},
                                  {"x-amz-server-side-encryption-context", mine}};
  const http::Fields broken = {{"x-amz-server-side-encryption-bucket-key-enabled", "false"},
                               {"x-amz-server-side-encryption-context", "%%"}};
  for (const Case& each : std::vector<Case>{
           {{}, "kms:ViaService", "s3.us-east-1.amazonaws.com"},
           {{}, "kms:CallerAccount", "111122223333"},
           {{}, "aws:ViaAWSService", "true"},
           {{}, "aws:CalledVia", "unknown"},
           {{}, "aws:UserAgent", "unknown"},
           {{}, "kms:RequestAlias", "absent"},
           // The bucket's own setting decides whose ARN it is.
           {{}, "kms:EncryptionContext:*", "unknown"},
           {by_bucket, "kms:EncryptionContext:aws:s3:arn", "arn:aws:s3:::b"},
           {by_object, "kms:EncryptionContext:aws:s3:arn", "arn:aws:s3:::b/k/l"},
           {by_object, "kms:EncryptionContext:team", "billing"},
           {by_object, "kms:EncryptionContextKeys", "aws:s3:arn,team"},
           {broken, "kms:EncryptionContext:*", "unknown"},
       }) {
    const auto found = s3("PUT", "/b/k/l", encrypted(kArn, each.fields)).identify();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(context(*testing::find(*found, "kms:GenerateDataKey"), each.key), each.wanted)
        << each.key;
  }
  const auto alias = s3("PUT", "/b/k", encrypted("alias/mine")).identify();
  EXPECT_EQ(context(*testing::find(*alias, "kms:GenerateDataKey"), "kms:RequestAlias"), "unknown");
  const auto volume =
      form("ec2", "Action=CreateVolume&Version=2016-11-15&KmsKeyId=" + kId).identify();
  EXPECT_EQ(context(*testing::find(*volume, "kms:CreateGrant"), "kms:GrantIsForAWSResource"),
            "true");
  EXPECT_EQ(context(*testing::find(*volume, "kms:CreateGrant"), "kms:ViaService"),
            "ec2.us-east-1.amazonaws.com");
}

}  // namespace
}  // namespace remit::aws
