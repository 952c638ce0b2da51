#include "aws/credentials.h"

#include <array>
#include <charconv>

namespace remit::aws {

namespace {

using std::chrono::day;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

// Reads exactly `digits` decimal digits at `at`, or gives -1.
int number(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

struct Parts {
  int year, month, day, hour, minute, second;
};

std::optional<TimePoint> to_time(const Parts& p) {
  if (p.year < 1970 || p.month < 1 || p.day < 1 || p.hour < 0 || p.hour > 23 || p.minute < 0 ||
      p.minute > 59 || p.second < 0 || p.second > 60) {
    return std::nullopt;
  }
  const year_month_day date{year{p.year}, month{static_cast<unsigned>(p.month)},
                            day{static_cast<unsigned>(p.day)}};
  if (!date.ok()) return std::nullopt;
  return TimePoint(sys_days{date}) + hours{p.hour} + minutes{p.minute} + seconds{p.second};
}

std::unexpected<Error> refuse(std::string_view text, std::string_view form) {
  return fail(ErrorCode::InvalidInput, "a time looks like \"" + std::string(form) + "\", not \"" +
                                           std::string(text.substr(0, 64)) + "\"");
}

void put(char* out, unsigned value, std::size_t digits) {
  for (std::size_t i = digits; i-- > 0; value /= 10) {
    out[i] = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

Credentials Credentials::clone() const {
  return {access_key_id, secret_access_key.clone(), session_token.clone(), expiration, account_id,
          of_role};
}

Result<TimePoint> parse_iso8601(std::string_view text) {
  constexpr std::string_view kForm = "2026-11-21T15:04:05Z";
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':') {
    return refuse(text, kForm);
  }
  const auto time = to_time({number(text, 0, 4), number(text, 5, 2), number(text, 8, 2),
                             number(text, 11, 2), number(text, 14, 2), number(text, 17, 2)});
  std::string_view zone = text.substr(19);
  if (zone.starts_with('.')) {
    const auto end = zone.find_first_not_of("0123456789", 1);
    if (end == zone.npos || end == 1) return refuse(text, kForm);
    zone.remove_prefix(end);
  }
  if (!time || (zone != "Z" && zone != "+00:00" && zone != "+0000")) return refuse(text, kForm);
  return *time;
}

Result<TimePoint> parse_amz_date(std::string_view text) {
  constexpr std::string_view kForm = "20261121T150405Z";
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return refuse(text, kForm);
  const auto time = to_time({number(text, 0, 4), number(text, 4, 2), number(text, 6, 2),
                             number(text, 9, 2), number(text, 11, 2), number(text, 13, 2)});
  if (!time) return refuse(text, kForm);
  return *time;
}

std::string format_amz_date(TimePoint time) {
  std::string out;
  append_amz_date(out, time);
  return out;
}

void append_amz_date(std::string& out, TimePoint time) {
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const year_month_day date{midnight};
  const auto into_day = std::chrono::duration_cast<seconds>(time - midnight).count();
  char text[] = "yyyymmddThhmmssZ";
  put(&text[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(&text[4], static_cast<unsigned>(date.month()), 2);
  put(&text[6], static_cast<unsigned>(date.day()), 2);
  put(&text[9], static_cast<unsigned>(into_day / 3600), 2);
  put(&text[11], static_cast<unsigned>(into_day / 60 % 60), 2);
  put(&text[13], static_cast<unsigned>(into_day % 60), 2);
  out.append(text, 16);
}

Result<TimePoint> parse_http_date(std::string_view text) {
  constexpr std::string_view kForm = "Sat, 21 Nov 2026 15:04:05 GMT";
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != kForm.size() || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
      text[19] != ':' || text[22] != ':') {
    return refuse(text, kForm);
  }
  int month_number = 0;
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (text.substr(8, 3) == kMonths[i]) month_number = static_cast<int>(i) + 1;
  }
  const auto time = to_time({number(text, 12, 4), month_number, number(text, 5, 2),
                             number(text, 17, 2), number(text, 20, 2), number(text, 23, 2)});
  if (!time) return refuse(text, kForm);
  return *time;
}

}  // namespace remit::aws
