// Answers of STS: any bytes are read or refused, and credentials are whole or not given.

#include <cstdint>
#include <string>

#include "aws/sts_answer.h"
#include "base/check.h"

using namespace remit;
using namespace remit::aws;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto role = read_assumed_role(text)) {
    REMIT_CHECK(!role->credentials.access_key_id.empty());
    REMIT_CHECK(!role->credentials.secret_access_key.empty());
    REMIT_CHECK(!role->credentials.session_token.empty());
    REMIT_CHECK(role->credentials.expiration.has_value());
  }
  if (const auto identity = read_caller_identity(text)) REMIT_CHECK(!identity->arn.empty());
  const StsRefusal refusal = read_refusal(400, text);
  REMIT_CHECK(refusal.message.size() <= 1024);
  const Error error = explain(refusal, std::nullopt, TimePoint());
  REMIT_CHECK(!error.message.empty());
  REMIT_CHECK(error.message.find('\n') == std::string::npos);
  return 0;
}
