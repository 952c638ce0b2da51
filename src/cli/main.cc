#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "cli/verbs.h"

#include "cli/version.h"

namespace {

void add_verbs(CLI::App& app, remit::cli::Exit& exit) {
  remit::cli::add_gateway(app, exit);
  remit::cli::add_check(app, exit);
  remit::cli::add_explain(app, exit);
  remit::cli::add_ledger(app, exit);
  remit::cli::add_lint(app, exit);
  remit::cli::add_identify(app, exit);
  remit::cli::add_revoke(app, exit);
  remit::cli::add_learn(app, exit);
  remit::cli::add_credentials(app, exit);
  remit::cli::add_catalogue(app, exit);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The access layer between AI agents and AWS", "remit"};
  app.set_version_flag("--version", [] { return remit::cli::version_text(); });
  app.require_subcommand(1);
  auto exit = remit::cli::Exit::Done;
  try {
    add_verbs(app, exit);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 ends --help and --version this way too: only those are no misuse.
    return app.exit(error) == 0 ? 0 : static_cast<int>(remit::cli::Exit::Misuse);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "remit: bug: %s\n", error.what());
    return static_cast<int>(remit::cli::Exit::Misuse);
  }
  return static_cast<int>(exit);
}
