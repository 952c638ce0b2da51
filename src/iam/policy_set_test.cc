#include "iam/policy_set.h"

#include <algorithm>
#include <optional>

#include "iam/decide.h"
#include "iam/random_policies_for_tests.h"
#include "iam/set_index.h"

namespace remit::iam {
namespace {

Policy must_compile(std::string_view text, PolicyKind kind) {
  auto compiled = compile(text, kind, "p");
  EXPECT_TRUE(compiled) << text << "\n" << (compiled ? "" : to_text(compiled.error().front()));
  return *std::move(compiled);
}

// The policies of a layer, with and without an index over all of them.
struct Attached {
  std::vector<Policy> policies;
  std::vector<const Policy*> list;
  std::optional<PolicySet> set;

  Attached(const std::vector<std::string>& texts, PolicyKind kind) {
    for (const auto& text : texts) policies.push_back(must_compile(text, kind));
    for (const auto& policy : policies) list.push_back(&policy);
    set.emplace(list);
  }
  Layer layer(bool indexed) const { return indexed ? Layer::of(*set) : Layer::of(list); }
};

struct Everything {
  Attached identity, boundary, session, resource, endpoint;
  std::vector<Attached> scp, rcp;

  explicit Everything(const reference::Policies& p)
      : identity(p.identity, PolicyKind::Identity),
        boundary(p.boundary, PolicyKind::Boundary),
        session(p.session, PolicyKind::Session),
        resource(p.resource, PolicyKind::Resource),
        endpoint(p.endpoint, PolicyKind::Endpoint) {
    for (const auto& level : p.scp) scp.emplace_back(level, PolicyKind::Scp);
    for (const auto& level : p.rcp) rcp.emplace_back(level, PolicyKind::Rcp);
  }

