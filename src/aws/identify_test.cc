#include "aws/identify.h"

#include <gmock/gmock.h>

#include "aws/identify_for_tests.h"

namespace remit::aws {
namespace {

using testing::context;
using testing::form;
using testing::json;
using testing::Request;
using testing::s3;
using testing::words;

struct Case {
  Request request;
  std::string_view wanted;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases)
    EXPECT_EQ(words(c.request.identify()), c.wanted)
        << c.request.method << " " << c.request.target << " " << c.request.body;
}

std::string context_of(const Request& request, std::string_view action, std::string_view key) {
  const auto found = request.identify();
  if (!found) return "refused: " + found.error().message;
  const ActionRequest* asked = testing::find(*found, action);
  return asked == nullptr ? "no such action" : context(*asked, key);
}

// botocore cannot speak to these services, so it has no models of them (tools/catalogue/models).
TEST(Identify, KnowsTheServicesThatOnlyStreamEvents) {
  const http::Fields audio = {{"Content-Type", "application/vnd.amazon.eventstream"},
                              {"x-amzn-transcribe-sample-rate", "16000"},
                              {"x-amzn-transcribe-media-encoding", "pcm"},
                              {"x-amzn-transcribe-language-code", "en-US"}};
  const std::string host = "transcribestreaming.us-east-1.amazonaws.com";
  expect_all({
      {{.service = "transcribe", .target = "/stream-transcription", .fields = audio, .host = host},
       "StartStreamTranscription: transcribe:StartStreamTranscription *"},
      {{.service = "transcribe", .target = "/stream-transcription", .fields = audio},
       "StartStreamTranscription: transcribe:StartStreamTranscription *"},
      {{.service = "transcribe",
        .method = "GET",
        .target = "/medical-scribe-stream/s-1",
        .host = host},
       "GetMedicalScribeStream: transcribe:GetMedicalScribeStream *"},
      {{.service = "rekognition", .target = "/start-face-liveness-session", .fields = audio},
       "StartFaceLivenessSession: rekognition:StartFaceLivenessSession *"},
  });
  const Request stream{.service = "transcribe", .target = "/stream-transcription", .fields = audio};
  const auto found = stream.identify();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->event_stream_request);
  EXPECT_EQ(found->endpoint_host, host);
}

TEST(Identify, TellsTheHostsThatTakeEventStreams) {
  for (const std::string_view host :
       {"bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime-fips.us-east-1.amazonaws.com",
        "transcribestreaming.eu-west-1.amazonaws.com", "runtime-v2-lex.us-east-1.amazonaws.com",
        "vpce-1a2b-3c4d.bedrock-runtime.us-east-1.vpce.amazonaws.com"}) {
    EXPECT_TRUE(takes_event_streams(testing::catalogue(), host)) << host;
  }
  for (const std::string_view host : {"s3.us-east-1.amazonaws.com", "bucket.s3.amazonaws.com",
                                      "transcribe.us-east-1.amazonaws.com",
                                      "dynamodb.us-east-1.amazonaws.com", "example.com", ""}) {
    EXPECT_FALSE(takes_event_streams(testing::catalogue(), host)) << host;
  }
}

TEST(IdentifyS3, TellsActionsAndResourcesOfObjectsAndBuckets) {
  expect_all({
      {s3("GET", "/my-bucket/a/b.txt"), "GetObject: s3:GetObject arn:aws:s3:::my-bucket/a/b.txt"},
      {s3("GET", "/my-bucket/a?versionId=1"),
       "GetObject: s3:GetObjectVersion arn:aws:s3:::my-bucket/a"},
      {s3("HEAD", "/my-bucket/a"), "HeadObject: s3:GetObject arn:aws:s3:::my-bucket/a"},
      {s3("HEAD", "/my-bucket"), "HeadBucket: s3:ListBucket arn:aws:s3:::my-bucket"},
      {s3("GET", "/my-bucket?list-type=2"), "ListObjectsV2: s3:ListBucket arn:aws:s3:::my-bucket"},
      {s3("GET", "/my-bucket/?list-type=2&prefix=x"),
       "ListObjectsV2: s3:ListBucket arn:aws:s3:::my-bucket"},
      {s3("GET", "/my-bucket"), "ListObjects: s3:ListBucket arn:aws:s3:::my-bucket"},
      {s3("GET", "/my-bucket?versions"),
       "ListObjectVersions: s3:ListBucketVersions arn:aws:s3:::my-bucket"},
      {s3("GET", "/"), "ListBuckets: s3:ListAllMyBuckets *"},
      {s3("DELETE", "/my-bucket/k?versionId=null"),
       "DeleteObject: s3:DeleteObjectVersion arn:aws:s3:::my-bucket/k"},
      {s3("DELETE", "/my-bucket?cors"),
       "DeleteBucketCors: s3:PutBucketCORS arn:aws:s3:::my-bucket"},
      {s3("PUT", "/my-bucket/k?uploadId=u&partNumber=1"),
       "UploadPart: s3:PutObject arn:aws:s3:::my-bucket/k"},
      {s3("POST", "/my-bucket/k?uploads"),
       "CreateMultipartUpload: s3:PutObject arn:aws:s3:::my-bucket/k"},
      {s3("GET", "/my-bucket/k?uploadId=u"),
       "ListParts: s3:ListMultipartUploadParts arn:aws:s3:::my-bucket/k"},
      {s3("POST", "/my-bucket/k?select&select-type=2"),
       "SelectObjectContent: s3:GetObject arn:aws:s3:::my-bucket/k"},
      {s3("PUT", "/my-bucket/k?tagging&versionId=3"),
       "PutObjectTagging: s3:PutObjectVersionTagging arn:aws:s3:::my-bucket/k"},
  });
}

