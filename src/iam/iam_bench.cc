// What a decision costs: one identity policy, a full stack, all managed policies, thousands of
// attached policies, adversarial patterns, and the batch form.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "iam/batch.h"
#include "iam/decide.h"
#include "iam/explain.h"
#include "iam/wildcard.h"
#include "json/writer.h"

namespace remit::iam {
namespace {

Policy must_compile(std::string_view text, PolicyKind kind, std::string name) {
  auto compiled = compile(text, kind, std::move(name));
  if (!compiled) std::abort();
  return *std::move(compiled);
}

std::string corpora() {
  const char* set = std::getenv("REMIT_CORPORA");
  return set != nullptr ? set : std::string(REMIT_SOURCE_DIR) + "/../shared/corpora";
}

// A policy of a team: reads of one service, writes of another, a guard.
std::string team_policy(int i) {
  const auto n = std::to_string(i);
  return R"({"Version":"2012-10-17","Statement":[
    {"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],
     "Resource":["arn:aws:s3:::team)" +
         n + R"(","arn:aws:s3:::team)" + n + R"(/*"]},
    {"Sid":"Queue","Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:team)" +
         n + R"(-*"},
    {"Sid":"Table","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],
     "Resource":"arn:aws:dynamodb:*:*:table/team)" +
         n + R"(",
     "Condition":{"StringEquals":{"aws:PrincipalTag/Team":"t)" +
         n + R"("}}},
    {"Sid":"Guard","Effect":"Deny","Action":"s3:PutBucketPolicy","Resource":"*"}]})";
}

constexpr std::string_view kBoundary = R"({"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":["s3:*","sqs:*","dynamodb:*","ec2:Describe*"],"Resource":"*"},
  {"Effect":"Deny","Action":"iam:*","Resource":"*"}]})";
constexpr std::string_view kScp = R"({"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":"*","Resource":"*"},
  {"Effect":"Deny","NotAction":["iam:*","sts:*","s3:*","sqs:*"],"Resource":"*",
   "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}}},
  {"Effect":"Deny","Action":"organizations:LeaveOrganization","Resource":"*"}]})";
constexpr std::string_view kSession = R"({"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],
   "Resource":["arn:aws:s3:::team7","arn:aws:s3:::team7/*"]}]})";

struct FullStack {
  std::vector<Policy> policies;
  std::vector<const Policy*> identity;
  std::vector<const Policy*> boundary;
  std::vector<const Policy*> session;
  std::vector<const Policy*> scp_policies;
  std::vector<Layer> scp;
  Stack stack;
  Principal principal = *Principal::parse("arn:aws:sts::111122223333:assumed-role/agent/session-1");
  Context context;
  Request request;

  explicit FullStack(int identities) {
    policies.reserve(static_cast<std::size_t>(identities) + 3);
    for (int i = 0; i < identities; ++i) {
      policies.push_back(must_compile(team_policy(i), PolicyKind::Identity, "team"));
    }
    policies.push_back(must_compile(kBoundary, PolicyKind::Boundary, "boundary"));
    policies.push_back(must_compile(kScp, PolicyKind::Scp, "scp"));
    policies.push_back(must_compile(kSession, PolicyKind::Session, "session"));
    const auto n = static_cast<std::size_t>(identities);
    for (std::size_t i = 0; i < n; ++i) identity.push_back(&policies[i]);
    boundary = {&policies[n]};
    scp_policies = {&policies[n + 1]};
    session = {&policies[n + 2]};
    scp = {Layer::of(scp_policies)};
    stack.identity = Layer::of(identity);
    stack.boundary = Layer::of(boundary);
    stack.session = Layer::of(session);
    stack.scp = scp;
    context.set("aws:RequestedRegion", "eu-west-1");
    context.set("aws:SourceIp", "203.0.113.7");
    context.set("aws:SecureTransport", "true");
    context.set("aws:PrincipalTag/Team", "t7");
    context.set("aws:UserAgent", "boto3");
    context.set("aws:ViaAWSService", "false");
    context.set("aws:CurrentTime", "2026-11-21T12:00:00Z");
    context.set("aws:PrincipalOrgID", "o-abcdefghij");
    request.principal = &principal;
    request.action = "s3:GetObject";
    request.resource = "arn:aws:s3:::team7/reports/2026/11.csv";
    request.resource_account = "111122223333";
    request.context = &context;
  }
};

void decide_stack(benchmark::State& state, const FullStack& full) {
  if (!decide(full.stack, full.request).allowed()) state.SkipWithError("not allowed");
  for (auto _ : state) benchmark::DoNotOptimize(decide(full.stack, full.request));
}

void FullStackOfTen(benchmark::State& state) { decide_stack(state, FullStack(10)); }
BENCHMARK(FullStackOfTen);

void FullStackOfTenTwoThreads(benchmark::State& state) {
  static const FullStack full(10);
  decide_stack(state, full);
}
BENCHMARK(FullStackOfTenTwoThreads)->Threads(2);

void SingleIdentityPolicy(benchmark::State& state) {
  FullStack full(10);
  Stack single;
  single.identity = Layer::of(std::span(full.identity).subspan(7, 1));
  full.stack = single;
  decide_stack(state, full);
}
BENCHMARK(SingleIdentityPolicy);

