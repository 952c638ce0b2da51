#include "gateway/egress/forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "base/encoding.h"
#include "gateway/egress/queue_urls.h"
#include "net/pool.h"

namespace remit::gateway {
namespace {

using net::Framing;

constexpr std::chrono::milliseconds kLookAtClient(200);

bool is_connection_field(std::string_view name) {
  // Most fields are told apart by their size alone.
  const auto is = [&](std::string_view known) { return equals_ignoring_ascii_case(name, known); };
  switch (name.size()) {
    case 2:
      return is("te");
    case 6:
      return is("expect");
    case 7:
      return is("trailer") || is("upgrade");
    case 10:
      return is("connection") || is("keep-alive");
    case 17:
      return is("transfer-encoding");
    default:
      return name.size() > 6 && equals_ignoring_ascii_case(name.substr(0, 6), "proxy-");
  }
}

// While a request is on its way, the end of its call cuts it.
class CutWhenOver {
 public:
  CutWhenOver(Call* call, net::Channel& client, net::Channel& server) : call_(call) {
    if (call_ == nullptr) return;
    token_ = call_->when_over([&client, &server] {
      client.close();
      server.close();
    });
  }
  CutWhenOver(const CutWhenOver&) = delete;
  CutWhenOver& operator=(const CutWhenOver&) = delete;
  ~CutWhenOver() {
    if (call_ != nullptr) call_->forget(token_);
  }

 private:
  Call* call_;
  Call::Token token_ = 0;
};

enum class UploadFault : std::uint8_t { Client, Server };
struct UploadError {
  UploadFault fault = UploadFault::Client;
  Error error;
};
using Uploaded = std::expected<void, UploadError>;

std::unexpected<UploadError> upload_failed(UploadFault fault, Error error) {
  return std::unexpected(UploadError{fault, std::move(error)});
}

// The client's body, piece by piece, as it comes.
class Upload {
 public:
  Upload(net::ServerConnection& client, net::ClientConnection& server, const Outgoing& outgoing)
      : client_(client), server_(server), outgoing_(outgoing) {
    if (!outgoing.sha256.empty()) sha_.emplace();
  }

  net::Task<Uploaded> run() {
    if (auto asked = co_await client_.send_continue(); !asked) {
      co_return upload_failed(UploadFault::Client, std::move(asked).error());
    }
    while (!client_.body_done()) {
      auto piece = client_.buffered_body();
      if (piece && piece->empty() && !client_.body_done()) {
        // What the client is slow to follow up must not wait in our buffer.
        if (auto flushed = co_await server_.flush(); !flushed) {
          co_return upload_failed(UploadFault::Server, std::move(flushed).error());
        }
        piece = co_await client_.read_body();
      }
      if (!piece) co_return upload_failed(UploadFault::Client, std::move(piece).error());
      // The hash is checked before the last piece leaves.
      auto outgoing = prepare(*piece);
      if (!outgoing) co_return upload_failed(UploadFault::Client, std::move(outgoing).error());
      auto written = co_await server_.write_body(*outgoing);
      if (!written) co_return upload_failed(UploadFault::Server, std::move(written).error());
    }
    if (auto whole = check_end(); !whole) {
      co_return upload_failed(UploadFault::Client, std::move(whole).error());
    }
    if (auto sent = co_await server_.finish_body(); !sent) {
      co_return upload_failed(UploadFault::Server, std::move(sent).error());
    }
    co_return Uploaded{};
  }

 private:
  Result<std::string_view> prepare(std::string_view piece) {
    if (sha_) sha_->update(piece);
    if (client_.body_done()) REMIT_CHECKED(check_hash());
    if (outgoing_.reframer == nullptr) return piece;
    reframed_.clear();
    REMIT_TRY([[maybe_unused]] const auto state, outgoing_.reframer->feed(piece, reframed_));
    return std::string_view(reframed_);
  }

  Result<> check_hash() {
    if (!sha_ || std::exchange(checked_, true)) return {};
    if (hex(sha_->finish()) == outgoing_.sha256) return {};
    return fail(ErrorCode::InvalidInput,
                "the body's SHA-256 is not the one that x-amz-content-sha256 states");
  }

