#include "remit/preflight.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "aws/catalogue.h"
#include "aws/catalogue_view.h"
#include "base/encoding.h"
#include "remit/contains.h"
#include "remit/reader.h"
#include "remit/session.h"
#include "remit/template.h"

namespace remit::rules {
namespace {

namespace fs = std::filesystem;

constexpr int kWarnPacked = 80;
constexpr std::size_t kWarnCharacters = 1800;

std::vector<std::string> roles_of(const Remit& remit) {
  if (const auto* role = std::get_if<std::string>(&remit.role)) return {*role};
  std::vector<std::string> roles;
  for (const auto& [value, role] : std::get<RoleByArgument>(remit.role).map)
    if (!contains(roles, role)) roles.push_back(role);
  return roles;
}

void inspect_remit(const Config& config, const Remit& remit, const std::string& path,
                   Preflight& out) {
  const auto tell = [&](Problem::Severity severity, std::string message) {
    out.problems.push_back({severity, remit.position, path + ".session", std::move(message)});
  };
  const auto plan = plan_session(config, remit, sample_arguments(remit));
  if (!plan) {
    // A sample of a pattern is a guess; what it breaks is told when a real value does.
    const bool guessed = !remit.session->arguments().empty();
    tell(guessed ? Problem::Severity::Warning : Problem::Severity::Error, plan.error().message);
    return;
  }
  RemitSummary summary{.name = remit.name,
                       .tools = {},
                       .roles = roles_of(remit),
                       .policy_characters = plan_characters(*plan),
                       .packed_percent_estimate = plan->packed_percent_estimate,
                       .sampled = !remit.session->arguments().empty()};
  for (const ToolPattern& tool : remit.tools) summary.tools.push_back(tool.text());
  if (summary.policy_characters > kWarnCharacters)
    tell(Problem::Severity::Warning,
         fmt::format("the session policy takes {} of the {} characters that STS accepts",
                     summary.policy_characters, kMaxPolicyCharacters));
  if (summary.packed_percent_estimate > kWarnPacked)
    tell(Problem::Severity::Warning,
         fmt::format("policy and tags probably take about {} % of STS's packed limit (a model, not "
                     "a fact; `remit check --live` asks STS): use patterns for what has a common "
                     "beginning, fewer tags, or split the remit",
                     summary.packed_percent_estimate));
  out.remits.push_back(std::move(summary));
}

// The names of a service's actions, for a suggestion.
std::string near_action(const aws::Catalogue& catalogue, std::string_view action) {
  const std::size_t colon = action.find(':');
  if (colon == std::string_view::npos) return "";
  const auto service = aws::view_service(catalogue, action.substr(0, colon));
  if (!service) return "";
  std::vector<std::string_view> names;
  for (const aws::OperationView& operation : service->operations)
    names.insert(names.end(), operation.actions.begin(), operation.actions.end());
  return did_you_mean(action, names);
}

void inspect_actions_of(const Remit& remit, const std::string& path,
                        const aws::Catalogue& catalogue, std::vector<Problem>& problems) {
  for (const TemplateStatement& statement : remit.session->statements()) {
    for (const std::string& action : statement.actions) {
      if (action.find_first_of("*?") != std::string::npos) continue;
      if (const auto known = aws::view_action(catalogue, action); known && known->known) continue;
      problems.push_back({Problem::Severity::Warning, statement.origin.position, path + ".session",
                          fmt::format("no action '{}' is known{}; the catalogue is of {}", action,
                                      near_action(catalogue, action), catalogue.date())});
    }
  }
}

bool on_path(const std::string& program, const Environment& environment) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
  const std::string path = environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const std::string folder = path.substr(start, end - start);
    if (!folder.empty() && ::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
    start = end + 1;
  }
  return false;
}

// Whether the file, or the nearest folder that is there and would hold it, can be written.
bool can_be_written(const std::string& file) {
  std::error_code error;
  if (fs::exists(file, error)) return ::access(file.c_str(), W_OK) == 0;
  fs::path folder = fs::path(file).parent_path();
  while (!folder.empty() && !fs::exists(folder, error) && folder != folder.parent_path())
    folder = folder.parent_path();
  return fs::is_directory(folder, error) && ::access(folder.c_str(), W_OK | X_OK) == 0;
}

// Only the section's heading is looked for; keys and values are not kept.
bool has_section(const std::string& file, std::string_view first, std::string_view second) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    const std::string_view text = trim_ascii(line);
    if (text == first || text == second) return true;
  }
  return false;
}

