#include "remit/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace remit::rules {
namespace {

constexpr std::string_view kArgument = "${arg:";
constexpr std::ptrdiff_t kColonsBeforeResource = 5;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

// Every `$` of a literal must begin a whole variable, so that no value can complete one.
Result<> check_literal(std::string_view literal, bool argument_follows) {
  for (std::size_t at = literal.find('$'); at != std::string_view::npos;
       at = literal.find('$', at + 1)) {
    const bool opens = literal.substr(at).starts_with("${");
    const std::size_t close = opens ? literal.find('}', at) : std::string_view::npos;
    if (close != std::string_view::npos) continue;
    if (opens)
      return fail(ErrorCode::InvalidInput,
                  argument_follows ? "an argument may not stand inside of another variable"
                                   : "a ${ without its }");
    if (argument_follows && at + 1 == literal.size())
      return fail(ErrorCode::InvalidInput, "a $ right before an argument");
  }
  return {};
}

// An argument of an ARN stands in one segment; a colon in it would move the others.
Result<> check_segment(std::string_view before, const TemplateText& text, std::string_view name,
                       std::string_view value) {
  const bool whole = text.parts.size() == 1;
  if (whole || value.find(':') == std::string_view::npos) return {};
  if (!before.starts_with("arn:") || std::ranges::count(before, ':') >= kColonsBeforeResource)
    return {};
  return fail(ErrorCode::Denied,
              fmt::format("argument {}: '{}' contains a colon, and it stands before the resource "
                          "part of an ARN",
                          name, value));
}

Result<std::string> fill_text(const TemplateText& text, const BoundArguments& bound) {
  std::string out;
  for (const TextPart& part : text.parts) {
    if (!part.argument) {
      out += part.text;
      continue;
    }
    const auto found = std::ranges::find(bound, part.text, &BoundArgument::name);
    if (found == bound.end())
      return fail(ErrorCode::Denied, fmt::format("argument {} is not bound", part.text));
    REMIT_CHECKED(check_segment(out, text, part.text, found->value));
    out += found->value;
  }
  return out;
}

Result<std::vector<std::string>> fill_all(const std::vector<TemplateText>& texts,
                                          const BoundArguments& bound) {
  std::vector<std::string> out;
  for (const TemplateText& text : texts) {
    REMIT_TRY(std::string filled, fill_text(text, bound));
    out.push_back(std::move(filled));
  }
  return out;
}

void collect(const std::vector<TemplateText>& texts, std::vector<std::string>& names) {
  for (const TemplateText& text : texts)
    for (const TextPart& part : text.parts)
      if (part.argument) names.push_back(part.text);
}

}  // namespace

Result<std::vector<TextPart>> parse_template_text(std::string_view text) {
  std::vector<TextPart> parts;
  while (!text.empty()) {
    const std::size_t at = text.find(kArgument);
    const std::string_view literal = text.substr(0, at);
    REMIT_CHECKED(check_literal(literal, at != std::string_view::npos));
    if (!literal.empty()) parts.push_back({false, std::string(literal)});
    if (at == std::string_view::npos) break;
    const std::string_view rest = text.substr(at + kArgument.size());
    const std::size_t close = rest.find('}');
    const std::string_view name = rest.substr(0, close);
    if (close == std::string_view::npos || !is_name(name))
      return fail(ErrorCode::InvalidInput, "an argument is written ${arg:NAME}");
    parts.push_back({true, std::string(name)});
    text = rest.substr(close + 1);
  }
  if (parts.empty()) parts.push_back({false, ""});
  return parts;
}

SessionTemplate::SessionTemplate(std::vector<TemplateStatement> statements)
    : statements_(std::move(statements)) {
  for (const TemplateStatement& statement : statements_) {
    collect(statement.resources, arguments_);
    for (const TemplateCondition& condition : statement.conditions)
      collect(condition.values, arguments_);
  }
  std::ranges::sort(arguments_);
  const auto doubles = std::ranges::unique(arguments_);
  arguments_.erase(doubles.begin(), doubles.end());
}

Result<PolicyText> SessionTemplate::fill(const BoundArguments& bound) const {
  std::vector<PlainStatement> filled;
  for (const TemplateStatement& statement : statements_) {
    PlainStatement plain{.deny = statement.deny,
                         .not_action = statement.not_action,
                         .actions = statement.actions,
                         .not_resource = statement.not_resource,
                         .resources = {},
                         .conditions = {},
                         .origins = {statement.origin}};
    REMIT_TRY(plain.resources, fill_all(statement.resources, bound));
    for (const TemplateCondition& condition : statement.conditions) {
      REMIT_TRY(std::vector<std::string> values, fill_all(condition.values, bound));
      plain.conditions.push_back({condition.op, condition.key, std::move(values)});
    }
    filled.push_back(std::move(plain));
  }
  return write_canonical(std::move(filled));
}

}  // namespace remit::rules
