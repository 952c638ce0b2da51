// Property: any two values, one taken as a schema, give a verdict in bounded work; a value always
// fits `true` and its own `const`.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "json/json.h"
#include "mcp/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find('\n');
  if (cut == std::string::npos) return 0;
  const auto schema = remit::json::parse(text.substr(0, cut));
  const auto value = remit::json::parse(text.substr(cut + 1));
  if (!schema || !value) return 0;
  const auto verdict = remit::mcp::validate(schema->root(), value->root());
  REMIT_CHECK(verdict || !verdict.error().message.empty());
  const auto anything = remit::json::parse("true");
  REMIT_CHECK(remit::mcp::validate(anything->root(), value->root()).has_value());
  return 0;
}
