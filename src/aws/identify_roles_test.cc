// Roles that a request hands to a service, under all the names and in all the places there are.
#include "aws/identify_attack_for_tests.h"

namespace remit::aws {
namespace {

using testing::expect_each;
using testing::form;
using testing::json;
using testing::Request;
using testing::s3;

TEST(IdentifyRoles, ARoleIsPassedUnderAllItsNames) {
  const std::string role = "arn:aws:iam::111122223333:role/Admin";
  const std::string topic = "arn:aws:sns:us-east-1:111122223333:t";
  const std::string pass = "; iam:PassRole " + role;
  expect_each({
      {s3("PUT", "/b1c?replication", {},
          "<ReplicationConfiguration><Role>" + role + "</Role></ReplicationConfiguration>"),
       "PutBucketReplication: s3:PutReplicationConfiguration arn:aws:s3:::b1c" + pass},
      {form("sns", "Action=SetTopicAttributes&Version=2010-03-31&TopicArn=" + topic +
                       "&AttributeName=HTTPSuccessFeedbackRoleArn&AttributeValue=" + role),
       "SetTopicAttributes: sns:SetTopicAttributes " + topic + pass},
      {form("sns", "Action=Subscribe&Version=2010-03-31&TopicArn=" + topic +
                       "&Protocol=firehose&Endpoint=e&Attributes.entry.1.key=SubscriptionRoleArn&"
                       "Attributes.entry.1.value=" +
                       role),
       "Subscribe: sns:Subscribe " + topic + pass},
      {form("redshift",
            "Action=CreateCluster&Version=2012-12-01&ClusterIdentifier=c&"
            "IamRoles.IamRoleArn.1=" +
                role),
       "CreateCluster: redshift:CreateCluster arn:aws:redshift:us-east-1:111122223333:cluster:c" +
           pass},
      {json("codebuild", "CodeBuild_20161006.StartBuild",
            R"({"projectName":"p","serviceRoleOverride":")" + role + "\"}"),
       "StartBuild: codebuild:StartBuild arn:aws:codebuild:us-east-1:111122223333:project/p" +
           pass},
      {Request{.service = "apigateway",
               .method = "PUT",
               .target = "/restapis/a/resources/r/methods/GET/integration",
               .body = R"({"type":"AWS","credentials":")" + role + "\"}"},
       "PutIntegration: apigateway:PUT "
       "arn:aws:apigateway:us-east-1::/restapis/a/resources/r/methods/GET/integration" +
           pass},
      {Request{.service = "apigateway",
               .method = "PATCH",
               .target = "/account",
               .body = R"({"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn",)"
                       R"("value":")" +
                       role + "\"}]}"},
       "UpdateAccount: apigateway:PATCH arn:aws:apigateway:us-east-1::/account" + pass},
      {json("cognito-idp", "AWSCognitoIdentityProviderService.CreateUserPool",
            R"({"PoolName":"p","SmsConfiguration":{"SnsCallerArn":")" + role + "\"}}"),
       "CreateUserPool: cognito-idp:CreateUserPool *" + pass},
      {json("cognito-identity", "AWSCognitoIdentityService.SetIdentityPoolRoles",
            R"({"IdentityPoolId":"us-east-1:x","Roles":{"authenticated":")" + role + "\"}}"),
       "SetIdentityPoolRoles: cognito-identity:SetIdentityPoolRoles *" + pass},
      {form("ec2",
            "Action=CreateFlowLogs&Version=2016-11-15&ResourceType=VPC&DeliverLogsPermissionArn=" +
                role),
       "CreateFlowLogs: ec2:CreateFlowLogs "
       "arn:aws:ec2:us-east-1:111122223333:vpc-flow-log/*" +
           pass},
      {form("sns",
            "Action=SetSMSAttributes&Version=2010-03-31&attributes.entry.1.key="
            "DeliveryStatusIAMRole&attributes.entry.1.value=" +
                role),
       "SetSMSAttributes: sns:SetSMSAttributes *" + pass},
      // By name: its path is not told.
      {json("glue", "AWSGlue.CreateJob", R"({"Name":"j","Role":"Admin"})"),
       "CreateJob: glue:CreateJob arn:aws:glue:us-east-1:111122223333:job/j" + pass},
      {json("elasticmapreduce", "ElasticMapReduce.RunJobFlow",
            R"({"Name":"n","ServiceRole":"Admin"})"),
       "RunJobFlow: elasticmapreduce:RunJobFlow *" + pass},
      // An instance profile does not tell its role.
      {json("elasticmapreduce", "ElasticMapReduce.RunJobFlow", R"({"Name":"n","JobFlowRole":"p"})"),
       "RunJobFlow: elasticmapreduce:RunJobFlow *; iam:PassRole ?"},
      {form("autoscaling",
            "Action=CreateLaunchConfiguration&Version=2011-01-01&LaunchConfigurationName=l&"
            "IamInstanceProfile=p"),
       "CreateLaunchConfiguration: autoscaling:CreateLaunchConfiguration "
       "arn:aws:autoscaling:us-east-1:111122223333:launchConfiguration:*:launchConfigurationName/"
       "l; iam:PassRole ?"},
      {form("ec2",
            "Action=RequestSpotFleet&Version=2016-11-15&"
            "SpotFleetRequestConfig.LaunchSpecifications.1.IamInstanceProfile.Name=p"),
       "RequestSpotFleet: ec2:RequestSpotFleet ?; iam:PassRole ?"},
      {form("elasticbeanstalk",
            "Action=CreateEnvironment&Version=2010-12-01&ApplicationName=a&OptionSettings.member.1."
            "OptionName=IamInstanceProfile&OptionSettings.member.1.Value=p"),
       "CreateEnvironment: elasticbeanstalk:CreateEnvironment ?; iam:PassRole ?"},
      {json("datapipeline", "DataPipeline.PutPipelineDefinition",
            R"({"pipelineId":"df-1","pipelineObjects":[{"id":"Default","fields":)"
            R"([{"key":"role","stringValue":"Admin"}]}]})"),
       "PutPipelineDefinition: datapipeline:PutPipelineDefinition "
       "arn:aws:datapipeline:us-east-1:111122223333:pipeline/df-1; iam:PassRole ?"},
      // The part that somebody plays in a talk is none of IAM's.
      {Request{.service = "bedrock",
               .target = "/model/amazon.nova-lite-v1%3A0/converse",
               .fields = {{"Content-Type", "application/json"}},
               .body = R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})"},
       "Converse: bedrock:InvokeModel "
       "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"},
  });
}

