// Requests that would be allowed as one thing and run as another, where identification read less
// of them than AWS does.
#include "aws/identify_attack_for_tests.h"

namespace remit::aws {
namespace {

using testing::catalogue;
using testing::expect_each;
using testing::form;
using testing::json;
using testing::Request;
using testing::s3;
using testing::words;

TEST(IdentifyAttacks, AListCountsInAllWaysThatAFormMayWriteIt) {
  const std::string alarms = "Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=secret&";
  const std::string a = " arn:aws:cloudwatch:us-east-1:111122223333:alarm:";
  expect_each({
      {form("monitoring", alarms + "AlarmNames.other=allowed"),
       "DeleteAlarms: cloudwatch:DeleteAlarms" + a + "secret" + a + "allowed"},
      {form("monitoring", alarms + "AlarmNames.1=allowed"),
       "DeleteAlarms: cloudwatch:DeleteAlarms" + a + "allowed" + a + "secret"},
      {form("monitoring", alarms + "AlarmNames.entry.1=allowed"),
       "DeleteAlarms: cloudwatch:DeleteAlarms" + a + "allowed" + a + "secret"},
  });
}

TEST(IdentifyAttacks, AQueueIsWhatItsUrlSaysOrUnknown) {
  const auto send = [](const std::string& url, const std::string& more) {
    return json("sqs", "AmazonSQS.SendMessage",
                R"({"QueueUrl":")" + url + R"(","MessageBody":"x")" + more + "}");
  };
  expect_each({
      {send("999988887777/secret", R"(,"QueueName":"allowed")"), "SendMessage: sqs:SendMessage ?"},
      {send("https://sqs.us-east-1.amazonaws.com/111122223333/secret?x", R"(,"QueueName":"a")"),
       "SendMessage: sqs:SendMessage ?"},
      {send("https://sqs.us-east-1.amazonaws.com/111122223333/secret/111122223333/allowed", ""),
       "SendMessage: sqs:SendMessage ?"},
      {json("sqs", "AmazonSQS.SendMessage", R"({"QueueName":"allowed","MessageBody":"x"})"),
       "SendMessage: sqs:SendMessage ?"},
      {json("sqs", "AmazonSQS.GetQueueUrl", R"({"QueueName":"q"})"),
       "GetQueueUrl: sqs:GetQueueUrl arn:aws:sqs:us-east-1:111122223333:q"},
  });
}

TEST(IdentifyAttacks, AMessageToATelephoneIsAskedForBesideATopic) {
  expect_each({{form("sns",
                     "Action=Publish&Version=2010-03-31&Message=m&PhoneNumber=%2B1555&"
                     "TopicArn=arn:aws:sns:us-east-1:111122223333:t"),
                "Publish: sns:Publish arn:aws:sns:us-east-1:111122223333:t ?"}});
}

TEST(IdentifyAttacks, OnlyQueriesAndScansReadAnIndex) {
  const std::string body = R"({"TableName":"T","IndexName":"i","Key":{"a":{"S":"x"}}})";
  const std::string t = " arn:aws:dynamodb:us-east-1:111122223333:table/T";
  for (const std::string name : {"GetItem", "PutItem", "UpdateItem", "DeleteItem"})
    EXPECT_EQ(words(json("dynamodb", "DynamoDB_20120810." + name, body).identify()),
              name + ": dynamodb:" + name + t);
  for (const std::string name : {"Query", "Scan"})
    EXPECT_EQ(words(json("dynamodb", "DynamoDB_20120810." + name, body).identify()),
              name + ": dynamodb:" + name + t + "/index/i");
}

TEST(IdentifyAttacks, AFunctionsNameMayBeginWithAccountOrRegion) {
  const auto invoke = [](const std::string& name) {
    return Request{.service = "lambda", .target = "/2015-03-31/functions/" + name + "/invocations"};
  };
  const std::string unknown = "Invoke: lambda:InvokeFunction ?";
  const std::string f = "Invoke: lambda:InvokeFunction arn:aws:lambda:us-east-1:";
  expect_each({
      {invoke("999988887777%3Asecret"), unknown},
      {invoke("function%3Asecret"), unknown},
      {invoke("us-west-2%3Asecret"), unknown},
      {invoke("us-gov-west-1%3Asecret"), unknown},
      {invoke("order-service-2%3Aprod"), f + "111122223333:function:order-service-2:prod"},
      {invoke("999988887777%3Afunction%3Af"), f + "999988887777:function:f"},
      {invoke("arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Afunction%3Aprod"),
       f + "111122223333:function:function:prod"},
  });
}

TEST(IdentifyAttacks, ACompressedBodyHidesNothing) {
  Request create{.service = "lambda", .target = "/2015-03-31/functions", .body = "..."};
  create.fields = {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}};
  Request replicate = s3("PUT", "/b1c?replication", {{"Content-Encoding", "gzip"}}, "...");
  Request logs = json("logs", "Logs_20140328.PutDestination", "...");
  logs.fields.push_back({"Content-Encoding", "gzip"});
  expect_each({{create, "refused: compressed"},
               {replicate, "refused: compressed"},
               {logs, "PutDestination: logs:PutDestination ?; iam:PassRole ?"}});
}

TEST(IdentifyAttacks, ACopyReadsWhatItsSourceIsInAllReadings) {
  const auto copy = [](const std::string& source) {
    return s3("PUT", "/b1c/k", {{"x-amz-copy-source", source}});
  };
  const std::string put = "CopyObject: s3:PutObject arn:aws:s3:::b1c/k; ";
  const std::string point =
      "arn:aws:s3-outposts:us-east-1:111122223333:outpost/op-1/accesspoint/a/object/k";
  expect_each({
      {copy("data--use1-az4--x-s3/k"),
       put + "s3express:CreateSession "
             "arn:aws:s3express:us-east-1:111122223333:bucket/data--use1-az4--x-s3"},
      {copy(point), put + "s3-outposts:GetObject " + point},
      {copy("src/k%3FversionId=9"), put + "s3:GetObject arn:aws:s3:::src/k?versionId=9; "
                                          "s3:GetObjectVersion arn:aws:s3:::src/k"},
      {copy("arn:aws:s3:::src/k"), "refused: no access point"},
  });
}

TEST(IdentifyAttacks, ADirectoryBucketsSessionIsForItsObjects) {
  const auto express = [](Request request) {
    request.service = "s3express";
    return request;
  };
  const std::string bucket = "/b--use1-az4--x-s3";
  const std::string arn = " arn:aws:s3express:us-east-1:111122223333:bucket" + bucket;
  const auto copy = [&](const std::string& source) {
    return express(s3("PUT", bucket + "/k", {{"x-amz-copy-source", source}}));
  };
  const std::string session = "CopyObject: s3express:CreateSession" + arn;
  expect_each({
      {copy("secret/k"), session + "; s3:GetObject arn:aws:s3:::secret/k"},
      {copy("c--use1-az4--x-s3/k"),
       session + "; s3express:CreateSession arn:aws:s3express:us-east-1:111122223333:bucket/"
                 "c--use1-az4--x-s3"},
      {express(s3("PUT", bucket + "?inventory&id=1", {}, "<a/>")),
       "PutBucketInventoryConfiguration: s3express:PutInventoryConfiguration" + arn},
      {express(s3("GET", bucket + "?metrics&id=1")),
       "GetBucketMetricsConfiguration: s3express:GetMetricsConfiguration" + arn},
  });
}

TEST(IdentifyAttacks, ARestoreThatSelectsReadsAndWrites) {
  const std::string plain = "RestoreObject: s3:RestoreObject arn:aws:s3:::b1c/k";
  expect_each({
      {s3("POST", "/b1c/k?restore", {}, "<RestoreRequest><Days>1</Days></RestoreRequest>"), plain},
      {s3("POST", "/b1c/k?restore", {},
          "<RestoreRequest><Type>SELECT</Type><OutputLocation><S3><BucketName>o</BucketName></S3>"
          "</OutputLocation></RestoreRequest>"),
       plain + "; s3:GetObject arn:aws:s3:::b1c/k; s3:PutObject ?"},
  });
}

TEST(IdentifyAttacks, AnythingButNoBypassesGovernance) {
  const auto remove = [](const std::string& value) {
    return s3("DELETE", "/b1c/k", {{"x-amz-bypass-governance-retention", value}});
  };
  const std::string plain = "DeleteObject: s3:DeleteObject arn:aws:s3:::b1c/k";
  expect_each({{remove("1"), plain + "; s3:BypassGovernanceRetention arn:aws:s3:::b1c/k"},
               {remove("False"), plain}});
}

TEST(IdentifyAttacks, WhatSignsInIsACredential) {
  const std::vector<Request> requests = {
      json("cognito-identity", "AWSCognitoIdentityService.GetOpenIdTokenForDeveloperIdentity",
           R"({"IdentityPoolId":"us-east-1:x","Logins":{"a":"b"}})"),
      json("ssm", "AmazonSSM.CreateActivation", R"({"IamRole":"r"})"),
      json("redshift-serverless", "RedshiftServerless.GetIdentityCenterAuthToken", "{}"),
      {.service = "iot", .target = "/keys-and-certificate"},
      json("elasticmapreduce", "ElasticMapReduce.GetClusterSessionCredentials",
           R"({"ClusterId":"j-1"})"),
      // Of a key that the caller has already.
      {.service = "iot", .target = "/certificates", .body = R"({"certificateSigningRequest":"x"})"},
      {.service = "airflow", .target = "/webtoken/e"},
      {.service = "eks", .target = "/cluster-registrations", .body = "{}"},
      {.service = "datazone", .target = "/v2/domains/d/get-portal-login-url", .body = "{}"},
  };
  for (const Request& request : requests) {
    const auto found = request.identify();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->returns_credentials) << found->operation;
  }
  // The name of a field within a secret is none.
  const auto listed =
      Request{.service = "iot", .method = "GET", .target = "/destinations"}.identify();
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_FALSE(listed->returns_credentials);
}

