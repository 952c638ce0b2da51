#pragma once

// Keep-alive connections to servers, by origin.

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
  // An idle connection, at once; none in the lease when there is none.
  Lease acquire_idle(const Origin& origin);

  // Gives back a connection whose exchange is complete. One that is not reusable() is closed.
  void release(const Origin& origin, std::unique_ptr<ClientConnection> connection);

  std::size_t idle() const;

 private:
  struct State;
  explicit ClientPool(std::unique_ptr<State> state);
  Task<Result<std::unique_ptr<ClientConnection>>> connect(Origin origin);

  std::unique_ptr<State> state_;
};

}  // namespace remit::net
