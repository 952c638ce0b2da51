#include "gateway/pace.h"

#include <algorithm>
#include <array>
#include <utility>

namespace remit::gateway {
namespace {

using Seconds = std::chrono::duration<double>;

double fraction(Random& random) {
  std::array<std::byte, 2> bytes;
  random.fill(bytes);
  return (std::to_integer<int>(bytes[0]) * 256 + std::to_integer<int>(bytes[1])) / 65'536.0;
}

}  // namespace

std::chrono::milliseconds Pace::take(Steady now) {
  if (!std::exchange(began_, true)) {
    tokens_ = options_.burst;
    at_ = now;
  }
  tokens_ = std::min(options_.burst, tokens_ + Seconds(now - at_).count() * rate_);
  at_ = now;
  tokens_ -= 1;
  std::chrono::milliseconds wait{0};
  if (tokens_ < 0) wait = std::chrono::ceil<std::chrono::milliseconds>(Seconds(-tokens_ / rate_));
  if (rest_until_ > now) {
    wait = std::max(wait, std::chrono::ceil<std::chrono::milliseconds>(rest_until_ - now));
  }
  return wait;
}

void Pace::succeeded() {
  rate_ = std::min(options_.most_rate, rate_ + 1);
  rest_ = std::chrono::milliseconds(0);
}

void Pace::throttled(Steady now, double jitter) {
  // Many requests under way are throttled together: they are one sign, not many.
  if (rest_until_ > now) return;
  rate_ = std::max(options_.least_rate, rate_ / 2);
  tokens_ = std::min(tokens_, 0.0);
  rest_ = rest_.count() == 0 ? options_.first_rest : std::min(rest_ * 2, options_.longest_rest);
  const auto extra = std::chrono::duration_cast<std::chrono::milliseconds>(
      Seconds(std::chrono::duration_cast<Seconds>(rest_).count() * jitter / 2));
  rest_until_ = now + rest_ + extra;
}

bool is_throttling(std::string_view message) {
  constexpr std::array<std::string_view, 5> kWords = {
      "Throttl", "Rate exceeded", "RequestLimitExceeded", "TooManyRequests", "SlowDown"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return message.find(word) != message.npos; });
}

net::Task<Result<aws::AssumedRole>> PacedMinter::mint(
    std::shared_ptr<const rules::SessionPlan> plan) {
  const auto wait = pace_.take(clock_.steady());
  if (wait.count() > 0) co_await net::sleep_for(wait);
  auto minted = co_await inner_.mint(std::move(plan));
  if (minted) {
    pace_.succeeded();
  } else if (is_throttling(minted.error().message)) {
    pace_.throttled(clock_.steady(), fraction(random_));
    log_.warn("sts.throttled", {{"rate", static_cast<std::int64_t>(pace_.rate())}});
  }
  co_return minted;
}

}  // namespace remit::gateway