bool profile_exists(const std::string& profile, const Environment& environment,
                    const std::string& home) {
  const std::string config = environment("AWS_CONFIG_FILE").value_or(home + "/.aws/config");
  const std::string shared =
      environment("AWS_SHARED_CREDENTIALS_FILE").value_or(home + "/.aws/credentials");
  const std::string plain = fmt::format("[{}]", profile);
  const std::string named = fmt::format("[profile {}]", profile);
  return has_section(config, named, profile == "default" ? plain : named) ||
         has_section(shared, plain, plain);
}

std::optional<std::string> doubt_base(const BaseSource& base, const Environment& environment,
                                      const std::string& home) {
  const auto has = [&](std::string_view name) { return environment(name).has_value(); };
  switch (base.kind) {
    case BaseSource::Kind::Profile:
      if (profile_exists(base.profile, environment, home)) return std::nullopt;
      return fmt::format("no profile '{}' in the AWS configuration files of this machine",
                         base.profile);
    case BaseSource::Kind::Environment:
      if (has("AWS_ACCESS_KEY_ID") && has("AWS_SECRET_ACCESS_KEY")) return std::nullopt;
      return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set here";
    case BaseSource::Kind::Container:
      if (has("AWS_CONTAINER_CREDENTIALS_FULL_URI") ||
          has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))
        return std::nullopt;
      return "AWS_CONTAINER_CREDENTIALS_FULL_URI and _RELATIVE_URI are not set here";
    case BaseSource::Kind::DefaultChain:
    case BaseSource::Kind::InstanceMetadata:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

BoundArguments sample_arguments(const Remit& remit, const std::optional<std::string>& role_value) {
  BoundArguments bound;
  const auto* choice = std::get_if<RoleByArgument>(&remit.role);
  for (const Argument& argument : remit.arguments) {
    const bool chooses = choice != nullptr && choice->argument == argument.name;
    bound.push_back({argument.name, chooses ? role_value.value_or(choice->map.front().first)
                                            : argument.grammar.sample()});
  }
  std::ranges::sort(bound, {}, &BoundArgument::name);
  return bound;
}

Preflight inspect(const Config& config) {
  Preflight out;
  out.problems = not_served(config);
  for (const Upstream& upstream : config.upstreams)
    if (upstream.startup)
      inspect_remit(config, *upstream.startup, fmt::format("upstreams.{}.startup", upstream.name),
                    out);
  for (std::size_t i = 0; i < config.remits.size(); ++i)
    inspect_remit(config, config.remits[i], fmt::format("remits[{}]", i), out);
  return out;
}

std::vector<Problem> inspect_actions(const Config& config, const aws::Catalogue& catalogue) {
  std::vector<Problem> problems;
  for (const Upstream& upstream : config.upstreams)
    if (upstream.startup)
      inspect_actions_of(*upstream.startup, fmt::format("upstreams.{}.startup", upstream.name),
                         catalogue, problems);
  for (std::size_t i = 0; i < config.remits.size(); ++i)
    inspect_actions_of(config.remits[i], fmt::format("remits[{}]", i), catalogue, problems);
  return problems;
}

std::vector<Problem> inspect_machine(const Config& config, const Environment& environment,
                                     const std::string& home) {
  std::vector<Problem> problems;
  const auto tell = [&](Problem::Severity severity, json::Position at, std::string path,
                        std::string message) {
    problems.push_back({severity, at, std::move(path), std::move(message)});
  };
  for (const Upstream& upstream : config.upstreams) {
    if (upstream.command.empty() || on_path(upstream.command.front(), environment)) continue;
    const std::string& program = upstream.command.front();
    tell(Problem::Severity::Warning, upstream.position,
         fmt::format("upstreams.{}.command", upstream.name),
         program.contains('/')
             ? fmt::format("{} is not there, or is no program that you may run", program)
             : fmt::format("there is no program '{}' on this machine's PATH", program));
  }
  if (!can_be_written(config.ledger_path))
    tell(Problem::Severity::Error, {}, "ledger.path",
         fmt::format("{} cannot be written: without a ledger no call is answered",
                     config.ledger_path));
  if (!config.aws.ca_bundle.empty() && ::access(config.aws.ca_bundle.c_str(), R_OK) != 0)
    tell(Problem::Severity::Error, {}, "aws.ca_bundle",
         fmt::format("{} cannot be read", config.aws.ca_bundle));
  if (const auto doubt = doubt_base(config.aws.base, environment, home))
    tell(Problem::Severity::Warning, {}, "aws.base", *doubt);
  return problems;
}

}  // namespace remit::rules