  Result<> check_end() {
    REMIT_CHECKED(check_hash());
    if (outgoing_.reframer != nullptr) REMIT_CHECKED(outgoing_.reframer->finish());
    if (!client_.trailers().empty() && client_.incoming().kind == Framing::Kind::Chunked) {
      return fail(ErrorCode::InvalidInput,
                  "trailers behind the body, which nothing has decided on");
    }
    return {};
  }

  net::ServerConnection& client_;
  net::ClientConnection& server_;
  const Outgoing& outgoing_;
  std::optional<Sha256> sha_;
  bool checked_ = false;
  std::string reframed_;
};

net::Task<Result<>> send_held_body(net::ClientConnection& server, std::string_view body) {
  REMIT_CO_CHECKED(co_await server.write_body(body));
  co_return co_await server.finish_body();
}

// A request without a body. False: what is left of its head must be flushed.
std::expected<bool, UploadError> send_head_alone(net::ClientConnection& server,
                                                 const Outgoing& outgoing) {
  if (auto started = server.start_request(*outgoing.head, outgoing.framing); !started) {
    return upload_failed(UploadFault::Client, std::move(started).error());
  }
  auto sent = server.finish_body_now();
  if (!sent) return upload_failed(UploadFault::Server, std::move(sent).error());
  return *sent;
}

// Sends the request. An error means that no answer is to be expected; on success one can be read,
// although the server may have spoken before it had the whole body.
net::Task<Uploaded> send_request(net::ServerConnection& client, net::ClientConnection& server,
                                 const Outgoing& outgoing) {
  if (auto started = server.start_request(*outgoing.head, outgoing.framing); !started) {
    co_return upload_failed(UploadFault::Client, std::move(started).error());
  }
  if (outgoing.held_body) {
    auto sent = co_await send_held_body(server, *outgoing.held_body);
    if (!sent) co_return upload_failed(UploadFault::Server, std::move(sent).error());
    co_return Uploaded{};
  }
  using boost::asio::experimental::awaitable_operators::operator||;
  Upload upload(client, server, outgoing);
  auto result = co_await (upload.run() || server.wait_for_bytes());
  if (result.index() == 0) co_return std::get<0>(std::move(result));
  if (!std::get<1>(result)) {
    co_return upload_failed(UploadFault::Server, std::get<1>(std::move(result)).error());
  }
  co_return Uploaded{};  // an early answer: the rest of the body is of no interest to anybody
}

std::string request_id_of(const http::Fields& fields) {
  for (const std::string_view name : {"x-amzn-requestid", "x-amz-request-id"}) {
    if (const http::Field* field = http::find(fields, name)) return field->value.substr(0, 128);
  }
  return {};
}

constexpr std::size_t kFirstBytes = 512;  // of an error's body, that its code stands in

bool is_about_credentials(std::string_view code) {
  constexpr std::array<std::string_view, 5> kCodes{"ExpiredToken", "InvalidToken",
                                                   "InvalidClientTokenId", "InvalidAccessKeyId",
                                                   "UnrecognizedClientException"};
  return std::ranges::any_of(kCodes, [&](std::string_view known) { return code.contains(known); });
}

// Whether an error's body says that the credentials themselves are not good (any more), in its
// first bytes. Only where the code stands: a message may repeat what the request said, in which
// XML and JSON escape what these begin and end with.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
bool rejects_credentials(std::string_view body) {
  body = body.substr(0, kFirstBytes);
  constexpr std::array<std::pair<std::string_view, char>, 5> kPlaces{{{"<Code>", '<'},
                                                                      {"\"__type\":\"", '"'},
                                                                      {"\"__type\": \"", '"'},
                                                                      {"\"code\":\"", '"'},
                                                                      {"\"Code\":\"", '"'}}};
  for (const auto& [before, behind] : kPlaces) {
    const std::size_t at = body.find(before);
    if (at == body.npos) continue;
    const std::string_view rest = body.substr(at + before.size());
    if (is_about_credentials(rest.substr(0, rest.find(behind)))) return true;
  }
  // CBOR: the text that follows the key, of up to 255 bytes.
  constexpr std::string_view kCborKey = "\x66__type";
  const bool cbor = !body.empty() && (static_cast<unsigned char>(body[0]) & 0xE0U) == 0xA0U;
  const std::size_t at = cbor ? body.find(kCborKey) : body.npos;
  if (at == body.npos || body.size() < at + kCborKey.size() + 2) return false;
  const std::string_view rest = body.substr(at + kCborKey.size());
  const auto head = static_cast<unsigned char>(rest[0]);
  if (head == 0x78)
    return is_about_credentials(rest.substr(2, static_cast<unsigned char>(rest[1])));
  return (head & 0xE0U) == 0x60U && is_about_credentials(rest.substr(1, head & 0x1FU));
}

bool may_reject_credentials(int status) { return status == 400 || status == 401 || status == 403; }

// The part of an answer in whose first bytes AWS may say that the session is no good.
struct FirstPiece {
  bool& rejected;
  bool look = false;