TEST(IdentifyAttacks, AParameterOfS3IsKnownInOneReadingOnly) {
  const auto get = [](const std::string& query) { return s3("GET", "/b1c/k?" + query); };
  expect_each({
      {get("ACL"), "refused: does not belong"},
      {get("VersionID=1"), "refused: does not belong"},
      {get("Torrent"), "refused: does not belong"},
      {get("%61cl"), "refused: encoded"},
      {get("x;acl"), "refused: encoded"},
      {get("acl+"), "refused: encoded"},
      {get("newer"), "refused: not known"},
      {get("newer="), "refused: not known"},
      {get("x-of-mine"), "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
      {get("v=3"), "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
      {get("response-content-type=a%2Fb&x-id=GetObject"),
       "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
  });
}

TEST(IdentifyAttacks, AValueInTheQueryIsWrittenOnce) {
  const std::string function = "/2015-03-31/functions/f/invocations?Qualifier=prod";
  expect_each({
      {{.service = "lambda", .target = function + "&Qualifier=dev"}, "refused: written twice"},
      {{.service = "lambda", .target = function},
       "Invoke: lambda:InvokeFunction "
       "arn:aws:lambda:us-east-1:111122223333:function:f:prod"},
      // A list is written so.
      {{.service = "eks", .method = "DELETE", .target = "/tags/a?tagKeys=b&tagKeys=c"},
       "UntagResource: eks:UntagResource ?"},
  });
}

TEST(IdentifyAttacks, TheBytesOfABodyHaveOneMeaning) {
  const auto typed = [](Request request, const std::string& type) {
    std::erase_if(request.fields, [](const auto& f) { return f.name == "Content-Type"; });
    request.fields.push_back({"Content-Type", type});
    return request;
  };
  const Request get = form("iam", "Action=GetRole&Version=2010-05-08&RoleName=x");
  const Request item = json("dynamodb", "DynamoDB_20120810.GetItem", R"({"TableName":"T"})");
  const std::string form_type = "application/x-www-form-urlencoded";
  const std::string role = "GetRole: iam:GetRole arn:aws:iam::111122223333:role/x";
  Request elsewhere = typed(get, "text/plain");
  elsewhere.target = "/?Action=GetRole&Version=2010-05-08&RoleName=a";
  expect_each({
      {typed(get, form_type + "; charset=utf-16"), "refused: UTF-8"},
      {typed(get, form_type + ";a=b; Charset=\"ibm037\""), "refused: UTF-8"},
      {typed(get, form_type + ";charset=\"UTF-8\""), role},
      {typed(item, "application/x-amz-json-1.0; charset=utf-7"), "refused: UTF-8"},
      {elsewhere, "refused: no form"},
  });
}

TEST(IdentifyAttacks, NeitherMethodNorPathHasASecondReading) {
  Request invoke{.service = "lambda", .target = "/2015-03-31/functions/f/invocations"};
  invoke.fields = {{"X-HTTP-Method-Override", "DELETE"}};
  expect_each({
      {invoke, "refused: another method"},
      {{.service = "eks", .method = "GET", .target = "/clusters/prod;allowed"}, "refused: encoded"},
      {{.service = "eks", .method = "GET", .target = "/clusters/a\\b"}, "refused: encoded"},
      {s3("GET", "/b1c/a;b"), "GetObject: s3:GetObject arn:aws:s3:::b1c/a;b"},
  });
}

TEST(IdentifyAttacks, MembersDoNotDifferByCaseOnly) {
  expect_each({
      {json("dynamodb", "DynamoDB_20120810.GetItem", R"({"TableName":"T","tableName":"S"})"),
       "refused: two cases"},
      {form("iam", "Action=GetRole&Version=2010-05-08&RoleName=a&roleName=b"),
       "refused: two cases"},
  });
}

TEST(IdentifyAttacks, ANameBesideAnArnIsAskedForToo) {
  const std::string stream = " arn:aws:kinesis:us-east-1:111122223333:stream/";
  expect_each({{json("kinesis", "Kinesis_20131202.PutRecord",
                     R"({"StreamName":"b","StreamARN":"arn:aws:kinesis:us-east-1:111122223333:)"
                     R"(stream/a"})"),
                "PutRecord: kinesis:PutRecord" + stream + "a" + stream + "b"}});
}

// The SDKs for Java speak so to Kinesis, and to nothing else.

TEST(IdentifyAttacks, KinesisTakesJsonsTargetsWithABodyInCbor) {
  const auto put = [](const std::string& service, const std::string& target) {
    const std::string name = "StreamName";
    return Request{
        .service = service,
        .fields = {{"X-Amz-Target", target}, {"Content-Type", "application/x-amz-cbor-1.1"}},
        .body = "\xA1\x6A" + name + "\x61s"};
  };
  expect_each({
      {put("kinesis", "Kinesis_20131202.PutRecord"),
       "PutRecord: kinesis:PutRecord arn:aws:kinesis:us-east-1:111122223333:stream/s"},
      {put("dynamodb", "DynamoDB_20120810.GetItem"), "refused: content type"},
  });
}

TEST(IdentifyAttacks, ARegistryOfAnotherAccountIsThatAccounts) {
  const auto images = [](const std::string& registry) {
    return json("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeImages",
                R"({"registryId":")" + registry + R"(","repositoryName":"r"})");
  };
  expect_each({
      {images("999988887777"),
       "DescribeImages: ecr:DescribeImages arn:aws:ecr:us-east-1:999988887777:repository/r"},
      {images("x"), "DescribeImages: ecr:DescribeImages ?"},
  });
}

TEST(IdentifyAttacks, AQueryMayNameItsLogGroupsItself) {
  const auto query = [](const std::string& text, const std::string& more = "") {
    return json("logs", "Logs_20140328.StartQuery",
                R"({"logGroupName":"g","startTime":1,"endTime":2,"queryString":")" + text + "\"" +
                    more + "}");
  };
  const std::string group =
      "StartQuery: logs:StartQuery arn:aws:logs:us-east-1:111122223333:log-group:g:log-stream:";
  expect_each({
      {query("fields @message, source | limit 5"), group},
      {query(" SOURCE logGroups(namePrefix: ['secret']) | fields @message"), group + " ?"},
      {query("fields @message", R"(,"queryLanguage":"SQL")"), group + " ?"},
      {query("fields @message", R"(,"queryLanguage":"CWLI")"), group},
  });
}

