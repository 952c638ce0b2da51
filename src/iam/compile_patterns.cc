// Text with wildcards and policy variables.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

#include <algorithm>

#include "iam/compiler.h"
#include "iam/hash.h"
#include "iam/known_keys.h"
#include "iam/wildcard.h"

namespace remit::iam {
namespace {

constexpr unsigned kVariableDigitBits = 6;

// A variable's index as bytes that are no codes: six bits each, from '@'.
void append_variable(std::string& out, std::uint32_t index) {
  out.push_back(kVariable);
  for (std::size_t i = 0; i < kVariableBytes; ++i) {
    out.push_back(static_cast<char>('@' + (index & 0x3FU)));
    index >>= kVariableDigitBits;
  }
}

std::string_view trim_spaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::uint32_t Compiler::key(std::string_view name) {
  const auto hash = hash_ignoring_case(name);
  // A policy uses few keys, most of them again and again; the last ones are the likeliest.
  constexpr std::size_t kLookBack = 16;
  const std::size_t known = out_.keys.size();
  for (std::size_t i = 0; i < std::min(known, kLookBack); ++i) {
    const auto index = known - 1 - i;
    if (out_.keys[index].hash == hash && out_.text(out_.keys[index].name) == name) {
      return static_cast<std::uint32_t>(index);
    }
  }
  out_.keys.push_back({hash, keep(name), derived_key(name)});
  return static_cast<std::uint32_t>(known);
}

// Reads `${...}` at the front of `text`: appends the variable or the escaped character to `out` and
// returns how many bytes it took; 0 after a fault.
std::size_t Compiler::variable(std::string_view text, std::string& out, json::Value where,
                               const Path& path) {
  const auto close = text.find('}');
  if (close == std::string_view::npos) {
    fault(where, path, "a variable is not closed: '}' is missing after \"${\"");
    return 0;
  }
  auto inside = text.substr(2, close - 2);
  if (inside == "*" || inside == "?" || inside == "$") {
    out.append(inside);
    return close + 1;
  }
  Variable found;
  std::size_t taken = close + 1;
  if (const auto comma = inside.find(','); comma != std::string_view::npos) {
    // The default stands in quotes and may hold a brace.
    auto rest = text.substr(2 + comma + 1);
    const auto blanks = rest.find_first_not_of(' ');
    rest = rest.substr(std::min(blanks, rest.size()));
    const auto quote = rest.starts_with('\'') ? rest.find('\'', 1) : std::string_view::npos;
    if (quote == std::string_view::npos) {
      fault(where, path, "a variable's default stands in single quotes: ${key, 'text'}");
      return 0;
    }
    auto tail = rest.substr(quote + 1);
    const auto brace = tail.find_first_not_of(' ');
    if (brace == std::string_view::npos || tail[brace] != '}') {
      fault(where, path, "a variable is not closed: '}' is missing after its default");
      return 0;
    }
    found.has_default = true;
    found.default_text = keep(rest.substr(1, quote - 1));
    inside = inside.substr(0, comma);
    taken = static_cast<std::size_t>(tail.data() + brace + 1 - text.data());
  }
  const auto name = trim_spaces(inside);
  if (name.empty()) {
    fault(where, path, "a variable without a key: \"${}\"");
    return 0;
  }
  if (name.find("${") != std::string_view::npos) {
    fault(where, path, "a variable cannot stand inside a variable");
    return 0;
  }
  found.key = key(name);
  append_variable(out, static_cast<std::uint32_t>(out_.variables.size()));
  out_.variables.push_back(found);
  return taken;
}

// `variables_from`: variables count from this byte of `text` on (all of them: 0).
Pattern Compiler::pattern(std::string_view text, Wildcards wildcards, std::size_t variables_from,
                          json::Value where, const Path& path) {
  Pattern out;
  if (wildcards == Wildcards::Encoded && text == "*") {
    out.form = PatternForm::Any;
    out.text = keep(std::string_view(&kAnyRun, 1));
    return out;
  }
  const bool wild = wildcards == Wildcards::Encoded && text.find_first_of("*?") != text.npos;
  const bool variables = variables_ && text.find("${") != text.npos;
  if (!wild && !variables) {
    out.text = keep(text);
    return out;
  }
  // Short enough for the small-string buffer in most policies.
  std::string encoded;
  bool has_variable = false;
  for (std::size_t i = 0; i < text.size();) {
    if (variables && text.substr(i).starts_with("${")) {
      const auto before = out_.variables.size();
      const auto taken = variable(text.substr(i), encoded, where, path);
      if (taken == 0) return out;
      if (out_.variables.size() > before) {
        has_variable = true;
        if (i < variables_from) out.early_variable = true;
      }
      i += taken;
    } else if (wildcards == Wildcards::Encoded) {
      const auto end = variables ? text.find("${", i) : text.npos;
      append_encoded(encoded, text.substr(i, end - i));
      i = std::min(end, text.size());
    } else {
      encoded.push_back(text[i++]);
    }
  }
  const auto first_code = encoded.find_first_of(std::string{kAnyRun, kAnyOne});
  if (has_variable) {
    out.form = PatternForm::Template;
  } else if (first_code == std::string::npos) {
    out.form = PatternForm::Literal;
  } else if (encoded.size() == 1 && encoded.front() == kAnyRun) {
    out.form = PatternForm::Any;
  } else if (first_code + 1 == encoded.size() && encoded.back() == kAnyRun) {
    out.form = PatternForm::Prefix;
    encoded.pop_back();
  } else {
    out.form = PatternForm::Glob;
  }
  out.text = keep(encoded);
  return out;
}

}  // namespace remit::iam
