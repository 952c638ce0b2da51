#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace remit::analysis {

// The corpora are outside of the repository: $REMIT_CORPORA or ../shared/corpora beside it.
inline std::filesystem::path corpora() {
  if (const char* given = std::getenv("REMIT_CORPORA")) return given;
  return std::filesystem::path(REMIT_SOURCE_DIR) / "../shared/corpora";
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return std::move(bytes).str();
}

}  // namespace remit::analysis