TEST(IdentifyAttacks, SqlRunsAsSomebody) {
  const auto run = [](const std::string& who) {
    return json("redshift-data", "RedshiftData.ExecuteStatement",
                R"({"ClusterIdentifier":"c","Database":"d","Sql":"s")" + who + "}");
  };
  const std::string arn = " arn:aws:redshift:us-east-1:111122223333:";
  const std::string secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:x-abcdef";
  const std::string base = "ExecuteStatement: redshift-data:ExecuteStatement" + arn + "cluster:c; ";
  expect_each({
      {run(R"(,"DbUser":"admin")"),
       base + "redshift:GetClusterCredentials" + arn + "dbname:c/d" + arn + "dbuser:c/admin"},
      {run(""), base + "redshift:GetClusterCredentialsWithIAM" + arn + "dbname:c/d"},
      {run(R"(,"SecretArn":")" + secret + "\""), base + "secretsmanager:GetSecretValue " + secret},
      {Request{.service = "rds-data",
               .target = "/Execute",
               .body = R"({"sql":"s","resourceArn":"arn:aws:rds:us-east-1:111122223333:cluster:c",)"
                       R"("secretArn":")" +
                       secret + "\"}"},
       "ExecuteStatement: rds-data:ExecuteStatement arn:aws:rds:us-east-1:111122223333:cluster:c; "
       "secretsmanager:GetSecretValue " +
           secret},
  });
}