TEST(IdentifyS3, KeepsEveryByteOfAKey) {
  expect_all({
      {s3("GET", "/b1c/a//b/../c/"), "GetObject: s3:GetObject arn:aws:s3:::b1c/a//b/../c/"},
      {s3("GET", "/b1c/a%2Fb%20c"), "GetObject: s3:GetObject arn:aws:s3:::b1c/a/b c"},
      {s3("GET", "/b1c/%2e%2e/x"), "GetObject: s3:GetObject arn:aws:s3:::b1c/../x"},
      {s3("GET", "/b1c/a+b"), "GetObject: s3:GetObject arn:aws:s3:::b1c/a+b"},
      {s3("GET", "/b1c//"), "GetObject: s3:GetObject arn:aws:s3:::b1c//"},
  });
}

TEST(IdentifyS3, AsksForWhatHeadersAddToAWrite) {
  expect_all({
      {s3("PUT", "/b1c/k", {{"x-amz-acl", "public-read"}}),
       "PutObject: s3:PutObject arn:aws:s3:::b1c/k; s3:PutObjectAcl arn:aws:s3:::b1c/k"},
      {s3("PUT", "/b1c/k", {{"x-amz-grant-read", "id=1"}, {"x-amz-tagging", "a=b"}}),
       "PutObject: s3:PutObject arn:aws:s3:::b1c/k; s3:PutObjectAcl arn:aws:s3:::b1c/k; "
       "s3:PutObjectTagging arn:aws:s3:::b1c/k"},
      // A presigned request carries the header as a parameter.
      {s3("PUT", "/b1c/k?x-amz-acl=public-read&X-Amz-Signature=0"),
       "PutObject: s3:PutObject arn:aws:s3:::b1c/k; s3:PutObjectAcl arn:aws:s3:::b1c/k"},
      {s3("PUT", "/b1c/k",
          {{"x-amz-object-lock-mode", "GOVERNANCE"}, {"x-amz-object-lock-legal-hold", "ON"}}),
       "PutObject: s3:PutObject arn:aws:s3:::b1c/k; s3:PutObjectRetention arn:aws:s3:::b1c/k; "
       "s3:PutObjectLegalHold arn:aws:s3:::b1c/k"},
      {s3("DELETE", "/b1c/k", {{"x-amz-bypass-governance-retention", "true"}}),
       "DeleteObject: s3:DeleteObject arn:aws:s3:::b1c/k; s3:BypassGovernanceRetention "
       "arn:aws:s3:::b1c/k"},
      {s3("PUT", "/b1c", {{"x-amz-bucket-object-lock-enabled", "true"}}),
       "CreateBucket: s3:CreateBucket arn:aws:s3:::b1c; s3:PutBucketObjectLockConfiguration "
       "arn:aws:s3:::b1c; s3:PutBucketVersioning arn:aws:s3:::b1c"},
  });
}

