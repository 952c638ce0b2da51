#pragma once

#include <string>

namespace remit::cli {

// What `remit --version` prints: Remit's version, then the date, digest and sources of what it
// knows about AWS, because a decision is only as good as its catalogue.
std::string version_text();

}  // namespace remit::cli