TEST(IdentifyRoles, WhomARoleIsPassedToIsToldOnlyWhereItIsSure) {
  const auto principal = [](const Request& request) {
    const auto found = request.identify();
    const ActionRequest* pass = found ? testing::find(*found, "iam:PassRole") : nullptr;
    return pass == nullptr ? "none" : testing::context(*pass, "iam:PassedToService");
  };
  const auto ecs = [](const std::string& operation, const std::string& member) {
    return json("ecs", "AmazonEC2ContainerServiceV20141113." + operation,
                "{\"" + member + R"(":"arn:aws:iam::111122223333:role/r"})");
  };
  EXPECT_EQ(principal(ecs("RegisterTaskDefinition", "taskRoleArn")), "ecs-tasks.amazonaws.com");
  EXPECT_EQ(principal(ecs("CreateService", "role")), "unknown");
  EXPECT_EQ(principal({.service = "eks",
                       .target = "/clusters",
                       .body = R"({"name":"c","roleArn":"arn:aws:iam::111122223333:role/r"})"}),
            "eks.amazonaws.com");
  EXPECT_EQ(principal({.service = "eks",
                       .target = "/clusters/c/pod-identity-associations",
                       .body = R"({"roleArn":"arn:aws:iam::111122223333:role/r"})"}),
            "unknown");
  EXPECT_EQ(principal(form("ec2",
                           "Action=CreateFlowLogs&Version=2016-11-15&ResourceType=VPC&"
                           "DeliverLogsPermissionArn=arn:aws:iam::111122223333:role/r")),
            "unknown");
}

TEST(IdentifyRoles, ARoleMayBePassedByARead) {
  const std::string role = "arn:aws:iam::111122223333:role/Admin";
  const std::string pass = "; iam:PassRole " + role;
  expect_each({
      {json("cloudcontrolapi", "CloudApiService.GetResource",
            R"({"TypeName":"A::B::C","Identifier":"i","RoleArn":")" + role + "\"}"),
       "GetResource: cloudformation:GetResource *" + pass},
      {json("cloudcontrolapi", "CloudApiService.GetResource",
            R"({"TypeName":"A::B::C","Identifier":"i"})"),
       "GetResource: cloudformation:GetResource *"},
  });
}

TEST(IdentifyRoles, ARoleMayBeInAPathADocumentOrAnOlderForm) {
  const std::string role = "arn:aws:iam::111122223333:role/Admin";
  const std::string pass = "; iam:PassRole " + role;
  expect_each({
      {Request{.service = "datazone",
               .method = "PUT",
               .target = "/v2/domains/d/environments/e/roles/"
                         "arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FAdmin"},
       "AssociateEnvironmentRole: datazone:AssociateEnvironmentRole *" + pass},
      {json("logs", "Logs_20140328.PutAccountPolicy",
            R"({"policyName":"p","policyType":"SUBSCRIPTION_FILTER_POLICY","policyDocument":)"
            R"("{\"RoleArn\":\")" +
                role + R"(\"}"})"),
       "PutAccountPolicy: logs:PutAccountPolicy *; iam:PassRole ?"},
      {s3("PUT", "/b1c?notification", {},
          "<NotificationConfiguration><CloudFunctionConfiguration><InvocationRole>" + role +
              "</InvocationRole></CloudFunctionConfiguration></NotificationConfiguration>"),
       "PutBucketNotificationConfiguration: s3:PutBucketNotification arn:aws:s3:::b1c" + pass},
  });
}

}  // namespace
}  // namespace remit::aws
