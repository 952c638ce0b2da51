// Profile files and credential_process commands: any bytes are read or refused with file and line;
// what is read lies within the file.

#include <cstdint>
#include <string_view>

#include "aws/profile_file.h"
#include "base/check.h"

using namespace remit;
using namespace remit::aws;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = ProfileFile::parse(text, "f");
  if (!file) {
    REMIT_CHECK(file.error().message.starts_with("f:"));
  } else {
    for (const std::string& name : file->sections()) {
      for (const auto& [key, setting] : *file->find(name)) {
        REMIT_CHECK(!key.empty());
        REMIT_CHECK(setting.where.starts_with("f:"));
        REMIT_CHECK(setting.value.find('\n') == setting.value.npos);
        REMIT_CHECK(setting.value.size() <= size);
      }
    }
  }
  if (const auto words = split_command(text)) {
    std::size_t bytes = 0;
    for (const std::string& word : *words) bytes += word.size();
    REMIT_CHECK(!words->empty() && bytes <= size);
  }
  return 0;
}
