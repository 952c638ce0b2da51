#include "gateway/egress/session_answer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/xml.h"
#include "gateway/journal.h"

namespace remit::gateway {
namespace {

std::string credentials_xml(const AnsweredKeys& keys) {
  return fmt::format(
      "    <Credentials>\n"
      "      <AccessKeyId>{}</AccessKeyId>\n"
      "      <SecretAccessKey>{}</SecretAccessKey>\n"
      "      <SessionToken>{}</SessionToken>\n"
      "      <Expiration>{}</Expiration>\n"
      "    </Credentials>\n",
      keys.access_key_id, keys.secret_access_key, keys.session_token, iso8601(keys.expires));
}

std::string answer(std::string_view operation, std::string_view result,
                   std::string_view request_id) {
  return fmt::format(
      "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
      "  <{0}Result>\n{1}  </{0}Result>\n"
      "  <ResponseMetadata>\n    <RequestId>{2}</RequestId>\n  </ResponseMetadata>\n"
      "</{0}Response>\n",
      operation, result, request_id);
}

std::string packed_xml(const AnsweredRole& role) {
  if (!role.packed_policy_percent) return {};
  return fmt::format("    <PackedPolicySize>{}</PackedPolicySize>\n", *role.packed_policy_percent);
}

}  // namespace

std::string assume_role_xml(const AnsweredKeys& keys, const AnsweredRole& role,
                            std::string_view request_id) {
  std::string result = fmt::format(
      "    <AssumedRoleUser>\n      <AssumedRoleId>{}</AssumedRoleId>\n      <Arn>{}</Arn>\n"
      "    </AssumedRoleUser>\n",
      xml_escaped(role.id), xml_escaped(role.arn));
  result += credentials_xml(keys);
  result += packed_xml(role);
  if (!role.source_identity.empty()) {
    result +=
        fmt::format("    <SourceIdentity>{}</SourceIdentity>\n", xml_escaped(role.source_identity));
  }
  return answer("AssumeRole", result, request_id);
}

std::string session_token_xml(const AnsweredKeys& keys, std::string_view request_id) {
  return answer("GetSessionToken", credentials_xml(keys), request_id);
}

std::string federation_token_xml(const AnsweredKeys& keys, const AnsweredRole& user,
                                 std::string_view request_id) {
  std::string result = credentials_xml(keys);
  result += fmt::format(
      "    <FederatedUser>\n      <FederatedUserId>{}</FederatedUserId>\n      <Arn>{}</Arn>\n"
      "    </FederatedUser>\n",
      xml_escaped(user.id), xml_escaped(user.arn));
  result += packed_xml(user);
  return answer("GetFederationToken", result, request_id);
}

std::string express_session_xml(const AnsweredKeys& keys) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<CreateSessionResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n{}"
      "</CreateSessionResult>\n",
      credentials_xml(keys));
}

}  // namespace remit::gateway
