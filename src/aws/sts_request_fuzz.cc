// Requests to STS: any bytes are read or refused, and what was read as a role says the same again
// when it is written in Remit's form and read back.

#include <cstdint>
#include <string_view>

#include "aws/sts_request.h"
#include "base/check.h"

using namespace remit;
using namespace remit::aws;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t mark = text.find('\n');
  const auto read = mark == text.npos
                        ? read_sts_request("/", text)
                        : read_sts_request(text.substr(0, mark), text.substr(mark + 1));
  if (!read) return 0;
  REMIT_CHECK(!read->action.empty());
  const auto again = read_sts_request("/", assume_role_form(read->role));
  REMIT_CHECK(again.has_value());
  REMIT_CHECK(again->role.role_arn == read->role.role_arn);
  REMIT_CHECK(again->role.policy == read->role.policy);
  REMIT_CHECK(again->role.policy_arns == read->role.policy_arns);
  REMIT_CHECK(again->role.tags == read->role.tags);
  REMIT_CHECK(again->role.duration == read->role.duration);
  return 0;
}
