// Properties: a body that is read has every node inside the tree, and reads the same again.
#include <cstdint>
#include <string_view>

#include "aws/wire.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto read :
       {remit::aws::Wire::from_cbor, remit::aws::Wire::from_xml, remit::aws::Wire::from_json}) {
    const auto once = read(body);
    const auto again = read(body);
    REMIT_CHECK(once.has_value() == again.has_value());
    if (!once || once->root() == remit::aws::Wire::kNothing) continue;
    std::size_t scalars = 0;
    once->scalars([&](remit::aws::Wire::Ref node) { scalars += once->text(node).size() + 1; });
    std::size_t others = 0;
    again->scalars([&](remit::aws::Wire::Ref node) { others += again->text(node).size() + 1; });
    REMIT_CHECK(scalars == others);
  }
  return 0;
}
