// Whatever a client of HTTP/2 sends behind the preface: only requests of one meaning are served,
// every one of them ends when the connection does, and nothing waits for ever.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http2_server.h"

namespace {

using namespace remit;
using namespace remit::net;

Task<> echo_checked(ServerConnection& stream, int& served) {
  ++served;
  http::RequestHead head;
  while (true) {
    auto more = co_await stream.read_request(head);
    // What the link lets through the strict reader takes as well, all but another expectation.
    const bool expects = http::find(head.fields, "expect") != nullptr;
    REMIT_CHECK(more || more.error().code == ErrorCode::Unavailable || expects);
    if (!more || !*more) break;
    REMIT_CHECK(is_token(head.method) && head.method != "CONNECT" && head.method != "PRI");
    REMIT_CHECK(is_target(head.target) && head.target.starts_with('/'));
    REMIT_CHECK(http::count(head.fields, "host") == 1);
    REMIT_CHECK(http::find(head.fields, "connection") == nullptr);
    REMIT_CHECK(http::find(head.fields, "upgrade") == nullptr);
    std::string body;
    bool cut = false;
    while (!stream.body_done() && !cut) {
      auto piece = co_await stream.read_body();
      if (piece) body.append(*piece);
      cut = !piece;
    }
    if (cut) break;
    http::Fields fields;
    auto answered =
        co_await stream.respond(200, std::move(fields), body, ServerConnection::After::KeepAlive);
    if (!answered || !co_await stream.finish_exchange()) break;
  }
  --served;
}

Task<> carry(Loop& loop, ServerConnection& carrier, int& served, bool& over) {
  http::RequestHead head;
  auto more = co_await carrier.read_request(head);
  REMIT_CHECK(!more && carrier.begins_http2());
  Http2Serving serving;
  serving.serve = [&served](ServerConnection& stream) { return echo_checked(stream, served); };
  serving.malformed = [](std::string_view) {};
  co_await serve_http2(loop, carrier, std::move(serving));
  over = true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (std::size_t{32} << 10)) return 0;
  Loop loop{1};
  int served = 0;
  bool over = false;
  {
    DeadlineSweep sweep(loop);
    auto [ours, theirs] = make_pipe(std::size_t{1} << 20);
    ServerConnection carrier(std::move(theirs), sweep, Timeouts{});
    const std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    boost::system::error_code ec;
    ours.try_write(preface, {reinterpret_cast<const char*>(data), size}, ec);
    spawn(loop, carry(loop, carrier, served, over));
    loop.poll();  // as far as it goes
    ours.close();
    loop.restart();
    while (!over && loop.run_one() != 0) continue;
  }
  loop.restart();
  loop.poll();
  REMIT_CHECK(over && served == 0);
  return 0;
}
