// Decides the workload of workload.py with src/iam: policies compiled once, one decision a round.
// Prints "remit<TAB>workload<TAB>nanoseconds of processor time a decision".

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "iam/decide.h"
#include "json/json.h"

namespace {

using namespace remit;

std::vector<iam::Policy> compile_all(json::Value list, iam::PolicyKind kind) {
  std::vector<iam::Policy> out;
  for (const json::Value document : list.elements()) {
    out.push_back(iam::compile(document, kind, "policy").value());
  }
  return out;
}

std::vector<const iam::Policy*> pointers(const std::vector<iam::Policy>& all) {
  std::vector<const iam::Policy*> out;
  for (const auto& policy : all) out.push_back(&policy);
  return out;
}

double processor_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

int run(const std::string& folder, const std::string& name) {
  std::ifstream in(folder + "/" + name + ".json");
  const auto document = json::parse(std::string{std::istreambuf_iterator<char>(in), {}});
  if (!document) return 1;
  const auto w = document->root();
  const auto identity = compile_all(*w.find("identity"), iam::PolicyKind::Identity);
  const auto boundary = compile_all(*w.find("boundary"), iam::PolicyKind::Boundary);
  const auto scp = compile_all(*w.find("scp"), iam::PolicyKind::Scp);
  const auto session = compile_all(*w.find("session"), iam::PolicyKind::Session);
  const auto identity_list = pointers(identity);
  const auto boundary_list = pointers(boundary);
  const auto scp_list = pointers(scp);
  const auto session_list = pointers(session);
  const iam::Layer level = iam::Layer::of(scp_list);
  iam::Stack stack;
  const iam::PolicySet identity_set(identity_list);
  stack.identity =
      identity.size() > 2 ? iam::Layer::of(identity_set) : iam::Layer::of(identity_list);
  stack.boundary = iam::Layer::of(boundary_list);
  stack.session = iam::Layer::of(session_list);
  if (!scp.empty()) stack.scp = std::span(&level, 1);

  const auto principal = iam::Principal::parse(w.find("principal")->string()).value();
  iam::Context context;
  for (const auto& [key, offset, value] : w.find("context")->members()) {
    context.set(key, value.string());
  }
  std::vector<iam::Request> requests;
  for (const json::Value r : w.find("requests")->elements()) {
    iam::Request request;
    request.principal = &principal;
    request.action = r.find("action")->string();
    request.resource = r.find("resource")->string();
    request.resource_account = w.find("account")->string();
    request.context = &context;
    if (iam::decide(stack, request).allowed() != r.find("allowed")->boolean()) {
      std::fprintf(stderr, "%s: %s: wrong answer\n", name.c_str(),
                   std::string(request.action).c_str());
      return 1;
    }
    requests.push_back(request);
  }
  constexpr int rounds = 1'000'000;
  for (int i = 0; i < rounds / 10; ++i) {
    benchmark::DoNotOptimize(iam::decide(stack, requests.front()));
  }
  const double before = processor_nanoseconds();
  for (int i = 0; i < rounds; ++i) {
    benchmark::DoNotOptimize(iam::decide(stack, requests.front()));
  }
  std::printf("remit\t%s\t%.0f\n", name.c_str(), (processor_nanoseconds() - before) / rounds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    if (const int failed = run(argv[1], argv[i]); failed != 0) return failed;
  }
  return 0;
}
