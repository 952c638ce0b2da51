#pragma once

// HTTP/1.1 server: accepts connections and runs one handler coroutine for each.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/channel.h"
#include "net/task.h"

namespace remit::net {

struct ServerOptions {
  std::string address = "127.0.0.1";   // a literal address
  std::uint16_t port = 0;              // 0: any free one
  std::size_t max_connections = 4096;  // more are accepted and closed at once
  Timeouts timeouts;
  std::chrono::milliseconds tick{250};  // how coarse the timeouts are
  int hops = 0;  // how many routers may pass an answer on; 0: as the system says
};

// Owns the listener. stop(), and its destruction, closes it and all connections; the handlers then
// see errors and return.
class Server {
 public:
  // Called for each connection; the connection is closed when the returned task ends. The
  // reference is valid until then.
  using Handler = std::function<Task<>(ServerConnection& connection)>;

  static Result<std::unique_ptr<Server>> listen(Loop& loop, ServerOptions options, Handler handler);
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  virtual void stop() = 0;
};

}  // namespace remit::net