  void see(std::string_view piece) {
    if (std::exchange(look, false) && rejects_credentials(piece)) rejected = true;
  }
};

Result<bool> finish_answer(net::ServerConnection& client, const net::ClientConnection& server) {
  http::Fields trailers;
  if (server.incoming().kind == Framing::Kind::Chunked) trailers = server.trailers();
  return client.finish_body_now(std::move(trailers));
}

// Passes the head on, and what is here of the body. True: that was all of it, and it is sent.
Result<bool> begin_answer(net::ServerConnection& client, net::ClientConnection& server,
                          http::ResponseHead& head, bool head_request, FirstPiece& first) {
  first.look = may_reject_credentials(head.status);
  if (const http::Field* type =
          first.look ? http::find(head.fields, "x-amzn-errortype") : nullptr) {
    first.rejected = is_about_credentials(type->value);
  }
  Framing framing = server.incoming();
  if (framing.kind == Framing::Kind::UntilClose) framing = Framing{Framing::Kind::Chunked, 0};
  strip_connection_fields(head.fields, head_request || head.status == 304);
  REMIT_CHECKED(client.start_response(head, framing));
  while (!server.body_done()) {
    REMIT_TRY(const std::string_view piece, server.buffered_body());
    if (piece.empty() && !server.body_done()) return false;
    first.see(piece);
    REMIT_CHECKED(client.put_body(piece));
  }
  return finish_answer(client, server);
}

// Whose going away ends the wait for the answer's next piece; Nobody: somebody else looks.
enum class Watch : bool { Nobody, Client };

// The rest of an answer that did not come at once.
net::Task<Result<>> pass_answer(net::ServerConnection& client, net::ClientConnection& server,
                                FirstPiece& first, Watch watch) {
  while (!server.body_done()) {
    auto piece = server.buffered_body();
    if (piece && piece->empty() && !server.body_done()) {
      // A stream may be silent for long, after its head and after each of its messages. A client
      // that goes away meanwhile ends it.
      REMIT_CO_CHECKED(co_await client.flush());
      if (watch == Watch::Client) client.watch_peer_for(&server);
      piece = co_await server.read_body();
      if (watch == Watch::Client) client.watch_peer_for(nullptr);
    }
    if (!piece) co_return std::unexpected(std::move(piece).error());
    first.see(*piece);
    if (server.body_done() && piece->size() < (std::size_t{16} << 10)) {
      REMIT_CO_CHECKED(client.put_body(*piece));
      break;
    }
    REMIT_CO_CHECKED(co_await client.write_body(*piece));
  }
  auto finished = finish_answer(client, server);
  if (!finished) co_return std::unexpected(std::move(finished).error());
  if (!*finished) co_return co_await client.flush();
  co_return Result<>{};
}

// An answer with URLs of queues, which are made ours. A thousand of them, the most SQS lists at
// once, fit by far; a larger answer is cut off with an error.
net::Task<Result<>> send_queue_urls(net::ServerConnection& client, net::ClientConnection& server,
                                    http::ResponseHead& head, const std::string& base) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::string body;
  while (!server.body_done()) {
    auto piece = co_await server.read_body();
    if (!piece) co_return std::unexpected(std::move(piece).error());
    if (body.size() + piece->size() > kMost) {
      co_return fail(ErrorCode::LimitExceeded, "an answer of SQS of more than 1 MiB");
    }
    body.append(*piece);
  }
  body = with_queue_base(body, base);
  strip_connection_fields(head.fields, false);
  REMIT_CO_CHECKED(client.start_response(head, Framing{Framing::Kind::Length, body.size()}));
  REMIT_CO_CHECKED(co_await client.write_body(body));
  co_return co_await client.finish_body();
}

// The sending half of an exchange that goes both ways. Ends only when it fails: then `failed` says
// how, and the answer is not waited for any longer.
net::Task<> send_both_ways(Upload& upload, net::ServerConnection& client,
                           std::optional<UploadError>& failed) {
  auto sent = co_await upload.run();
  if (!sent) {
    failed = std::move(sent).error();
    co_return;
  }
  // Cancelled when the answer has ended.
  while (!client.peer_is_done()) co_await net::sleep_for(kLookAtClient);
  failed = UploadError{UploadFault::Client,
                       Error{ErrorCode::Unavailable, "the client closed the connection"}};
}

net::Task<Result<>> answer_both_ways(net::ServerConnection& client, net::ClientConnection& server,
                                     http::ResponseHead& answer, Forwarded& done) {
  REMIT_CO_CHECKED(co_await server.read_response(answer));
  done.status = answer.status;
  done.request_id = request_id_of(answer.fields);
  done.answer_started = true;
  FirstPiece first{done.session_rejected};
  auto begun = begin_answer(client, server, answer, false, first);
  if (!begun) co_return std::unexpected(std::move(begun).error());
  if (*begun) co_return Result<>{};
  co_return co_await pass_answer(client, server, first, Watch::Nobody);
}

// An event stream: the answer begins, and may go on for long, while the request is still coming.
net::Task<> exchange_both_ways(net::ServerConnection& client, net::ClientConnection& server,
                               const Outgoing& outgoing, http::ResponseHead& answer,
                               Forwarded& done) {
  Result<> begun = server.start_request(*outgoing.head, outgoing.framing);
  if (begun) begun = co_await server.flush();
  if (!begun) {
    done.error = std::move(begun).error().message;
    co_return;
  }
  using boost::asio::experimental::awaitable_operators::operator||;
  Upload upload(client, server, outgoing);
  std::optional<UploadError> failed;
  auto first = co_await (send_both_ways(upload, client, failed) ||
                         answer_both_ways(client, server, answer, done));
  done.bytes_sent = server.bytes_out();
  done.bytes_received = server.bytes_in();
  if (first.index() == 1) {  // the answer has ended: the other half was just cancelled
    if (!std::get<1>(first)) done.error = std::get<1>(std::move(first)).error().message;
  } else if (failed) {
    done.error = std::move(failed->error.message);
    done.client_fault = failed->fault == UploadFault::Client;
  }
}

// A new connection. AWS takes event streams over HTTP/2, which a server of TLS is offered; one
// without TLS is asked for it when our own client speaks it.
net::Task<Result<net::ClientPool::Lease>> connect(EgressService& service, const net::Origin& origin,
                                                  const Outgoing& outgoing) {
  if (outgoing.both_ways && (origin.tls || outgoing.head->version == 20)) {
    return service.pool->acquire_http2(origin);
  }
  return service.pool->acquire(origin, net::ClientPool::Use::NewConnection);
}

}  // namespace

