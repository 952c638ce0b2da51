// Identification of everyday requests: head and body to actions, resources and keys.
#include <benchmark/benchmark.h>

#include "aws/identify_for_tests.h"

namespace remit::aws {
namespace {

using testing::Request;

void run(benchmark::State& state, const Request& request) {
  const http::RequestHead head{request.method, request.target, 11, request.fields};
  RequestFacts facts;
  facts.head = &head;
  facts.host = request.host;
  facts.scope_region = request.region;
  facts.scope_service = request.service;
  facts.account = request.account;
  facts.partition = "aws";
  facts.keys = request.keys;
  for (auto _ : state)
    benchmark::DoNotOptimize(identify(testing::catalogue(), facts, request.body));
}

void get_object(benchmark::State& state) { run(state, testing::s3("GET", "/my-bucket/a/b/c.txt")); }
// As egress asks where no policy of the call has a condition.
void get_object_without_keys(benchmark::State& state) {
  Request request = testing::s3("GET", "/my-bucket/a/b/c.txt");
  request.keys = false;
  run(state, request);
}
void get_object_by_host(benchmark::State& state) {
  Request request = testing::s3("GET", "/a/b/c.txt");
  request.host = "my-bucket.s3.us-east-1.amazonaws.com";
  run(state, request);
}
void get_item(benchmark::State& state) {
  run(state, testing::json("dynamodb", "DynamoDB_20120810.GetItem",
                           R"({"TableName":"Music","Key":{"Artist":{"S":"x"}}})"));
}
void describe_instances(benchmark::State& state) {
  run(state, testing::form("ec2", "Action=DescribeInstances&Version=2016-11-15&MaxResults=100"));
}
void send_message(benchmark::State& state) {
  run(state,
      testing::json(
          "sqs", "AmazonSQS.SendMessage",
          R"({"QueueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/q","MessageBody":"x"})"));
}
void invoke(benchmark::State& state) {
  run(state, Request{.service = "lambda", .target = "/2015-03-31/functions/go/invocations"});
}
void caller_identity(benchmark::State& state) {
  run(state, testing::form("sts", "Action=GetCallerIdentity&Version=2011-06-15"));
}
void open_catalogue(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Catalogue::embedded());
}

BENCHMARK(get_object);
BENCHMARK(get_object_without_keys);
BENCHMARK(get_object_by_host);
BENCHMARK(get_item);
BENCHMARK(describe_instances);
BENCHMARK(send_message);
BENCHMARK(invoke);
BENCHMARK(caller_identity);
BENCHMARK(open_catalogue)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace remit::aws
