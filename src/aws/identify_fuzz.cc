// Head and body of a request, split at the first empty line. Properties: what is identified names a
// real operation, asks at least one action, and every action knows its resources or says that it
// does not; asked again, or without the condition keys, the answer is the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/identify_for_tests.h"
#include "base/check.h"

namespace {

using remit::aws::testing::Request;

std::string_view take(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Request request;
  request.service = take(text, ' ');
  request.host = take(text, ' ');
  request.method = take(text, ' ');
  request.target = take(text, '\n');
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    if (line.empty()) break;
    const std::string_view name = take(line, ':');
    request.fields.push_back({std::string(name), std::string(line)});
  }
  request.body = text;
  const auto found = request.identify();
  Request without_keys = request;
  without_keys.keys = false;
  REMIT_CHECK(remit::aws::testing::words(without_keys.identify()) ==
              remit::aws::testing::words(found));
  if (!found) {
    REMIT_CHECK(!found.error().message.empty());
    return 0;
  }
  REMIT_CHECK(!found->operation.empty() && !found->candidates.empty() && !found->actions.empty());
  for (const auto& action : found->actions) {
    REMIT_CHECK(action.action.contains(':'));
    REMIT_CHECK(!action.resources.empty() || action.resource_unknown);
    for (const std::string& resource : action.resources)
      REMIT_CHECK(resource == "*" || resource.starts_with("arn:"));
  }
  REMIT_CHECK(remit::aws::testing::words(request.identify()) == remit::aws::testing::words(found));
  return 0;
}
