#pragma once

// The one table of verbs and options: what the program parses with, read back as plain data, so
// that the man pages and the completions of shells say what `--help` says.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace remit::cli {

struct Option {
  std::vector<std::string> names;    // "-c", "--config"; of a positional argument its one name
  std::string value;                 // what stands for its value, "FILE"; empty: a flag
  std::vector<std::string> choices;  // all values that it takes, where they are few
  std::string range;                 // of a number: "0 to 60"
  std::string text;
  std::string preset;    // the value when it is not given
  std::string variable;  // of the environment, that stands in for it
  bool required = false;
  bool repeats = false;
};

struct Verb {
  std::string name;
  std::string text;
  std::vector<Option> options;
  std::vector<Option> arguments;  // by position
  std::vector<Verb> verbs;
};

// Hidden verbs and options are left out.
Verb table_of(const CLI::App& app);

}  // namespace remit::cli
