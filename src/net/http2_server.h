#pragma once

// HTTP/2 from a client. Each stream is handed to its own ServerConnection, over a pipe within this
// process: whoever serves a request over HTTP/1.1 serves it over HTTP/2 as well, with the same
// deadlines and the same reading of heads. Only fields that were checked (net/http2_head.h) are
// written into a pipe, and the strict reader of net/head.h reads them again at its other end.
//
// Memory of a connection: at most 100 streams, of each a window of 256 KiB and the two ways of its
// pipe. A client that does not take its answers, or resets what it asks for, is sent away.

#include <functional>
#include <string_view>

#include "net/channel.h"
#include "net/task.h"

namespace remit::net {

struct Http2Serving {
  // Runs the one request of a stream; what read_request() says afterwards is "no more". The
  // reference is valid until the task ends.
  std::function<Task<>(ServerConnection& stream)> serve;
  // A request that was refused by its form, and never reached `serve`.
  std::function<void(std::string_view reason)> malformed;
};

// Takes over `carrier` once it begins_http2(), until its end; then all streams have been served.
Task<> serve_http2(Loop& loop, ServerConnection& carrier, Http2Serving serving);

}  // namespace remit::net