void SessionPolicyOnly(benchmark::State& state) {
  FullStack full(8);
  full.stack = Stack::session_only(full.session);
  decide_stack(state, full);
}
BENCHMARK(SessionPolicyOnly);

void AttachedPolicies(benchmark::State& state) {
  FullStack full(static_cast<int>(state.range(0)));
  Stack only;
  only.identity = full.stack.identity;
  full.stack = only;
  full.request.action = "s3:ListBucket";
  full.request.resource = "arn:aws:s3:::team0";
  decide_stack(state, full);
}
BENCHMARK(AttachedPolicies)->Arg(1)->Arg(100)->Arg(10000);

void Explain(benchmark::State& state) {
  FullStack full(10);
  for (auto _ : state) benchmark::DoNotOptimize(explain(full.stack, full.request));
}
BENCHMARK(Explain);

// Every AWS managed policy: parse, compile, decide once.
void AllManagedPolicies(benchmark::State& state) {
  std::ifstream in(corpora() + "/managed-policies/managed-policies.jsonl");
  std::vector<std::string> documents;
  for (std::string line; std::getline(in, line);) {
    const auto parsed = json::parse(line);
    documents.emplace_back(parsed->root().find("document")->raw());
  }
  if (documents.empty()) return state.SkipWithError("no corpus");
  FullStack full(8);
  json::Parser parser;
  std::size_t allowed = 0;
  for (auto _ : state) {
    allowed = 0;
    for (const auto& text : documents) {
      const auto compiled = compile(*parser.parse(text), PolicyKind::Identity, "managed");
      if (!compiled) return state.SkipWithError("does not compile");
      const Policy* policy = &*compiled;
      Stack stack;
      stack.identity = Layer::of(std::span(&policy, 1));
      allowed += decide(stack, full.request).allowed() ? 1 : 0;
    }
  }
  state.counters["policies"] = static_cast<double>(documents.size());
  state.counters["allowed"] = static_cast<double>(allowed);
}
BENCHMARK(AllManagedPolicies)->Unit(benchmark::kMillisecond);

void LargePolicy(benchmark::State& state) {
  std::string text = R"({"Version":"2012-10-17","Statement":[)";
  for (int i = 0; text.size() < 150'000; ++i) {
    if (i > 0) text += ",";
    text += R"({"Effect":"Allow","Action":["s3:Get*","ec2:Describe)" + std::to_string(i) +
            R"("],"Resource":"arn:aws:s3:::bucket)" + std::to_string(i) + R"(/*"})";
  }
  text += "]}";
  FullStack full(8);
  const auto large = must_compile(text, PolicyKind::Identity, "large");
  const Policy* policy = &large;
  Stack stack;
  stack.identity = Layer::of(std::span(&policy, 1));
  full.request.resource = "arn:aws:s3:::bucket9999/x";
  for (auto _ : state) benchmark::DoNotOptimize(decide(stack, full.request));
  state.counters["statements"] = static_cast<double>(large.statements());
}
BENCHMARK(LargePolicy);

void CompileLargePolicy(benchmark::State& state) {
  std::string text = R"({"Version":"2012-10-17","Statement":[)";
  for (int i = 0; text.size() < 150'000; ++i) {
    if (i > 0) text += ",";
    text += R"({"Effect":"Allow","Action":["s3:Get*","ec2:Describe)" + std::to_string(i) +
            R"("],"Resource":"arn:aws:s3:::bucket)" + std::to_string(i) + R"(/*"})";
  }
  text += "]}";
  for (auto _ : state) benchmark::DoNotOptimize(compile(text, PolicyKind::Identity, "large"));
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK(CompileLargePolicy);

// `*a*a*a...b` on `aaaa...`: exponential for a careless matcher.
void AdversarialStars(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::string pattern;
  for (std::size_t i = 0; i < n / 4; ++i) append_encoded(pattern, "*a");
  append_encoded(pattern, "*b");
  const std::string text(n, 'a');
  for (auto _ : state) benchmark::DoNotOptimize(matches(pattern, text));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(AdversarialStars)->RangeMultiplier(4)->Range(64, 16384)->Complexity();

void AdversarialQuestions(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::string pattern;
  append_encoded(pattern, "*");
  for (std::size_t i = 0; i < n / 4; ++i) append_encoded(pattern, "a?");
  append_encoded(pattern, "b*");
  const std::string text(n, 'a');
  for (auto _ : state) benchmark::DoNotOptimize(matches(pattern, text));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(AdversarialQuestions)->RangeMultiplier(4)->Range(64, 16384)->Complexity();

void BatchSmallCases(benchmark::State& state) {
  const std::string line =
      R"({"id":"1","principal":"arn:aws:iam::111122223333:user/alice","action":"s3:GetObject",)"
      R"("resource":{"arn":"arn:aws:s3:::bucket/key","account":"111122223333"},)"
      R"("context":{"aws:SourceIp":"203.0.113.7"},)"
      R"("policies":{"identity":[{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow",)"
      R"("Action":"s3:Get*","Resource":"arn:aws:s3:::bucket/*",)"
      R"("Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}]}})";
  Batch batch;
  std::string out;
  for (auto _ : state) {
    out.clear();
    batch.answer(line, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BatchSmallCases);

}  // namespace
}  // namespace remit::iam
