// What a record costs: processor time of the whole process (all threads) a record, and how long one
// waits for its completion. `outstanding` records are in flight at any time; 1 is a lone caller.
#include <benchmark/benchmark.h>

#include <ctime>

#include "ledger/for_tests.h"

namespace {

using namespace remit::ledger;

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// About what an aws-decided record holds.
std::string body() {
  return R"({"actions":["s3:GetObject"],"decision":"allowed","host":"invoices.s3.us-east-1.amazonaws.com",)"
         R"("layer":"session policy","operation":"GetObject","region":"us-east-1","resources":)"
         R"(["arn:aws:s3:::invoices/2026/11/0001.pdf"],"service":"s3","session_name":"remit-claude-code-01",)"
         R"("statement":"1"})";
}

void append(benchmark::State& state) {
  const TestFolder folder;
  TestLoop loop;
  Options options;
  options.path = folder.ledger();
  options.durability = state.range(0) == 0 ? Durability::Disk : Durability::Process;
  auto ledger = open(options, loop.post());
  const std::string text = body();
  std::int64_t number = 0;
  std::int64_t in_flight = 0;
  const double before = processor_seconds();
  for (auto _ : state) {
    while (in_flight >= state.range(1)) loop.run_some();
    ++in_flight;
    (*ledger)->append(sample_record(number++, text), [&](remit::Result<Appended> result) {
      if (!result) state.SkipWithError(result.error().message.c_str());
      --in_flight;
    });
  }
  while (in_flight > 0) loop.run_some();
  state.counters["cpu_us_a_record"] =
      (processor_seconds() - before) * 1e6 / static_cast<double>(number);
  state.counters["records_a_second"] =
      benchmark::Counter(static_cast<double>(number), benchmark::Counter::kIsRate);
}
BENCHMARK(append)
    ->ArgNames({"process", "outstanding"})
    ->ArgsProduct({{0, 1}, {1, 16, 256, 4096}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
