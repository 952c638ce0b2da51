#include "net/http2_server.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "net/http2_link.h"

namespace remit::net {
namespace {

constexpr std::size_t kServerPipe = 64 << 10;

// Within the process nothing is late: the stream's own end of the pipe, and the link, keep time.
Timeouts no_timeouts() {
  constexpr std::chrono::hours kNever(24 * 365);
  return Timeouts{kNever, kNever, kNever, kNever, kNever};
}

class RequestStream final : public Http2Stream {
 public:
  RequestStream(std::shared_ptr<Http2Link> link, std::int32_t id)
      : Http2Stream(std::move(link), id) {}

  Result<> begin(Http2Request request) {
    auto [ours, theirs] = make_pipe(kServerPipe);
    asking.emplace(std::move(ours), link_->sweep(), no_timeouts());
    serving.emplace(std::move(theirs), link_->sweep(), link_->timeouts());
    return asking->start_request(request.head, request.framing);
  }

  std::optional<ClientConnection> asking;   // our end of the pipe
  std::optional<ServerConnection> serving;  // the end of whoever serves

 private:
  // What waits for this client sees that it is gone.
  void on_cut() override {
    if (asking) asking->close();
  }
};

// The request, from the stream into the pipe.
Task<> pass_request(std::shared_ptr<RequestStream> stream) {
  auto flushed = co_await stream->asking->flush();
  while (flushed) {
    auto piece = co_await stream->receive();
    if (!piece) co_return;
    if (piece->empty()) {
      http::Fields trailers = stream->trailers();
      [[maybe_unused]] auto ended = co_await stream->asking->finish_body(std::move(trailers));
      co_return;
    }
    flushed = co_await stream->asking->write_body(*piece);
    if (flushed) flushed = co_await stream->asking->flush();
    stream->consumed(piece->size());
  }
  stream->ignore_body();
}

Task<Result<>> pass_body(RequestStream& stream) {
  ClientConnection& asking = *stream.asking;
  while (!asking.body_done()) {
    auto piece = co_await asking.read_body();
    if (!piece) co_return std::unexpected(std::move(piece).error());
    if (piece->empty()) break;
    REMIT_CO_CHECKED(co_await stream.send(*piece));
  }
  http::Fields trailers;
  if (asking.incoming().kind == Framing::Kind::Chunked) trailers = from_trailers(asking.trailers());
  co_return co_await stream.finish(std::move(trailers));
}

Task<Result<>> pass_answer(std::shared_ptr<Http2Link> link, RequestStream& stream) {
  ClientConnection& asking = *stream.asking;
  http::ResponseHead head;
  while (true) {
    REMIT_CO_CHECKED(co_await asking.read_response(head, ClientConnection::Informational::Tell));
    if (head.status >= 200) break;
    REMIT_CO_CHECKED(link->submit_informational(stream, head));
  }
  const bool ends = asking.body_done();
  REMIT_CO_CHECKED(link->submit_response(stream, head, ends));
  if (!ends) co_return co_await pass_body(stream);
  co_return Result<>{};
}

// The answer, from the pipe into the stream. An answer that is not whole resets the stream.
Task<> pass_back(std::shared_ptr<Http2Link> link, std::shared_ptr<RequestStream> stream) {
  auto passed = co_await pass_answer(std::move(link), *stream);
  if (!passed) stream->reset(NGHTTP2_INTERNAL_ERROR);
  stream->asking->close();
}

Task<> serve_stream(std::shared_ptr<RequestStream> stream,
                    std::shared_ptr<const Http2Serving> serving) {
  co_await serving->serve(*stream->serving);
  stream->serving->close();
}

class ServerLink final : public Http2Link {
 public:
  ServerLink(Loop& loop, ServerConnection& carrier, Http2Serving serving)
      : Http2Link(loop, Side::Server, carrier.stream(), carrier.timeouts(),
                  carrier.is_tls() ? "https" : "http"),
        serving_(std::make_shared<const Http2Serving>(std::move(serving))) {}

 private:
  std::shared_ptr<Http2Stream> open(std::int32_t id) override {
    return std::make_shared<RequestStream>(shared_from_this(), id);
  }

  Result<> on_head(Http2Stream& stream, Http2Block block, bool ends) override {
    REMIT_TRY(Http2Request request, to_request(std::move(block), ends, scheme()));
    auto begun = std::static_pointer_cast<RequestStream>(stream.shared_from_this());
    REMIT_CHECKED(begun->begin(std::move(request)));
    begun_.push_back(std::move(begun));
    return {};
  }

  void on_malformed(std::string_view reason) override { malformed_.emplace_back(reason); }

  void after_feed() override {
    for (const std::string& reason : std::exchange(malformed_, {})) serving_->malformed(reason);
    for (auto& stream : std::exchange(begun_, {})) {
      if (stream->is_cut()) continue;
      spawn(loop(), pass_request(stream));
      spawn(loop(), pass_back(shared_from_this(), stream));
      spawn(loop(), serve_stream(std::move(stream), serving_));
    }
  }

  std::shared_ptr<const Http2Serving> serving_;
  std::vector<std::shared_ptr<RequestStream>> begun_;
  std::vector<std::string> malformed_;
};

}  // namespace

Task<> serve_http2(Loop& loop, ServerConnection& carrier, Http2Serving serving) {
  std::string first;
  if (!carrier.is_tls()) first = "PRI * HTTP/2.0\r\n\r\n";  // was read as a head
  first += carrier.unused_bytes();
  carrier.clear_deadline();
  auto link = std::make_shared<ServerLink>(loop, carrier, std::move(serving));
  co_await link->run(std::move(first));
  co_await link->drained();
}

}  // namespace remit::net
