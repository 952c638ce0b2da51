#pragma once

#include <string>

namespace remit::cli {

// "\ncatalogue 2026-11-20 (sha256 ...)": a line of `remit --version`. Says so when the catalogue
// cannot be opened.
std::string catalogue_line();

}  // namespace remit::cli
