#include "learn/print.h"

#include <string_view>
#include <utility>

namespace remit::learn {
namespace {

// A JSON string is a YAML scalar, whatever is in it.
std::string in_quotes(std::string_view text) {
  json::Writer writer;
  writer.string(text);
  return std::move(writer).take();
}

std::string list(const std::vector<std::string>& values, const std::string& indent) {
  if (values.size() == 1) return " " + in_quotes(values.front()) + "\n";
  std::string out = "\n";
  for (const std::string& value : values) out += indent + "  - " + in_quotes(value) + "\n";
  return out;
}

void write_values(json::Writer& writer, const std::vector<std::string>& values) {
  writer.begin_array();
  for (const std::string& value : values) writer.string(value);
  writer.end_array();
}

}  // namespace

std::string to_yaml(const std::vector<rules::PlainStatement>& statements, std::size_t indent) {
  const std::string margin(indent, ' ');
  const std::string inner = margin + "    ";
  std::string out = margin + "session:\n";
  for (const rules::PlainStatement& statement : statements) {
    out += margin + "  - Effect: Allow\n";
    out += inner + "Action:" + list(statement.actions, inner);
    out += inner + "Resource:" + list(statement.resources, inner);
    if (statement.conditions.empty()) continue;
    out += inner + "Condition:\n";
    std::string op;
    for (const rules::PlainCondition& condition : statement.conditions) {
      if (condition.op != op) out += inner + "  " + condition.op + ":\n";
      op = condition.op;
      out +=
          inner + "    " + in_quotes(condition.key) + ":" + list(condition.values, inner + "    ");
    }
  }
  return out;
}

void write_json(json::Writer& writer, const std::vector<rules::PlainStatement>& statements) {
  writer.begin_array();
  for (const rules::PlainStatement& statement : statements) {
    writer.begin_object();
    writer.key("Effect").string("Allow");
    write_values(writer.key("Action"), statement.actions);
    write_values(writer.key("Resource"), statement.resources);
    if (!statement.conditions.empty()) {
      writer.key("Condition").begin_object();
      for (std::size_t i = 0; i < statement.conditions.size(); ++i) {
        const rules::PlainCondition& condition = statement.conditions[i];
        const bool first = i == 0 || statement.conditions[i - 1].op != condition.op;
        if (first && i > 0) writer.end_object();
        if (first) writer.key(condition.op).begin_object();
        write_values(writer.key(condition.key), condition.values);
      }
      writer.end_object();
      writer.end_object();
    }
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace remit::learn
