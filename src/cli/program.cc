#include "cli/program.h"

#include <CLI/CLI.hpp>

#include "cli/version.h"

namespace remit::cli {

void describe_program(CLI::App& app, Exit& exit) {
  app.name("remit");
  app.description("the access layer between AI agents and AWS");
  app.set_help_flag("-h,--help", "say this and end");
  app.set_version_flag(
      "--version", [] { return version_text(); }, "say the version and the catalogue's");
  app.require_subcommand(1);
  add_gateway(app, exit);
  add_check(app, exit);
  add_explain(app, exit);
  add_ledger(app, exit);
  add_lint(app, exit);
  add_identify(app, exit);
  add_revoke(app, exit);
  add_learn(app, exit);
  add_credentials(app, exit);
  add_catalogue(app, exit);
}

}  // namespace remit::cli
