#pragma once

// The heads of HTTP/2 messages (RFC 9113, section 8) as the house's own data, strictly: what an
// HTTP/1.1 reader could take for something else is refused here, before anything is made of it.
// Pure: no sockets, no frames.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/head.h"
#include "net/http.h"

namespace remit::net {

// One header block, as it came: the pseudo-fields apart from the others.
class Http2Block {
 public:
  // Errors: LimitExceeded (more than a head of HTTP/1.1 may hold), InvalidInput (a pseudo-field
  // that is unknown, comes twice, or comes behind a field).
  Result<> add(std::string_view name, std::string_view value);

  std::string method, scheme, authority, path, status;
  http::Fields fields;

 private:
  std::size_t bytes_ = 0;
};

struct Http2Request {
  http::RequestHead head;  // version 20; Host is the authority; no framing fields
  Framing framing;
};
struct Http2Response {
  http::ResponseHead head;
  Framing framing;
};

// `ends`: the block ended the stream, so there is no body. `scheme` is what the connection is.
Result<Http2Request> to_request(Http2Block block, bool ends, std::string_view scheme);
// A status below 200 announces another block.
Result<Http2Response> to_response(Http2Block block, bool ends);
// The fields behind a body.
Result<http::Fields> to_trailers(Http2Block block);

// The other way: names in lower case, pseudo-fields first, what belongs to one connection of
// HTTP/1.1 left out.
http::Fields from_request(const http::RequestHead& head, std::string_view scheme);
http::Fields from_response(const http::ResponseHead& head);
http::Fields from_trailers(const http::Fields& trailers);

}  // namespace remit::net