TEST(IdentifyAttacks, ACommandRunsOnNodes) {
  const auto send = [](const std::string& where) {
    return json("ssm", "AmazonSSM.SendCommand", R"({"DocumentName":"D",)" + where + "}");
  };
  const std::string document =
      "SendCommand: ssm:SendCommand arn:aws:ssm:us-east-1:111122223333:document/D";
  const std::string node = " arn:aws:ec2:us-east-1:111122223333:instance/i-1";
  expect_each({
      {send(R"("InstanceIds":["i-1","mi-2"])"),
       document + node + " arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-2"},
      {send(R"("Targets":[{"Key":"InstanceIds","Values":["i-1"]}])"), document + node},
      {send(R"("Targets":[{"Key":"tag:Team","Values":["a"]}])"), document + " ?"},
  });
}

TEST(IdentifyAttacks, TagsGivenWhileSomethingIsMadeNeedTheirOwnRight) {
  const std::string role = " arn:aws:iam::111122223333:role/r";
  const std::string table = " arn:aws:dynamodb:us-east-1:111122223333:table/T";
  expect_each({
      {form("iam",
            "Action=CreateRole&Version=2010-05-08&RoleName=r&Tags.member.1.Key=a&"
            "Tags.member.1.Value=b"),
       "CreateRole: iam:CreateRole" + role + "; iam:TagRole" + role},
      {form("iam", "Action=CreateRole&Version=2010-05-08&RoleName=r"),
       "CreateRole: iam:CreateRole" + role},
      {json("dynamodb", "DynamoDB_20120810.CreateTable",
            R"({"TableName":"T","Tags":[{"Key":"a","Value":"b"}]})"),
       "CreateTable: dynamodb:CreateTable" + table + "; dynamodb:TagResource" + table},
      {json("kms", "TrentService.ReplicateKey", R"({"KeyId":"mrk-1","ReplicaRegion":"eu-west-1"})"),
       "ReplicateKey: kms:ReplicateKey arn:aws:kms:us-east-1:111122223333:key/mrk-1; "
       "kms:CreateKey *"},
  });
}

