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

net::Task<Result<>> append_and_wait(EgressService& service, ledger::Kind kind, std::string call,
                                    std::string body) {
  auto record = make_record(service, kind, std::move(call), std::move(body));
  constexpr boost::asio::use_awaitable_t<net::Executor> kToken;
  auto start = [&service](auto handler, ledger::Record its_record) {
    service.parts.ledger.append(
        std::move(its_record),
        [handler = std::move(handler)](Result<ledger::Appended> appended) mutable {
          // What the ledger says of the record is for its readers; here only: did it work.
          Result<> outcome;
          if (!appended) outcome = std::unexpected(std::move(appended).error());
          std::move(handler)(std::move(outcome));
        });
  };
  co_return co_await boost::asio::async_initiate<decltype(kToken), void(Result<>)>(
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
