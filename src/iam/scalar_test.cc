#include "iam/scalar.h"

namespace remit::iam {
namespace {

TEST(Decimal, ReadsWhatIsANumberAndNothingElse) {
  for (const auto* good :
       {"0", "-0", "1", "+1", "10.50", "007", "-3.25", "0.0", "123456789012345678901234567890"}) {
    EXPECT_TRUE(read_decimal(good)) << good;
  }
  for (const auto* bad : {"", "-", "1.", ".5", "1e3", "0x10", " 1", "1 ", "1,5", "NaN", "--1"}) {
    EXPECT_FALSE(read_decimal(bad)) << bad;
  }
}

TEST(Decimal, ComparesByValue) {
  struct Case {
    std::string_view a, b;
    int order;
  };
  for (const auto& c : std::vector<Case>{{"10", "9", 1},
                                         {"10", "10.0", 0},
                                         {"-1", "0", -1},
                                         {"-0", "0", 0},
                                         {"-10", "-9", -1},
                                         {"1.5", "1.25", 1},
                                         {"1.5", "1.50", 0},
                                         {"0.1", "0.09", 1},
                                         {"9007199254740993", "9007199254740992", 1}}) {
    const auto order = compare(*read_decimal(c.a), *read_decimal(c.b));
    EXPECT_EQ(order < 0 ? -1 : order > 0 ? 1 : 0, c.order) << c.a << " " << c.b;
  }
}

TEST(Instant, ReadsTheDocumentedForms) {
  struct Case {
    std::string_view text;
    std::int64_t seconds;
    std::int32_t nanoseconds;
  };
  for (const auto& c : std::vector<Case>{{"1970-01-01T00:00:00Z", 0, 0},
                                         {"2026-01-01", 1767225600, 0},
                                         {"2026-01", 1767225600, 0},
                                         {"2026", 1767225600, 0},
                                         {"2026-01-01T01:00+01:00", 1767225600, 0},
                                         {"2025-12-31T23:00:00-01:00", 1767225600, 0},
                                         {"1767225600", 1767225600, 0},
                                         {"2026-01-01T00:00:00.5Z", 1767225600, 500000000},
                                         {"0", 0, 0},
                                         {"-5", -5, 0},
                                         {"2024-02-29T00:00:00Z", 1709164800, 0}}) {
    const auto read = read_instant(c.text);
    ASSERT_TRUE(read) << c.text;
    EXPECT_EQ(read->seconds, c.seconds) << c.text;
    EXPECT_EQ(read->nanoseconds, c.nanoseconds) << c.text;
  }
}

TEST(Instant, RefusesTheRest) {
  for (const auto* bad : {"", "now", "2026-13-01", "2026-02-29", "2026-01-01T00:00:00",
                          "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z",
                          "99999999999999999999", "2026-1-1", "2026-01-01T00:00:00+0100"}) {
    EXPECT_FALSE(read_instant(bad)) << bad;
  }
}

TEST(Network, HoldsItsAddresses) {
  struct Case {
    std::string_view network, address;
    bool expected;
  };
  for (const auto& c : std::vector<Case>{{"10.0.0.0/8", "10.255.0.1", true},
                                         {"10.0.0.0/8", "11.0.0.1", false},
                                         {"10.0.0.1", "10.0.0.1", true},
                                         {"10.0.0.1", "10.0.0.2", false},
                                         {"0.0.0.0/0", "1.2.3.4", true},
                                         {"0.0.0.0/0", "::1", false},
                                         {"192.0.2.128/25", "192.0.2.127", false},
                                         {"192.0.2.128/25", "192.0.2.200", true},
                                         {"2001:db8::/33", "2001:db8:7fff::1", true},
                                         {"2001:db8::/33", "2001:db8:8000::1", false},
                                         {"::1", "::1", true},
                                         {"10.1.2.3/8", "10.9.9.9", true}}) {
    EXPECT_EQ(holds(*read_network(c.network), *read_address(c.address)), c.expected)
        << c.network << " " << c.address;
  }
}

TEST(Network, RefusesWhatIsNoNetwork) {
  for (const auto* bad : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0", "10.0.0.256",
                          "::1/129", "host", "10.0.0.0/8/8", "010.0.0.1x"}) {
    EXPECT_FALSE(read_network(bad)) << bad;
  }
}

}  // namespace
}  // namespace remit::iam