TEST(IdentifyAttacks, TagsThatReadersMaySeeOtherwiseAreNotTold) {
  const auto team = [](const Request& request, std::string_view action) {
    const auto found = request.identify();
    if (!found) return "refused: " + found.error().message;
    return testing::context(*testing::find(*found, action), "aws:RequestTag/Team");
  };
  const auto key = [](const std::string& tags) {
    return json("kms", "TrentService.CreateKey", R"({"Tags":[)" + tags + "]}");
  };
  EXPECT_EQ(team(key(R"({"TagKey":"Team","TagValue":"a"})"), "kms:CreateKey"), "a");
  EXPECT_EQ(team(key(R"({"TagKey":"x","TagValue":"y","Key":"Team","Value":"a"})"), "kms:CreateKey"),
            "absent");
  EXPECT_EQ(team(key(R"({"TagKey":"Team","TagValue":"a"},{"TagKey":"team","TagValue":"b"})"),
                 "kms:CreateKey"),
            "absent");
  const auto found =
      key(R"({"TagKey":"Team","TagValue":"a"},{"TagKey":"team","TagValue":"b"})").identify();
  ASSERT_TRUE(found);
  EXPECT_EQ(testing::context(*testing::find(*found, "kms:CreateKey"), "aws:RequestTag/*"),
            "unknown");
}

