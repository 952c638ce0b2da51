// `remit check`: every fault of a configuration at once, without calling AWS; with --live, real
// AssumeRole calls. docs/check.md documents both forms of the answer.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "aws/catalogue.h"
#include "cli/check_live.h"
#include "cli/configured.h"
#include "cli/verbs.h"
#include "json/writer.h"
#include "remit/preflight.h"
#include "remit/session.h"

namespace remit::cli {
namespace {

using rules::Problem;

struct CheckFlags {
  std::string config = "remit.yaml";
  bool json = false;
  bool live = false;
};

struct Findings {
  std::vector<Problem> problems;
  std::vector<rules::RemitSummary> remits;
  std::vector<LiveResult> live;

  std::size_t count(Problem::Severity severity) const {
    return static_cast<std::size_t>(std::ranges::count(problems, severity, &Problem::severity));
  }
  bool live_failed() const {
    return std::ranges::any_of(live, [](const LiveResult& r) { return !r.ok; });
  }
  bool ok() const { return count(Problem::Severity::Error) == 0 && !live_failed(); }
};

Findings find(rules::LoadedConfig loaded) {
  Findings findings;
  findings.problems = std::move(loaded.problems);
  if (!loaded.config) return findings;
  rules::Preflight preflight = rules::inspect(*loaded.config);
  findings.remits = std::move(preflight.remits);
  std::ranges::move(preflight.problems, std::back_inserter(findings.problems));
  if (const auto catalogue = aws::Catalogue::open(environment("REMIT_CATALOGUE").value_or("")))
    std::ranges::move(rules::inspect_actions(*loaded.config, *catalogue),
                      std::back_inserter(findings.problems));
  std::ranges::move(rules::inspect_machine(*loaded.config, environment, home_directory()),
                    std::back_inserter(findings.problems));
  std::ranges::sort(findings.problems, {}, [](const Problem& p) {
    return std::tuple(p.position.line, p.position.column, p.path, p.message);
  });
  return findings;
}

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

void print_text(const CheckFlags& flags, const Findings& findings) {
  for (const Problem& problem : findings.problems)
    fmt::print("{}\n", to_string(problem, flags.config));
  for (const rules::RemitSummary& remit : findings.remits) {
    fmt::print("{}: {} as {}; session policy {}{} of {} characters, about {} % packed\n",
               remit.name,
               remit.tools.empty() ? "startup" : fmt::to_string(fmt::join(remit.tools, ", ")),
               fmt::join(remit.roles, ", "), remit.policy_characters,
               remit.sampled ? " (with sample arguments)" : "", rules::kMaxPolicyCharacters,
               remit.packed_percent_estimate);
  }
  for (const LiveResult& result : findings.live) fmt::print("{}\n", to_text(result));
  fmt::print("{}: {}, {}\n", flags.config,
             plural(findings.count(Problem::Severity::Error), "error"),
             plural(findings.count(Problem::Severity::Warning), "warning"));
}

void write_strings(json::Writer& writer, std::string_view key,
                   const std::vector<std::string>& values) {
  writer.key(key).begin_array();
  for (const std::string& value : values) writer.string(value);
  writer.end_array();
}

void print_json(const CheckFlags& flags, const Findings& findings) {
  json::Writer writer;
  writer.begin_object();
  writer.key("version").integer(1);
  writer.key("file").string(flags.config);
  writer.key("ok").boolean(findings.ok());
  writer.key("problems");
  write_problems(writer, findings.problems);
  writer.key("remits").begin_array();
  for (const rules::RemitSummary& remit : findings.remits) {
    writer.begin_object().key("name").string(remit.name);
    write_strings(writer, "tools", remit.tools);
    write_strings(writer, "roles", remit.roles);
    writer.key("policyCharacters").integer(static_cast<std::int64_t>(remit.policy_characters));
    writer.key("packedPercentEstimate").integer(remit.packed_percent_estimate);
    writer.key("sampled").boolean(remit.sampled).end_object();
  }
  writer.end_array();
  if (flags.live) {
    writer.key("live").begin_array();
    for (const LiveResult& result : findings.live) write_json(writer, result);
    writer.end_array();
  }
  writer.end_object();
  fmt::print("{}\n", std::move(writer).take());
}

Exit run(const CheckFlags& flags) {
  auto loaded = load_configuration(flags.config);
  if (!loaded) {
    fmt::print(stderr, "remit check: {}\n", loaded.error().message);
    return Exit::Misuse;
  }
  const std::shared_ptr<const rules::Config> config = loaded->config;
  Findings findings = find(*std::move(loaded));
  if (flags.live && config && findings.count(Problem::Severity::Error) == 0) {
    auto live = check_live(*config);
    if (live)
      findings.live = *std::move(live);
    else
      findings.problems.push_back(
          {Problem::Severity::Error, {}, "aws.base", std::move(live.error().message)});
  }
  if (flags.json)
    print_json(flags, findings);
  else
    print_text(flags, findings);
  return findings.ok() ? Exit::Done : Exit::Findings;
}

}  // namespace

void add_check(CLI::App& app, Exit& exit) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* verb = app.add_subcommand("check", "tell every fault of a configuration at once");
  verb->add_option("--config", flags->config, "the configuration")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_flag("--json", flags->json, "one JSON object (docs/check.md)");
  verb->add_flag("--live", flags->live,
                 "prove it with real AssumeRole calls, one for each remit and role");
  verb->callback([flags, &exit] { exit = run(*flags); });
}

}  // namespace remit::cli
