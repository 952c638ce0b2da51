// Properties: what we accept, nlohmann-json accepts with the same value; the canonical form reads
// back to the same canonical form; every value's span lies in its parent's.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/check.h"
#include "json/json.h"
#include "json/writer.h"

namespace {

void check_spans(remit::json::Value value) {
  const std::string_view outer = value.raw();
  const auto inside = [&](remit::json::Value child) {
    REMIT_CHECK(child.raw().data() >= outer.data());
    REMIT_CHECK(child.raw().data() + child.raw().size() <= outer.data() + outer.size());
    check_spans(child);
  };
  if (value.is(remit::json::Kind::Array)) {
    for (const auto element : value.elements()) inside(element);
  } else if (value.is(remit::json::Kind::Object)) {
    for (const auto& member : value.members()) inside(member.value);
  } else {
    const auto alone = remit::json::parse(std::string(outer));
    REMIT_CHECK(alone && alone->root().kind() == value.kind());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto document = remit::json::parse(text);
  const auto theirs = nlohmann::json::parse(text, nullptr, false);
  if (!document) {
    REMIT_CHECK(!document.error().message.empty() && document.error().offset <= size);
    return 0;
  }
  REMIT_CHECK(!theirs.is_discarded());
  check_spans(document->root());
  const std::string first = remit::json::canonical(document->root());
  const auto again = remit::json::parse(first);
  REMIT_CHECK(again && remit::json::canonical(again->root()) == first);
  REMIT_CHECK(nlohmann::json::parse(first) == theirs);

  std::string quoted;
  remit::json::append_string(quoted, text);
  const auto back = remit::json::parse(quoted);
  REMIT_CHECK(back && back->root().string() == text);  // the text was valid UTF-8
  return 0;
}
