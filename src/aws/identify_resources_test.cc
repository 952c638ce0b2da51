// Resources that the general name rules do not tell: what fills their ARNs, and what does not.

#include <algorithm>

#include "aws/identify_for_tests.h"

namespace remit::aws {
namespace {

using testing::form;
using testing::json;
using testing::Request;
using testing::words;

struct Row {
  Request request;
  std::string wanted;
};

void expect_rows(const std::vector<Row>& rows) {
  for (const Row& each : rows)
    EXPECT_EQ(words(each.request.identify()), each.wanted) << each.request.body;
}

Request ecs(const std::string& operation, std::string body) {
  return json("ecs", "AmazonEC2ContainerServiceV20141113." + operation, std::move(body));
}
Request events(const std::string& operation, std::string body) {
  return json("events", "AWSEvents." + operation, std::move(body));
}
Request glue(const std::string& operation, std::string body) {
  return json("glue", "AWSGlue." + operation, std::move(body));
}
Request ssm(const std::string& operation, std::string body) {
  return json("ssm", "AmazonSSM." + operation, std::move(body));
}
Request states(const std::string& operation, std::string body) {
  return json("states", "AWSStepFunctions." + operation, std::move(body));
}

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
TEST(IdentifyResources, Ecs) {
  const std::string own = "arn:aws:ecs:us-east-1:111122223333:";
  const std::string other = "arn:aws:ecs:us-east-1:999988887777:";
  expect_rows({
      {ecs("RunTask", R"({"taskDefinition":"web:7"})"),
       "RunTask: ecs:RunTask " + own + "task-definition/web:7"},
      {ecs("RunTask", R"({"cluster":"c","taskDefinition":"web"})"),
       "RunTask: ecs:RunTask " + own + "task-definition/web:*"},
      {ecs("RunTask", R"({"taskDefinition":")" + own + R"(task-definition/web:7"})"),
       "RunTask: ecs:RunTask " + own + "task-definition/web:7"},
      {ecs("RunTask", R"({"taskDefinition":")" + own + R"(task-definition/web"})"),
       "RunTask: ecs:RunTask " + own + "task-definition/web:*"},
      {ecs("RunTask", R"({"taskDefinition":"web:*"})"), "RunTask: ecs:RunTask ?"},
      {ecs("RunTask", R"({"taskDefinition":"web:7:8"})"), "RunTask: ecs:RunTask ?"},
      {ecs("RunTask", R"({"taskDefinition":"x/web:7"})"), "RunTask: ecs:RunTask ?"},
      {ecs("RunTask", R"({"taskDefinition":["web:7"]})"), "RunTask: ecs:RunTask ?"},
      {ecs("RunTask", R"({"taskDefinition":"arn:aws:s3:::task-definition/web:7"})"),
       "RunTask: ecs:RunTask ?"},
      {ecs("DeleteTaskDefinitions", R"({"taskDefinitions":["a:1","b:2"]})"),
       "DeleteTaskDefinitions: ecs:DeleteTaskDefinitions " + own + "task-definition/a:1 " + own +
           "task-definition/b:2"},
      {ecs("DeleteTaskDefinitions", R"({"taskDefinitions":["a:1","?"]})"),
       "DeleteTaskDefinitions: ecs:DeleteTaskDefinitions " + own + "task-definition/a:1 ?"},
      {ecs("RegisterTaskDefinition", R"({"family":"web","containerDefinitions":[]})"),
       "RegisterTaskDefinition: ecs:RegisterTaskDefinition " + own + "task-definition/web:*"},
      // "If you do not specify a cluster, the default cluster is assumed."
      {ecs("DescribeTasks", R"({"tasks":["t"]})"),
       "DescribeTasks: ecs:DescribeTasks " + own + "task/default/t"},
      {ecs("UpdateService", R"({"cluster":")" + own + R"(cluster/c","service":"s"})"),
       "UpdateService: ecs:UpdateService " + own + "service/c/s"},
      {ecs("UpdateService", R"({"cluster":")" + other + R"(cluster/c","service":"s"})"),
       "UpdateService: ecs:UpdateService ?"},
      {ecs("UpdateService", R"({"cluster":"c/d","service":"s"})"),
       "UpdateService: ecs:UpdateService ?"},
      {ecs("UpdateService", R"({"cluster":["c"],"service":"s"})"),
       "UpdateService: ecs:UpdateService " + own + "service/c/s"},
      {ecs("UpdateService", R"({"cluster":{},"service":"s"})"),
       "UpdateService: ecs:UpdateService ?"},
      {ecs("UpdateService", R"({"cluster":"*","service":"s"})"),
       "UpdateService: ecs:UpdateService ?"},
      {ecs("ExecuteCommand", R"({"command":"sh","interactive":true,"task":"t"})"),
       "ExecuteCommand: ecs:ExecuteCommand " + own + "cluster/default " + own + "task/default/t"},
      // An ARN is of one of the types that tags may be of.
      {ecs("ListTagsForResource", R"({"resourceArn":")" + own + R"(cluster/c"})"),
       "ListTagsForResource: ecs:ListTagsForResource " + own + "cluster/c"},
      {ecs("ListTagsForResource", R"({"resourceArn":"arn:aws:s3:::b"})"),
       "ListTagsForResource: ecs:ListTagsForResource ?"},
  });
}

std::string cluster_of(const Request& request) {
  const auto found = request.identify();
  if (!found) return "refused";
  for (const ContextEntry& entry : found->actions[0].context)
    if (entry.key == "ecs:cluster") return std::string(entry.values[0]);
  const auto& unknown = found->actions[0].unknown_keys;
  return std::ranges::find(unknown, "ecs:cluster") == unknown.end() ? "none" : "unknown";
}

TEST(IdentifyResources, EcsClusterIsAConditionKey) {
  const std::string arn = "arn:aws:ecs:us-east-1:111122223333:cluster/";
  EXPECT_EQ(cluster_of(ecs("RunTask", R"({"taskDefinition":"w"})")), arn + "default");
  EXPECT_EQ(cluster_of(ecs("RunTask", R"({"taskDefinition":"w","cluster":"c"})")), arn + "c");
  EXPECT_EQ(cluster_of(ecs("RunTask", R"({"taskDefinition":"w","cluster":")" + arn + R"(c"})")),
            arn + "c");
  EXPECT_EQ(cluster_of(ecs("RunTask", R"({"taskDefinition":"w","cluster":"*"})")), "unknown");
  EXPECT_EQ(cluster_of(ecs("RunTask", R"({"taskDefinition":"w","cluster":{}})")), "unknown");
}

// https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
TEST(IdentifyResources, Glue) {
  const std::string own = "arn:aws:glue:us-east-1:111122223333:";
  const std::string other = "arn:aws:glue:us-east-1:999988887777:";
  const std::string database = own + "database/d " + own + "catalog";
  expect_rows({
      {glue("GetDatabase", R"({"Name":"d"})"), "GetDatabase: glue:GetDatabase " + database},
      {glue("GetDatabase", R"({"Name":"d","CatalogId":"999988887777"})"),
       "GetDatabase: glue:GetDatabase " + other + "database/d " + other + "catalog"},
      {glue("GetDatabase", R"({"Name":"d","CatalogId":"111122223333:nested"})"),
       "GetDatabase: glue:GetDatabase ?"},
      {glue("GetDatabase", R"({"Name":"*"})"),
       "GetDatabase: glue:GetDatabase " + own + "catalog ?"},
      {glue("GetTable", R"({"DatabaseName":"d","Name":"t"})"),
       "GetTable: glue:GetTable " + database + " " + own + "table/d/t"},
      {glue("GetTable", R"({"DatabaseName":"d/e","Name":"t"})"),
       "GetTable: glue:GetTable " + own + "database/d/e " + own + "catalog ?"},
      {glue("GetTables", R"({"DatabaseName":"d"})"),
       "GetTables: glue:GetTables " + database + " " + own + "table/d/*"},
      {glue("GetDatabases", "{}"),
       "GetDatabases: glue:GetDatabases " + own + "database/* " + own + "catalog"},
      {glue("CreateDatabase", R"({"DatabaseInput":{"Name":"d"}})"),
       "CreateDatabase: glue:CreateDatabase " + database},
      {glue("CreateTable", R"({"DatabaseName":"d","TableInput":{"Name":"t"}})"),
       "CreateTable: glue:CreateTable " + database + " " + own + "table/d/t"},
      {glue("CreateTable", R"({"DatabaseName":"d","Name":"u","TableInput":{"Name":"t"}})"),
       "CreateTable: glue:CreateTable " + database + " " + own + "table/d/t ?"},
      {glue("CreateTable", R"({"DatabaseName":"d","Name":"u"})"),
       "CreateTable: glue:CreateTable " + database + " ?"},
      {glue("BatchDeleteTable", R"({"DatabaseName":"d","TablesToDelete":["t","u"]})"),
       "BatchDeleteTable: glue:BatchDeleteTable " + database + " " + own + "table/d/t " + own +
           "table/d/u"},
      {glue("DeleteDatabase", R"({"Name":"d"})"), "DeleteDatabase: glue:DeleteDatabase " +
                                                      database + " " + own + "table/d/* " + own +
                                                      "userDefinedFunction/d/*"},
      {glue("GetPartitions", R"({"DatabaseName":"d","TableName":"t"})"),
       "GetPartitions: glue:GetPartitions " + database + " " + own + "table/d/t"},
      {glue("GetConnection", R"({"Name":"c"})"),
       "GetConnection: glue:GetConnection " + own + "connection/c " + own + "catalog"},
      {glue("GetRegistry", R"({"RegistryId":{"RegistryName":"r"}})"),
       "GetRegistry: glue:GetRegistry " + own + "registry/r"},
      {glue("GetRegistry", R"({"RegistryId":{"RegistryName":"r","RegistryArn":"a"}})"),
       "GetRegistry: glue:GetRegistry " + own + "registry/r ?"},
      {glue("TagResource", R"({"ResourceArn":")" + own + R"(job/j","TagsToAdd":{}})"),
       "TagResource: glue:TagResource " + own + "job/j"},
  });
}

// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html
TEST(IdentifyResources, SystemsManager) {
  const std::string own = "arn:aws:ssm:us-east-1:111122223333:";
  const std::string node = "arn:aws:ec2:us-east-1:111122223333:instance/i-1";
  const std::string by_path = "GetParametersByPath: ssm:GetParametersByPath ";
  expect_rows({
      {ssm("GetParametersByPath", R"({"Path":"/a/b"})"), by_path + own + "parameter/a/b"},
      {ssm("GetParametersByPath", R"({"Path":"/"})"), by_path + own + "parameter/"},
      {ssm("GetParametersByPath", R"({"Path":"/a/*"})"), by_path + "?"},
      {ssm("GetParametersByPath", R"({"Path":"a"})"), by_path + "?"},
      {ssm("GetParametersByPath", "{}"), by_path + "?"},
      {ssm("StartSession", R"({"Target":"i-1"})"), "StartSession: ssm:StartSession " + node},
      {ssm("StartSession", R"({"Target":"mi-1"})"),
       "StartSession: ssm:StartSession " + own + "managed-instance/mi-1"},
      {ssm("StartSession", R"({"Target":"i-1","DocumentName":"D"})"),
       "StartSession: ssm:StartSession " + own + "document/D " + node},
      {ssm("StartSession", R"({"Target":"i-1","DocumentName":{}})"),
       "StartSession: ssm:StartSession " + node + " ?"},
      {ssm("StartSession", R"({"Target":"i-*"})"), "StartSession: ssm:StartSession ?"},
      {ssm("StartSession", R"({"Target":"ecs:c_t_r"})"), "StartSession: ssm:StartSession ?"},
      {ssm("UpdateMaintenanceWindow", R"({"WindowId":"mw-1","Name":"n"})"),
       "UpdateMaintenanceWindow: ssm:UpdateMaintenanceWindow " + own + "maintenancewindow/mw-1"},
  });
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html
TEST(IdentifyResources, EventBridge) {
  const std::string own = "arn:aws:events:us-east-1:111122223333:";
  const std::string other = "arn:aws:events:us-east-1:999988887777:event-bus/b";
  expect_rows({
      {events("PutRule", R"({"Name":"r"})"), "PutRule: events:PutRule " + own + "rule/r"},
      {events("PutRule", R"({"Name":"r","EventBusName":"b"})"),
       "PutRule: events:PutRule " + own + "rule/b/r"},
      {events("PutTargets", R"({"Rule":"r","EventBusName":"default","Targets":[]})"),
       "PutTargets: events:PutTargets " + own + "rule/r"},
      {events("DeleteRule", R"({"Name":"r","EventBusName":")" + own + R"(event-bus/b"})"),
       "DeleteRule: events:DeleteRule " + own + "rule/b/r"},
      {events("DeleteRule", R"({"Name":"r","EventBusName":")" + other + R"("})"),
       "DeleteRule: events:DeleteRule ?"},
      {events("DeleteRule", R"({"Name":"b/r"})"), "DeleteRule: events:DeleteRule ?"},
      {events("DeleteRule", R"({"Name":"r","EventBusName":{}})"),
       "DeleteRule: events:DeleteRule ?"},
      {events("PutEvents", R"({"Entries":[{"Source":"s"},{"EventBusName":"b"}]})"),
       "PutEvents: events:PutEvents " + own + "event-bus/default " + own + "event-bus/b"},
      {events("PutEvents", R"({"Entries":[{"EventBusName":")" + other + R"("}]})"),
       "PutEvents: events:PutEvents " + other},
      {events("PutEvents", R"({"Entries":[{"EventBusName":"*"}]})"),
       "PutEvents: events:PutEvents ?"},
      {events("PutEvents", R"({"EndpointId":"e","Entries":[{"EventBusName":"b"}]})"),
       "PutEvents: events:PutEvents " + own + "event-bus/b ?"},
  });
}

// https://docs.aws.amazon.com/step-functions/latest/dg/concept-create-iam-advanced.html
TEST(IdentifyResources, StepFunctions) {
  const std::string own = "arn:aws:states:us-east-1:111122223333:";
  expect_rows({
      // The name is the execution's.
      {states("StartExecution", R"({"stateMachineArn":")" + own + R"(stateMachine:m","name":"n"})"),
       "StartExecution: states:StartExecution " + own + "stateMachine:m"},
      {states("StartExecution", R"({"stateMachineArn":"m","name":"n"})"),
       "StartExecution: states:StartExecution ?"},
      {states("DescribeExecution", R"({"executionArn":")" + own + R"(execution:m:n"})"),
       "DescribeExecution: states:DescribeExecution " + own + "execution:m:n"},
      {states("DescribeExecution", R"({"executionArn":")" + own + R"(activity:m"})"),
       "DescribeExecution: states:DescribeExecution ?"},
      {states("TagResource", R"({"resourceArn":")" + own + R"(activity:a","tags":[]})"),
       "TagResource: states:TagResource " + own + "activity:a"},
  });
}

// The pages of [bind.…] in tools/catalogue/exceptions.toml.
TEST(IdentifyResources, ByTheReviewedTable) {
  const std::string own = "us-east-1:111122223333:";
  const std::string scaling = "&Version=2011-01-01";
  const std::string group =
      "arn:aws:autoscaling:" + own + "autoScalingGroup:*:autoScalingGroupName/g";
  expect_rows({
      {form("autoscaling",
            "Action=SetDesiredCapacity&AutoScalingGroupName=g&DesiredCapacity=1" + scaling),
       "SetDesiredCapacity: autoscaling:SetDesiredCapacity " + group},
      {form("autoscaling",
            "Action=SetDesiredCapacity&AutoScalingGroupName=%2A&DesiredCapacity=1" + scaling),
       "SetDesiredCapacity: autoscaling:SetDesiredCapacity ?"},
      {form("rds", "Action=ListTagsForResource&Version=2014-10-31&ResourceName=arn:aws:rds:" + own +
                       "db:m"),
       "ListTagsForResource: rds:ListTagsForResource arn:aws:rds:" + own + "db:m"},
      {form("rds", "Action=ListTagsForResource&Version=2014-10-31&ResourceName=m"),
       "ListTagsForResource: rds:ListTagsForResource ?"},
      {json("athena", "AmazonAthena.StartQueryExecution", R"({"QueryString":"q"})"),
       "StartQueryExecution: athena:StartQueryExecution arn:aws:athena:" + own +
           "workgroup/primary"},
      {json("athena", "AmazonAthena.GetDatabase", R"({"CatalogName":"c","DatabaseName":"d"})"),
       "GetDatabase: athena:GetDatabase arn:aws:athena:" + own + "datacatalog/c"},
      {{.service = "scheduler", .method = "GET", .target = "/schedules/s"},
       "GetSchedule: scheduler:GetSchedule arn:aws:scheduler:" + own + "schedule/default/s"},
      {{.service = "scheduler", .method = "GET", .target = "/schedules/s?groupName=g"},
       "GetSchedule: scheduler:GetSchedule arn:aws:scheduler:" + own + "schedule/g/s"},
      {{.service = "scheduler", .method = "GET", .target = "/schedules/s?groupName=%2A"},
       "GetSchedule: scheduler:GetSchedule ?"},
      {{.service = "eks", .method = "GET", .target = "/clusters/c/node-groups/n"},
       "DescribeNodegroup: eks:DescribeNodegroup arn:aws:eks:" + own + "nodegroup/c/n/*"},
      {{.service = "eks", .method = "GET", .target = "/clusters/c/node-groups/n%2Fo"},
       "DescribeNodegroup: eks:DescribeNodegroup ?"},
      {form("rds", "Action=StopDBCluster&Version=2014-10-31&DBClusterIdentifier=c"),
       "StopDBCluster: rds:StopDBCluster arn:aws:rds:" + own + "cluster:c"},
      {form("rds", "Action=StopDBCluster&Version=2014-10-31&DBClusterIdentifier=c%3F"),
       "StopDBCluster: rds:StopDBCluster ?"},
      {form("rds", "Action=DeleteDBSnapshot&Version=2014-10-31&DBSnapshotIdentifier=s"),
       "DeleteDBSnapshot: rds:DeleteDBSnapshot arn:aws:rds:" + own + "snapshot:s"},
      {json("wafv2", "AWSWAF_20190729.GetIPSet", R"({"Name":"n","Scope":"REGIONAL","Id":"i"})"),
       "GetIPSet: wafv2:GetIPSet arn:aws:wafv2:" + own + "regional/ipset/n/i"},
      {json("wafv2", "AWSWAF_20190729.CreateIPSet", R"({"Name":"n","Scope":"CLOUDFRONT"})"),
       "CreateIPSet: wafv2:CreateIPSet arn:aws:wafv2:" + own + "global/ipset/n/*"},
      {json("wafv2", "AWSWAF_20190729.GetIPSet", R"({"Name":"n","Scope":"regional","Id":"i"})"),
       "GetIPSet: wafv2:GetIPSet ?"},
      {json("wafv2", "AWSWAF_20190729.UpdateWebACL",
            R"({"Name":"n","Scope":"REGIONAL","Id":"i","LockToken":"l"})"),
       "UpdateWebACL: wafv2:UpdateWebACL arn:aws:wafv2:" + own + "regional/webacl/n/i"},
      {form("ec2", "Action=DeleteKeyPair&Version=2016-11-15&KeyName=k"),
       "DeleteKeyPair: ec2:DeleteKeyPair arn:aws:ec2:" + own + "key-pair/k"},
      {form("ec2", "Action=DeleteKeyPair&Version=2016-11-15&KeyName=k&KeyPairId=key-1"),
       "DeleteKeyPair: ec2:DeleteKeyPair arn:aws:ec2:" + own + "key-pair/k ?"},
      {form("ec2", "Action=DeleteKeyPair&Version=2016-11-15&KeyPairId=key-1"),
       "DeleteKeyPair: ec2:DeleteKeyPair ?"},
      {json("codepipeline", "CodePipeline_20150709.UpdatePipeline", R"({"pipeline":{"name":"p"}})"),
       "UpdatePipeline: codepipeline:UpdatePipeline arn:aws:codepipeline:" + own + "p"},
      {json("codepipeline", "CodePipeline_20150709.UpdatePipeline", R"({"pipeline":{"name":"*"}})"),
       "UpdatePipeline: codepipeline:UpdatePipeline ?"},
  });
}

}  // namespace
}  // namespace remit::aws