  Decision ask(const Request& request, bool indexed) const {
    Stack stack;
    stack.identity = identity.layer(indexed);
    stack.boundary = boundary.layer(indexed);
    stack.session = session.layer(indexed);
    stack.resource = resource.layer(indexed);
    stack.endpoint = endpoint.layer(indexed);
    std::vector<Layer> scps, rcps;
    for (const auto& level : scp) scps.push_back(level.layer(indexed));
    for (const auto& level : rcp) rcps.push_back(level.layer(indexed));
    stack.scp = scps;
    stack.rcp = rcps;
    return decide(stack, request);
  }
};

TEST(PolicySet, DecidesAsItsPoliciesDoOneByOne) {
  reference::Dice dice(20261122);
  std::map<Outcome, int> seen;
  for (int i = 0; i < 4'000; ++i) {
    auto policies = reference::random_policies(dice);
    // More of them than usual, so that heads nest and repeat.
    for (std::size_t n = dice.below(6); n-- > 0;) {
      policies.identity.push_back(reference::random_document(dice, false));
      policies.resource.push_back(reference::random_document(dice, true));
    }
    const Everything everything(policies);
    for (int n = 0; n < 4; ++n) {
      const auto asked = reference::random_request(dice);
      const auto principal = Principal::parse(asked.principal);
      ASSERT_TRUE(principal) << asked.principal;
      Context context;
      for (const auto& [key, values] : asked.context) {
        const std::vector<std::string_view> views(values.begin(), values.end());
        context.set(key, views);
      }
      for (const auto& key : asked.unknown) context.set_unknown(key);
      Request request;
      request.principal = &*principal;
      request.action = asked.action;
      request.resource = asked.resource;
      request.resource_account = asked.account;
      request.context = &context;
      const auto one_by_one = everything.ask(request, false);
      const auto indexed = everything.ask(request, true);
      ASSERT_EQ(name_of(indexed.outcome), name_of(one_by_one.outcome))
          << reference::batch_line(policies, asked);
      ASSERT_EQ(name_of(indexed.layer), name_of(one_by_one.layer))
          << reference::batch_line(policies, asked);
      ++seen[indexed.outcome];
    }
  }
  for (const auto outcome :
       {Outcome::Allowed, Outcome::ExplicitDeny, Outcome::ImplicitDeny, Outcome::Undetermined}) {
    EXPECT_GT(seen[outcome], 200) << name_of(outcome);
  }
}

// Resources that begin with one another, end at one another, or share nothing.
TEST(PolicySet, FindsEveryResourceThatTheRequestedOneBeginsWith) {
  const std::vector<std::string> resources{
      "arn:aws:s3:::b",         "arn:aws:s3:::b/*",
      "arn:aws:s3:::b/a",       "arn:aws:s3:::b/a*",
      "arn:aws:s3:::b/a/*",     "arn:aws:s3:::b/a/b?c",
      "arn:aws:s3:::b/ab",      "arn:aws:s3:::*",
      "arn:aws:s3:::b/*/c",     "arn:aws:s3:::c/*",
      "arn:aws:sqs:*:*:b",      "arn:aws:s3:::b/${aws:username}/*",
      "arn:aws:s3:::b/\\u0000", "arn:aws:s3:::b/é",
      "arn:*:s3:::b/a",         "*"};
  reference::Dice dice(3);
  for (int i = 0; i < 1'500; ++i) {
    std::vector<std::string> texts;
    for (std::size_t n = 1 + dice.below(9); n-- > 0;) {
      std::string list;
      for (std::size_t k = 1 + dice.below(3); k-- > 0;) {
        list += (list.empty() ? "\"" : ",\"") + dice.pick(resources) + "\"";
      }
      texts.push_back(R"({"Version":"2012-10-17","Statement":{"Effect":")" +
                      std::string(dice.one_in(4) ? "Deny" : "Allow") + R"(","Action":")" +
                      dice.pick({"s3:GetObject", "s3:Get*", "s3:*", "*"}) + R"(","Resource":[)" +
                      list + "]}}");
    }
    const Attached attached(texts, PolicyKind::Identity);
    const auto principal = Principal::parse("arn:aws:iam::111122223333:user/a");
    for (const std::string_view resource :
         {"arn:aws:s3:::b", "arn:aws:s3:::b/", "arn:aws:s3:::b/a", "arn:aws:s3:::b/a/bxc",
          "arn:aws:s3:::b/ab", "arn:aws:s3:::b/x/c", "arn:aws:s3:::c/1",
          "arn:aws:s3:::", "arn:aws:sqs:eu-west-1:111122223333:b", "*", "",
          "arn:aws:s3:::b/\xC3\xA9", "arn:aws:s3:::zzz", "arn:aws:a"}) {
      Request request;
      request.principal = &*principal;
      request.action = "s3:GetObject";
      request.resource = resource;
      request.resource_account = "111122223333";
      Stack one, all;
      one.identity = attached.layer(false);
      all.identity = attached.layer(true);
      ASSERT_EQ(name_of(decide(all, request).outcome), name_of(decide(one, request).outcome))
          << resource << " under " << texts.front() << " and " << texts.size() - 1 << " more";
    }
  }
}

// What the index is for: of thousands of statements about one action, those of other resources are
// not looked at.
TEST(PolicySet, LooksOnlyAtStatementsThatCanMatter) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1'500; ++i) {
    texts.push_back(R"({"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":)"
                    R"("arn:aws:s3:::team)" +
                    std::to_string(i) + R"(/*"}})");
  }
  const Attached attached(texts, PolicyKind::Identity);
  const auto& index = attached.set->index();
  ASSERT_EQ(index.actions.size(), 1U);
  const auto& side = index.actions.front().allow;
  EXPECT_EQ(side.always.count, 0U);
  EXPECT_EQ(side.heads.count, 1'500U);
  std::size_t looked_at = 0;
  const std::string_view asked = "arn:aws:s3:::team123/x";
  for (auto at = index.last_not_after(side, asked); at != ResourceHead::kNone;
       at = index.heads[at].parent) {
    looked_at += index.heads[at].open.count;
  }
  EXPECT_EQ(looked_at, 1U);
}

}  // namespace
}  // namespace remit::iam
