#include "iam/operators.h"

#include <array>
#include <vector>

#include "iam/near.h"

namespace remit::iam {
namespace {

struct Named {
  std::string_view name;
  Compare compare;
  bool negated;
};

constexpr std::array kOperators{
    Named{"StringEquals", Compare::StringEquals, false},
    Named{"StringNotEquals", Compare::StringEquals, true},
    Named{"StringEqualsIgnoreCase", Compare::StringEqualsIgnoreCase, false},
    Named{"StringNotEqualsIgnoreCase", Compare::StringEqualsIgnoreCase, true},
    Named{"StringLike", Compare::StringLike, false},
    Named{"StringNotLike", Compare::StringLike, true},
    Named{"ArnEquals", Compare::Arn, false},
    Named{"ArnLike", Compare::Arn, false},
    Named{"ArnNotEquals", Compare::Arn, true},
    Named{"ArnNotLike", Compare::Arn, true},
    Named{"NumericEquals", Compare::NumericEquals, false},
    Named{"NumericNotEquals", Compare::NumericEquals, true},
    Named{"NumericLessThan", Compare::NumericLess, false},
    Named{"NumericLessThanEquals", Compare::NumericLessEquals, false},
    Named{"NumericGreaterThan", Compare::NumericGreater, false},
    Named{"NumericGreaterThanEquals", Compare::NumericGreaterEquals, false},
    Named{"DateEquals", Compare::DateEquals, false},
    Named{"DateNotEquals", Compare::DateEquals, true},
    Named{"DateLessThan", Compare::DateLess, false},
    Named{"DateLessThanEquals", Compare::DateLessEquals, false},
    Named{"DateGreaterThan", Compare::DateGreater, false},
    Named{"DateGreaterThanEquals", Compare::DateGreaterEquals, false},
    Named{"Bool", Compare::Bool, false},
    Named{"BinaryEquals", Compare::Binary, false},
    Named{"IpAddress", Compare::Ip, false},
    Named{"NotIpAddress", Compare::Ip, true},
    Named{"Null", Compare::Null, false},
};

constexpr std::string_view kIfExists = "IfExists";
constexpr std::string_view kForAll = "ForAllValues:";
constexpr std::string_view kForAny = "ForAnyValue:";

const Named* find(std::string_view name) {
  for (const auto& op : kOperators) {
    if (op.name == name) return &op;
  }
  return nullptr;
}

}  // namespace

std::optional<Operator> read_operator(std::string_view name) {
  Operator op;
  if (name.starts_with(kForAll)) {
    op.qualifier = Qualifier::ForAllValues;
    name.remove_prefix(kForAll.size());
  } else if (name.starts_with(kForAny)) {
    op.qualifier = Qualifier::ForAnyValue;
    name.remove_prefix(kForAny.size());
  }
  if (name.ends_with(kIfExists)) {
    op.if_exists = true;
    name.remove_suffix(kIfExists.size());
  }
  const Named* named = find(name);
  if (named == nullptr || (named->compare == Compare::Null && op.if_exists)) return std::nullopt;
  op.compare = named->compare;
  op.negated = named->negated;
  return op;
}

std::string nearest_operator(std::string_view name) {
  std::vector<std::string> names;
  for (const auto prefix : {std::string_view{}, kForAll, kForAny}) {
    for (const auto& op : kOperators) {
      names.push_back(std::string(prefix).append(op.name));
      if (op.compare != Compare::Null) names.push_back(names.back() + std::string(kIfExists));
    }
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return std::string(nearest(name, views));
}

}  // namespace remit::iam
