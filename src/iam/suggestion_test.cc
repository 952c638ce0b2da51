// The smallest grant that explain() suggests: following it allows the request, and leaving any part
// of it out does not.

#include <array>
#include <optional>

#include "iam/explain.h"
#include "iam/random_policies_for_tests.h"

namespace remit::iam {
namespace {

using reference::Dice;
using reference::Policies;

struct Compiled {
  std::vector<Policy> policies;
  std::vector<const Policy*> list;

  Compiled(const std::vector<std::string>& texts, PolicyKind kind) {
    for (const auto& text : texts) {
      auto compiled = compile(text, kind, "p");
      EXPECT_TRUE(compiled) << text << (compiled ? "" : to_text(compiled.error().front()));
      policies.push_back(*std::move(compiled));
    }
    for (const auto& policy : policies) list.push_back(&policy);
  }
};

Explanation ask(const Policies& p, const Request& request) {
  const Compiled identity(p.identity, PolicyKind::Identity);
  const Compiled boundary(p.boundary, PolicyKind::Boundary);
  const Compiled session(p.session, PolicyKind::Session);
  const Compiled resource(p.resource, PolicyKind::Resource);
  const Compiled endpoint(p.endpoint, PolicyKind::Endpoint);
  std::vector<Compiled> levels;
  levels.reserve(p.scp.size());
  for (const auto& level : p.scp) levels.emplace_back(level, PolicyKind::Scp);
  std::vector<Layer> scp;
  for (const auto& level : levels) scp.push_back(Layer::of(level.list));
  Stack stack;
  stack.identity = Layer::of(identity.list);
  stack.boundary = Layer::of(boundary.list);
  stack.session = Layer::of(session.list);
  stack.resource = Layer::of(resource.list);
  stack.endpoint = Layer::of(endpoint.list);
  stack.scp = scp;
  auto out = explain(stack, request);
  // What it points at goes with this function; the tests look at the answer only.
  out.decision.policy = nullptr;
  return out;
}

std::string principal_element(const Principal& caller) {
  const std::string name = "\"" + std::string(caller.text()) + "\"";
  switch (caller.kind()) {
    case PrincipalKind::Anonymous:
      return R"("Principal":"*",)";
    case PrincipalKind::Service:
      return R"("Principal":{"Service":)" + name + "},";
    case PrincipalKind::Provider:
      return R"("Principal":{"Federated":)" + name + "},";
    default:
      return R"("Principal":{"AWS":)" + name + "},";
  }
}

// The parts of a suggestion, by the words that it names them with.
constexpr std::array<std::string_view, 6> kParts{"a service control policy of each level",
                                                 "the endpoint policy",
                                                 "an identity policy of the caller",
                                                 "the permission boundary",
                                                 "the session policy",
                                                 "the resource's policy"};

void grant(Policies& to, std::size_t part, const Request& request) {
  const std::string rest = R"("Action":")" + std::string(request.action) + R"(","Resource":")" +
                           std::string(request.resource.value_or("*")) + "\"}}";
  const std::string open = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",)";
  const std::string plain = open + rest;
  const std::string named = open + principal_element(*request.principal) + rest;
  switch (part) {
    case 0:
      for (auto& level : to.scp) level.push_back(plain);
      break;
    case 1:
      to.endpoint.push_back(named);
      break;
    case 2:
      to.identity.push_back(plain);
      break;
    case 3:
      to.boundary.push_back(plain);  // a union, as a wider boundary would be
      break;
    case 4:
      to.session.push_back(plain);
      break;
    default:
      to.resource.push_back(named);
      break;
  }
}

TEST(Suggestion, IsEnoughAndNoMoreThanNeeded) {
  Dice dice(20261123);
  int followed = 0;
  for (int i = 0; i < 4'000; ++i) {
    const auto policies = reference::random_policies(dice);
    const auto asked = reference::random_request(dice);
    const auto principal = Principal::parse(asked.principal);
    Context context;
    for (const auto& [key, values] : asked.context) {
      const std::vector<std::string_view> views(values.begin(), values.end());
      context.set(key, views);
    }
    Request request;
    request.principal = &*principal;
    request.action = asked.action;
    request.resource = asked.resource;
    request.resource_account = asked.account;
    request.context = &context;
    if (!asked.resource) continue;
    const auto before = ask(policies, request);
    const auto& text = before.suggestion ? before.suggestion->text : std::string();
    if (before.decision.outcome != Outcome::ImplicitDeny || !text.contains("add ")) continue;
    std::vector<std::size_t> parts;
    for (std::size_t part = 0; part < kParts.size(); ++part) {
      if (text.contains(kParts[part])) parts.push_back(part);
    }
    ASSERT_FALSE(parts.empty()) << text;
    ++followed;
    auto all = policies;
    for (const auto part : parts) grant(all, part, request);
    EXPECT_TRUE(ask(all, request).decision.allowed()) << text << "\n"
                                                      << reference::batch_line(policies, asked);
    for (const auto left_out : parts) {
      auto some = policies;
      for (const auto part : parts) {
        if (part != left_out) grant(some, part, request);
      }
      EXPECT_FALSE(ask(some, request).decision.allowed())
          << text << "\nwithout " << kParts[left_out] << "\n"
          << reference::batch_line(policies, asked);
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(followed, 500);
}

}  // namespace
}  // namespace remit::iam
