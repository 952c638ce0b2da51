// Any bytes as a line of the batch: the answer is one line of valid JSON with a decision or an
// error, and never `allowed` for a line that holds no policy.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "iam/batch.h"
#include "json/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  remit::iam::Batch batch;
  std::string answer;
  batch.answer(line, answer);
  REMIT_CHECK(answer.find('\n') == std::string::npos);
  const auto parsed = remit::json::parse(answer);
  REMIT_CHECK(parsed.has_value());
  const auto root = parsed->root();
  REMIT_CHECK(root.find("id").has_value());
  REMIT_CHECK(root.find("decision").has_value() != root.find("error").has_value());
  return 0;
}
