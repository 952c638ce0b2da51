#pragma once

#include <iosfwd>
#include <string>

#include "cli/verbs.h"

namespace remit::cli {

// `remit explain --batch FILE`: reads cases, one JSON object a line, and writes one answer a line
// in the same order (docs/iam.md). "-" reads standard input. Done when every line was answered,
// also where the answer is an error; Misuse when FILE cannot be read or the answers cannot be
// written.
Exit explain_batch(const std::string& file, std::ostream& out, std::ostream& complaints);
Exit explain_batch(std::istream& in, std::ostream& out);

}  // namespace remit::cli
