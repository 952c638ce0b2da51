// The engine against the reference evaluator, and laws that hold for every policy.
// REMIT_IAM_RANDOM_CASES sets how many random cases are tried (default 60,000; the release gate
// runs millions).

#include <algorithm>
#include <cstdlib>

#include "iam/batch.h"
#include "iam/random_policies_for_tests.h"
#include "json/json.h"

namespace remit::iam::reference {
namespace {

std::size_t case_count(std::size_t share) {
  const char* set = std::getenv("REMIT_IAM_RANDOM_CASES");
  const auto all = set != nullptr ? std::strtoull(set, nullptr, 10) : 60'000;
  return std::max<std::size_t>(1, all / share);
}

class Engine {
 public:
  std::string operator()(const Policies& policies, const Request& request) {
    line_ = batch_line(policies, request);
    answer_.clear();
    batch_.answer(line_, answer_);
    const auto parsed = json::parse(answer_);
    if (const auto decision = parsed->root().find("decision"))
      return std::string(decision->string());
    return answer_;
  }
  const std::string& line() const { return line_; }
  const std::string& answer() const { return answer_; }

 private:
  Batch batch_;
  std::string line_, answer_;
};

TEST(Engine, AgreesWithTheReferenceOnRandomPoliciesAndRequests) {
  Dice dice(20261121);
  Engine engine;
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < case_count(1); ++i) {
    const auto policies = random_policies(dice);
    const auto request = random_request(dice);
    const auto got = engine(policies, request);
    ASSERT_EQ(got, name_of(decide(policies, request))) << engine.line() << "\n" << engine.answer();
    ++seen[got];
  }
  // All four answers must have been tried.
  for (const auto* outcome : {"allowed", "explicitDeny", "implicitDeny", "undetermined"}) {
    EXPECT_GT(seen[outcome] * 20, case_count(1)) << outcome;
  }
}

bool allowed(const std::string& decision) { return decision == "allowed"; }

TEST(Laws, ADenyNeverAddsAccess) {
  Dice dice(1);
  Engine engine;
  for (std::size_t i = 0; i < case_count(6); ++i) {
    auto policies = random_policies(dice);
    const auto request = random_request(dice);
    const bool before = allowed(engine(policies, request));
    std::string deny;
    do {
      deny = random_statement(dice, false);
    } while (deny.find("\"Deny\"") == std::string::npos);
    policies.identity.push_back(R"({"Version":"2012-10-17","Statement":)" + deny + "}");
    if (allowed(engine(policies, request))) ASSERT_TRUE(before) << engine.line();
  }
}

TEST(Laws, ABoundaryAnScpOrASessionPolicyNeverAddsAccess) {
  Dice dice(2);
  Engine engine;
  for (std::size_t i = 0; i < case_count(3); ++i) {
    const auto plain = random_policies(dice);
    auto request = random_request(dice);
    // A federated user has no access without a session policy: the one that grants by being there.
    const bool federated = request.principal.find("federated-user") != std::string::npos;
    const bool before = allowed(engine(plain, request));
    const auto limited = [&](auto add) {
      auto policies = plain;
      add(policies);
      if (allowed(engine(policies, request))) ASSERT_TRUE(before) << engine.line();
    };
    if (plain.boundary.empty()) {
      limited([&](Policies& p) { p.boundary = {random_document(dice, false)}; });
    }
    if (plain.session.empty() && !federated) {
      limited([&](Policies& p) { p.session = {random_document(dice, false)}; });
    }
    limited([&](Policies& p) { p.scp.push_back({random_document(dice, false)}); });
    if (plain.endpoint.empty()) {
      limited([&](Policies& p) { p.endpoint = {random_document(dice, true)}; });
    }
  }
}

TEST(Laws, OrderNeverMatters) {
  Dice dice(3);
  Engine engine;
  for (std::size_t i = 0; i < case_count(6); ++i) {
    auto policies = random_policies(dice);
    const auto request = random_request(dice);
    const auto before = engine(policies, request);
    std::ranges::reverse(policies.identity);
    std::ranges::reverse(policies.scp);
    for (auto& level : policies.scp) std::ranges::reverse(level);
    std::ranges::reverse(policies.session);
    ASSERT_EQ(engine(policies, request), before) << engine.line();
  }
}

// Learning a fact may only settle what was undetermined, never turn one answer into another.
TEST(Laws, KnowingMoreNeverOverturnsAnAnswer) {
  Dice dice(4);
  Engine engine;
  for (std::size_t i = 0; i < case_count(3); ++i) {
    const auto policies = random_policies(dice);
    auto request = random_request(dice);
    if (request.unknown.empty()) continue;
    const auto before = engine(policies, request);
    request.unknown.clear();
    const auto after = engine(policies, request);
    if (before != "undetermined") ASSERT_EQ(after, before) << engine.line();
  }
}

}  // namespace
}  // namespace remit::iam::reference
