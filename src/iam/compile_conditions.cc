// Condition: operators, keys and values.

#include <algorithm>

#include "base/encoding.h"
#include "iam/compiler.h"
#include "iam/wildcard.h"

namespace remit::iam {
namespace {

bool compares_text(Compare compare) {
  return compare == Compare::StringEquals || compare == Compare::StringEqualsIgnoreCase ||
         compare == Compare::StringLike || compare == Compare::Arn;
}

bool takes_wildcards(Compare compare) {
  return compare == Compare::StringLike || compare == Compare::Arn;
}

// Numbers and booleans may stand without quotes; their text counts.
std::optional<std::string_view> scalar_text(json::Value value) {
  switch (value.kind()) {
    case json::Kind::String:
      return value.string();
    case json::Kind::Number:
      return value.number_text();
    case json::Kind::Bool:
      return value.boolean() ? "true" : "false";
    default:
      return std::nullopt;
  }
}

}  // namespace

void Compiler::conditions(json::Value value, const Path& path, Statement& out) {
  const auto first = static_cast<std::uint32_t>(out_.conditions.size());
  if (!value.is(json::Kind::Object)) {
    fault(value, path, "must be an object of operators");
    return;
  }
  for (const auto& [name, name_offset, block] : value.members()) {
    operator_block(name, name_offset, block, path);
  }
  out.conditions = {first, static_cast<std::uint32_t>(out_.conditions.size()) - first};
}

void Compiler::operator_block(std::string_view name, std::size_t offset, json::Value block,
                              const Path& path) {
  const Path here = path.key(name);
  const auto op = read_operator(name);
  if (!op) {
    std::string message = "unknown operator";
    if (name.ends_with("NullIfExists")) {
      message = "Null tests presence itself and takes no IfExists";
    } else if (const auto near = nearest_operator(name); !near.empty()) {
      message.append("; did you mean ").append(near).append("?");
    }
    fault(offset, here, std::move(message));
    return;
  }
  if (!block.is(json::Kind::Object)) {
    fault(block, here, "must be an object of condition keys");
    return;
  }
  const Text op_name = keep(name);
  std::vector<std::string> seen;
  for (const auto& [key_name, key_offset, values] : block.members()) {
    const Path key_path = here.key(key_name);
    if (key_name.empty()) {
      fault(key_offset, key_path, "a condition key has a name");
      continue;
    }
    // Key names ignore case, so that the JSON reader cannot see all repetitions.
    if (block.size() > 1) seen.push_back(lower_ascii(key_name));
    condition(*op, op_name, key_name, values, key_path);
  }
  std::ranges::sort(seen);
  if (std::ranges::adjacent_find(seen) != seen.end()) {
    fault(block, here,
          "the same condition key twice in different case: " + *std::ranges::adjacent_find(seen));
  }
}

void Compiler::condition(Operator op, Text op_name, std::string_view key_name, json::Value values,
                         const Path& path) {
  Condition out;
  out.op = op;
  out.op_name = op_name;
  out.key = key(key_name);
  const auto first = static_cast<std::uint32_t>(out_.operands.size());
  if (values.is(json::Kind::Array)) {
    std::size_t i = 0;
    for (const json::Value element : values.elements()) operand(op, element, path.at(i++));
  } else {
    operand(op, values, path);
  }
  out.operands = {first, static_cast<std::uint32_t>(out_.operands.size()) - first};
  out_.conditions.push_back(out);
}

void Compiler::operand(const Operator& op, json::Value value, const Path& path) {
  const auto written = scalar_text(value);
  if (!written) {
    fault(value, path,
          std::string("must be a string, a number or true or false, not ")
              .append(json::name_of(value.kind())));
    return;
  }
  if (!compares_text(op.compare)) {
    out_.operands.push_back(scalar_operand(op, *written));
    return;
  }
  Operand out;
  const auto wildcards = takes_wildcards(op.compare) ? Wildcards::Encoded : Wildcards::Literal;
  auto compiled = pattern(*written, wildcards, 0, value, path);
  if (op.compare == Compare::Arn && compiled.form == PatternForm::Prefix) {
    // ARNs are compared field by field: the star that was cut off stands in one.
    out_.pool.push_back(kAnyRun);
    ++compiled.text.size;
    compiled.form = PatternForm::Glob;
  }
  out.source = compiled.form == PatternForm::Literal ? compiled.text : keep(*written);
  out.index = static_cast<std::uint32_t>(out_.patterns.size());
  out_.patterns.push_back(compiled);
  out_.operands.push_back(out);
}

Operand Compiler::scalar_operand(const Operator& op, std::string_view written) {
  Operand out;
  out.source = keep(written);
  out.form = OperandForm::Malformed;
  const auto add = [&out](OperandForm form, auto& all, auto&& value) {
    out.form = form;
    out.index = static_cast<std::uint32_t>(all.size());
    all.push_back(value);
  };
  const auto kept = out_.text(out.source);
  switch (op.compare) {
    case Compare::NumericEquals:
    case Compare::NumericLess:
    case Compare::NumericLessEquals:
    case Compare::NumericGreater:
    case Compare::NumericGreaterEquals:
      if (const auto number = read_decimal(kept)) {
        const auto within = [&](std::string_view part) {
          if (part.empty()) return Text{out.source.offset, 0};
          return Text{static_cast<std::uint32_t>(part.data() - out_.pool.data()),
                      static_cast<std::uint32_t>(part.size())};
        };
        add(OperandForm::Decimal, out_.decimals,
            DecimalText{number->negative, within(number->whole), within(number->fraction)});
      }
      break;
    case Compare::DateEquals:
    case Compare::DateLess:
    case Compare::DateLessEquals:
    case Compare::DateGreater:
    case Compare::DateGreaterEquals:
      if (const auto instant = read_instant(kept)) {
        add(OperandForm::Instant, out_.instants, *instant);
      }
      break;
    case Compare::Ip:
      if (const auto network = read_network(kept)) {
        add(OperandForm::Network, out_.networks, *network);
      }
      break;
    case Compare::Bool:
    case Compare::Null:
      if (const auto value = read_bool(kept)) {
        out.form = OperandForm::Bool;
        out.index = *value ? 1 : 0;
      }
      break;
    case Compare::Binary:
      // Base-64 text, compared byte for byte.
      add(OperandForm::Pattern, out_.patterns, Pattern{out.source, PatternForm::Literal});
      break;
    default:
      break;
  }
  return out;
}

}  // namespace remit::iam
