#pragma once

// What the parts of the compiler share: the policy being built, where things stand in the document,
// and the faults found so far.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "iam/compiled.h"
#include "json/json.h"

namespace remit::iam {

// A path inside the document, built only when a fault must be told.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  std::int64_t index = -1;
  Path key(std::string_view k) const { return {this, k, -1}; }
  Path at(std::size_t i) const { return {this, {}, static_cast<std::int64_t>(i)}; }
};

class Compiler {
 public:
  // `at`: where `root` stands.
  Compiler(CompiledPolicy& out, json::Value root, json::Position at);

  void policy();
  std::vector<PolicyError> take_errors() && { return std::move(errors_); }

 private:
  // compile.cc: the document and its statements
  void version(json::Value value, const Path& path);
  void statements(json::Value value, const Path& path);
  void statement(json::Value value, const Path& path);
  struct Elements;
  void read_elements(json::Value value, const Path& path, Elements& found);
  void check_elements(json::Value value, const Path& path, const Elements& found);
  void effect(const Elements& found, const Path& path, Statement& out);
  void check_rcp(json::Value value, const Path& path, const Elements& found, const Statement& s);
  json::Position statement_position(std::size_t offset);

  // compile_elements.cc: actions, resources, principals
  void actions(json::Value value, const Path& path, Statement& out);
  void action(json::Value value, const Path& path);
  void resources(json::Value value, const Path& path, Statement& out);
  void resource(json::Value value, const Path& path);
  void principals(json::Value value, const Path& path, Statement& out);
  void principal_member(std::string_view type, json::Value value, const Path& path);
  void principal(std::string_view type, json::Value value, const Path& path);
  void aws_principal(json::Value value, const Path& path, PrincipalEntry& out);
  void principal_arn(json::Value value, const Path& path, PrincipalEntry& out);

  // compile_conditions.cc
  void conditions(json::Value value, const Path& path, Statement& out);
  void operator_block(std::string_view name, std::size_t offset, json::Value block,
                      const Path& path);
  void condition(Operator op, Text op_name, std::string_view key, json::Value values,
                 const Path& path);
  void operand(const Operator& op, json::Value value, const Path& path);
  Operand scalar_operand(const Operator& op, std::string_view written);

  // compile_patterns.cc: text with wildcards and variables
  enum class Wildcards : bool { Literal, Encoded };
  Pattern pattern(std::string_view text, Wildcards wildcards, std::size_t variables_from,
                  json::Value where, const Path& path);
  std::size_t variable(std::string_view text, std::string& out, json::Value where,
                       const Path& path);
  std::uint32_t key(std::string_view name);

  void index();

  Text keep(std::string_view text);
  Text keep_encoded(Text plain);  // a copy of text in the pool, its wildcards as codes
  void fault(std::size_t offset, const Path& path, std::string message);
  void fault(json::Value at, const Path& path, std::string message) {
    fault(at.offset(), path, std::move(message));
  }

  // Calls `each` with every string of a string or an array of strings.
  template <class Each>
  Range strings(json::Value value, const Path& path, std::size_t first, Each each);

  CompiledPolicy& out_;
  json::Value root_;
  json::Position at_;
  bool variables_ = false;  // Version 2012-10-17
  std::vector<PolicyError> errors_;
  std::size_t last_offset_ = 0;  // of the statement whose position was taken last
  json::Position last_position_;
};

template <class Each>
Range Compiler::strings(json::Value value, const Path& path, std::size_t first, Each each) {
  std::uint32_t count = 0;
  const auto one = [&](json::Value v, const Path& p) {
    if (!v.is(json::Kind::String)) {
      fault(v, p, std::string("must be a string, not ").append(json::name_of(v.kind())));
      return;
    }
    each(v, p);
    ++count;
  };
  if (!value.is(json::Kind::Array)) {
    one(value, path);
  } else {
    std::size_t i = 0;
    for (const json::Value element : value.elements()) one(element, path.at(i++));
  }
  return {static_cast<std::uint32_t>(first), count};
}

}  // namespace remit::iam
