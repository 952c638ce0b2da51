#pragma once

// Answers that hand out credentials, written by Remit with a placeholder in them: the XML of STS
// (query protocol) and of S3's CreateSession, as AWS writes it.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace remit::gateway {

struct AnsweredKeys {
  std::string_view access_key_id;
  std::string_view secret_access_key;
  std::string_view session_token;
  TimePoint expires{};
};

struct AnsweredRole {
  std::string_view arn;  // of the assumed role, or of the federated user
  std::string_view id;
  std::string_view source_identity;  // empty: none
  std::optional<int> packed_policy_percent;
};

std::string assume_role_xml(const AnsweredKeys& keys, const AnsweredRole& role,
                            std::string_view request_id);
std::string session_token_xml(const AnsweredKeys& keys, std::string_view request_id);
std::string federation_token_xml(const AnsweredKeys& keys, const AnsweredRole& user,
                                 std::string_view request_id);
std::string express_session_xml(const AnsweredKeys& keys);

}  // namespace remit::gateway
