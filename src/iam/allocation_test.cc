// A decision allocates nothing: this program counts what operator new is asked for.

#include <atomic>
#include <cstdlib>
#include <new>

#include "iam/decide.h"

namespace {
std::atomic<std::size_t> allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace remit::iam {
namespace {

TEST(Decide, AllocatesNothing) {
  const auto identity = compile(R"({"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["s3:Get*","s3:ListBucket"],
     "Resource":["arn:aws:s3:::b/${aws:PrincipalTag/team}/*","arn:aws:s3:*:*:x*y"],
     "Condition":{"StringLike":{"aws:UserAgent":"*boto*3*"},
                  "IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]},
                  "DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},
                  "NumericLessThan":{"s3:max-keys":"100"},
                  "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"},
                  "ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}},
    {"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::*"}]})",
                                PolicyKind::Identity, "p");
  ASSERT_TRUE(identity);
  const auto resource = compile(R"({"Version":"2012-10-17","Statement":[
    {"Effect":"Deny","NotPrincipal":{"AWS":["444455556666"]},"Action":"s3:Put*","Resource":"*"},
    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/App"},"Action":"s3:*",
     "Resource":"arn:aws:s3:::b/*"}]})",
                                PolicyKind::Resource, "r");
  ASSERT_TRUE(resource);
  const Policy* identities = &*identity;
  const Policy* resources = &*resource;
  Stack stack;
  stack.identity = Layer::of(std::span(&identities, 1));
  stack.resource = Layer::of(std::span(&resources, 1));
  const auto principal = Principal::parse("arn:aws:sts::111122223333:assumed-role/App/s");
  Context context;
  context.set("aws:PrincipalTag/team", "red");
  context.set("aws:UserAgent", "aws boto 3");
  context.set("aws:SourceIp", "203.0.113.9");
  context.set("aws:CurrentTime", "2026-11-21T00:00:00Z");
  context.set("s3:max-keys", "10");
  const std::vector<std::string_view> tags{"b", "c"};
  context.set("aws:TagKeys", tags);
  Request request;
  request.principal = &*principal;
  request.action = "s3:GetObject";
  request.resource = "arn:aws:s3:::b/red/k";
  request.resource_account = "111122223333";
  request.context = &context;
  ASSERT_EQ(decide(stack, request).outcome, Outcome::Allowed);

  const auto before = allocations.load();
  for (int i = 0; i < 100; ++i) (void)decide(stack, request);
  EXPECT_EQ(allocations.load(), before);
}

// Long patterns, long values, an index over many policies.
TEST(Decide, AllocatesNothingForLongTextsEither) {
  std::string questions;
  for (int i = 0; i < 700; ++i) questions += "a?";
  std::vector<Policy> policies;
  for (const auto& resource : {"arn:aws:s3:::b/*" + questions + "b*",
                               std::string("arn:aws:s3:::b/${aws:PrincipalTag/long}*"),
                               "arn:aws:s3:::b/*" + std::string(900, 'a') + "c*"}) {
    for (const char* effect : {"Allow", "Deny"}) {
      auto compiled =
          compile(R"({"Version":"2012-10-17","Statement":{"Effect":")" + std::string(effect) +
                      R"(","Action":"s3:*","Resource":")" + resource + "\"}}",
                  PolicyKind::Identity, "p");
      ASSERT_TRUE(compiled);
      policies.push_back(*std::move(compiled));
    }
  }
  std::vector<const Policy*> list;
  for (const auto& policy : policies) list.push_back(&policy);
  const PolicySet set(list);
  const auto principal = Principal::parse("arn:aws:iam::111122223333:user/a");
  const std::string resource = "arn:aws:s3:::b/" + std::string(8'000, 'a');
  const std::string value(8'100, 'a');
  Context context;
  context.set("aws:PrincipalTag/long", value);
  Request request;
  request.principal = &*principal;
  request.action = "s3:GetObject";
  request.resource = resource;
  request.context = &context;
  request.resource_account = "111122223333";
  for (const bool indexed : {false, true}) {
    Stack stack;
    stack.identity = indexed ? Layer::of(set) : Layer::of(list);
    const auto before = allocations.load();
    EXPECT_EQ(decide(stack, request).outcome, Outcome::ImplicitDeny);
    EXPECT_EQ(allocations.load(), before);
  }
}

// Beyond the longest text nothing is matched: what cannot be told is not known.
TEST(Decide, TakesWhatIsTooLongForUnknown) {
  const auto policy = compile(R"({"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
    {"Effect":"Allow","Action":"s3:PutObject","Resource":"*"},
    {"Effect":"Allow","Action":"s3:ListBucket","Resource":"*",
     "Condition":{"StringLike":{"s3:prefix":"a*"}}}]})",
                              PolicyKind::Identity, "p");
  ASSERT_TRUE(policy);
  const Policy* list = &*policy;
  Stack stack;
  stack.identity = Layer::of(std::span(&list, 1));
  const auto principal = Principal::parse("arn:aws:iam::111122223333:user/a");
  const std::string longer(9'000, 'a');
  const std::string resource = "arn:aws:s3:::b/" + longer;
  Context context;
  context.set("s3:prefix", longer);
  Request request;
  request.principal = &*principal;
  request.context = &context;
  request.resource_account = "111122223333";
  request.resource = resource;
  request.action = "s3:GetObject";
  EXPECT_EQ(decide(stack, request).outcome, Outcome::Undetermined);
  request.action = "s3:PutObject";
  EXPECT_EQ(decide(stack, request).outcome, Outcome::Allowed);
  request.action = "s3:ListBucket";
  request.resource = "arn:aws:s3:::b";
  EXPECT_EQ(decide(stack, request).outcome, Outcome::Undetermined);
}

TEST(Context, KeepsItsMemoryBetweenRequests) {
  Context context;
  const auto fill = [&context] {
    context.clear();
    for (const auto* key : {"aws:a", "aws:b", "aws:c", "aws:d"}) context.set(key, "value");
  };
  fill();
  const auto before = allocations.load();
  for (int i = 0; i < 100; ++i) fill();
  EXPECT_EQ(allocations.load(), before);
}

}  // namespace
}  // namespace remit::iam
