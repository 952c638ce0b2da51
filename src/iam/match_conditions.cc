// Conditions: operators over the values of a key.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html

#include <utility>

#include "base/encoding.h"
#include "iam/expand.h"
#include "iam/match.h"
#include "iam/wildcard.h"

namespace remit::iam {
namespace {

// What cannot be read cannot match; whether its negation then holds, AWS does not say.
Truth unreadable(const Operator& op) { return op.negated ? Truth::Maybe : Truth::No; }

// ARNs are compared field by field: wildcards stay inside their field, but in the last.
Truth matches_arn(const Operator& op, std::string_view pattern, std::string_view value) {
  const auto arn = split_arn_view(value);
  if (!arn.whole) return unreadable(op);
  std::size_t field = 0;
  for (auto rest = pattern; field < 6; ++field) {
    const auto colon = field < 5 ? rest.find(':') : rest.npos;
    if (field < 5 && colon == rest.npos) break;
    if (!matches(rest.substr(0, colon), arn.field[field])) return Truth::No;
    if (field < 5) rest.remove_prefix(colon + 1);
  }
  if (field == 6) return Truth::Yes;
  // Fewer than six fields: no ARN. Whether a star at its end stands for the others, as in a
  // Resource, AWS does not say.
  const bool open_end = pattern.ends_with(kAnyRun);
  return open_end && matches(pattern, value) ? Truth::Maybe : Truth::No;
}

Truth matches_text(const Operator& op, std::string_view pattern, PatternForm form,
                   std::string_view value) {
  switch (op.compare) {
    case Compare::StringEquals:
    case Compare::Binary:
      return truth_of(pattern == value);
    case Compare::StringEqualsIgnoreCase:
      return truth_of(equals_ignoring_ascii_case(pattern, value));
    case Compare::Arn:
      return matches_arn(op, pattern, value);
    default:
      break;
  }
  switch (form) {
    case PatternForm::Any:
      return Truth::Yes;
    case PatternForm::Literal:
      return truth_of(pattern == value);
    case PatternForm::Prefix:
      return truth_of(value.starts_with(pattern));
    default:
      return truth_of(matches(pattern, value));
  }
}

// With a variable that is not known: No where no value of it could match.
Truth could_match(const Operator& op, std::string_view pattern, std::string_view value) {
  if (op.compare == Compare::StringEqualsIgnoreCase) return Truth::Maybe;
  return matches(pattern, value) ? Truth::Maybe : Truth::No;
}

Truth match_pattern(const CompiledPolicy& policy, const Operator& op, const Pattern& pattern,
                    std::string_view value, const Query& query, Trace* trace) {
  if (pattern.form != PatternForm::Template) {
    return matches_text(op, policy.text(pattern.text), pattern.form, value);
  }
  const Expansion expanded(policy, pattern, query, trace);
  switch (expanded.state()) {
    case Expansion::State::Missing:
    case Expansion::State::TooLong:
      return Truth::No;
    case Expansion::State::Unknown:
      return could_match(op, expanded.text(), value);
    case Expansion::State::Known:
      break;
  }
  return matches_text(op, expanded.text(), PatternForm::Glob, value);
}

Truth match_number(const CompiledPolicy& policy, const Operator& op, const DecimalText& operand,
                   std::string_view value) {
  const auto number = read_decimal(value);
  if (!number) return unreadable(op);
  const Decimal other{operand.negative, policy.text(operand.whole), policy.text(operand.fraction)};
  const auto order = compare(*number, other);
  switch (op.compare) {
    case Compare::NumericEquals:
      return truth_of(order == 0);
    case Compare::NumericLess:
      return truth_of(order < 0);
    case Compare::NumericLessEquals:
      return truth_of(order <= 0);
    case Compare::NumericGreater:
      return truth_of(order > 0);
    default:
      return truth_of(order >= 0);
  }
}

Truth match_date(const Operator& op, const Instant& operand, std::string_view value) {
  const auto instant = read_instant(value);
  if (!instant) return unreadable(op);
  const auto order = *instant <=> operand;
  switch (op.compare) {
    case Compare::DateEquals:
      return truth_of(order == 0);
    case Compare::DateLess:
      return truth_of(order < 0);
    case Compare::DateLessEquals:
      return truth_of(order <= 0);
    case Compare::DateGreater:
      return truth_of(order > 0);
    default:
      return truth_of(order >= 0);
  }
}

Truth match_operand(const CompiledPolicy& policy, const Operator& op, const Operand& operand,
                    std::string_view value, const Query& query, Trace* trace) {
  switch (operand.form) {
    case OperandForm::Malformed:
      return unreadable(op);
    case OperandForm::Pattern:
      return match_pattern(policy, op, policy.patterns[operand.index], value, query, trace);
    case OperandForm::Decimal:
      return match_number(policy, op, policy.decimals[operand.index], value);
    case OperandForm::Instant:
      return match_date(op, policy.instants[operand.index], value);
    case OperandForm::Network: {
      const auto address = read_address(value);
      if (!address) return unreadable(op);
      return truth_of(holds(policy.networks[operand.index], *address));
    }
    case OperandForm::Bool: {
      const auto flag = read_bool(value);
      if (!flag) return unreadable(op);
      return truth_of(*flag == (operand.index != 0));
    }
  }
  return Truth::No;
}

// The values of one key are alternatives; a negated operator holds when none matches.
Truth match_value(const CompiledPolicy& policy, const Condition& condition, std::string_view value,
                  const Query& query, Trace* trace) {
  Truth any = Truth::No;
  for (const auto& operand : policy.slice(policy.operands, condition.operands)) {
    any = either(any, match_operand(policy, condition.op, operand, value, query, trace));
    if (any == Truth::Yes) break;
  }
  return condition.op.negated ? opposite(any) : any;
}

Truth match_values(const CompiledPolicy& policy, const Condition& condition,
                   std::span<const std::string_view> values, const Query& query, Trace* trace) {
  Truth all = Truth::Yes;
  Truth any = Truth::No;
  for (const auto value : values) {
    const Truth one = match_value(policy, condition, value, query, trace);
    all = both(all, one);
    any = either(any, one);
  }
  if (condition.op.qualifier == Qualifier::ForAllValues) return all;
  if (condition.op.qualifier == Qualifier::ForAnyValue || values.size() == 1) return any;
  // A plain operator on several values: AWS defines no answer. Where no value matches, every
  // reading says no.
  return any == Truth::No ? Truth::No : Truth::Maybe;
}

Truth match_null(const CompiledPolicy& policy, const Condition& condition, Context::State state) {
  bool when_absent = false;
  bool when_present = false;
  for (const auto& operand : policy.slice(policy.operands, condition.operands)) {
    if (operand.form != OperandForm::Bool) continue;
    (operand.index != 0 ? when_absent : when_present) = true;
  }
  if (condition.op.qualifier == Qualifier::ForAllValues) when_absent = true;
  if (condition.op.qualifier == Qualifier::ForAnyValue) when_absent = false;
  switch (state) {
    case Context::State::Absent:
      return truth_of(when_absent);
    case Context::State::Known:
      return truth_of(when_present);
    case Context::State::Unknown:
      break;
  }
  return when_absent == when_present ? truth_of(when_absent) : Truth::Maybe;
}

Truth match_absent(const Operator& op) {
  if (op.if_exists || op.qualifier == Qualifier::ForAllValues) return Truth::Yes;
  if (op.qualifier == Qualifier::ForAnyValue) return Truth::No;
  return truth_of(op.negated);
}

// Set operators read an empty string as an empty set.
bool is_null_set(const Operator& op, std::span<const std::string_view> values) {
  return op.qualifier != Qualifier::None && values.size() == 1 && values.front().empty();
}

// An empty list of values, where no set operator or IfExists says more: AWS says that such a
// condition is true and, of the same, that its statement grants nothing and does not count.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
bool compares_with_nothing(const Condition& condition) {
  return condition.operands.count == 0 && condition.op.qualifier == Qualifier::None &&
         !condition.op.if_exists;
}
Truth match_nothing(const Statement& statement, const Condition& condition) {
  const bool grants_nothing = !statement.deny && !condition.op.negated;
  return grants_nothing ? Truth::No : Truth::Maybe;
}

std::string describe(const CompiledPolicy& policy, const Condition& condition) {
  std::string out = "Condition ";
  out.append(policy.text(condition.op_name)).append(" ");
  return out.append(policy.text(policy.keys[condition.key].name));
}

std::string describe_failure(const CompiledPolicy& policy, const Condition& condition,
                             const Query::Values& found) {
  std::string out = describe(policy, condition);
  if (found.state == Context::State::Absent) return out + ": the request has no such key";
  out += ": the request has ";
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    if (i > 0) out += ", ";
    out.append("\"").append(found.values[i].substr(0, 256)).append("\"");
  }
  return out;
}

Truth match_condition(const CompiledPolicy& policy, const Statement& statement,
                      const Condition& condition, const Query& query, Trace* trace) {
  const auto& key = policy.keys[condition.key];
  const auto found = query.values_of(policy, key);
  Truth result = Truth::Maybe;
  if (compares_with_nothing(condition)) {
    result = match_nothing(statement, condition);
  } else if (condition.op.compare == Compare::Null) {
    result = match_null(policy, condition, found.state);
  } else if (found.state == Context::State::Absent || is_null_set(condition.op, found.values)) {
    result = match_absent(condition.op);
  } else if (found.state == Context::State::Known) {
    result = match_values(policy, condition, found.values, query, trace);
  }
  if (trace == nullptr) return result;
  if (result == Truth::No) {
    const auto variable = std::exchange(trace->failed, describe_failure(policy, condition, found));
    if (!variable.empty()) trace->failed += "; " + variable;
  } else if (result == Truth::Maybe) {
    if (found.state == Context::State::Unknown) {
      trace->unknown.emplace_back(policy.text(key.name));
    } else if (trace->unknown.empty()) {
      trace->unknown.push_back("how AWS reads " + describe(policy, condition) +
                               " for these values");
    }
  }
  return result;
}

}  // namespace

Truth match_conditions(const CompiledPolicy& policy, const Statement& statement, const Query& query,
                       Trace* trace) {
  Truth all = Truth::Yes;
  for (const auto& condition : policy.slice(policy.conditions, statement.conditions)) {
    all = both(all, match_condition(policy, statement, condition, query, trace));
    if (all == Truth::No) return all;
  }
  return all;
}

}  // namespace remit::iam
