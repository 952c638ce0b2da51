// Property: however the bytes are cut into pieces, the same lines come out, and no more than the
// cap is held. The first byte of the input is the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "mcp/framing.h"

namespace {

constexpr std::size_t kCap = 32;

std::vector<std::string> lines(std::string_view bytes, std::size_t step) {
  remit::mcp::LineReader reader(kCap);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    reader.feed(bytes.substr(i, step));
    while (auto line = reader.next()) out.push_back(line->too_long ? "\n" : line->text);
    REMIT_CHECK(reader.held() <= kCap);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = lines(bytes, bytes.size());
  REMIT_CHECK(whole == lines(bytes, std::max<std::size_t>(1, data[0])));
  for (const auto& line : whole) {
    REMIT_CHECK(line == "\n" || (!line.empty() && line.find('\n') == std::string::npos));
  }
  return 0;
}
