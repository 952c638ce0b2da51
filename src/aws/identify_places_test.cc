// Regions, partitions, FIPS, dual-stack and VPC endpoints, and resources that stand in the path.

#include "aws/host.h"
#include "aws/identify_for_tests.h"

namespace remit::aws {
namespace {

using testing::at;
using testing::form;
using testing::json;
using testing::Request;
using testing::s3;
using testing::words;

const Request kTables = json("dynamodb", "DynamoDB_20120810.ListTables", "{}");
const Request kQueues = json("sqs", "AmazonSQS.ListQueues", "{}");

TEST(IdentifyPlaces, AHostBelongsToServiceRegionAndPartition) {
  struct Case {
    Request request;
    std::string_view wanted;
  };
  const std::string tables = "ListTables: dynamodb:ListTables *";
  const std::string queues = "ListQueues: sqs:ListQueues *";
  const std::string object = "GetObject: s3:GetObject arn:aws:s3:::b/k";
  for (const Case& each : std::vector<Case>{
           {at(kTables, "dynamodb.eu-central-1.amazonaws.com", "eu-central-1"), tables},
           {at(kTables, "dynamodb.us-gov-west-1.amazonaws.com", "us-gov-west-1"), tables},
           {at(kTables, "dynamodb-fips.us-east-1.amazonaws.com", "us-east-1"), tables},
           {at(kTables, "dynamodb.us-east-1.api.aws", "us-east-1"), tables},
           {at(kTables, "111122223333.ddb.us-east-1.amazonaws.com", "us-east-1"), tables},
           {at(kTables, "dynamodb.cn-north-1.amazonaws.com.cn", "cn-north-1"), tables},
           {at(kTables, "dynamodb.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"), tables},
           {at(kTables, "dynamodb.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"), tables},
           {at(kTables, "dynamodb.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"), tables},
           {at(kTables, "dynamodb.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"), tables},
           {at(kTables, "dynamodb.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"), tables},
           {at(kTables, "dynamodb.us-east-1.amazonaws.com.cn", "us-east-1"),
            "refused: the host is of partition aws-cn, the signature of aws"},
           {at(kTables, "dynamodb.cn-north-1.amazonaws.com", "cn-north-1"),
            "refused: the host is of partition aws, the signature of aws-cn"},
           {at(kTables, "dynamodb.eusc-de-east-1.amazonaws.com", "eusc-de-east-1"),
            "refused: the host is of partition aws, the signature of aws-eusc"},
           {at(kTables, "dynamodb.us-west-2.amazonaws.com", "us-east-1"),
            "refused: the host is of region us-west-2, the signature of us-east-1"},
           {at(kTables, "sqs.us-east-1.amazonaws.com", "us-east-1"),
            "refused: the host sqs.us-east-1.amazonaws.com does not belong to a service that signs "
            "as dynamodb"},
           {at(kQueues, "vpce-0a1b-2c3d.sqs.us-east-1.vpce.amazonaws.com", "us-east-1"), queues},
           {at(kQueues, "vpce-0a1b-2c3d-us-east-1a.sqs.us-east-1.vpce.amazonaws.com", "us-east-1"),
            queues},
           {at(kQueues, "vpce-0a1b-2c3d.sqs.us-west-2.vpce.amazonaws.com", "us-east-1"),
            "refused: the host is of region us-west-2, the signature of us-east-1"},
           {at(kQueues, "vpce-0a1b-2c3d.vpce-svc-99.us-east-1.vpce.amazonaws.com", "us-east-1"),
            "refused: the host vpce-0a1b-2c3d.vpce-svc-99.us-east-1.vpce.amazonaws.com does not "
            "belong to a service that signs as sqs"},
           {at(kQueues, "queue.amazonaws.com", "us-east-1"), queues},
           {at(kQueues, "eu-west-1.queue.amazonaws.com", "eu-west-1"), queues},
           {at(kQueues, "eu-west-1.queue.amazonaws.com", "us-east-1"),
            "refused: the host is of region eu-west-1, the signature of us-east-1"},
           {at(s3("GET", "/k"), "b.s3.us-west-2.amazonaws.com", "us-west-2"), object},
           {at(s3("GET", "/k"), "b.s3-fips.dualstack.us-west-2.amazonaws.com", "us-west-2"),
            object},
           {at(s3("GET", "/k"), "b.s3.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            "GetObject: s3:GetObject arn:aws-cn:s3:::b/k"},
           {at(s3("GET", "/k"), "b.s3.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
            "GetObject: s3:GetObject arn:aws-iso:s3:::b/k"},
           {at(s3("GET", "/k"), "b.s3.us-iso-east-1.c2s.ic.gov", "us-east-1"),
            "refused: the host is of partition aws-iso, the signature of aws"},
           {at(s3("GET", "/b/k"), "bucket.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com",
               "us-east-1"),
            object},
           {at(s3("GET", "/k"), "b.bucket.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com",
               "us-east-1"),
            object},
       }) {
    EXPECT_EQ(words(each.request.identify()), each.wanted) << each.request.host;
  }
}

TEST(IdentifyPlaces, AGlobalEndpointOfEventBridgeNeedsSigV4a) {
  Request put = json("events", "AWSEvents.PutEvents", R"({"EndpointId":"abcde.veo","Entries":[]})");
  put.host = "abcde.veo.endpoint.events.amazonaws.com";
  put.region = "";
  EXPECT_TRUE(words(put.identify()).starts_with("PutEvents: events:PutEvents"))
      << words(put.identify());
  put.region = "us-east-1";
  EXPECT_FALSE(put.identify());
}

TEST(IdentifyPlaces, AGlobalServiceSignsForItsOwnRegionAtTheEndpoint) {
  const auto region = [](Request request, std::string scope) {
    request.region = std::move(scope);
    const auto found = request.identify();
    return found ? found->region : "refused: " + found.error().message;
  };
  const Request roles = form("iam", "Action=ListRoles&Version=2010-05-08");
  const Request zones = {.service = "route53", .method = "GET", .target = "/2013-04-01/hostedzone"};
  const Request networks = {
      .service = "networkmanager", .method = "GET", .target = "/global-networks"};
  EXPECT_EQ(region(roles, "eu-central-1"), "us-east-1");
  EXPECT_EQ(region(roles, "us-east-1"), "us-east-1");
  EXPECT_EQ(region(zones, "aws-global"), "us-east-1");
  EXPECT_EQ(region(networks, "eu-central-1"), "us-west-2") << "the host names it";
  EXPECT_EQ(region(kTables, "eu-central-1"), "eu-central-1");
  EXPECT_EQ(region(s3("GET", "/b/k"), "eu-central-1"), "eu-central-1");
  Request tunnelled = roles;
  tunnelled.host = "iam.amazonaws.com";
  EXPECT_EQ(region(tunnelled, "us-east-1"), "us-east-1");
}

TEST(IdentifyPlaces, S3sSpecialHostsAreToldFromWhatTheRequestSaysAtTheEndpoint) {
  struct Case {
    std::string service, method, target, wanted;  // "operation, host, bytes of the target left out"
    http::Fields fields = {};
  };
  const std::string bucket = "work--use1-az4--x-s3";
  for (const Case& each : std::vector<Case>{
           {"s3express", "GET", "/" + bucket + "/k",
            "GetObject work--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com 21"},
           {"s3express", "GET", "/" + bucket + "?session",
            "CreateSession work--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com 21"},
           {"s3express", "GET", "/point--use1-az4--xa-s3/k",
            "GetObject point--use1-az4--xa-s3.s3express-use1-az4.us-east-1.amazonaws.com 23"},
           {"s3express", "PUT", "/" + bucket,
            "CreateBucket s3express-control.us-east-1.amazonaws.com 0"},
           {"s3express", "GET", "/?x-id=ListDirectoryBuckets",
            "ListDirectoryBuckets s3express-control.us-east-1.amazonaws.com 0"},
           // A name that does not tell its zone, or is not written as it is: no host.
           {"s3express", "GET", "/plain/k", "GetObject  0"},
           {"s3express", "GET", "/work%2D-use1-az4--x-s3/k", "GetObject  0"},
           {"s3-object-lambda",
            "POST",
            "/WriteGetObjectResponse",
            "WriteGetObjectResponse io-use1-001.s3-object-lambda.us-east-1.amazonaws.com 0",
            {{"x-amz-request-route", "io-use1-001"}}},
           {"s3-object-lambda",
            "POST",
            "/WriteGetObjectResponse",
            "WriteGetObjectResponse  0",
            {{"x-amz-request-route", "a.example/"}}},
           {"s3-outposts",
            "GET",
            "/v20180820/bucket/"
            "arn%3Aaws%3As3-outposts%3Aus-east-1%3A111122223333%3Aoutpost%2Fop-1%2F"
            "bucket%2Fb",
            "GetBucket s3-outposts.us-east-1.amazonaws.com 0",
            {{"x-amz-account-id", "111122223333"}}},
           {"s3", "GET", "/b/k", "GetObject s3.us-east-1.amazonaws.com 0"},
       }) {
    const auto found = Request{.service = each.service,
                               .method = each.method,
                               .target = each.target,
                               .fields = each.fields}
                           .identify();
    ASSERT_TRUE(found) << each.target << ": " << found.error().message;
    EXPECT_EQ(std::string(found->operation) + " " + found->endpoint_host + " " +
                  std::to_string(found->endpoint_cut),
              each.wanted)
        << each.target;
  }
}

TEST(IdentifyPlaces, AnAliasOfAnAccessPointTellsNoResource) {
  const auto ask = [](std::string service, std::string host, std::string target) {
    Request request = s3("GET", std::move(target));
    request.service = std::move(service);
    request.host = std::move(host);
    return words(request.identify());
  };
  const std::string alias = "point-" + std::string(34, 'a') + "-s3alias";
  const std::string lambda = "masked-" + std::string(30, 'a') + "--ol-s3";
  const std::string outpost = "point-o01ac5d28a6a232904e8xz5w8ijx1qzlbp3i3kuse10--op-s3";
  EXPECT_EQ(ask("s3", "", "/" + alias + "/k"), "GetObject: s3:GetObject ?");
  EXPECT_EQ(ask("s3", alias + ".s3.us-east-1.amazonaws.com", "/k"), "GetObject: s3:GetObject ?");
  EXPECT_EQ(ask("s3", lambda + ".s3.us-east-1.amazonaws.com", "/k"),
            "GetObject: s3-object-lambda:GetObject ?");
  EXPECT_EQ(ask("s3-outposts",
                outpost + ".op-01ac5d28a6a232904.s3-outposts.us-east-1.amazonaws.com", "/k"),
            "GetObject: s3-outposts:GetObject ?");
  EXPECT_EQ(words(s3("POST", "/" + alias + "?delete", {},
                     "<Delete><Object><Key>a</Key></Object></Delete>")
                      .identify()),
            "DeleteObjects: s3:DeleteObject ?");
  EXPECT_EQ(words(s3("PUT", "/b/k", {{"x-amz-copy-source", alias + "/x"}}).identify()),
            "CopyObject: s3:PutObject arn:aws:s3:::b/k; s3:GetObject ?");
  EXPECT_EQ(
      ask("s3express", "point--use1-az4--xa-s3.s3express-use1-az4.us-east-1.amazonaws.com", "/k"),
      "GetObject: s3express:CreateSession "
      "arn:aws:s3express:us-east-1:111122223333:accesspoint/point--use1-az4--xa-s3");
}

TEST(IdentifyPlaces, AnApiGatewayResourceIsThePath) {
  const auto ask = [](std::string method, std::string target) {
    return words(Request{.service = "apigateway", .method = method, .target = target}.identify());
  };
  EXPECT_EQ(
      ask("GET", "/restapis/abc/resources/xyz"),
      "GetResource: apigateway:GET arn:aws:apigateway:us-east-1::/restapis/abc/resources/xyz");
  EXPECT_EQ(ask("GET", "/restapis?limit=5"),
            "GetRestApis: apigateway:GET arn:aws:apigateway:us-east-1::/restapis");
  EXPECT_EQ(ask("DELETE", "/v2/apis/a1/routes/r1"),
            "DeleteRoute: apigateway:DELETE arn:aws:apigateway:us-east-1::/apis/a1/routes/r1");
  EXPECT_EQ(ask("GET", "/restapis/abc/resources/x%2Fy"), "GetResource: apigateway:GET ?");
}

TEST(IdentifyPlaces, AModelOfBedrockIsToldByItsName) {
  const auto ask = [](std::string id) {
    return words(Request{.service = "bedrock",
                         .target = "/model/" + id + "/invoke",
                         .fields = {{"Content-Type", "application/json"}},
                         .body = "{}"}
                     .identify());
  };
  const std::string invoke = "InvokeModel: bedrock:InvokeModel ";
  EXPECT_EQ(ask("amazon.nova-lite-v1%3A0"),
            invoke + "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0");
  EXPECT_EQ(ask("us.amazon.nova-lite-v1%3A0"),
            invoke +
                "arn:aws:bedrock:us-east-1:111122223333:inference-profile/"
                "us.amazon.nova-lite-v1:0 "
                "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0");
  const std::string arn = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc";
  EXPECT_EQ(ask("arn%3Aaws%3Abedrock%3Aus-east-1%3A111122223333%3Aprovisioned-model%2Fabc"),
            invoke + arn);
  EXPECT_EQ(ask("nonsense"), invoke + "?");
}

TEST(IdentifyPlaces, TheNameBehindAVpcEndpoint) {
  EXPECT_EQ(behind_vpc_endpoint("vpce-1.sqs.us-east-1.vpce"), "sqs.us-east-1");
  EXPECT_EQ(behind_vpc_endpoint("p-1.accesspoint.vpce-1.s3.us-east-1.vpce"),
            "p-1.s3-accesspoint.us-east-1");
  EXPECT_EQ(behind_vpc_endpoint("111122223333.control.vpce-1.s3.us-east-1.vpce"),
            "111122223333.s3-control.us-east-1");
  for (const std::string same :
       {"sqs.us-east-1", "x.vpce", "vpce-1.vpce", "vpce-1.", "", "a.b.vpce-1.sqs.us-east-1.vpce",
        "b.other.vpce-1.s3.us-east-1.vpce"}) {
    EXPECT_EQ(behind_vpc_endpoint(same), same);
  }
}

// As botocore's rules resolve them; tools/catalogue/resolution.py compares all services.
TEST(IdentifyPlaces, NamesTheHostInEveryPartition) {
  struct Case {
    Request request;
    std::string region, host, signed_for;
  };
  const Request tables = json("dynamodb", "DynamoDB_20120810.ListTables", "{}");
  const Request users = form("iam", "Action=ListUsers&Version=2010-05-08");
  const Request domains = form("sdb", "Action=ListDomains&Version=2009-04-15");
  const Request budgets = json("budgets", "AWSBudgetServiceGateway.DescribeBudgets", "{}");
  for (const Case& c : {
           Case{tables, "us-iso-east-1", "dynamodb.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
           Case{tables, "us-isob-west-1", "dynamodb.us-isob-west-1.sc2s.sgov.gov",
                "us-isob-west-1"},
           Case{tables, "eu-isoe-west-1", "dynamodb.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1"},
           Case{tables, "us-isof-east-1", "dynamodb.us-isof-east-1.csp.hci.ic.gov",
                "us-isof-east-1"},
           Case{tables, "eusc-de-east-1", "dynamodb.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
           Case{tables, "us-iso-new-9", "dynamodb.us-iso-new-9.c2s.ic.gov", "us-iso-new-9"},
           Case{users, "us-iso-west-1", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
           Case{users, "us-isob-west-1", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
           Case{users, "us-isof-east-1", "iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"},
           Case{users, "cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
           Case{users, "us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
           Case{users, "eu-west-1", "iam.amazonaws.com", "us-east-1"},
           Case{budgets, "us-isob-west-1", "budgets.global.sc2s.sgov.gov", "us-isob-east-1"},
           Case{domains, "us-east-1", "sdb.amazonaws.com", "us-east-1"},
           Case{domains, "us-west-2", "sdb.us-west-2.amazonaws.com", "us-west-2"},
       }) {
    Request request = c.request;
    request.region = c.region;
    const auto found = request.identify();
    ASSERT_TRUE(found) << c.host << ": " << found.error().message;
    EXPECT_EQ(found->endpoint_host, c.host);
    EXPECT_EQ(found->region, c.signed_for) << c.host;
    const auto by_host = at(request, c.host, c.signed_for).identify();
    ASSERT_TRUE(by_host) << c.host << ": " << by_host.error().message;
    EXPECT_EQ(by_host->operation, found->operation);
  }
}

TEST(IdentifyPlaces, WhatTheModelTellsTheEndpointRulesPicksTheHost) {
  const Request plain = json("acm", "CertificateManager.ListCertificates", "{}");
  const Request acme = json("acm", "CertificateManager.ListAcmeEndpoints", "{}");
  EXPECT_EQ(plain.identify()->endpoint_host, "acm.us-east-1.amazonaws.com");
  EXPECT_EQ(acme.identify()->endpoint_host, "acm-acme.us-east-1.api.aws");
  const auto secret = at(acme, "", "us-iso-east-1").identify();
  EXPECT_EQ(secret->endpoint_host, "") << "the rules give it to two partitions only";
}

TEST(IdentifyPlaces, ResourcesAreOfThePartition) {
  Request request = json("dynamodb", "DynamoDB_20120810.GetItem", R"({"TableName":"Music"})");
  request.region = "us-isob-east-1";
  EXPECT_EQ(words(request.identify()),
            "GetItem: dynamodb:GetItem "
            "arn:aws-iso-b:dynamodb:us-isob-east-1:111122223333:table/Music");
}

}  // namespace
}  // namespace remit::aws
