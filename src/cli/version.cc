#include "cli/version.h"

#include <fmt/format.h>

#include <cstdlib>

#include "aws/catalogue.h"

namespace remit::cli {

std::string version_text() {
  const char* installed = std::getenv("REMIT_CATALOGUE");
  const auto catalogue = aws::Catalogue::open(installed == nullptr ? "" : installed);
  if (!catalogue)
    return fmt::format("remit {}\ncatalogue {}", REMIT_VERSION, catalogue.error().message);
  return fmt::format("remit {}\ncatalogue {} sha256 {}\nfrom {}", REMIT_VERSION, catalogue->date(),
                     catalogue->sha256(), catalogue->sources());
}

}  // namespace remit::cli
