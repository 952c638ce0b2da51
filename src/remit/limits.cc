#include "remit/limits.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "remit/config.h"

namespace remit::rules {
namespace {

constexpr std::uint32_t kMaxCount = 100'000;

struct Period {
  std::string_view name;
  std::chrono::seconds length;
};
constexpr Period kPeriods[] = {{"s", std::chrono::seconds(1)},
                               {"min", std::chrono::minutes(1)},
                               {"h", std::chrono::hours(1)},
                               {"day", std::chrono::hours(24)}};

std::string wait_text(std::chrono::milliseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  return seconds < 120 ? fmt::format("{} s", seconds) : fmt::format("{} min", (seconds + 59) / 60);
}

}  // namespace

Result<Limit> parse_limit(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorCode::InvalidInput,
                fmt::format("'{}' is no limit; write a number from 1 to 100000 per s, min, h or "
                            "day, such as 120/min",
                            text));
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || text.front() == '0') return refuse();
  Limit limit;
  const auto [end, error] = std::from_chars(text.data(), text.data() + slash, limit.count);
  if (error != std::errc{} || end != text.data() + slash || limit.count > kMaxCount)
    return refuse();
  for (const Period& period : kPeriods)
    if (text.substr(slash + 1) == period.name) limit.per = period.length;
  if (limit.per.count() == 0) return refuse();
  return limit;
}

std::string to_string(const Limit& limit) {
  for (const Period& period : kPeriods)
    if (period.length == limit.per) return fmt::format("{}/{}", limit.count, period.name);
  return fmt::format("{}/{}s", limit.count, limit.per.count());
}

Window::Window(Limit limit) : limit_(limit) {}

std::optional<std::chrono::milliseconds> Window::take(SteadyTime now) {
  if (moments_.size() < limit_.count) {
    moments_.push_back(now);
    return std::nullopt;
  }
  const auto age = now - moments_[oldest_];
  if (age < limit_.per) return std::chrono::ceil<std::chrono::milliseconds>(limit_.per - age);
  moments_[oldest_] = now;
  oldest_ = (oldest_ + 1) % moments_.size();
  return std::nullopt;
}

Result<> RateLimits::take_call(const Remit& remit, SteadyTime now) {
  return take(remit.name, "calls", remit.calls, now);
}

Result<> RateLimits::take_write(const Remit& remit, SteadyTime now) {
  return take(remit.name, "writes", remit.writes, now);
}

Result<> RateLimits::take(const std::string& name, std::string_view what,
                          const std::optional<Limit>& limit, SteadyTime now) {
  if (!limit) return {};
  const std::string id = fmt::format("{}/{}", name, what);
  auto found = entries_.find(id);
  if (found == entries_.end() || found->second.limit != *limit)
    found = entries_.insert_or_assign(id, Entry{*limit, Window(*limit)}).first;
  const auto wait = found->second.window.take(now);
  if (!wait) return {};
  return fail(
      ErrorCode::LimitExceeded,
      fmt::format("remit {} allows {} {}/{}; room again in {}", name, limit->count, what,
                  to_string(*limit).substr(to_string(*limit).find('/') + 1), wait_text(*wait)));
}

}  // namespace remit::rules
