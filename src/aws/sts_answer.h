#pragma once

// The XML of STS answers: read, and errors put into words.

#include <string>
#include <string_view>

#include "aws/sts.h"
#include "base/clock.h"
#include "base/result.h"

namespace remit::aws {

// Reads an AssumeRole or AssumeRoleWithWebIdentity answer. Overwrites `xml`, which holds secrets.
Result<AssumedRole> read_assumed_role(std::string xml);
// The answer of S3's CreateSession: its credentials, good for one directory bucket.
Result<Credentials> read_express_session(std::string xml);
Result<CallerIdentity> read_caller_identity(std::string xml);

// What STS said no with.
struct StsRefusal {
  int status = 0;
  std::string code;     // "AccessDenied"; empty when the answer was not STS's XML
  std::string message;  // without control characters, at most 1 KiB
  std::string request_id;

  bool worth_a_retry() const;
};
StsRefusal read_refusal(int status, std::string xml);

// With a hint at what to change. `server_time` is the answer's Date, `now` this machine's clock.
Error explain(const StsRefusal& refusal, std::optional<TimePoint> server_time, TimePoint now);

}  // namespace remit::aws
