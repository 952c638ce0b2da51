#include "remit/facts.h"

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/check.h"

namespace remit::rules {
namespace {

iam::Principal principal_of(const SessionPlan& plan) {
  const auto role = aws::RoleArn::parse(plan.role);
  REMIT_CHECK(role.has_value());  // a plan has a role that was parsed
  const auto principal =
      iam::Principal::parse(fmt::format("arn:{}:sts::{}:assumed-role/{}/{}", role->partition,
                                        plan.account, role->name, plan.session_name));
  REMIT_CHECK(principal.has_value());
  return principal->with_role_arn(plan.role);
}

}  // namespace

SessionFacts::SessionFacts(const SessionPlan& plan)
    : principal_(principal_of(plan)), has_source_identity_(plan.source_identity.has_value()) {
  keys_.emplace_back("aws:PrincipalAccount", plan.account);
  keys_.emplace_back("aws:PrincipalArn", plan.role);
  keys_.emplace_back("aws:PrincipalType", "AssumedRole");
  if (plan.source_identity) keys_.emplace_back("aws:SourceIdentity", *plan.source_identity);
  for (const Tag& tag : plan.tags) keys_.emplace_back("aws:PrincipalTag/" + tag.key, tag.value);
}

void SessionFacts::fill(iam::Context& context) const {
  context.others(iam::Context::Others::Unknown);
  for (const auto& [key, value] : keys_) context.set(key, std::string_view(value));
  // Egress passes on what clients sign themselves: no AWS service stands in between.
  context.set("aws:ViaAWSService", std::string_view("false"));
  context.set("aws:ViaAWSMCPService", std::string_view("false"));
  for (const std::string_view key :
       {"aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:CalledViaAWSMCP",
        "aws:SourceArn", "aws:SourceAccount", "aws:PrincipalServiceName"})
    context.set_absent(key);
  // A role that was itself assumed with a source identity hands it on; Remit sets none.
  if (!has_source_identity_) context.set_unknown("aws:SourceIdentity");
}

}  // namespace remit::rules
