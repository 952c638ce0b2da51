#include "gateway/egress/caller_identity.h"

#include <fmt/format.h>

#include "base/xml.h"

namespace remit::gateway {
namespace {

// Before its first call an upstream may have no session at all, yet ask who it is.
constexpr std::string_view kNoAccount = "000000000000";

}  // namespace

CallerIdentity caller_identity(const CallFacts& facts, const SessionCredentials* credentials) {
  if (credentials != nullptr && !credentials->assumed_role_arn.empty()) {
    return {credentials->assumed_role_arn, credentials->assumed_role_id, credentials->account};
  }
  const std::string account = facts.account.empty() ? std::string(kNoAccount) : facts.account;
  const std::string role = facts.role_arn.empty()
                               ? "remit-startup"
                               : facts.role_arn.substr(facts.role_arn.rfind('/') + 1);
  const std::string session = facts.session_name.empty() ? facts.upstream : facts.session_name;
  return {fmt::format("arn:{}:sts::{}:assumed-role/{}/{}", facts.partition, account, role, session),
          fmt::format("AROAREMITPLACEHOLDER0:{}", session), account};
}

std::string caller_identity_xml(const CallerIdentity& identity, std::string_view request_id) {
  return fmt::format(
      "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
      "  <GetCallerIdentityResult>\n"
      "    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    <Account>{}</Account>\n"
      "  </GetCallerIdentityResult>\n"
      "  <ResponseMetadata>\n    <RequestId>{}</RequestId>\n  </ResponseMetadata>\n"
      "</GetCallerIdentityResponse>\n",
      xml_escaped(identity.arn), xml_escaped(identity.user_id), xml_escaped(identity.account),
      request_id);
}

}  // namespace remit::gateway
