// Regions, partitions, FIPS, dual-stack and VPC endpoints, and resources that stand in the path.

#include "aws/host.h"
#include "aws/identify_for_tests.h"

namespace remit::aws {
namespace {

using testing::json;
using testing::Request;
using testing::s3;
using testing::words;

Request at(Request request, std::string host, std::string region) {
  request.host = std::move(host);
  request.region = std::move(region);
  return request;
}

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
           {at(s3("GET", "/k"), "b.s3.cn-north-1.amazonaws.com.cn", "cn-north-1"), object},
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

}  // namespace
}  // namespace remit::aws
