#pragma once

#include <string>

namespace remit::cli {

// The text of `remit --version`: version, then the catalogue's date, digest and sources, or why it
// cannot be opened.
std::string version_text();

}  // namespace remit::cli
