#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/program.h"

int main(int argc, char** argv) {
  CLI::App app;
  auto exit = remit::cli::Exit::Done;
  try {
    remit::cli::describe_program(app, exit);
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
