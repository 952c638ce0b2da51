#include "cli/table.h"

#include <CLI/CLI.hpp>
#include <string_view>

namespace remit::cli {
namespace {

// CLI11 writes what validators accept behind the value's name: "KIND:{a,b}", "SECONDS:INT in [0 -
// 60]".
void read_type(const std::string& type, Option& option) {
  const std::size_t colon = type.find(':');
  option.value = type.substr(0, colon);
  if (colon == std::string::npos) return;
  std::string_view rest = std::string_view(type).substr(colon + 1);
  if (rest.starts_with('{') && rest.ends_with('}')) {
    for (auto& choice : CLI::detail::split(std::string(rest.substr(1, rest.size() - 2)), ','))
      option.choices.push_back(std::move(choice));
    return;
  }
  const std::size_t open = rest.find('[');
  const std::size_t dash = rest.find(" - ");
  if (open == std::string_view::npos || dash == std::string_view::npos) return;
  option.range = std::string(rest.substr(open + 1, dash - open - 1)) + " to " +
                 std::string(rest.substr(dash + 3, rest.size() - dash - 4));
}

Option read_option(const CLI::Option& given) {
  Option option;
  for (const std::string& name : given.get_snames()) option.names.push_back("-" + name);
  for (const std::string& name : given.get_lnames()) option.names.push_back("--" + name);
  if (given.get_positional()) option.names = {given.get_name(true)};
  if (given.get_items_expected_max() > 0) read_type(given.get_type_name(), option);
  option.text = given.get_description();
  option.preset = given.get_default_str();
  option.variable = given.get_envname();
  option.required = given.get_required();
  option.repeats = given.get_items_expected_max() > 1;
  return option;
}

}  // namespace

Verb table_of(const CLI::App& app) {
  Verb verb{.name = app.get_name(),
            .text = app.get_description(),
            .options = {},
            .arguments = {},
            .verbs = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    auto& into = option->get_positional() ? verb.arguments : verb.options;
    into.push_back(read_option(*option));
  }
  for (const CLI::App* sub : app.get_subcommands(nullptr)) {
    if (!sub->get_group().empty()) verb.verbs.push_back(table_of(*sub));
  }
  return verb;
}

}  // namespace remit::cli
