#pragma once

// The values that condition operators compare by meaning: numbers, dates, addresses. Read strictly:
// what AWS documents is read, everything else is no value.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace remit::iam {

// An integer or decimal of any length, compared digit by digit. Views into the text it was read of.
struct Decimal {
  bool negative = false;
  std::string_view whole;     // no leading zeros; empty for 0
  std::string_view fraction;  // no trailing zeros
};
std::optional<Decimal> read_decimal(std::string_view text);
std::strong_ordering compare(const Decimal& a, const Decimal& b);

// A W3C form of ISO 8601 ("2026-11-21", "2026-11-21T15:00Z", "2026-11-21T15:00:00.5+01:00",
// "2026-11", "2026") or seconds since 1970.
struct Instant {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  auto operator<=>(const Instant&) const = default;
};
std::optional<Instant> read_instant(std::string_view text);

struct Address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // of a v4 address the first four
};
struct Network {
  Address address;
  std::uint8_t bits = 0;  // of the prefix
};
std::optional<Address> read_address(std::string_view text);
std::optional<Network> read_network(std::string_view text);  // no prefix: /32 or /128
bool holds(const Network& network, const Address& address);

std::optional<bool> read_bool(std::string_view text);  // "true" or "false" in any case

}  // namespace remit::iam
