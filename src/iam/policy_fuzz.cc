// Any bytes as a policy: refused with a reason, or compiled into something that decides the same
// way twice and whose explanation agrees with its decision.

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "iam/explain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace remit::iam;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto user = *Principal::parse("arn:aws:iam::111122223333:user/alice");
  for (const auto kind : {PolicyKind::Identity, PolicyKind::Resource, PolicyKind::Rcp}) {
    const auto compiled = compile(text, kind, "fuzzed");
    if (!compiled) {
      REMIT_CHECK(!compiled.error().empty());
      for (const auto& error : compiled.error()) REMIT_CHECK(!error.message.empty());
      continue;
    }
    const Policy* policy = &*compiled;
    const Layer layer = Layer::of(std::span(&policy, 1));
    Stack stack;
    (kind == PolicyKind::Identity ? stack.identity : stack.resource) = layer;
    Context context;
    context.set("aws:PrincipalTag/t", "a*");
    context.set_unknown("aws:SourceVpc");
    Request request;
    request.principal = &user;
    request.action = "s3:GetObject";
    request.resource = "arn:aws:s3:::bucket/key";
    request.context = &context;
    const auto decision = decide(stack, request);
    REMIT_CHECK(decide(stack, request).outcome == decision.outcome);
    const auto explanation = explain(stack, request);
    REMIT_CHECK(explanation.decision.outcome == decision.outcome);
    REMIT_CHECK(!explanation.because().empty());
  }
  return 0;
}
