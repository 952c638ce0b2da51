#pragma once

// Condition operators by name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace remit::iam {

enum class Compare : std::uint8_t {
  StringEquals,
  StringEqualsIgnoreCase,
  StringLike,
  Arn,
  NumericEquals,
  NumericLess,
  NumericLessEquals,
  NumericGreater,
  NumericGreaterEquals,
  DateEquals,
  DateLess,
  DateLessEquals,
  DateGreater,
  DateGreaterEquals,
  Bool,
  Binary,
  Ip,
  Null,
};

enum class Qualifier : std::uint8_t { None, ForAllValues, ForAnyValue };

struct Operator {
  Compare compare = Compare::StringEquals;
  Qualifier qualifier = Qualifier::None;
  bool negated = false;  // true when no value of the policy may match
  bool if_exists = false;
};

// Names are matched exactly: AWS's operator names do not ignore case.
std::optional<Operator> read_operator(std::string_view name);
// The nearest operator's whole name ("ForAnyValue:StringLike"); empty when none is near.
std::string nearest_operator(std::string_view name);

}  // namespace remit::iam
