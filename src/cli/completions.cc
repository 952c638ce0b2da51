#include "cli/completions.h"

#include <fmt/format.h>

#include <string_view>

namespace remit::cli {
namespace {

bool takes_file(const Option& option) { return option.value == "FILE"; }

// Calls `each(path, verb)` with "remit", "remit gateway", "remit ledger show" and so on.
template <typename Each>
void walk(const Verb& verb, const std::string& path, const Each& each) {
  each(path, verb);
  for (const Verb& sub : verb.verbs) walk(sub, path + " " + sub.name, each);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string words_of(const Verb& verb) {
  std::vector<std::string> words;
  words.reserve(verb.verbs.size());
  for (const Verb& sub : verb.verbs) words.push_back(sub.name);
  for (const Option& option : verb.options)
    words.insert(words.end(), option.names.begin(), option.names.end());
  return joined(words);
}

bool argument_is_file(const Verb& verb) {
  return !verb.arguments.empty() && takes_file(verb.arguments.front());
}

// In single quotes, of zsh (_arguments takes brackets and colons for its own) and fish.
std::string quoted(std::string_view text, std::string_view special, std::string_view quote) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += quote;
      continue;
    }
    if (special.contains(c)) out += '\\';
    out += c;
  }
  return out;
}
std::string for_zsh(std::string_view text) { return quoted(text, "[]:\\", "'\\''"); }
std::string for_fish(std::string_view text) { return quoted(text, "\\", "\\'"); }

std::string function_name(const std::string& path) {
  std::string out = "_";
  for (const char c : path) out += c == ' ' ? '_' : c;
  return out;
}

std::string zsh_value(const Option& option) {
  if (option.value.empty()) return "";
  const std::string values = takes_file(option)       ? "_files"
                             : option.choices.empty() ? " "
                                                      : "(" + joined(option.choices) + ")";
  return fmt::format(":{}:{}", for_zsh(option.value), values);
}

std::string zsh_function(const std::string& path, const Verb& verb) {
  std::string out = fmt::format("{}() {{\n", function_name(path));
  if (!verb.verbs.empty()) out += "  local curcontext=$curcontext state line\n";
  out += verb.verbs.empty() ? "  _arguments -s" : "  _arguments -C";
  for (const Option& option : verb.options) {
    const std::string tail = fmt::format("[{}]{}", for_zsh(option.text), zsh_value(option));
    for (const std::string& name : option.names)
      out += fmt::format(" \\\n    '{}{}{}'",
                         option.repeats            ? "*"
                         : option.names.size() > 1 ? "(" + joined(option.names) + ")"
                                                   : "",
                         name, tail);
  }
  for (const Option& argument : verb.arguments)
    out += fmt::format(" \\\n    '{}:{}:{}'", argument.repeats ? "*" : "",
                       for_zsh(argument.names.front()), takes_file(argument) ? "_files" : " ");
  if (verb.verbs.empty()) return out + "\n}\n\n";
  out += " \\\n    '1:command:->command' '*::argument:->argument'\n  case $state in\n  command)\n";
  out += "    local -a commands=(";
  for (const Verb& sub : verb.verbs)
    out += fmt::format("\n      '{}:{}'", sub.name, for_zsh(sub.text));
  out += ")\n    _describe command commands ;;\n  argument)\n    case $words[1] in\n";
  for (const Verb& sub : verb.verbs)
    out += fmt::format("    {}) {} ;;\n", sub.name, function_name(path + " " + sub.name));
  return out + "    esac ;;\n  esac\n}\n\n";
}

std::string fish_option(const std::string& path, const Option& option) {
  std::string out = fmt::format("complete -c remit -n '__remit_at {}'", path);
  for (const std::string& name : option.names)
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.value.empty()) out += takes_file(option) ? " -r -F" : " -x";
  if (!option.choices.empty()) out += fmt::format(" -a '{}'", joined(option.choices));
  return out + fmt::format(" -d '{}'\n", for_fish(option.text));
}

}  // namespace

std::string bash_completion(const Verb& program) {
  std::string paths;
  std::string values;
  std::string words;
  walk(program, program.name, [&](const std::string& path, const Verb& verb) {
    if (path != program.name) paths += fmt::format("      '{0}') path='{0}' ;;\n", path);
    for (const Option& option : verb.options) {
      if (option.value.empty()) continue;
      std::string pattern;
      for (const std::string& name : option.names)
        pattern += fmt::format("{}'{} {}'", pattern.empty() ? "" : " | ", path, name);
      values += takes_file(option)
                    ? fmt::format("    {}) _remit_files \"$cur\"; return ;;\n", pattern)
                    : fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return ;;\n",
                                  pattern, joined(option.choices));
    }
    words += fmt::format("    '{}') words='{}'{} ;;\n", path, words_of(verb),
                         argument_is_file(verb) ? " files=yes" : "");
  });
  return fmt::format(R"(# bash completion of remit: made from its table of verbs and options.
_remit_files() {{
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY+=($(compgen -f -- "$1"))
}}
_remit() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} path=remit words= files= i
  COMPREPLY=()
  # --option=value comes as three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$path ${{COMP_WORDS[i]}}" in
{}    esac
  done
  case "$path $prev" in
{}  esac
  case $path in
{}  esac
  if [[ $files && $cur != -* ]]; then _remit_files "$cur"; return; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -F _remit remit
)",
                     paths, values, words);
}

std::string zsh_completion(const Verb& program) {
  std::string out = "#compdef remit\n# zsh completion of remit: made from its table.\n\n";
  walk(program, program.name,
       [&](const std::string& path, const Verb& verb) { out += zsh_function(path, verb); });
  return out + "_remit \"$@\"\n";
}

std::string fish_completion(const Verb& program) {
  std::string paths;
  std::string entries;
  walk(program, program.name, [&](const std::string& path, const Verb& verb) {
    if (path != program.name) paths += fmt::format(" '{}'", path);
    for (const Verb& sub : verb.verbs)
      entries += fmt::format("complete -c remit -n '__remit_at {}' -a {} -d '{}'\n", path, sub.name,
                             for_fish(sub.text));
    for (const Option& option : verb.options) entries += fish_option(path, option);
    if (argument_is_file(verb))
      entries += fmt::format("complete -c remit -n '__remit_at {}' -F\n", path);
  });
  return fmt::format(R"(# fish completion of remit: made from its table of verbs and options.
function __remit_at
    set -l path remit
    for word in (commandline -opc)[2..-1]
        switch "$path $word"
            case{}
                set path "$path $word"
        end
    end
    test "$path" = "$argv"
end
complete -c remit -f
{})",
                     paths, entries);
}

}  // namespace remit::cli
