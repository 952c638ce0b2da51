// What must not be identified: requests that two readers could read differently.
#include <gmock/gmock.h>

#include "aws/identify_for_tests.h"

namespace remit::aws {
namespace {

using testing::form;
using testing::json;
using testing::Request;
using testing::s3;

struct RefusalCase {
  std::string_view why;
  Request request;
  std::string_view said;  // part of the reason
};

Request at_host(Request request, std::string host, std::string region = "us-east-1") {
  request.host = std::move(host);
  request.region = std::move(region);
  return request;
}

Request with(Request request, std::string name, std::string value) {
  request.fields.push_back({std::move(name), std::move(value)});
  return request;
}

Request aimed(Request request, std::string target) {
  request.target = std::move(target);
  return request;
}

Request cbor(std::string body) {
  return {.service = "monitoring",
          .target = "/service/GraniteServiceVersion20100801/operation/ListMetrics",
          .fields = {{"smithy-protocol", "rpc-v2-cbor"}, {"content-type", "application/cbor"}},
          .body = std::move(body)};
}

TEST(IdentifyRefusals, FailClosed) {
  const Request list = json("dynamodb", "DynamoDB_20120810.ListTables", "{}");
  const Request users = form("iam", "Action=ListUsers&Version=2010-05-08");
  const std::vector<RefusalCase> cases = {
      {"an unknown signing name", {.service = "nothing"}, "signs as nothing"},
      {"a host whose bucket cannot be read",
       at_host({.service = "s3",
                .method = "POST",
                .target = "/?delete",
                .body = "<Delete><Object><Key>a</Key></Object></Delete>"},
               "b%amx.s3.us-east-1.amazonaws.com"),
       "names no bucket"},
      {"an unknown operation", json("dynamodb", "DynamoDB_20120810.DropTables", "{}"),
       "no operation"},
      {"a target of another service", json("dynamodb", "TrentService.Encrypt", "{}"),
       "no operation"},
      {"two targets", with(list, "x-amz-target", "DynamoDB_20120810.DeleteTable"), "written twice"},
      {"a target and an action", aimed(list, "/?Action=DeleteTable"), "Action"},
      {"a target and a cbor operation", with(list, "smithy-protocol", "rpc-v2-cbor"), "both"},
      {"a target with a path", aimed(list, "/x"), "path"},
      {"a target as a GET",
       [&] {
         Request r = list;
         r.method = "GET";
         return r;
       }(),
       "POST"},
      {"a target without its content type",
       {.service = "dynamodb", .fields = {{"x-amz-target", "DynamoDB_20120810.ListTables"}}},
       "content type"},
      {"a target with a form's content type",
       {.service = "dynamodb",
        .fields = {{"x-amz-target", "DynamoDB_20120810.ListTables"},
                   {"content-type", "application/x-www-form-urlencoded"}}},
       "content type"},
      {"two content types", with(list, "content-type", "text/plain"), "written twice"},
      {"a JSON key twice",
       json("dynamodb", "DynamoDB_20120810.GetItem", R"({"TableName":"a","TableName":"b"})"),
       "TableName"},
      {"a JSON key twice, once escaped",
       json("dynamodb", "DynamoDB_20120810.GetItem", R"({"TableName":"a","\u0054ableName":"b"})"),
       "twice"},
      {"a JSON array", json("dynamodb", "DynamoDB_20120810.ListTables", "[]"), "object"},
      {"broken JSON", json("dynamodb", "DynamoDB_20120810.ListTables", "{"), "body"},
      {"an unknown smithy protocol",
       {.service = "monitoring",
        .target = "/service/x/operation/y",
        .fields = {{"smithy-protocol", "rpc-v3"}}},
       "Smithy-Protocol"},
      {"a cbor key twice",
       cbor("\xA2\x61"
            "a\x01\x61"
            "a\x02"),
       "twice"},
      {"cbor after its end", cbor(std::string("\xA0\x00", 2)), "after"},
      {"a cbor array", cbor("\x80"), "map"},
      {"two actions", form("iam", "Action=ListUsers&Action=DeleteUser&Version=2010-05-08"),
       "twice"},
      {"an action in query and body", aimed(users, "/?Action=DeleteUser"), "twice"},
      {"an action twice, once encoded",
       form("iam", "Action=ListUsers&%41ction=DeleteUser&Version=2010-05-08"), "twice"},
      {"two versions", form("iam", "Action=ListUsers&Version=2010-05-08&Version=2010-05-08"),
       "twice"},
      {"an action without a version", form("iam", "Action=ListUsers"), "Version"},
      {"an unknown version", form("iam", "Action=ListUsers&Version=2009-01-01"), "no operation"},
      {"a parameter twice", form("iam", "Action=GetUser&Version=2010-05-08&UserName=a&UserName=b"),
       "twice"},
      {"a parameter in query and body",
       aimed(form("iam", "Action=GetUser&Version=2010-05-08&UserName=a"), "/?UserName=b"), "twice"},
      {"a value beside parts",
       form("iam", "Action=TagUser&Version=2010-05-08&Tags=x&Tags.member.1.Key=y"), "twice"},
      {"broken percent-encoding", form("iam", "Action=List%ZZ"), "percent"},
      {"a compressed form", with(users, "content-encoding", "gzip"), "compressed"},
      {"a method that no operation has",
       {.service = "s3", .method = "PROPFIND", .target = "/b1c"},
       "method"},
      {"a lower-case method", {.service = "s3", .method = "get", .target = "/b1c"}, "method"},
      {"no origin form", s3("GET", "http://b1c.s3.amazonaws.com/k"), "begin"},
      {"a raw blank in the target", s3("GET", "/b1c/a b"), "percent"},
      {"a broken escape in a key", s3("GET", "/b1c/a%2"), "percent"},
      {"dot segments outside S3",
       {.service = "lambda", .method = "GET", .target = "/2015-03-31/functions/../functions/f"},
       "dot segment"},
      {"encoded dot segments",
       {.service = "lambda", .method = "GET", .target = "/2015-03-31/functions/%2e%2E/f"},
       "dot segment"},
      {"an empty segment",
       {.service = "lambda", .method = "GET", .target = "/2015-03-31//functions/f"},
       "empty"},
      {"a bucket with a slash", s3("GET", "/a%2Fb/k"), "bucket name"},
      {"no bucket", s3("GET", "//k"), "empty"},
      {"two sub-resources", s3("GET", "/b1c?acl&policy"), "does not belong"},
      {"a sub-resource twice", s3("GET", "/b1c?acl&acl"), "twice"},
      {"a sub-resource of another method", s3("DELETE", "/b1c/k?uploads"), "does not belong"},
      {"a list with an upload's parameter", s3("GET", "/b1c?list-type=2&uploads"),
       "does not belong"},
      {"a lying x-id", s3("GET", "/b1c/k?x-id=PutObject"), "x-id"},
      {"a header and its parameter",
       s3("PUT", "/b1c/k?x-amz-acl=private", {{"x-amz-acl", "public"}}), "both a header"},
      {"two copy sources",
       s3("PUT", "/b1c/k", {{"x-amz-copy-source", "a/b"}, {"X-Amz-Copy-Source", "c/d"}}),
       "written twice"},
      {"a copy source with more than a version",
       s3("PUT", "/b1c/k", {{"x-amz-copy-source", "a/b?versionId=1&x=y"}}), "versionId"},
      {"a delete without keys", s3("POST", "/b1c?delete", {}, "<Delete></Delete>"), "no key"},
      {"a delete with two keys in one object",
       s3("POST", "/b1c?delete", {}, "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>"),
       "two keys"},
      {"a delete with a prefix",
       s3("POST", "/b1c?delete", {},
          "<x:Delete xmlns:x=\"u\"><x:Object><x:Key>a</x:Key></x:Object></x:Delete>"),
       "prefix"},
      {"a comment in a key",
       s3("POST", "/b1c?delete", {}, "<Delete><Object><Key>a<!-- -->b</Key></Object></Delete>"),
       "comment"},
      {"a document type",
       s3("POST", "/b1c?delete", {},
          "<!DOCTYPE d [<!ENTITY e \"x\">]><Delete><Object><Key>&e;</Key></Object></Delete>"),
       "document type"},
      {"XML in another encoding",
       s3("POST", "/b1c?delete", {},
          "<?xml version=\"1.0\" "
          "encoding=\"UTF-7\"?><Delete><Object><Key>a</Key></Object></Delete>"),
       "UTF-8"},
      {"a host of another service", at_host(list, "sqs.us-east-1.amazonaws.com"),
       "does not belong"},
      {"a host of another region", at_host(list, "dynamodb.eu-west-1.amazonaws.com"), "region"},
      {"a host outside AWS", at_host(list, "dynamodb.us-east-1.example.com"), "does not belong"},
      {"a host that ends like AWS", at_host(list, "dynamodb.us-east-1.evilamazonaws.com"),
       "does not belong"},
      {"a suffix alone as a host", at_host(list, "amazonaws.com"), "does not belong"},
      {"an S3 host of another region", at_host(s3("GET", "/k"), "b1c.s3.eu-west-1.amazonaws.com"),
       "region"},
      {"a host prefix of another operation",
       at_host(json("states", "AWSStepFunctions.ListActivities", "{}"),
               "sync-states.us-east-1.amazonaws.com"),
       "no operation"},
      {"a website host", at_host(s3("GET", "/k"), "b1c.s3-website-us-east-1.amazonaws.com"),
       "the host is of region"},
  };
  for (const RefusalCase& c : cases) {
    const auto found = c.request.identify();
    ASSERT_FALSE(found.has_value()) << c.why << ": " << testing::words(found);
    EXPECT_THAT(found.error().message, ::testing::HasSubstr(std::string(c.said))) << c.why;
  }
}

TEST(IdentifyRefusals, DeletesOfMoreThanAThousandKeys) {
  std::string body = "<Delete>";
  for (int i = 0; i < 1001; ++i) body += "<Object><Key>k" + std::to_string(i) + "</Key></Object>";
  const auto found = s3("POST", "/b1c?delete", {}, body + "</Delete>").identify();
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::LimitExceeded);
}

TEST(IdentifyCandidates, AllOfThemMustBeAllowed) {
  // bedrock-agent PrepareAgent and bedrock-agent-runtime InvokeInlineAgent have one form.
  const Request request{.service = "bedrock",
                        .target = "/agents/abc/",
                        .fields = {{"content-type", "application/json"}},
                        .body = "{}"};
  const auto found = request.identify();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->candidates.size(), 2U);
  EXPECT_NE(testing::find(*found, "bedrock:PrepareAgent"), nullptr);
  EXPECT_NE(testing::find(*found, "bedrock:InvokeInlineAgent"), nullptr);
}

}  // namespace
}  // namespace remit::aws
