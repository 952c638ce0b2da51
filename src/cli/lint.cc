// `remit lint`: what is wrong with policy documents (docs/lint.md).

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/lint.h"
#include "analysis/sarif.h"
#include "aws/catalogue.h"
#include "cli/verbs.h"

namespace remit::cli {
namespace {

struct LintFlags {
  std::vector<std::string> files;
  std::string type = "auto";
  std::string format = "text";
  std::string fail_on = "SUGGESTION";
  bool json = false;
};

using Kinds = std::map<std::string, iam::PolicyKind>;
const Kinds& kinds() {
  static const Kinds all{
      {"identity", iam::PolicyKind::Identity}, {"boundary", iam::PolicyKind::Boundary},
      {"session", iam::PolicyKind::Session},   {"resource", iam::PolicyKind::Resource},
      {"trust", iam::PolicyKind::Trust},       {"scp", iam::PolicyKind::Scp},
      {"rcp", iam::PolicyKind::Rcp},           {"endpoint", iam::PolicyKind::Endpoint}};
  return all;
}

Result<std::string> read_text(const std::string& file) {
  constexpr std::size_t kMost = std::size_t{16} << 20;
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail(ErrorCode::InvalidInput, file + ": cannot be read");
    text.assign(std::istreambuf_iterator<char>(in), {});
    if (in.bad()) return fail(ErrorCode::InvalidInput, file + ": cannot be read");
  }
  if (text.size() > kMost) return fail(ErrorCode::LimitExceeded, file + ": more than 16 MiB");
  return text;
}

// From the gravest: a finding counts when its type stands at or before the one asked for.
int gravity(std::string_view type) {
  constexpr std::string_view kOrder[] = {"ERROR",   "SECURITY_WARNING", "AGENT_ACCESS",
                                         "WARNING", "SUGGESTION",       "PRACTICE"};
  return static_cast<int>(std::ranges::find(kOrder, type) - std::begin(kOrder));
}

Result<Exit> lint(const LintFlags& flags) {
  const char* installed = std::getenv("REMIT_CATALOGUE");
  REMIT_TRY(const aws::Catalogue catalogue,
            aws::Catalogue::open(installed == nullptr ? "" : installed));
  const analysis::ServiceData data(catalogue);
  const auto kind = kinds().find(flags.type);
  std::vector<analysis::FileFindings> all;
  bool failed = false;
  bool unread = false;
  for (const std::string& file : flags.files) {
    auto text = read_text(file);
    if (!text) {  // the others are told of all the same
      fmt::print(stderr, "remit lint: {}\n", text.error().message);
      unread = true;
      continue;
    }
    all.push_back(
        {file,
         analysis::lint(*std::move(text), analysis::form_of(file),
                        kind == kinds().end() ? std::nullopt : std::optional(kind->second), data)});
    failed = failed || std::ranges::any_of(all.back().findings, [&](const auto& finding) {
               return gravity(name_of(finding.type)) <= gravity(flags.fail_on);
             });
  }
  const std::string format = flags.json ? "json" : flags.format;
  std::string text = format == "json"    ? analysis::to_json(all)
                     : format == "sarif" ? analysis::to_sarif(all, REMIT_VERSION)
                                         : analysis::to_text(all);
  if (format != "text") text += '\n';
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (unread) return Exit::Misuse;
  return failed ? Exit::Findings : Exit::Done;
}

}  // namespace

void add_lint(CLI::App& app, Exit& exit) {
  const auto flags = std::make_shared<LintFlags>();
  CLI::App* verb = app.add_subcommand("lint", "tell what is wrong with policy documents");
  verb->add_option("FILE", flags->files, "JSON or YAML (.yaml, .yml); - is standard input")
      ->type_name("FILE")
      ->required();
  std::vector<std::string> types{"auto"};
  for (const auto& [name, kind] : kinds()) types.push_back(name);
  verb->add_option("--type", flags->type, "what the policies are attached to")
      ->type_name("KIND")
      ->check(CLI::IsMember(types))
      ->capture_default_str();
  verb->add_option("--format", flags->format, "how to print the findings")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "json", "sarif"}))
      ->capture_default_str();
  verb->add_flag("--json", flags->json, "the same as --format json");
  verb->add_option("--fail-on", flags->fail_on, "exit with 1 from this type of finding on")
      ->type_name("TYPE")
      ->check(CLI::IsMember(
          {"ERROR", "SECURITY_WARNING", "AGENT_ACCESS", "WARNING", "SUGGESTION", "PRACTICE"}))
      ->capture_default_str();
  verb->callback([flags, &exit] {
    const auto done = lint(*flags);
    if (done) {
      exit = *done;
    } else {
      std::fprintf(stderr, "remit lint: %s\n", done.error().message.c_str());
      exit = Exit::Misuse;
    }
  });
}

}  // namespace remit::cli