TEST(IdentifyS3, ACopyReadsItsSourceToo) {
  expect_all({
      {s3("PUT", "/b1c/k", {{"x-amz-copy-source", "/src/other%20key"}}),
       "CopyObject: s3:PutObject arn:aws:s3:::b1c/k; s3:GetObject arn:aws:s3:::src/other key"},
      {s3("PUT", "/b1c/k", {{"x-amz-copy-source", "src/k?versionId=9"}}),
       "CopyObject: s3:PutObject arn:aws:s3:::b1c/k; s3:GetObjectVersion arn:aws:s3:::src/k"},
      // Readers differ on '+': both keys must be allowed.
      {s3("PUT", "/b1c/k", {{"x-amz-copy-source", "src/a+b"}}),
       "CopyObject: s3:PutObject arn:aws:s3:::b1c/k; s3:GetObject arn:aws:s3:::src/a+b "
       "arn:aws:s3:::src/a b"},
      {s3("PUT", "/b1c/k?x-amz-copy-source=src%2Fk&X-Amz-Signature=0"),
       "CopyObject: s3:PutObject arn:aws:s3:::b1c/k; s3:GetObject arn:aws:s3:::src/k"},
      {s3("PUT", "/b1c/k?partNumber=1&uploadId=u", {{"x-amz-copy-source", "src/k"}}),
       "UploadPartCopy: s3:PutObject arn:aws:s3:::b1c/k; s3:GetObject arn:aws:s3:::src/k"},
  });
}

TEST(IdentifyS3, DeleteObjectsAsksForEachKey) {
  expect_all({
      {s3("POST", "/b1c?delete", {},
          "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a</Key></Object>"
          "<Object><Key>b&amp;c</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></"
          "Delete>"),
       "DeleteObjects: s3:DeleteObject arn:aws:s3:::b1c/a; s3:DeleteObjectVersion "
       "arn:aws:s3:::b1c/b&c"},
      {s3("POST", "/b1c?delete", {}, "<Delete><Object><Key> </Key></Object></Delete>"),
       "DeleteObjects: s3:DeleteObject arn:aws:s3:::b1c/ "},
  });
}

