// Conditions: do the keys exist, does the operator fit the key's type and number of values.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/lint_model.h"

namespace remit::analysis {
namespace {

using enum FindingType;
using iam::Compare;
using iam::Qualifier;

// Keys of identity providers: "accounts.google.com:aud", "saml:sub", "oidc.eks.../id/X:sub".
bool is_of_provider(std::string_view prefix) {
  return prefix.find('.') != prefix.npos || prefix == "saml" || prefix == "jwt";
}

void check_key(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  const auto report = [&](std::string_view code, std::string message, std::string mend) {
    pass.report(Error, code, condition_path(s, entry), entry.offset, std::move(message),
                std::move(mend));
  };
  if (entry.known) return;
  const std::size_t colon = entry.lower_key.find(':');
  if (colon == entry.lower_key.npos || colon == 0 || colon + 1 == entry.lower_key.size()) {
    report("INVALID_CONDITION_KEY_FORMAT",
           fmt::format("{} is no condition key: it has the form service:Name", entry.key),
           "write a key with its prefix, such as aws:SourceArn");
    return;
  }
  const std::string_view prefix = std::string_view(entry.lower_key).substr(0, colon);
  if (entry.lower_key == "aws:principaltag" || entry.lower_key == "aws:requesttag" ||
      entry.lower_key == "aws:resourcetag" || entry.lower_key.ends_with("tag/")) {
    report("MISSING_TAG_KEY_IN_CONDITION", fmt::format("{} names no tag", entry.key),
           fmt::format("write {}/ and the tag's key", entry.key));
  } else if (entry.lower_key == "aws:arn") {
    report("UNSUPPORTED_GLOBAL_CONDITION_KEY", "there is no key aws:ARN any more",
           "use aws:PrincipalArn or aws:SourceArn");
  } else if (prefix == "aws") {
    report("INVALID_GLOBAL_CONDITION_KEY", fmt::format("there is no global key {}", entry.key),
           "see the list of AWS global condition context keys");
  } else if (!is_of_provider(prefix) && !pass.data.is_accepted(std::string(prefix) + ":")) {
    report("INVALID_SERVICE_CONDITION_KEY",
           fmt::format("{} has no condition key {}", prefix, entry.key),
           "see the condition keys of the service in the Service Authorization Reference");
  }
}

bool is_string_operator(Compare compare) {
  return compare == Compare::StringEquals || compare == Compare::StringEqualsIgnoreCase ||
         compare == Compare::StringLike;
}

bool is_numeric(Compare compare) {
  return compare >= Compare::NumericEquals && compare <= Compare::NumericGreaterEquals;
}

bool is_date(Compare compare) {
  return compare >= Compare::DateEquals && compare <= Compare::DateGreaterEquals;
}

// What kind of operator suits a key of this type; "" when the operator at hand does.
std::string_view better_operator(KeyType type, Compare compare, std::string_view key) {
  if (compare == Compare::Null) return "";
  switch (type) {
    case KeyType::Unknown:
    case KeyType::Binary:
      return "";
    case KeyType::String:
      // A tag or an encryption context may hold an ARN.
      return is_string_operator(compare) || compare == Compare::Arn || compare == Compare::Binary
                 ? ""
                 : "String";
    case KeyType::Arn:
      return is_string_operator(compare) || compare == Compare::Arn ? "" : "ARN";
    case KeyType::Bool:
      return compare == Compare::Bool ? "" : "Boolean";
    case KeyType::Numeric:
      return is_numeric(compare) ? "" : "Numeric";
    case KeyType::Date:
      return is_date(compare) || (is_numeric(compare) && key == "aws:epochtime") ? "" : "Date";
    case KeyType::IpAddress:
      return compare == Compare::Ip ? "" : "IP address";
  }
  return "";
}

void check_type(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  const ConditionKey key = *entry.known;
  const Compare compare = entry.op->compare;
  if (key.type == KeyType::Arn && compare == Compare::StringLike) {
    pass.report(SecurityWarning, "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
                condition_path(s, entry), entry.offset,
                fmt::format("{} is an ARN: with {} a `*` also crosses its colons", entry.key,
                            entry.op_name),
                entry.op->negated ? "write ArnNotLike" : "write ArnLike");
  } else if (key.type == KeyType::Arn && is_string_operator(compare)) {
    pass.report(Practice, "STRING_EQUALS_WITH_ARN_CONDITION_KEY", condition_path(s, entry),
                entry.offset, fmt::format("{} is an ARN, compared as plain text", entry.key),
                entry.op->negated ? "write ArnNotEquals" : "write ArnEquals");
  }
  const std::string_view better = better_operator(key.type, compare, entry.lower_key);
  if (!better.empty()) {
    pass.report(Warning, "TYPE_MISMATCH", condition_path(s, entry), entry.offset,
                fmt::format("{} does not suit {}", entry.op_name, entry.key),
                fmt::format("use an operator of type {}", better));
  }
}

void check_qualifier(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  const auto [type, multivalued] = *entry.known;
  if (entry.op->compare == Compare::Null) {
    if (entry.op->qualifier != Qualifier::None) {
      pass.report(Suggestion, "NULL_WITH_QUALIFIER", condition_path(s, entry), entry.offset,
                  "Null asks whether the key exists: a qualifier changes nothing", "write Null");
    }
    return;
  }
  if (multivalued && entry.op->qualifier == Qualifier::None) {
    pass.report(Error, "MISSING_QUALIFIER", condition_path(s, entry), entry.offset,
                fmt::format("{} holds several values", entry.key),
                fmt::format("write ForAnyValue:{0} or ForAllValues:{0}", entry.op_name));
  } else if (!multivalued && type != KeyType::Unknown && entry.lower_key.starts_with("aws:") &&
             entry.op->qualifier == Qualifier::ForAllValues) {
    // Of services' own keys the reference does not say reliably how many values they hold.
    pass.report(
        SecurityWarning, "FORALLVALUES_WITH_SINGLE_VALUED_KEY", condition_path(s, entry),
        entry.offset,
        fmt::format("{} holds one value, and ForAllValues is true when it is absent", entry.key),
        "remove ForAllValues");
  }
}

// StringLike "*" asks only whether the key is there.
void check_any_value(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  if (entry.op->compare != Compare::StringLike || entry.op->negated || entry.op->if_exists ||
      entry.op->qualifier != Qualifier::None || entry.items.empty() ||
      !std::ranges::all_of(entry.items, [](const Item& i) { return i.text == "*"; })) {
    return;
  }
  pass.report(Suggestion, "EQUIVALENT_TO_NULL_FALSE", condition_path(s, entry), entry.offset,
              fmt::format("{} \"*\" asks only whether {} is there", entry.op_name, entry.key),
              fmt::format("write \"Null\": {{\"{}\": \"false\"}}", entry.key));
}

// Keys that prove little without another.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
struct Pair {
  std::string_view key;
  std::array<std::string_view, 3> with;
  std::string_view names;
};
constexpr std::array kPairs{
    Pair{"aws:vpcsourceip",
         {"aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"},
         "aws:SourceVpc or aws:SourceVpce"},
    Pair{"aws:ec2instancesourceprivateipv4",
         {"aws:ec2instancesourcevpc", "aws:sourcevpc", "aws:sourcevpce"},
         "aws:Ec2InstanceSourceVpc"},
};

// An address inside a VPC: every VPC has it.
void check_pairs(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  const auto pair = std::ranges::find(kPairs, entry.lower_key, &Pair::key);
  if (pair == kPairs.end() || entry.op->compare == Compare::Null) return;
  const bool paired = std::ranges::any_of(
      pair->with, [&](std::string_view key) { return s.condition_on(key) != nullptr; });
  if (paired) return;
  pass.report(SecurityWarning, "MISSING_PAIRED_CONDITION_KEYS", condition_path(s, entry),
              entry.offset,
              fmt::format("{} alone says little: any VPC may have such an address", entry.key),
              fmt::format("add a condition on {}", pair->names));
}

// Of several bounds in one direction only one counts.
void check_bounds(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  const Compare compare = entry.op->compare;
  const bool least = compare == Compare::NumericGreater || compare == Compare::NumericGreaterEquals;
  const bool most = compare == Compare::NumericLess || compare == Compare::NumericLessEquals;
  if ((!least && !most) || entry.items.size() < 2) return;
  pass.report(Suggestion, "REDUNDANT_CONDITION_VALUE_NUM", condition_path(s, entry), entry.offset,
              fmt::format("of several values of {} only the {} counts", entry.op_name,
                          most ? "greatest" : "least"),
              fmt::format("keep the {} value", most ? "greatest" : "least"));
}

// true beside "true": AWS wants values of one JSON type.
void check_json_types(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  if (!entry.values.is(json::Kind::Array) || entry.values.size() < 2) return;
  const json::Kind first = (*entry.values.elements().begin()).kind();
  for (const json::Value value : entry.values.elements()) {
    if (value.kind() == first) continue;
    pass.report(Error, "INVALID_CONDITION_DATA_TYPE", condition_path(s, entry), value.offset(),
                "the values are of different JSON types", "write all of them as strings");
    return;
  }
}

}  // namespace

void check_conditions(Pass& pass, const StatementView& s) {
  for (const ConditionEntry& entry : s.conditions) {
    check_key(pass, s, entry);
    if (!entry.op) continue;
    if (entry.known) {
      check_type(pass, s, entry);
      check_qualifier(pass, s, entry);
    }
    check_any_value(pass, s, entry);
    check_pairs(pass, s, entry);
    check_bounds(pass, s, entry);
    check_json_types(pass, s, entry);
    check_values(pass, s, entry);
  }
}

}  // namespace remit::analysis
