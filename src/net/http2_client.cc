#include "net/http2_client.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "net/http2_link.h"

namespace remit::net {
namespace {

constexpr std::size_t kClientPipe = 64 << 10;

class AnswerStream final : public Http2Stream {
 public:
  explicit AnswerStream(std::shared_ptr<Http2Link> link) : Http2Stream(std::move(link), 0) {}

  std::optional<Http2Response> head;
  Event answered;

 private:
  void on_cut() override { answered.set(); }
};

class ClientLink final : public Http2Link {
 public:
  ClientLink(Loop& loop, Stream& carrier, Timeouts timeouts)
      : Http2Link(loop, Side::Client, carrier, timeouts, carrier.is_tls() ? "https" : "http") {}

 private:
  Result<> on_head(Http2Stream& stream, Http2Block block, bool ends) override {
    REMIT_TRY(Http2Response response, to_response(std::move(block), ends));
    if (response.head.status < 200) return {};
    auto& answer = static_cast<AnswerStream&>(stream);
    answer.head = std::move(response);
    answer.answered.set();
    return {};
  }
};

// All that one exchange needs, shared by its coroutines.
struct ClientExchange {
  ClientExchange(Loop& loop, Stream its_carrier, Stream pipe, Timeouts timeouts)
      : carrier(std::move(its_carrier)),
        link(std::make_shared<ClientLink>(loop, carrier, timeouts)),
        asked(std::move(pipe), link->sweep(), timeouts) {}

  Stream carrier;
  std::shared_ptr<ClientLink> link;
  ServerConnection asked;  // our end of the pipe
};

Task<Result<>> send_request(ServerConnection& asked, AnswerStream& stream) {
  while (!asked.body_done()) {
    auto piece = co_await asked.read_body();
    if (!piece) co_return std::unexpected(std::move(piece).error());
    if (piece->empty()) break;
    REMIT_CO_CHECKED(co_await stream.send(*piece));
  }
  http::Fields trailers;
  if (asked.incoming().kind == Framing::Kind::Chunked) trailers = from_trailers(asked.trailers());
  co_return co_await stream.finish(std::move(trailers));
}

// A request that breaks off is not taken for a whole one; and a caller that goes away while it
// waits for the answer's rest cuts the exchange.
Task<> send_or_reset(std::shared_ptr<ClientExchange> exchange, std::shared_ptr<AnswerStream> stream,
                     bool bodyless) {
  Result<> well;
  if (!bodyless) well = co_await send_request(exchange->asked, *stream);
  if (well) well = co_await exchange->asked.wait_for_bytes();
  stream->reset(NGHTTP2_CANCEL);
}

Task<Result<>> take_answer(ServerConnection& asked, AnswerStream& stream) {
  co_await stream.answered.wait();
  if (!stream.head) co_return fail(ErrorCode::Unavailable, "no answer");
  Framing framing = stream.head->framing;
  REMIT_CO_CHECKED(asked.start_response(stream.head->head, framing));
  REMIT_CO_CHECKED(co_await asked.flush());
  while (true) {
    auto piece = co_await stream.receive();
    if (!piece) co_return std::unexpected(std::move(piece).error());
    if (piece->empty()) break;
    REMIT_CO_CHECKED(co_await asked.write_body(*piece));
    REMIT_CO_CHECKED(co_await asked.flush());
    stream.consumed(piece->size());
  }
  http::Fields trailers = stream.trailers();
  co_return co_await asked.finish_body(std::move(trailers));
}

Task<> exchange_once(std::shared_ptr<ClientExchange> exchange) {
  ServerConnection& asked = exchange->asked;
  http::RequestHead head;
  auto more = co_await asked.read_request(head);
  if (more && *more) {
    auto stream = std::make_shared<AnswerStream>(exchange->link);
    const bool ends = asked.body_done();
    if (exchange->link->submit_request(*stream, head, ends)) {
      spawn(exchange->link->loop(), send_or_reset(exchange, stream, ends));
      auto taken = co_await take_answer(asked, *stream);
      if (!taken) stream->reset(NGHTTP2_CANCEL);
    }
  }
  asked.close();
  exchange->link->shut(NGHTTP2_NO_ERROR);
}

Task<> run_link(std::shared_ptr<ClientExchange> exchange) {
  std::string nothing_read;
  co_await exchange->link->run(std::move(nothing_read));
  exchange->asked.close();
  co_await exchange->link->drained();
}

}  // namespace

std::unique_ptr<ClientConnection> start_http2_client(Loop& loop, Stream stream,
                                                     DeadlineSweep& sweep, Timeouts timeouts) {
  auto [ours, theirs] = make_pipe(kClientPipe);
  auto exchange =
      std::make_shared<ClientExchange>(loop, std::move(stream), std::move(theirs), timeouts);
  spawn(loop, run_link(exchange));
  spawn(loop, exchange_once(std::move(exchange)));
  return std::make_unique<ClientConnection>(std::move(ours), sweep, timeouts);
}

}  // namespace remit::net
