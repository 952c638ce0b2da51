// A head that is accepted can be written again, and what is written reads back as the same head.
// Boost.Beast, a reader that others wrote, accepts it too and reads the same.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/head.h"
#include "net/head_by_beast.h"

namespace {

using namespace remit;
using namespace remit::net;

bool same(const http::Fields& a, const http::Fields& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].value != b[i].value) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // However the search for the end is cut, it finds the same.
  const auto end = find_head_end(bytes, 0);
  for (std::size_t cut = 0; end && cut < *end - 1; cut += 7) {
    REMIT_CHECK(find_head_end(bytes, cut) == end);
  }
  const std::string_view head_bytes = end ? bytes.substr(0, *end) : bytes;

  http::RequestHead head;
  if (parse_request_head(head_bytes, head) && request_framing(head)) {
    const auto beast = BeastReading<true>::of(head_bytes);
    REMIT_CHECK(beast && beast->method == head.method && beast->target == head.target);
    REMIT_CHECK(beast->version == head.version && same(beast->fields, head.fields));
    head.version = 11;
    std::string written;
    REMIT_CHECK(append_request_head(written, head).has_value());
    http::RequestHead again;
    const bool without_host = http::count(head.fields, "host") == 0;  // CONNECT in HTTP/1.0
    REMIT_CHECK(parse_request_head(written, again).has_value() || without_host);
    if (!without_host) {
      REMIT_CHECK(again.method == head.method && again.target == head.target);
      REMIT_CHECK(same(again.fields, head.fields));
    }
  }
  http::ResponseHead response;
  if (parse_response_head(head_bytes, response) && response_framing(response, "GET")) {
    const auto beast = BeastReading<false>::of(head_bytes);
    REMIT_CHECK(beast && beast->status == response.status && beast->reason == response.reason);
    REMIT_CHECK(beast->version == response.version && same(beast->fields, response.fields));
    response.reason.clear();
    std::string written;
    REMIT_CHECK(append_response_head(written, response).has_value());
    http::ResponseHead again;
    REMIT_CHECK(parse_response_head(written, again).has_value());
    REMIT_CHECK(again.status == response.status && same(again.fields, response.fields));
  }
  return 0;
}