TEST(IdentifyAttacks, TheRegionAskedForIsTheOneThatIsSigned) {
  Request role = form("iam", "Action=GetRole&Version=2010-05-08&RoleName=r");
  role.region = "eu-west-1";
  const auto found = role.identify();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->region, "us-east-1");
  EXPECT_EQ(testing::context(found->actions.front(), "aws:RequestedRegion"), "us-east-1");
}

// The settings of ordinary buckets go to S3, not to the endpoint of directory buckets.

TEST(IdentifyAttacks, ABucketsSettingsGoWhereTheBucketIs) {
  for (const auto& [method, target] :
       {std::pair{"PUT", "/b1c"}, std::pair{"GET", "/b1c?policy"}, std::pair{"PUT", "/b1c?cors"}}) {
    const auto found = s3(method, target).identify();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->endpoint_host, "s3.us-east-1.amazonaws.com") << target;
  }
  Request express = s3("PUT", "/b1c--use1-az4--x-s3");
  express.service = "s3express";
  EXPECT_EQ(express.identify()->endpoint_host, "s3express-control.us-east-1.amazonaws.com");
}

// A parameter of a presigned request counts as the header of its name: of those, this one names the

// operation.

TEST(IdentifyAttacks, ATargetInTheQueryIsRefused) {
  Request receive = form("sqs",
                         "Action=ReceiveMessage&Version=2012-11-05&QueueUrl="
                         "https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F111122223333%2Fq");
  receive.target = "/?X-Amz-Target=AmazonSQS.DeleteQueue";
  expect_each({
      {receive, "refused: only a header"},
      {s3("GET", "/b1c/k?x-amz-target=x"), "refused: only a header"},
      // In another one it may be passed over: the condition that it fulfils would not hold.
      {s3("PUT", "/b1c/k?x-amz-server-side-encryption=aws%3Akms"), "refused: only in a presigned"},
      {s3("PUT", "/b1c/k?x-amz-copy-source=src%2Fk&x-amz-acl=public-read&X-Amz-Signature=0"),
       "CopyObject: s3:PutObject arn:aws:s3:::b1c/k; s3:GetObject arn:aws:s3:::src/k; "
       "s3:PutObjectAcl arn:aws:s3:::b1c/k"},
  });
}

TEST(IdentifyAttacks, AHeaderThatIsInputStandsOnce) {
  Request attach{.service = "iot", .method = "PUT", .target = "/things/t/principals"};
  attach.fields = {{"x-amzn-principal", "arn:aws:iot:us-east-1:111122223333:cert/a"},
                   {"X-Amzn-Principal", "arn:aws:iot:us-east-1:111122223333:cert/b"}};
  expect_each({{attach, "refused: x-amzn-principal is written twice"}});
}

TEST(IdentifyAttacks, AResourceIsTheAccountsThatTheInputSays) {
  const auto vault = [](const std::string& account) {
    return Request{
        .service = "glacier", .method = "GET", .target = "/" + account + "/vaults/v/access-policy"};
  };
  const auto package = [](const std::string& more) {
    return Request{.service = "codeartifact",
                   .method = "GET",
                   .target = "/v1/repository?domain=d&repository=r" + more};
  };
  const std::string glacier =
      "GetVaultAccessPolicy: glacier:GetVaultAccessPolicy "
      "arn:aws:glacier:us-east-1:";
  const std::string repository =
      "DescribeRepository: codeartifact:DescribeRepository "
      "arn:aws:codeartifact:us-east-1:";
  expect_each({
      {vault("-"), glacier + "111122223333:vaults/v"},
      {vault("999988887777"), glacier + "999988887777:vaults/v"},
      {package(""), repository + "111122223333:repository/d/r"},
      {package("&domain-owner=999988887777"), repository + "999988887777:repository/d/r"},
      {package("&domain-owner=x"), "DescribeRepository: codeartifact:DescribeRepository ?"},
      {form("redshift",
            "Action=RestoreFromClusterSnapshot&Version=2012-12-01&ClusterIdentifier=c&"
            "SnapshotIdentifier=s&SnapshotClusterIdentifier=d&OwnerAccount=999988887777"),
       "RestoreFromClusterSnapshot: redshift:RestoreFromClusterSnapshot ?"},
      {Request{.service = "account",
               .target = "/putAlternateContact",
               .body = R"({"AccountId":"999988887777"})"},
       "PutAlternateContact: account:PutAlternateContact ?"},
  });
}

}  // namespace
}  // namespace remit::aws
