// How long reading takes: the bar is 3 us for a document of 1 KB (explain --batch).
#include <benchmark/benchmark.h>

#include <string>

#include "json/json.h"

namespace {

std::string policy_of(std::size_t statements) {
  std::string text = R"({"Version": "2012-10-17", "Statement": [)";
  for (std::size_t i = 0; i < statements; ++i) {
    if (i != 0) text += ", ";
    text += R"({"Sid": "Read)" + std::to_string(i) +
            R"(", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], )"
            R"("Resource": "arn:aws:s3:::example-bucket/folder/*", "Condition": )"
            R"({"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}})";
  }
  return text + "]}";
}

void warm_parser(benchmark::State& state) {
  const std::string text = policy_of(static_cast<std::size_t>(state.range(0)));
  remit::json::Parser parser;
  for (auto _ : state) {
    auto value = parser.parse(text);
    benchmark::DoNotOptimize(value);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(warm_parser)->Arg(1)->Arg(4)->Arg(100);

void whole_document(benchmark::State& state) {
  const std::string text = policy_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    auto document = remit::json::parse(text);
    benchmark::DoNotOptimize(document);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(whole_document)->Arg(4);

void canonical_form(benchmark::State& state) {
  const auto document = remit::json::parse(policy_of(4));
  for (auto _ : state) benchmark::DoNotOptimize(remit::json::canonical(document->root()));
}
BENCHMARK(canonical_form);

}  // namespace
