#pragma once

// What an https connection is verified with. The system's root certificates take some 30 ms to
// read, longer than a start may take and longer than a loop may stand still: a thread reads them
// when the first https connection begins, and who needs none never waits.

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "net/task.h"
#include "net/tls.h"

namespace remit::net {

class ClientTls {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  // `ca_file` is read at once, for a wrong one to be told at the start; empty: none.
  static Result<std::unique_ptr<ClientTls>> make(Loop& loop, std::string ca_file);
  ~ClientTls();  // waits for a reading thread

  // Begins to read; does nothing when that was begun or done. To be called before what else has to
  // be waited for (names, connections), so that the two happen at once.
  void prepare();
  // Waits until the certificates are read. A failure is told, and the next call tries again.
  Task<Result<Context>> context(std::chrono::milliseconds limit);

 private:
  struct Reading;
  ClientTls(Loop& loop, std::string ca_file);

  Loop& loop_;
  std::string ca_file_;
  std::shared_ptr<Reading> reading_;
  std::thread thread_;
};

}  // namespace remit::net