TEST(IdentifyS3, ReadsEveryKindOfHost) {
  const auto at = [](std::string host, std::string target, std::string region = "us-east-1",
                     std::string service = "s3") {
    Request request = s3("GET", std::move(target));
    request.host = std::move(host);
    request.region = std::move(region);
    request.service = std::move(service);
    return request;
  };
  expect_all({
      {at("b1c.s3.us-east-1.amazonaws.com", "/k/l"),
       "GetObject: s3:GetObject arn:aws:s3:::b1c/k/l"},
      {at("a.dotted.bucket.s3.us-east-1.amazonaws.com", "/k"),
       "GetObject: s3:GetObject arn:aws:s3:::a.dotted.bucket/k"},
      {at("b1c.s3.dualstack.us-east-1.amazonaws.com", "/k"),
       "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
      {at("b1c.s3.amazonaws.com", "/?list-type=2"),
       "ListObjectsV2: s3:ListBucket arn:aws:s3:::b1c"},
      {at("b1c.s3-us-west-2.amazonaws.com", "/k", "us-west-2"),
       "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
      {at("s3.us-east-1.amazonaws.com", "/b1c/k"), "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
      {at("S3.US-EAST-1.AMAZONAWS.COM", "/b1c/k"), "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
      {at("b1c.s3-accelerate.amazonaws.com", "/k"), "GetObject: s3:GetObject arn:aws:s3:::b1c/k"},
      {at("ap-444455556666.s3-accesspoint.us-east-1.amazonaws.com", "/k"),
       "GetObject: s3:GetObject arn:aws:s3:us-east-1:444455556666:accesspoint/ap/object/k"},
      {at("ol-444455556666.s3-object-lambda.us-east-1.amazonaws.com", "/k", "us-east-1",
          "s3-object-lambda"),
       "GetObject: s3-object-lambda:GetObject "
       "arn:aws:s3-object-lambda:us-east-1:444455556666:accesspoint/ol/object/k"},
      {at("ap-444455556666.op-0123.s3-outposts.us-east-1.amazonaws.com", "/k", "us-east-1",
          "s3-outposts"),
       "GetObject: s3-outposts:GetObject "
       "arn:aws:s3-outposts:us-east-1:444455556666:outpost/op-0123/accesspoint/ap/object/k"},
      {at("mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com", "/k", ""),
       "GetObject: s3:GetObject arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap/object/k"},
      {at("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "/k", "us-east-1",
          "s3express"),
       "GetObject: s3express:CreateSession "
       "arn:aws:s3express:us-east-1:111122223333:bucket/b--use1-az4--x-s3"},
      {at("s3express-control.us-east-1.amazonaws.com", "/", "us-east-1", "s3express"),
       "ListDirectoryBuckets: s3express:ListAllMyDirectoryBuckets *"},
      {at("444455556666.s3-control.us-east-1.amazonaws.com",
          "/v20180820/configuration/publicAccessBlock"),
       "GetPublicAccessBlock: s3:GetAccountPublicAccessBlock *"},
  });
}

TEST(IdentifyS3, KnowsTheKeysOfAList) {
  const Request list = s3("GET", "/b1c?list-type=2&prefix=a%2Fb&delimiter=%2F&max-keys=5");
  EXPECT_EQ(context_of(list, "s3:ListBucket", "s3:prefix"), "a/b");
  EXPECT_EQ(context_of(list, "s3:ListBucket", "s3:delimiter"), "/");
  EXPECT_EQ(context_of(list, "s3:ListBucket", "s3:max-keys"), "5");
  EXPECT_EQ(context_of(list, "s3:ListBucket", "aws:RequestedRegion"), "us-east-1");
  EXPECT_EQ(context_of(list, "s3:ListBucket", "aws:ResourceAccount"), "unknown");
  const Request all = s3("GET", "/b1c?list-type=2");
  EXPECT_EQ(context_of(all, "s3:ListBucket", "s3:prefix"), "absent");
}

TEST(IdentifyS3, KnowsTheKeysOfAWrite) {
  const Request put = s3(
      "PUT", "/b1c/k", {{"x-amz-server-side-encryption", "aws:kms"}, {"x-amz-tagging", "a=1&b=2"}});
  EXPECT_EQ(context_of(put, "s3:PutObject", "s3:x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(context_of(put, "s3:PutObject", "s3:x-amz-storage-class"), "absent");
  EXPECT_EQ(context_of(put, "s3:PutObject", "s3:RequestObjectTag/a"), "1");
  EXPECT_EQ(context_of(put, "s3:PutObject", "s3:RequestObjectTagKeys"), "a,b");
  EXPECT_EQ(context_of(s3("GET", "/b1c/k"), "s3:GetObject", "s3:ExistingObjectTag/*"), "unknown");
}

TEST(IdentifyDynamoDb, TellsTablesIndexesAndEachItemOfABatch) {
  const std::string t = "DynamoDB_20120810.";
  expect_all({
      {json("dynamodb", t + "GetItem", R"({"TableName":"Music","Key":{"id":{"S":"1"}}})"),
       "GetItem: dynamodb:GetItem arn:aws:dynamodb:us-east-1:111122223333:table/Music"},
      {json("dynamodb", t + "GetItem",
            R"({"TableName":"arn:aws:dynamodb:us-east-1:444455556666:table/T","Key":{}})"),
       "GetItem: dynamodb:GetItem arn:aws:dynamodb:us-east-1:444455556666:table/T"},
      {json("dynamodb", t + "Query", R"({"TableName":"Music","IndexName":"ByYear"})"),
       "Query: dynamodb:Query arn:aws:dynamodb:us-east-1:111122223333:table/Music/index/ByYear"},
      {json("dynamodb", t + "BatchGetItem", R"({"RequestItems":{"A1x":{"Keys":[]},"B1x":{}}})"),
       "BatchGetItem: dynamodb:BatchGetItem arn:aws:dynamodb:us-east-1:111122223333:table/A1x "
       "arn:aws:dynamodb:us-east-1:111122223333:table/B1x"},
      {json("dynamodb", t + "TransactWriteItems",
            R"({"TransactItems":[{"Put":{"TableName":"A1x"}},{"Delete":{"TableName":"B1x"}}]})"),
       "TransactWriteItems: dynamodb:DeleteItem "
       "arn:aws:dynamodb:us-east-1:111122223333:table/B1x; dynamodb:PutItem "
       "arn:aws:dynamodb:us-east-1:111122223333:table/A1x"},
      {json("dynamodb", t + "ListTables", "{}"), "ListTables: dynamodb:ListTables *"},
      {json("dynamodb", t + "DescribeTable", R"({"TableName":"Music"})"),
       "DescribeTable: dynamodb:DescribeTable "
       "arn:aws:dynamodb:us-east-1:111122223333:table/Music"},
  });
}

TEST(IdentifyDynamoDb, ReadsPartiQl) {
  const std::string arn = " arn:aws:dynamodb:us-east-1:111122223333:table/Music";
  const auto run = [](std::string_view statement) {
    return words(json("dynamodb", "DynamoDB_20120810.ExecuteStatement",
                      "{\"Statement\":\"" + std::string(statement) + "\"}")
                     .identify());
  };
  EXPECT_EQ(run("SELECT * FROM Music WHERE a='FROM x'"),
            "ExecuteStatement: dynamodb:PartiQLSelect" + arn);
  EXPECT_EQ(run("select a from \\\"Music\\\".\\\"idx\\\""),
            "ExecuteStatement: dynamodb:PartiQLSelect" + arn + "/index/idx");
  EXPECT_EQ(run("INSERT INTO Music VALUE {'a': 'b'}"),
            "ExecuteStatement: dynamodb:PartiQLInsert" + arn);
  EXPECT_EQ(run("UPDATE \\\"Music\\\" SET a=1 WHERE b=2"),
            "ExecuteStatement: dynamodb:PartiQLUpdate" + arn);
  EXPECT_EQ(run("DELETE FROM Music WHERE a=1"), "ExecuteStatement: dynamodb:PartiQLDelete" + arn);
  // What leaves a doubt is not told.
  EXPECT_EQ(run("SELECT * FROM Music WHERE EXISTS(SELECT * FROM Other)"),
            "ExecuteStatement: dynamodb:PartiQLSelect ?");
  EXPECT_EQ(run("/* */ DELETE FROM Music"),
            "ExecuteStatement: dynamodb:PartiQLDelete ?; dynamodb:PartiQLInsert ?; "
            "dynamodb:PartiQLSelect ?; dynamodb:PartiQLUpdate ?");
}

TEST(IdentifyDynamoDb, KnowsLeadingKeysWhereTheKeyHasOneAttribute) {
  const auto keys = [](std::string body) {
    return context_of(json("dynamodb", "DynamoDB_20120810.GetItem", std::move(body)),
                      "dynamodb:GetItem", "dynamodb:LeadingKeys");
  };
  EXPECT_EQ(keys(R"({"TableName":"T1x","Key":{"id":{"S":"me"}}})"), "me");
  EXPECT_EQ(keys(R"({"TableName":"T1x","Key":{"id":{"S":"me"},"sort":{"N":"1"}}})"), "unknown");
}

TEST(IdentifyMessaging, TellsQueuesAndTopics) {
  expect_all({
      {json("sqs", "AmazonSQS.SendMessage",
            R"({"QueueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/jobs"})"),
       "SendMessage: sqs:SendMessage arn:aws:sqs:us-east-1:111122223333:jobs"},
      {json("sqs", "AmazonSQS.SendMessageBatch",
            R"({"QueueUrl":"http://127.0.0.1:4566/111122223333/jobs"})"),
       "SendMessageBatch: sqs:SendMessage arn:aws:sqs:us-east-1:111122223333:jobs"},
      {form("sqs",
            "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=https%3A%2F%2Fsqs.us-east-1."
            "amazonaws.com%2F111122223333%2Fjobs"),
       "ReceiveMessage: sqs:ReceiveMessage arn:aws:sqs:us-east-1:111122223333:jobs"},
      {json("sqs", "AmazonSQS.CreateQueue", R"({"QueueName":"jobs"})"),
       "CreateQueue: sqs:CreateQueue arn:aws:sqs:us-east-1:111122223333:jobs"},
      {json("sqs", "AmazonSQS.SendMessage", R"({"QueueUrl":"jobs"})"),
       "SendMessage: sqs:SendMessage arn:aws:sqs:us-east-1:111122223333:jobs"},
      {form("sns",
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A"
            "111122223333%3Anews&Message=hi"),
       "Publish: sns:Publish arn:aws:sns:us-east-1:111122223333:news"},
      {form("sns", "Action=Publish&Version=2010-03-31&PhoneNumber=%2B491234&Message=hi"),
       "Publish: sns:Publish ?"},
  });
}

TEST(IdentifyMessaging, TakesTheQueueFromThePathToo) {
  Request request = form("sqs", "Action=DeleteQueue&Version=2012-11-05");
  request.target = "/111122223333/jobs";
  EXPECT_EQ(words(request.identify()),
            "DeleteQueue: sqs:DeleteQueue arn:aws:sqs:us-east-1:111122223333:jobs");
  request.body += "&QueueUrl=https://sqs.us-east-1.amazonaws.com/111122223333/other";
  EXPECT_THAT(words(request.identify()), ::testing::HasSubstr("different queues"));
}

TEST(IdentifyLambda, ReadsEveryFormOfAFunctionsName) {
  const auto invoke = [](std::string name) {
    return Request{.service = "lambda",
                   .target = "/2015-03-31/functions/" + std::move(name) + "/invocations"};
  };
  const std::string f =
      "Invoke: lambda:InvokeFunction arn:aws:lambda:us-east-1:111122223333:function:";
  EXPECT_EQ(words(invoke("go").identify()), f + "go");
  EXPECT_EQ(words(invoke("go%3Aprod").identify()), f + "go:prod");
  EXPECT_EQ(words(invoke("111122223333:function:go").identify()), f + "go");
  EXPECT_EQ(
      words(invoke("arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Ago").identify()),
      f + "go");
  Request qualified = invoke("go");
  qualified.target += "?Qualifier=7";
  EXPECT_EQ(words(qualified.identify()), f + "go:7");
  EXPECT_EQ(words(invoke("a%2Fb").identify()), "Invoke: lambda:InvokeFunction ?");
}

TEST(IdentifyLambda, CreatingAFunctionPassesItsRole) {
  const Request request{.service = "lambda",
                        .target = "/2015-03-31/functions",
                        .fields = {{"content-type", "application/json"}},
                        .body = R"({"FunctionName":"go","Tags":{"Team":"a"},
                                    "Role":"arn:aws:iam::111122223333:role/run"})"};
  EXPECT_EQ(words(request.identify()),
            "CreateFunction: lambda:CreateFunction "
            "arn:aws:lambda:us-east-1:111122223333:function:go; iam:PassRole "
            "arn:aws:iam::111122223333:role/run; "
            "lambda:TagResource arn:aws:lambda:us-east-1:111122223333:function:go");
  EXPECT_EQ(context_of(request, "iam:PassRole", "iam:PassedToService"), "lambda.amazonaws.com");
  EXPECT_EQ(context_of(request, "lambda:CreateFunction", "aws:RequestTag/Team"), "a");
  EXPECT_EQ(context_of(request, "lambda:CreateFunction", "aws:TagKeys"), "Team");
}

TEST(IdentifyKms, TellsKeysAndEncryptionContext) {
  expect_all({
      {json("kms", "TrentService.Encrypt", R"({"KeyId":"1234-ab"})"),
       "Encrypt: kms:Encrypt arn:aws:kms:us-east-1:111122223333:key/1234-ab"},
      {json("kms", "TrentService.Encrypt", R"({"KeyId":"alias/x"})"), "Encrypt: kms:Encrypt ?"},
      {json("kms", "TrentService.Decrypt", R"({"CiphertextBlob":"AA=="})"),
       "Decrypt: kms:Decrypt ?"},
      {json("kms", "TrentService.ReEncrypt", R"({"DestinationKeyId":"1234-ab"})"),
       "ReEncrypt: kms:ReEncryptFrom ?; kms:ReEncryptTo "
       "arn:aws:kms:us-east-1:111122223333:key/1234-ab"},
      {json("kms", "TrentService.CreateKey", "{}"), "CreateKey: kms:CreateKey *"},
  });
  const Request encrypt =
      json("kms", "TrentService.Encrypt", R"({"KeyId":"alias/x","EncryptionContext":{"a":"b"}})");
  EXPECT_EQ(context_of(encrypt, "kms:Encrypt", "kms:RequestAlias"), "alias/x");
  EXPECT_EQ(context_of(encrypt, "kms:Encrypt", "kms:EncryptionContext:a"), "b");
  EXPECT_EQ(context_of(encrypt, "kms:Encrypt", "kms:EncryptionContextKeys"), "a");
  EXPECT_EQ(context_of(encrypt, "kms:Encrypt", "kms:ViaService"), "absent");
  EXPECT_EQ(context_of(encrypt, "kms:Encrypt", "kms:CallerAccount"), "111122223333");
}

TEST(IdentifyIam, TellsRolesUsersAndWhatIsPassed) {
  expect_all({
      {form("iam", "Action=GetRole&Version=2010-05-08&RoleName=ops"),
       "GetRole: iam:GetRole arn:aws:iam::111122223333:role/ops"},
      {form("iam", "Action=CreateRole&Version=2010-05-08&RoleName=ops&Path=/team/"),
       "CreateRole: iam:CreateRole arn:aws:iam::111122223333:role/team/ops"},
      {form("iam",
            "Action=AddRoleToInstanceProfile&Version=2010-05-08&InstanceProfileName=p&"
            "RoleName=ops"),
       "AddRoleToInstanceProfile: iam:AddRoleToInstanceProfile "
       "arn:aws:iam::111122223333:instance-profile/p; iam:PassRole "
       "arn:aws:iam::111122223333:role/ops"},
      {form("iam", "Action=ListUsers&Version=2010-05-08"), "ListUsers: iam:ListUsers *"},
      {form("sts", "Action=GetCallerIdentity&Version=2011-06-15"),
       "GetCallerIdentity: sts:GetCallerIdentity *"},
      {form("sts",
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/r&"
            "RoleSessionName=s&Tags.member.1.Key=Team&Tags.member.1.Value=x&"
            "SourceIdentity=me"),
       "AssumeRole: sts:AssumeRole arn:aws:iam::111122223333:role/r; sts:TagSession "
       "arn:aws:iam::111122223333:role/r; sts:SetSourceIdentity arn:aws:iam::111122223333:role/r"},
  });
  const Request assume = form("sts",
                              "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::"
                              "111122223333:role/r&RoleSessionName=s&ExternalId=x&"
                              "Tags.member.1.Key=Team&Tags.member.1.Value=y");
  EXPECT_EQ(context_of(assume, "sts:AssumeRole", "sts:ExternalId"), "x");
  EXPECT_EQ(context_of(assume, "sts:TagSession", "aws:RequestTag/Team"), "y");
  EXPECT_TRUE(assume.identify()->returns_credentials);
  const Request attach = form("iam",
                              "Action=AttachRolePolicy&Version=2010-05-08&RoleName=ops&"
                              "PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess");
  EXPECT_EQ(context_of(attach, "iam:AttachRolePolicy", "iam:PolicyARN"),
            "arn:aws:iam::aws:policy/AdministratorAccess");
}

TEST(IdentifyEc2, RunInstancesTouchesEverythingItStarts) {
  const Request run = form(
      "ec2",
      "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&InstanceType=t3.micro&MinCount=1&"
      "MaxCount=1&SubnetId=subnet-1&SecurityGroupId.1=sg-1&KeyName=k&IamInstanceProfile.Name=web&"
      "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Team&"
      "TagSpecification.1.Tag.1.Value=a");
  const std::string e = " arn:aws:ec2:us-east-1:111122223333:";
  EXPECT_EQ(words(run.identify()),
            "RunInstances: ec2:RunInstances" + e + "instance/* arn:aws:ec2:us-east-1::image/ami-1" +
                e + "subnet/subnet-1" + e + "security-group/sg-1" + e + "network-interface/*" + e +
                "volume/*" + e + "key-pair/k; iam:PassRole ?; ec2:CreateTags" + e + "instance/*");
  EXPECT_EQ(context_of(run, "ec2:RunInstances", "ec2:InstanceType"), "t3.micro");
  EXPECT_EQ(context_of(run, "ec2:CreateTags", "ec2:CreateAction"), "RunInstances");
  EXPECT_EQ(context_of(run, "ec2:CreateTags", "aws:RequestTag/Team"), "a");
  EXPECT_EQ(context_of(run, "iam:PassRole", "iam:PassedToService"), "ec2.amazonaws.com");
}

TEST(IdentifyEc2, TellsInstancesByTheirIds) {
  expect_all({
      {form("ec2",
            "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1&InstanceId.2=i-2"),
       "TerminateInstances: ec2:TerminateInstances "
       "arn:aws:ec2:us-east-1:111122223333:instance/i-1 "
       "arn:aws:ec2:us-east-1:111122223333:instance/i-2"},
      {form("ec2", "Action=DescribeInstances&Version=2016-11-15"),
       "DescribeInstances: ec2:DescribeInstances *"},
      {form("ec2",
            "Action=CreateTags&Version=2016-11-15&ResourceId.1=vol-1&Tag.1.Key=a&"
            "Tag.1.Value=b"),
       "CreateTags: ec2:CreateTags arn:aws:ec2:us-east-1:111122223333:volume/vol-1"},
  });
}

TEST(IdentifyOther, AParameterIsToldByItsName) {
  const auto ask = [](std::string_view operation, std::string body) {
    return json("ssm", "AmazonSSM." + std::string(operation), std::move(body));
  };
  expect_all({
      {ask("GetParameter", R"({"Name":"/app/db"})"),
       "GetParameter: ssm:GetParameter arn:aws:ssm:us-east-1:111122223333:parameter/app/db"},
      {ask("GetParameter", R"({"Name":"db:3"})"),
       "GetParameter: ssm:GetParameter arn:aws:ssm:us-east-1:111122223333:parameter/db"},
      {ask("GetParameter", R"({"Name":"arn:aws:ssm:us-east-1:999988887777:parameter/shared/x"})"),
       "GetParameter: ssm:GetParameter arn:aws:ssm:us-east-1:999988887777:parameter/shared/x"},
      {ask("GetParameter", R"({"Name":"*"})"), "GetParameter: ssm:GetParameter ?"},
      {ask("GetParameters", R"({"Names":["a","/b"]})"),
       "GetParameters: ssm:GetParameters arn:aws:ssm:us-east-1:111122223333:parameter/a "
       "arn:aws:ssm:us-east-1:111122223333:parameter/b"},
      {ask("PutParameter", R"({"Name":"a","Value":"x","Tags":[{"Key":"k","Value":"v"}]})"),
       "PutParameter: ssm:PutParameter arn:aws:ssm:us-east-1:111122223333:parameter/a; "
       "ssm:AddTagsToResource arn:aws:ssm:us-east-1:111122223333:parameter/a"},
  });
}

TEST(IdentifyOther, TellsSecretsStacksAndLogGroups) {
  expect_all({
      {json("secretsmanager", "secretsmanager.GetSecretValue", R"({"SecretId":"db/pw"})"),
       "GetSecretValue: secretsmanager:GetSecretValue "
       "arn:aws:secretsmanager:us-east-1:111122223333:secret:db/pw-??????"},
      {json("secretsmanager", "secretsmanager.BatchGetSecretValue", R"({"Filters":[]})"),
       "BatchGetSecretValue: secretsmanager:BatchGetSecretValue *; secretsmanager:GetSecretValue "
       "?"},
      {form("cloudformation", "Action=DeleteStack&Version=2010-05-15&StackName=web"),
       "DeleteStack: cloudformation:DeleteStack "
       "arn:aws:cloudformation:us-east-1:111122223333:stack/web/*"},
      {form("cloudformation",
            "Action=CreateStack&Version=2010-05-15&StackName=web&RoleARN=arn:aws:"
            "iam::111122223333:role/cfn"),
       "CreateStack: cloudformation:CreateStack "
       "arn:aws:cloudformation:us-east-1:111122223333:stack/web/*; iam:PassRole "
       "arn:aws:iam::111122223333:role/cfn"},
      {json("logs", "Logs_20140328.PutLogEvents",
            R"({"logGroupName":"/aws/x","logStreamName":"s"})"),
       "PutLogEvents: logs:PutLogEvents "
       "arn:aws:logs:us-east-1:111122223333:log-group:/aws/x:log-stream:s"},
      {json("logs", "Logs_20140328.CreateLogGroup", R"({"logGroupName":"/aws/x"})"),
       "CreateLogGroup: logs:CreateLogGroup "
       "arn:aws:logs:us-east-1:111122223333:log-group:/aws/x:log-stream:"},
  });
}

TEST(Identify, SaysWhenTheAnswerCarriesCredentials) {
  const auto key = form("iam", "Action=CreateAccessKey&Version=2010-05-08&UserName=u").identify();
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->returns_credentials);
  const auto user = form("iam", "Action=GetUser&Version=2010-05-08&UserName=u").identify();
  ASSERT_TRUE(user.has_value());
  EXPECT_FALSE(user->returns_credentials);
}

TEST(Identify, NamesTheHostOfAnEndpointRequest) {
  EXPECT_EQ(json("dynamodb", "DynamoDB_20120810.ListTables", "{}").identify()->endpoint_host,
            "dynamodb.us-east-1.amazonaws.com");
  EXPECT_EQ(form("iam", "Action=ListUsers&Version=2010-05-08").identify()->endpoint_host,
            "iam.amazonaws.com");
  const Request sync = json("states", "AWSStepFunctions.StartSyncExecution", "{}");
  EXPECT_EQ(sync.identify()->endpoint_host, "sync-states.us-east-1.amazonaws.com");
  const Request control{.service = "s3",
                        .method = "GET",
                        .target = "/v20180820/configuration/publicAccessBlock",
                        .fields = {{"x-amz-account-id", "444455556666"}}};
  EXPECT_EQ(control.identify()->endpoint_host, "444455556666.s3-control.us-east-1.amazonaws.com");
}

TEST(Identify, WithoutAnAccountResourcesAreUnknown) {
  Request request = json("dynamodb", "DynamoDB_20120810.GetItem", R"({"TableName":"Music"})");
  request.account.clear();
  EXPECT_EQ(words(request.identify()), "GetItem: dynamodb:GetItem ?");
}

TEST(BodyNeed, ObjectDataAreNotRead) {
  const auto need = [](const Request& request) {
    http::RequestHead head{request.method, request.target, 11, request.fields};
    RequestFacts facts;
    facts.head = &head;
    facts.scope_service = request.service;
    facts.scope_region = request.region;
    return body_need(testing::catalogue(), facts).kind;
  };
  EXPECT_EQ(need(s3("PUT", "/b1c/k")), BodyNeed::Kind::None);
  EXPECT_EQ(need(s3("PUT", "/b1c/k?partNumber=1&uploadId=u")), BodyNeed::Kind::None);
  EXPECT_EQ(need(s3("POST", "/b1c?delete")), BodyNeed::Kind::Whole);
  EXPECT_EQ(need({.service = "lambda", .target = "/2015-03-31/functions/f/invocations"}),
            BodyNeed::Kind::None);
  EXPECT_EQ(need(json("dynamodb", "DynamoDB_20120810.GetItem", "")), BodyNeed::Kind::Whole);
  EXPECT_EQ(need(form("ec2", "")), BodyNeed::Kind::Whole);
}

}  // namespace
}  // namespace remit::aws
