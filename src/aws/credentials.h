#pragma once

// An AWS key pair, with its token when it is temporary. Move-only, because Secrets are.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace remit::aws {

struct Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;                 // empty for long-term keys
  std::optional<TimePoint> expiration;  // absent for long-term keys
  std::string account_id;               // empty when not known
  // Known to be of an assumed role, so that roles assumed with them are chained: an hour at most.
  bool of_role = false;

  Credentials clone() const;
  bool temporary() const { return !session_token.empty(); }
  bool expired(TimePoint now) const { return expiration && *expiration <= now; }
};

// "2026-11-21T15:04:05Z", with or without a fraction of a second: the form of STS, IMDS and
// container credentials. Also "+00:00" as the zone, which credential_process programs print.
Result<TimePoint> parse_iso8601(std::string_view text);
// "20261121T150405Z", the form of X-Amz-Date.
Result<TimePoint> parse_amz_date(std::string_view text);
std::string format_amz_date(TimePoint time);
void append_amz_date(std::string& out, TimePoint time);
// "Sat, 21 Nov 2026 15:04:05 GMT" (RFC 9110 section 5.6.7, the preferred form only).
Result<TimePoint> parse_http_date(std::string_view text);

}  // namespace remit::aws
