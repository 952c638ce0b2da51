#pragma once

// What shells complete after `remit`: verbs, options, the values that an option takes, files.

#include <string>

#include "cli/table.h"

namespace remit::cli {

std::string bash_completion(const Verb& program);
std::string zsh_completion(const Verb& program);
std::string fish_completion(const Verb& program);

}  // namespace remit::cli
