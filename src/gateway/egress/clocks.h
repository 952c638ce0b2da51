#pragma once

// Three clocks meet at egress: the client's, this machine's and AWS's. Whoever refuses a signature
// for its date does not say whose clock is wrong; this does. Internal to src/gateway/egress.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "base/clock.h"
#include "net/http.h"

namespace remit::gateway {

// Of a request that was refused for its date: AWS's code for that, which SDKs know.
inline constexpr std::string_view kSkewed = "RequestTimeTooSkewed";
inline constexpr std::chrono::minutes kWrongClock{5};

// Whether the client dated its signature too far from our time.
bool is_skewed(const aws::SignedRequest& request, TimePoint now);

// "Sun, 22 Nov 2026 01:44:35 GMT": SDKs set their clock by it, and ask again.
std::string http_date(TimePoint time);

// A sentence for the agent when AWS refused and the Date of its answer is far from our time.
std::optional<std::string> remark_on_clock(const http::ResponseHead& answer, TimePoint now,
                                           std::string_view host);

}  // namespace remit::gateway
