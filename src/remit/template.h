#pragma once

// A session policy with places for bound arguments: `${arg:NAME}` in the values of Resource and of
// Condition, nowhere else. The statements are IAM's own and were compiled once with sample values
// when the configuration was read; binding puts each value into its place as text of that very
// string, never as JSON or policy syntax.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/json.h"
#include "remit/bind.h"
#include "remit/canonical.h"

namespace remit::iam {
class Policy;
}

namespace remit::rules {

struct Item;
class Reader;

struct TextPart {
  bool argument = false;
  std::string text;  // a literal, or the argument's name
};

// "arn:aws:s3:::${arg:bucket}/*" in its parts. Other variables (`${aws:username}`) are literals.
// InvalidInput for an unclosed `${`, a `$` that begins no variable right before an argument, an
// argument inside of a variable, and a name that is none.
Result<std::vector<TextPart>> parse_template_text(std::string_view text);

struct TemplateText {
  std::vector<TextPart> parts;
};

struct TemplateCondition {
  std::string op;
  std::string key;
  std::vector<TemplateText> values;
};

struct TemplateStatement {
  StatementOrigin origin;
  bool deny = false;
  bool not_action = false;
  std::vector<std::string> actions;
  bool not_resource = false;
  std::vector<TemplateText> resources;
  std::vector<TemplateCondition> conditions;
};

class SessionTemplate {
 public:
  explicit SessionTemplate(std::vector<TemplateStatement> statements);

  // Names of the arguments that it uses, sorted.
  const std::vector<std::string>& arguments() const { return arguments_; }
  const std::vector<TemplateStatement>& statements() const { return statements_; }

  // Denied when a value would change which part of an ARN it stands in (a colon before the
  // resource part). `bound` holds every name of arguments().
  Result<PolicyText> fill(const BoundArguments& bound) const;

 private:
  std::vector<TemplateStatement> statements_;
  std::vector<std::string> arguments_;
};

// Reads `session:`: a list of statements, one statement, or a whole pasted policy document. Tells
// every problem, those of the policy engine at their place in the file, and answers null.
std::shared_ptr<const SessionTemplate> read_session(Reader& reader, const Item& item,
                                                    std::span<const Argument> arguments,
                                                    std::string_view remit);

// Reads `approve:`: Action, and Resource and Condition where only some requests need a human. It is
// compiled as a Deny statement; null after a problem.
std::shared_ptr<const iam::Policy> read_approve(Reader& reader, const Item& item,
                                                std::string_view remit);

}  // namespace remit::rules