Done done_of(const ledger::Appended& decided, const Forwarded& forwarded,
             std::chrono::steady_clock::duration took) {
  return {.decided = decided.sequence,
          .request = decided.request,
          .status = forwarded.status,
          .request_id = forwarded.request_id,
          .error = forwarded.error,
          .bytes_sent = forwarded.bytes_sent,
          .bytes_received = forwarded.bytes_received,
          .took = std::chrono::duration_cast<std::chrono::milliseconds>(took)};
}

void strip_connection_fields(http::Fields& fields, bool keep_length) {
  // What Connection names goes too; look before the field itself is gone.
  std::vector<std::string> named;
  for (const http::Field& field : fields) {
    if (!equals_ignoring_ascii_case(field.name, "connection")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      named.emplace_back(trim_ascii(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  std::erase_if(fields, [&](const http::Field& field) {
    if (is_connection_field(field.name)) return true;
    if (!keep_length && equals_ignoring_ascii_case(field.name, "content-length")) return true;
    return std::ranges::any_of(
        named, [&](const auto& name) { return equals_ignoring_ascii_case(name, field.name); });
  });
}

net::Task<Result<>> read_whole(net::ServerConnection& client, std::size_t limit, HeldBytes& held,
                               std::string& into) {
  into.clear();
  const auto too_large = [&] {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("a body of more than {} bytes, which must be read before the request "
                            "can be decided on",
                            limit));
  };
  if (client.incoming().kind == Framing::Kind::Length && client.incoming().length > limit) {
    co_return too_large();
  }
  if (!client.body_done()) REMIT_CO_CHECKED(co_await client.send_continue());
  while (!client.body_done()) {
    auto piece = client.buffered_body();
    if (piece && piece->empty() && !client.body_done()) piece = co_await client.read_body();
    if (!piece) co_return std::unexpected(std::move(piece).error());
    if (into.size() + piece->size() > limit) co_return too_large();
    if (!held.take(piece->size())) {
      co_return fail(ErrorCode::Unavailable, "too many large requests at once; try again");
    }
    into.append(*piece);
  }
  if (client.incoming().kind == Framing::Kind::Chunked && !client.trailers().empty()) {
    co_return fail(ErrorCode::InvalidInput, "trailers behind the body");
  }
  co_return Result<>{};
}

net::Task<> forward(EgressService& service, net::ServerConnection& client,
                    const Destination& destination, const Outgoing& outgoing, Call* call,
                    http::ResponseHead& answer, Forwarded& done) {
  auto use = net::ClientPool::Use::AnyConnection;
  net::ClientPool::Lease lease;
  std::optional<CutWhenOver> cut;
  while (true) {
    lease = {};
    if (use == net::ClientPool::Use::AnyConnection && !outgoing.both_ways) {
      lease = service.pool->acquire_idle(destination.origin);
    }
    if (!lease.connection) {
      auto leased = co_await connect(service, destination.origin, outgoing);
      if (!leased) {
        done.error = std::move(leased).error().message;
        co_return;
      }
      lease = *std::move(leased);
    }
    net::ClientConnection& server = *lease.connection;
    cut.emplace(call, client, server);
    if (call != nullptr && call->over()) {
      done.error = "the call is over";
      co_return;
    }
    if (outgoing.both_ways) {
      co_await exchange_both_ways(client, server, outgoing, answer, done);
      cut.reset();
      server.close();
      if (!done.error.empty() && done.answer_started) client.close();
      co_return;
    }
    Uploaded sent;
    if (outgoing.framing.kind == Framing::Kind::None) {
      auto whole = send_head_alone(server, outgoing);
      if (!whole) {
        sent = std::unexpected(std::move(whole).error());
      } else if (!*whole) {
        auto flushed = co_await server.flush();
        if (!flushed) sent = upload_failed(UploadFault::Server, std::move(flushed).error());
      }
    } else {
      sent = co_await send_request(client, server, outgoing);
    }
    Result<> answered;
    if (sent || (sent.error().fault == UploadFault::Server && server.is_open())) {
      client.watch_peer_for(&server);
      answered = co_await server.read_response(answer);
      client.watch_peer_for(nullptr);
    } else {
      done.client_fault = sent.error().fault == UploadFault::Client;
      answered = std::unexpected(std::move(sent).error().error);
    }
    done.bytes_sent = server.bytes_out();
    if (answered) break;
    const bool nothing_of_a_body = outgoing.framing.kind == Framing::Kind::None;
    const bool stale = lease.reused && !server.answered() && !server.timed_out() &&
                       nothing_of_a_body && client.is_open();
    if (!stale || done.client_fault) {
      done.error = std::move(answered).error().message;
      server.close();
      co_return;
    }
    cut.reset();  // it would close a connection that is gone
    use = net::ClientPool::Use::NewConnection;
  }
  net::ClientConnection& server = *lease.connection;
  done.status = answer.status;
  done.request_id = request_id_of(answer.fields);
  done.answer_started = true;
  const bool queues = !outgoing.queue_base.empty() && answer.status == 200 &&
                      http::find(answer.fields, "content-encoding") == nullptr;
  Result<> passed;
  if (queues) {
    passed = co_await send_queue_urls(client, server, answer, outgoing.queue_base);
  } else {
    FirstPiece first{done.session_rejected};
    auto begun = begin_answer(client, server, answer, outgoing.head->method == "HEAD", first);
    if (!begun)
      passed = std::unexpected(std::move(begun).error());
    else if (!*begun)
      passed = co_await pass_answer(client, server, first, Watch::Client);
  }
  done.bytes_received = server.bytes_in();
  cut.reset();
  if (!passed) {
    done.error = std::move(passed).error().message;
    client.close();
    server.close();
    co_return;
  }
  service.pool->release(destination.origin, std::move(lease.connection));
}

}  // namespace remit::gateway
