#pragma once

// The program as CLI11 knows it: its name, its flags and every verb.

#include "cli/verbs.h"

namespace remit::cli {

void describe_program(CLI::App& app, Exit& exit);

}  // namespace remit::cli
