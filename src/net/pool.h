#pragma once

// Connections to servers: of HTTP/1.1, kept alive by origin, or of HTTP/2, for one exchange each.

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/channel.h"
#include "net/client.h"
#include "net/task.h"

namespace remit::net {

class ClientPool {
 public:
  // Fails when the certificates of `ca_file` cannot be read; the system's own are read for the
  // first TLS connection. The loop must outlive the pool.
  static Result<std::unique_ptr<ClientPool>> make(Loop& loop, ClientOptions options,
                                                  Timeouts timeouts = {});
  ~ClientPool();

  struct Lease {
    std::unique_ptr<ClientConnection> connection;
    bool reused = false;  // it may turn out to be stale: see ClientConnection::answered()
  };
  enum class Use : bool { AnyConnection, NewConnection };

  // A connection at rest, or a new one: resolved (on a helper thread), connected, TLS verified.
  Task<Result<Lease>> acquire(const Origin& origin, Use use);
  // A new one for one exchange over HTTP/2: by agreement with a server of TLS, which may still
  // choose HTTP/1.1. One without TLS is greeted first, on a connection of its own, and what does
  // not greet back as HTTP/2 does is spoken to in HTTP/1.1. Never given back.
  Task<Result<Lease>> acquire_http2(const Origin& origin);
  // An idle connection, at once; none in the lease when there is none.
  Lease acquire_idle(const Origin& origin);

  // Gives back a connection whose exchange is complete. One that is not reusable() is closed.
  void release(const Origin& origin, std::unique_ptr<ClientConnection> connection);

  std::size_t idle() const;

 private:
  struct State;
  explicit ClientPool(std::unique_ptr<State> state);
  Task<Result<Stream>> connect(Origin origin, bool offer_http2);
  Task<Result<bool>> greets_as_http2(const Origin& origin);

  std::unique_ptr<State> state_;
};

}  // namespace remit::net
