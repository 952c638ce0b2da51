#include "net/client_tls.h"

#include <optional>
#include <system_error>
#include <utility>

namespace remit::net {

// Belongs to the loop's thread; the reading thread only hands it on.
struct ClientTls::Reading {
  Event done;
  std::optional<Result<Context>> outcome;

  void finish(Result<Context> read) {
    outcome = std::move(read);
    done.set();
  }
};

ClientTls::ClientTls(Loop& loop, std::string ca_file) : loop_(loop), ca_file_(std::move(ca_file)) {}

ClientTls::~ClientTls() {
  if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<ClientTls>> ClientTls::make(Loop& loop, std::string ca_file) {
  if (!ca_file.empty()) REMIT_CHECKED(check_ca_file(ca_file));
  return std::unique_ptr<ClientTls>(new ClientTls(loop, std::move(ca_file)));
}

void ClientTls::prepare() {
  const bool failed = reading_ && reading_->outcome && !*reading_->outcome;
  if (reading_ && !failed) return;
  if (thread_.joinable()) thread_.join();  // it has handed on its failure
  reading_ = std::make_shared<Reading>();
  const auto read = [&loop = loop_, file = ca_file_, into = reading_] {
    auto context = make_client_tls(file);
    post(loop, [into, context = std::move(context)] { into->finish(context); });
  };
  try {
    thread_ = std::thread(read);
  } catch (const std::system_error&) {
    reading_->finish(make_client_tls(ca_file_));  // no thread to be had
  }
}

Task<Result<ClientTls::Context>> ClientTls::context(std::chrono::milliseconds limit) {
  prepare();
  const auto reading = reading_;
  if (!co_await reading->done.wait_for(limit)) {
    co_return fail(ErrorCode::Unavailable, "the system's certificates were not read in time");
  }
  co_return *reading->outcome;
}

}  // namespace remit::net
