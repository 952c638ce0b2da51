#include "gateway/egress/service.h"

#include <boost/asio/async_result.hpp>
#include <utility>

namespace remit::gateway {
namespace {

ledger::Record make_record(EgressService& service, ledger::Kind kind, std::string call,
                           std::string body) {
  ledger::Record record;
  record.kind = kind;
  record.time = service.parts.clock.now();
  record.call = std::move(call);
  record.body = std::move(body);
  return record;
}

}  // namespace

net::Task<Result<ledger::Appended>> append_and_wait(EgressService& service, ledger::Kind kind,
                                                    std::string call, std::string body,
                                                    ledger::Record::Parts parts) {
  service.answers.write();  // they came before, and share the commit
  auto record = make_record(service, kind, std::move(call), std::move(body));
  record.parts = parts;
  constexpr boost::asio::use_awaitable_t<net::Executor> kToken;
  auto start = [&service](auto handler, ledger::Record its_record) {
    service.parts.ledger.append(
        std::move(its_record),
        [handler = std::move(handler)](Result<ledger::Appended> appended) mutable {
          std::move(handler)(std::move(appended));
        });
  };
  // Not a coroutine itself: one frame less on the hot path.
  return boost::asio::async_initiate<decltype(kToken), void(Result<ledger::Appended>)>(
      start, kToken, std::move(record));
}

void append(EgressService& service, ledger::Kind kind, std::string call, std::string body) {
  service.parts.ledger.append(make_record(service, kind, std::move(call), std::move(body)),
                              [&log = service.parts.log](const Result<ledger::Appended>& appended) {
                                if (!appended)
                                  log.error("ledger-append-failed",
                                            {{"reason", appended.error().message}});
                              });
}

}  // namespace remit::gateway
