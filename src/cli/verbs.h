#pragma once

// The verbs of the command line: one file each. A verb adds its flags to the application and, when
// it was asked for, runs and leaves its exit code; what it decides comes from the rooms below.

namespace CLI {
class App;
}

namespace remit::cli {

// Exit codes of every verb.
enum class Exit : int {
  Done = 0,
  Findings = 1,  // findings, denied, or a verification that failed
  Misuse = 2,    // wrong use or broken input
};

void add_gateway(CLI::App& app, Exit& exit);
void add_check(CLI::App& app, Exit& exit);
void add_explain(CLI::App& app, Exit& exit);
void add_ledger(CLI::App& app, Exit& exit);
void add_lint(CLI::App& app, Exit& exit);
void add_identify(CLI::App& app, Exit& exit);
void add_credentials(CLI::App& app, Exit& exit);
void add_revoke(CLI::App& app, Exit& exit);
void add_learn(CLI::App& app, Exit& exit);
void add_catalogue(CLI::App& app, Exit& exit);

}  // namespace remit::cli
