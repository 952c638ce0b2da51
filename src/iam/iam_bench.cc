// What a decision costs: one identity policy, a full stack, all managed policies, thousands of
// attached policies, adversarial patterns, and the batch form.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
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
  std::optional<PolicySet> identity_set;
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
    identity_set.emplace(identity);
    stack.identity = Layer::of(*identity_set);
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

// The same without an index over the ten.
void FullStackOfTenOneByOne(benchmark::State& state) {
  FullStack full(10);
  full.stack.identity = Layer::of(full.identity);
  decide_stack(state, full);
}
BENCHMARK(FullStackOfTenOneByOne);

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

// Identity policies alone; the one that allows is the last.
void attached_policies(benchmark::State& state, bool indexed) {
  FullStack full(static_cast<int>(state.range(0)));
  Stack only;
  only.identity = indexed ? Layer::of(*full.identity_set) : Layer::of(full.identity);
  full.stack = only;
  const std::string resource =
      "arn:aws:s3:::team" + std::to_string(state.range(0) - 1) + "/reports/2026/11.csv";
  full.request.resource = resource;
  decide_stack(state, full);
}
void AttachedPolicies(benchmark::State& state) { attached_policies(state, true); }
BENCHMARK(AttachedPolicies)->Arg(1)->Arg(10)->Arg(100)->Arg(10000);
void AttachedPoliciesOneByOne(benchmark::State& state) { attached_policies(state, false); }
BENCHMARK(AttachedPoliciesOneByOne)->Arg(1)->Arg(10)->Arg(100)->Arg(10000);

void IndexOfAttachedPolicies(benchmark::State& state) {
  FullStack full(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(PolicySet(full.identity));
}
BENCHMARK(IndexOfAttachedPolicies)->Arg(10)->Arg(10000)->Unit(benchmark::kMicrosecond);

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
  const PolicySet set(std::span(&policy, 1));
  if (state.range(0) != 0) stack.identity = Layer::of(set);
  for (auto _ : state) benchmark::DoNotOptimize(decide(stack, full.request));
  state.counters["statements"] = static_cast<double>(large.statements());
}
BENCHMARK(LargePolicy)->ArgName("indexed")->Arg(0)->Arg(1);

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

// Patterns that make a careless matcher try every split. `n` is the length of the text.
void adversarial(benchmark::State& state, std::string_view repeated, std::string_view end,
                 std::size_t times, char letter) {
  std::string pattern;
  for (std::size_t i = 0; i < times; ++i) append_encoded(pattern, repeated);
  append_encoded(pattern, end);
  const std::string text(static_cast<std::size_t>(state.range(0)), letter);
  for (auto _ : state) benchmark::DoNotOptimize(matches(pattern, text));
  state.counters["steps/byte"] = static_cast<double>(matches_counted(pattern, text).steps) /
                                 static_cast<double>(pattern.size() + text.size());
}
std::size_t length(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

// `*a*a*a...*b` on `aaaa...`
void AdversarialStars(benchmark::State& state) {
  adversarial(state, "*a", "*b", length(state) / 4, 'a');
}
BENCHMARK(AdversarialStars)->RangeMultiplier(2)->Range(64, 8192);

// `*aaa...b*` on `aaaa...`: one long piece without `?`.
void AdversarialLongPiece(benchmark::State& state) {
  std::string piece(length(state) / 2, 'a');
  adversarial(state, "*", piece + "b*", 1, 'a');
}
BENCHMARK(AdversarialLongPiece)->RangeMultiplier(2)->Range(64, 8192);

// `*a?a?...b*...` on `aaaa...`: many pieces of 64 characters.
void AdversarialShortQuestions(benchmark::State& state) {
  std::string piece = "*";
  for (int i = 0; i < 32; ++i) piece += "a?";
  adversarial(state, piece, "b*", length(state) / 128 + 1, 'a');
}
BENCHMARK(AdversarialShortQuestions)->RangeMultiplier(2)->Range(64, 8192);

// `*a?a?...b*` on `aaaa...`: one piece half as long as the text.
void AdversarialLongQuestions(benchmark::State& state) {
  std::string piece = "*";
  for (std::size_t i = 0; i < length(state) / 4; ++i) piece += "a?";
  adversarial(state, piece, "b*", 1, 'a');
}
BENCHMARK(AdversarialLongQuestions)->RangeMultiplier(2)->Range(64, 8192);

void batch_small_cases(benchmark::State& state, const std::string& address) {
  const std::string line =
      R"({"id":"1","principal":"arn:aws:iam::111122223333:user/alice","action":"s3:GetObject",)"
      R"("resource":{"arn":"arn:aws:s3:::bucket/key","account":"111122223333"},)"
      R"("context":{"aws:SourceIp":")" +
      address +
      R"("},)"
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
void BatchSmallCases(benchmark::State& state) { batch_small_cases(state, "203.0.113.7"); }
BENCHMARK(BatchSmallCases);
void BatchSmallCasesDenied(benchmark::State& state) { batch_small_cases(state, "198.51.100.7"); }
BENCHMARK(BatchSmallCasesDenied);

}  // namespace
}  // namespace remit::iam
