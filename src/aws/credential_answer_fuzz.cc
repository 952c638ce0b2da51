// Credentials from JSON: whole or refused, and nothing in them that a header could not carry.

#include <cstdint>
#include <string>

#include "aws/credential_answer.h"
#include "base/check.h"

using namespace remit;
using namespace remit::aws;

namespace {

void check(const Result<Credentials>& credentials, bool temporary) {
  if (!credentials) return REMIT_CHECK(!credentials.error().message.empty());
  REMIT_CHECK(!credentials->access_key_id.empty());
  REMIT_CHECK(!credentials->secret_access_key.empty());
  REMIT_CHECK(credentials->session_token.expose().find('\n') == std::string_view::npos);
  if (temporary) REMIT_CHECK(credentials->temporary() && credentials->expiration);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(read_process_answer(text), false);
  check(read_container_answer(text), true);
  check(read_instance_answer(text), true);
  return 0;
}
