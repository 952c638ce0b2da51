// Random policies and requests, their seed taken from the input: the engine and the reference
// evaluator must agree, and a deny must never add access.

#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "iam/batch.h"
#include "iam/random_policies_for_tests.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace remit::iam;
  std::uint64_t seed = 0;
  std::memcpy(&seed, data, size < sizeof seed ? size : sizeof seed);
  reference::Dice dice(seed);
  const auto policies = reference::random_policies(dice);
  const auto request = reference::random_request(dice);
  Batch batch;
  std::string answer;
  batch.answer(reference::batch_line(policies, request), answer);
  const std::string expected =
      "\"decision\":\"" + std::string(name_of(reference::decide(policies, request))) + "\"";
  REMIT_CHECK(answer.find(expected) != std::string::npos);
  return 0;
}
