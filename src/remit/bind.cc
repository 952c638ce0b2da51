#include "remit/bind.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <variant>

#include "remit/contains.h"
#include "remit/template.h"

namespace remit::rules {
namespace {

// RFC 6901: an array is entered by a decimal index without leading zeros.
std::optional<json::Value> step(json::Value at, const std::string& token) {
  if (at.is(json::Kind::Object)) return at.find(token);
  if (!at.is(json::Kind::Array) || token.empty()) return std::nullopt;
  if (token.size() > 1 && token.front() == '0') return std::nullopt;
  std::size_t index = 0;
  const char* end = token.data() + token.size();
  const auto [stop, error] = std::from_chars(token.data(), end, index);
  if (error != std::errc{} || stop != end) return std::nullopt;
  for (const json::Value element : at.elements())
    if (index-- == 0) return element;
  return std::nullopt;
}

std::optional<json::Value> follow(std::optional<json::Value> at,
                                  const std::vector<std::string>& pointer) {
  for (const std::string& token : pointer)
    if (at) at = step(*at, token);
  return at;
}

std::unexpected<Error> refuse(const Argument& argument, std::string_view why) {
  return fail(ErrorCode::Denied,
              fmt::format("argument {} ({}): {}", argument.name, argument.pointer_text, why));
}

// The value as text: only a JSON string is one, but for the grammars that name another kind.
Result<std::string_view> text_of(const Argument& argument, json::Value value) {
  if (value.is(json::Kind::String)) return value.string();
  const GrammarKind kind = argument.grammar.kind();
  if (kind == GrammarKind::Number && value.is(json::Kind::Number)) return value.number_text();
  if (kind == GrammarKind::Boolean && value.is(json::Kind::Bool))
    return value.boolean() ? std::string_view("true") : std::string_view("false");
  return refuse(argument, fmt::format("is {}; a string is wanted (grammar: {})",
                                      json::name_of(value.kind()), argument.grammar.describe()));
}

bool needed(const Remit& remit, const std::string& name) {
  const auto* choice = std::get_if<RoleByArgument>(&remit.role);
  return (choice != nullptr && choice->argument == name) ||
         contains(remit.session->arguments(), name);
}

}  // namespace

Result<BoundArguments> bind_arguments(const Remit& remit, std::optional<json::Value> arguments) {
  BoundArguments bound;
  for (const Argument& argument : remit.arguments) {
    const auto value = follow(arguments, argument.pointer);
    if (!value) {
      if (!needed(remit, argument.name)) continue;
      return refuse(argument, fmt::format("is absent, and remit {} needs it", remit.name));
    }
    REMIT_TRY(const std::string_view text, text_of(argument, *value));
    if (const auto fits = argument.grammar.accepts(text); !fits)
      return refuse(argument, fits.error().message);
    bound.push_back({argument.name, std::string(text)});
  }
  std::ranges::sort(bound, {}, &BoundArgument::name);
  return bound;
}

Result<std::string> choose_role(const Remit& remit, const BoundArguments& bound) {
  if (const auto* fixed = std::get_if<std::string>(&remit.role)) return *fixed;
  const auto& choice = std::get<RoleByArgument>(remit.role);
  const auto argument = std::ranges::find(bound, choice.argument, &BoundArgument::name);
  if (argument == bound.end())
    return fail(ErrorCode::Denied, fmt::format("argument {} is absent, and the role of remit {} is "
                                               "chosen by it",
                                               choice.argument, remit.name));
  for (const auto& [value, role] : choice.map)
    if (value == argument->value) return role;
  return fail(ErrorCode::Denied, fmt::format("argument {}: remit {} has no role for '{}'",
                                             choice.argument, remit.name, argument->value));
}

}  // namespace remit::rules
