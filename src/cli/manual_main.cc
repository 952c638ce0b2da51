// Writes the man pages and the completions: `remit_manual DOCS README INTO DATE`. Part of the
// build, not of what is installed.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "cli/completions.h"
#include "cli/manual.h"
#include "cli/program.h"

namespace {

namespace fs = std::filesystem;
using remit::cli::PageFacts;
using remit::cli::Verb;

// Which part of docs/ tells of a verb: a page, or a section of one.
struct Prose {
  std::string_view page;
  std::string_view section;
};
const std::map<std::string_view, Prose> kProse = {
    {"gateway", {"gateway.md", ""}},
    {"check", {"check.md", ""}},
    {"explain", {"explain.md", ""}},
    {"ledger", {"ledger.md", ""}},
    {"lint", {"lint.md", ""}},
    {"identify", {"identify.md", ""}},
    {"revoke", {"gateway.md", "Ending sessions"}},
    {"learn", {"learn.md", ""}},
    {"credentials", {"credential-endpoints.md", ""}},
    {"catalogue", {"catalogue.md", ""}},
};

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(fmt::format("{} cannot be read", path.string()));
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error(fmt::format("{} cannot be written", path.string()));
}

// The man page that a page of docs/ became.
std::string page_of(std::string_view path) {
  if (path == "docs/configuration.md") return "remit.yaml(5)";
  for (const auto& [verb, prose] : kProse)
    if (prose.section.empty() && path == fmt::format("docs/{}", prose.page))
      return fmt::format("remit-{}(1)", verb);
  return {};
}

std::string about_verb(const Verb& verb, const fs::path& docs) {
  const auto found = kProse.find(verb.name);
  if (found == kProse.end())
    throw std::runtime_error(fmt::format("no page of docs/ tells of remit {}", verb.name));
  std::string page = read_file(docs / found->second.page);
  if (found->second.section.empty()) return page;
  std::string part(remit::cli::section(page, found->second.section));
  if (part.empty())
    throw std::runtime_error(
        fmt::format("{} has no section {}", found->second.page, found->second.section));
  return part;
}

// Of the README: what Remit is, without the picture, and its limits.
std::string about_program(const fs::path& readme) {
  const std::string text = read_file(readme);
  return fmt::format("{}\n## Honest limits\n{}", text.substr(0, text.find("\n```")),
                     remit::cli::section(text, "Honest limits"));
}

void write_all(const fs::path& docs, const fs::path& readme, const fs::path& into,
               const std::string& date) {
  CLI::App app;
  auto exit = remit::cli::Exit::Done;
  remit::cli::describe_program(app, exit);
  const Verb program = remit::cli::table_of(app);
  const PageFacts facts{.version = REMIT_VERSION, .date = date, .page_name = page_of};
  const fs::path pages = into / "man";
  write_file(pages / "man1" / "remit.1",
             remit::cli::program_page(program, about_program(readme), facts));
  for (const Verb& verb : program.verbs)
    write_file(pages / "man1" / fmt::format("remit-{}.1", verb.name),
               remit::cli::verb_page(verb, about_verb(verb, docs), facts));
  write_file(pages / "man5" / "remit.yaml.5",
             remit::cli::file_page(read_file(docs / "configuration.md"), facts));
  write_file(into / "bash-completion" / "completions" / "remit",
             remit::cli::bash_completion(program));
  write_file(into / "zsh" / "site-functions" / "_remit", remit::cli::zsh_completion(program));
  write_file(into / "fish" / "vendor_completions.d" / "remit.fish",
             remit::cli::fish_completion(program));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: remit_manual DOCS README INTO DATE\n", stderr);
    return 2;
  }
  try {
    write_all(argv[1], argv[2], argv[3], argv[4]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "remit_manual: %s\n", error.what());
    return 1;
  }
  return 0;
}
