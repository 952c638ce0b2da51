#pragma once

// A table of requests, and what identification says of each.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aws/identify_for_tests.h"

namespace remit::aws::testing {

struct Attack {
  Request request;
  std::string wanted;  // words(), or what the refusal says
};

inline void expect_each(const std::vector<Attack>& attacks) {
  for (const Attack& attack : attacks) {
    const std::string got = words(attack.request.identify());
    if (attack.wanted.starts_with("refused: ")) {
      EXPECT_TRUE(got.starts_with("refused: ") && got.contains(attack.wanted.substr(9)))
          << got << "\n  wanted: " << attack.wanted;
    } else {
      EXPECT_EQ(got, attack.wanted) << attack.request.target << " " << attack.request.body;
    }
  }
}

}  // namespace remit::aws::testing
