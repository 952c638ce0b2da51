#include "cli/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace remit::cli {
namespace {

constexpr std::string_view kExitCodes[][2] = {
    {"0", "Done."},
    {"1", "There are findings, the answer is no, or a verification failed."},
    {"2", "Wrong use, or input that cannot be read."},
};

std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty())
    out.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(out.front())));
  if (!out.ends_with('.')) out += '.';
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string head(std::string_view title, int part, const PageFacts& facts) {
  return fmt::format(
      ".\\\" Made from the table of verbs and from docs/ when Remit is built.\n"
      ".TH {} {} {} \"remit {}\" Remit\n.nh\n.nr HY 0\n.ad l\n",
      roff_text(upper(title), Use::Code), part, facts.date, facts.version);
}

std::string bold(std::string_view text) { return "\\fB" + roff_text(text, Use::Code) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff_text(text, Use::Code) + "\\fR"; }

// What stands behind an option's names in the list: its value, or an argument's name.
std::string spelled(const Option& option, bool argument) {
  std::string out;
  for (const std::string& name : option.names)
    out += (out.empty() ? "" : ", ") + (argument ? italic(name) : bold(name));
  if (!argument && !option.value.empty()) out += " " + italic(option.value);
  if (argument && option.repeats) out += " ...";
  return out;
}

std::string option_text(const Option& option) {
  std::string out = roff_lines(roff_text(sentence(option.text), Use::Prose));
  const auto add = [&](std::string_view what, const std::string& value) {
    out += roff_lines(fmt::format("{} {}.", what, value));
  };
  if (!option.choices.empty()) {
    std::string list;
    for (const std::string& choice : option.choices)
      list += (list.empty() ? "" : ", ") + bold(choice);
    add("One of", list);
  }
  if (!option.range.empty()) add("From", roff_text(option.range, Use::Prose));
  if (!option.preset.empty()) add("Default:", bold(option.preset));
  if (!option.variable.empty()) add("The environment may say it in", bold(option.variable));
  if (option.required && !option.value.empty()) out += "Required.\n";
  return out;
}

std::string options_of(const Verb& verb) {
  std::string out;
  for (const Option& argument : verb.arguments)
    out += ".TP\n" + spelled(argument, true) + "\n" + option_text(argument);
  for (const Option& option : verb.options)
    out += ".TP\n" + spelled(option, false) + "\n" + option_text(option);
  return out;
}

// "remit lint [OPTION]... FILE..."; an option that must be given is named.
std::string synopsis_of(const std::string& command, const Verb& verb) {
  std::string out = bold(command);
  if (!verb.verbs.empty()) return out + " " + italic("COMMAND") + " [" + italic("OPTION") + "]...";
  for (const Option& option : verb.options)
    if (option.required) out += " " + spelled(option, false);
  out += " [" + italic("OPTION") + "]...";
  for (const Option& argument : verb.arguments) out += " " + spelled(argument, true);
  return out;
}

std::string commands_of(const std::string& command, const Verb& verb) {
  std::string out;
  for (const Verb& sub : verb.verbs) {
    out += roff_heading(".SS", command + " " + sub.name);
    out += synopsis_of(command + " " + sub.name, sub) + "\n.PP\n";
    out += roff_lines(roff_text(sentence(sub.text), Use::Prose)) + options_of(sub);
  }
  return out;
}

void variables_of(const Verb& verb, std::string& out) {
  for (const Option& option : verb.options) {
    const std::string entry = ".TP\n" + bold(option.variable) + "\n";
    if (option.variable.empty() || out.contains(entry)) continue;
    out += entry + fmt::format("Stands in for {}.\n", bold(option.names.back()));
  }
  for (const Verb& sub : verb.verbs) variables_of(sub, out);
}

std::string exit_status() {
  std::string out = ".SH EXIT STATUS\n";
  for (const auto& [code, text] : kExitCodes) out += fmt::format(".TP\n.B {}\n{}\n", code, text);
  return out;
}

// Section headings of a man page are capitals.
std::string prose(std::string_view markdown, const PageFacts& facts) {
  std::string out;
  const std::string blocks = roff_blocks(markdown, facts.page_name);
  for (std::string_view text = blocks; !text.empty();) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end + 1);
    out += line.starts_with(".SH ") ? ".SH " + upper(line.substr(4)) : std::string(line);
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string see_also(const std::vector<std::string>& pages) {
  std::string out = ".SH SEE ALSO\n";
  for (const std::string& page : pages) {
    const std::size_t open = page.find('(');
    out += fmt::format(".BR {} {}{}\n", roff_text(page.substr(0, open), Use::Code),
                       page.substr(open), page == pages.back() ? "" : " ,");
  }
  return out;
}

}  // namespace

std::string program_page(const Verb& program, std::string_view about, const PageFacts& facts) {
  std::string out = head(program.name, 1, facts);
  out += fmt::format(".SH NAME\n{} \\- {}\n", program.name, roff_text(program.text, Use::Prose));
  out += ".SH SYNOPSIS\n" + synopsis_of(program.name, program) + "\n";
  out += ".SH DESCRIPTION\n" + prose(introduction(about), facts);
  out += ".SH COMMANDS\n";
  std::vector<std::string> pages;
  for (const Verb& verb : program.verbs) {
    pages.push_back(fmt::format("{}-{}(1)", program.name, verb.name));
    out += fmt::format(".TP\n{}\n{}\n", bold(pages.back()),
                       roff_text(sentence(verb.text), Use::Prose));
  }
  out += ".SH OPTIONS\n" + options_of(program);
  out += exit_status() + prose(sections(about), facts);
  pages.emplace_back("remit.yaml(5)");
  return out + see_also(pages);
}

std::string verb_page(const Verb& verb, std::string_view about, const PageFacts& facts) {
  const std::string command = "remit " + verb.name;
  const std::string name = "remit-" + verb.name;
  std::string out = head(name, 1, facts);
  out += ".SH NAME\n" + roff_lines(fmt::format("{} \\- {}", roff_text(name, Use::Code),
                                               roff_text(verb.text, Use::Prose)));
  out += ".SH SYNOPSIS\n" + synopsis_of(command, verb) + "\n";
  out += ".SH DESCRIPTION\n" + prose(introduction(about), facts);
  if (!verb.verbs.empty()) out += ".SH COMMANDS\n" + commands_of(command, verb);
  out += ".SH OPTIONS\n" + options_of(verb);
  std::string variables;
  variables_of(verb, variables);
  if (!variables.empty()) out += ".SH ENVIRONMENT\n" + variables;
  out += exit_status() + prose(sections(about), facts);
  return out + see_also({"remit(1)", "remit.yaml(5)"});
}

std::string file_page(std::string_view about, const PageFacts& facts) {
  std::string out = head("remit.yaml", 5, facts);
  out += ".SH NAME\nremit.yaml \\- what MCP servers stand behind Remit, and what their tools may\n";
  out += ".SH DESCRIPTION\n" + prose(introduction(about), facts) + prose(sections(about), facts);
  return out + see_also({"remit(1)", "remit-check(1)", "remit-gateway(1)"});
}

}  // namespace remit::cli
