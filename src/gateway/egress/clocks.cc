#include "gateway/egress/clocks.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "aws/credentials.h"

namespace remit::gateway {

bool is_skewed(const aws::SignedRequest& request, TimePoint now) {
  if (request.placement == aws::Placement::Query) return request.time > now + aws::kMaxClockSkew;
  return std::chrono::abs(request.time - now) > aws::kMaxClockSkew;
}

std::string http_date(TimePoint time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time_t{seconds}));
}

std::optional<std::string> remark_on_clock(const http::ResponseHead& answer, TimePoint now,
                                           std::string_view host) {
  if (answer.status != 400 && answer.status != 401 && answer.status != 403) return std::nullopt;
  const http::Field* date = http::find(answer.fields, "date");
  if (date == nullptr) return std::nullopt;
  const auto theirs = aws::parse_http_date(date->value);
  if (!theirs) return std::nullopt;
  const auto off = std::chrono::round<std::chrono::minutes>(now - *theirs);
  if (std::chrono::abs(off) < kWrongClock) return std::nullopt;
  return fmt::format(
      "{} refused a request (status {}), and by its time the clock of Remit's machine is {} "
      "minutes {}: it must be set right.",
      host, answer.status, std::chrono::abs(off).count(), off.count() > 0 ? "ahead" : "behind");
}

}  // namespace remit::gateway
