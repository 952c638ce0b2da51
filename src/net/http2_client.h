#pragma once

// HTTP/2 towards a server, for one exchange: the caller speaks to a ClientConnection as ever, over
// a pipe within this process, and what it says goes out as the one stream of an HTTP/2 connection.

#include <memory>

#include "net/channel.h"
#include "net/deadline.h"
#include "net/stream.h"
#include "net/task.h"

namespace remit::net {

// `stream` is connected, and its other end speaks HTTP/2 (ALPN, or known beforehand). The exchange
// is cut when the returned connection is closed.
std::unique_ptr<ClientConnection> start_http2_client(Loop& loop, Stream stream,
                                                     DeadlineSweep& sweep, Timeouts timeouts);

}  // namespace remit::net
