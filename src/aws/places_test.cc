// What a request says of regions and accounts besides its signature, for the pins of a remit.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/identify.h"
#include "aws/identify_for_tests.h"

namespace remit::aws {
namespace {

using testing::at;
using testing::form;
using testing::json;
using testing::Request;
using testing::s3;

std::string places(const Request& request) {
  const auto found = request.identify();
  if (!found) return "refused: " + found.error().message;
  return fmt::format("{} | {}{}", fmt::join(found->places.regions, " "),
                     fmt::join(found->places.accounts, " "), found->places.global ? " global" : "");
}

TEST(Places, AreReadWhereverTheProtocolPutsThem) {
  struct Case {
    Request request;
    std::string_view wanted;
  };
  const std::string ec2 = "&Version=2016-11-15";
  for (const Case& each : std::vector<Case>{
           // Names of hosts: usual, FIPS, dual-stack, of a VPC, of S3.
           {at(json("dynamodb", "DynamoDB_20120810.ListTables", "{}"),
               "dynamodb.eu-west-1.amazonaws.com", "eu-west-1"),
            "eu-west-1 | "},
           {at(json("dynamodb", "DynamoDB_20120810.ListTables", "{}"),
               "dynamodb-fips.us-east-1.amazonaws.com", "us-east-1"),
            "us-east-1 | "},
           {at(json("sqs", "AmazonSQS.ListQueues", "{}"),
               "vpce-0a1b-2c3d.sqs.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
            "eu-west-1 | "},
           {at(s3("GET", "/k"), "b.s3-fips.dualstack.us-west-2.amazonaws.com", "us-west-2"),
            "us-west-2 | "},
           // S3's global host: its region is that of the signature.
           {at(s3("GET", "/k"), "b.s3.amazonaws.com", "us-east-1"), " | "},
           // A signature for a region set: the host alone may name one.
           {at(s3("GET", "/k"), "b.s3.eu-west-1.amazonaws.com", ""), "eu-west-1 | "},
           // Services with one endpoint for all regions.
           {form("iam", "Action=ListRoles&Version=2010-05-08"), " |  global"},
           {at(form("iam", "Action=ListRoles&Version=2010-05-08"), "iam.amazonaws.com",
               "us-east-1"),
            " |  global"},
           {form("sts", "Action=GetCallerIdentity&Version=2011-06-15"), " | "},
           {s3("GET", "/b/k"), " | "},
           // Regions in the input of the four families of protocols, nested and in lists.
           {form("ec2", "Action=CopySnapshot&SourceRegion=us-west-2&SourceSnapshotId=snap-1" + ec2),
            "us-west-2 | "},
           {json("dynamodb", "DynamoDB_20120810.UpdateTable",
                 R"({"TableName":"t","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-3"}},)"
                 R"({"Delete":{"RegionName":"eu-west-2"}}]})"),
            "eu-west-3 eu-west-2 | "},
           {json("secretsmanager", "secretsmanager.ReplicateSecretToRegions",
                 R"({"SecretId":"s","AddReplicaRegions":[{"Region":"ap-south-1"}]})"),
            "ap-south-1 | "},
           {json("secretsmanager", "secretsmanager.RemoveRegionsFromReplication",
                 R"({"SecretId":"s","RemoveReplicaRegions":["ap-south-1","eu-west-1"]})"),
            "ap-south-1 eu-west-1 | "},
           {s3("PUT", "/b", {},
               "<CreateBucketConfiguration><LocationConstraint>EU</LocationConstraint>"
               "</CreateBucketConfiguration>"),
            "eu-west-1 | "},
           {s3("PUT", "/b", {},
               "<CreateBucketConfiguration><LocationConstraint>sa-east-1</LocationConstraint>"
               "</CreateBucketConfiguration>"),
            "sa-east-1 | "},
           // A member of that name whose value is no region, and a region in another member.
           {json("dynamodb", "DynamoDB_20120810.PutItem",
                 R"({"TableName":"t","Item":{"Region":{"S":"north"},"at":{"S":"us-west-2"}}})"),
            " | "},
           // Accounts.
           {form("ec2",
                 "Action=ModifySnapshotAttribute&SnapshotId=snap-1&Attribute="
                 "createVolumePermission&OperationType=add&UserId.1=999988887777" +
                     ec2),
            " | 999988887777"},
           {json("ecr", "AmazonEC2ContainerRegistry_V20150921.BatchGetImage",
                 R"({"registryId":"999988887777","repositoryName":"r","imageIds":[]})"),
            " | 999988887777"},
           {json("glue", "AWSGlue.GetTables", R"({"CatalogId":"999988887777","DatabaseName":"d"})"),
            " | 999988887777"},
           {s3("GET", "/b/k", {{"x-amz-expected-bucket-owner", "999988887777"}}), " | "},
       }) {
    EXPECT_EQ(places(each.request), each.wanted)
        << each.request.host << " " << each.request.target << " " << each.request.body;
  }
}

TEST(Places, AreNotReadUnlessAskedFor) {
  const Request roles = form("iam", "Action=ListRoles&Version=2010-05-08");
  const http::RequestHead head{roles.method, roles.target, 11, roles.fields};
  RequestFacts facts;
  facts.head = &head;
  facts.scope_region = "us-east-1";
  facts.scope_service = "iam";
  const auto found = identify(testing::catalogue(), facts, roles.body);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->places.global);
}

}  // namespace
}  // namespace remit::aws
