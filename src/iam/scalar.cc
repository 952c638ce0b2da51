#include "iam/scalar.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/encoding.h"

namespace remit::iam {
namespace {

bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return std::ranges::all_of(text, is_decimal); }

std::strong_ordering compare_magnitude(const Decimal& a, const Decimal& b) {
  if (const auto order = a.whole.size() <=> b.whole.size(); order != 0) return order;
  if (const auto order = a.whole <=> b.whole; order != 0) return order;
  return a.fraction <=> b.fraction;  // no trailing zeros: text order is the order of the values
}

// Reads fixed numbers of digits off the front of a date.
class DateText {
 public:
  explicit DateText(std::string_view text) : rest_(text) {}

  bool number(std::size_t digits, int least, int most, int& out) {
    if (rest_.size() < digits || !all_digits(rest_.substr(0, digits))) return false;
    std::from_chars(rest_.data(), rest_.data() + digits, out);
    rest_.remove_prefix(digits);
    return out >= least && out <= most;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view digits() {
    std::size_t size = 0;
    while (size < rest_.size() && is_decimal(rest_[size])) ++size;
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in(int year, int month) {
  static constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Days from 1970-01-01 in the proleptic Gregorian calendar.
std::int64_t days_from_epoch(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

std::optional<std::int32_t> nanoseconds_of(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  std::int32_t value = 0;
  for (std::size_t i = 0; i < 9; ++i)
    value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return value;
}

std::optional<int> offset_minutes(DateText& text) {
  if (text.take('Z')) return 0;
  const int sign = text.take('+') ? 1 : text.take('-') ? -1 : 0;
  int hours = 0;
  int minutes = 0;
  if (sign == 0 || !text.number(2, 0, 23, hours)) return std::nullopt;
  if (!text.take(':') || !text.number(2, 0, 59, minutes)) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

std::optional<Instant> read_time_of_day(DateText& text, Instant day) {
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!text.number(2, 0, 23, hours) || !text.take(':')) return std::nullopt;
  if (!text.number(2, 0, 59, minutes)) return std::nullopt;
  if (text.take(':')) {
    if (!text.number(2, 0, 59, seconds)) return std::nullopt;
    if (text.take('.')) {
      const auto fraction = nanoseconds_of(text.digits());
      if (!fraction) return std::nullopt;
      day.nanoseconds = *fraction;
    }
  }
  const auto offset = offset_minutes(text);
  if (!offset || !text.done()) return std::nullopt;
  day.seconds += hours * 3600 + minutes * 60 + seconds - *offset * 60;
  return day;
}

std::optional<Instant> read_epoch(std::string_view text) {
  std::int64_t seconds = 0;
  const auto end = text.data() + text.size();
  if (const auto [at, fault] = std::from_chars(text.data(), end, seconds);
      fault != std::errc{} || at != end) {
    return std::nullopt;
  }
  return Instant{seconds, 0};
}

}  // namespace

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal out;
  if (text.starts_with('-') || text.starts_with('+')) {
    out.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto point = text.find('.');
  out.whole = text.substr(0, point);
  if (point != std::string_view::npos) out.fraction = text.substr(point + 1);
  if (out.whole.empty() || !all_digits(out.whole) || !all_digits(out.fraction)) return std::nullopt;
  if (point != std::string_view::npos && out.fraction.empty()) return std::nullopt;
  while (out.whole.starts_with('0')) out.whole.remove_prefix(1);
  while (out.fraction.ends_with('0')) out.fraction.remove_suffix(1);
  if (out.whole.empty() && out.fraction.empty()) out.negative = false;
  return out;
}

std::strong_ordering compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) {
    return a.negative ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return a.negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

std::optional<Instant> read_instant(std::string_view text) {
  const bool number = !text.empty() && all_digits(text.substr(text.starts_with('-') ? 1 : 0));
  if (number && text.size() != 4) return read_epoch(text);
  DateText rest(text);
  int year = 0;
  int month = 1;
  int day = 1;
  if (!rest.number(4, 0, 9999, year)) return std::nullopt;
  if (rest.take('-')) {
    if (!rest.number(2, 1, 12, month)) return std::nullopt;
    if (rest.take('-') && !rest.number(2, 1, days_in(year, month), day)) return std::nullopt;
  }
  const Instant midnight{days_from_epoch(year, month, day) * 86400, 0};
  if (rest.done()) return midnight;
  if (!rest.take('T')) return std::nullopt;
  return read_time_of_day(rest, midnight);
}

std::optional<Address> read_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.empty() || text.size() >= buffer.size()) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(buffer.data(), text.data(), text.size());
  Address out;
  out.v6 = text.find(':') != std::string_view::npos;
  const int family = out.v6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, buffer.data(), out.bytes.data()) != 1) return std::nullopt;
  return out;
}

std::optional<Network> read_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = read_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int most = address->v6 ? 128 : 32;
  if (slash == std::string_view::npos) {
    return Network{*address, static_cast<std::uint8_t>(most)};
  }
  const auto prefix = text.substr(slash + 1);
  int bits = 0;
  if (prefix.empty() || prefix.size() > 3 || !all_digits(prefix)) return std::nullopt;
  std::from_chars(prefix.data(), prefix.data() + prefix.size(), bits);
  if (bits > most) return std::nullopt;
  return Network{*address, static_cast<std::uint8_t>(bits)};
}

bool holds(const Network& network, const Address& address) {
  if (network.address.v6 != address.v6) return false;
  const std::size_t whole = network.bits / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole,
                  network.address.bytes.begin())) {
    return false;
  }
  const unsigned rest = network.bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xFFU << (8 - rest);
  return ((address.bytes[whole] ^ network.address.bytes[whole]) & mask) == 0;
}

std::optional<bool> read_bool(std::string_view text) {
  if (equals_ignoring_ascii_case(text, "true")) return true;
  if (equals_ignoring_ascii_case(text, "false")) return false;
  return std::nullopt;
}

}  // namespace remit::iam
