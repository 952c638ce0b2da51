#pragma once

// One HTTP/1.1 connection, seen from either end: heads in and out, bodies streamed in and out
// with constant memory, one deadline.
//
// An exchange on a server:
//     http::RequestHead head;
//     while (true) {
//       auto more = co_await connection.read_request(head);
//       if (!more || !*more) co_return;           // malformed: answer first; false: peer is done
//       … connection.read_body() until it is empty …
//       connection.start_response(answer, {Framing::Kind::Length, body.size()});
//       co_await connection.write_body(body);
//       if (!co_await connection.finish_exchange()) co_return;
//     }

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/chunk.h"
#include "net/deadline.h"
#include "net/head.h"
#include "net/http.h"
#include "net/stream.h"
#include "net/task.h"

namespace remit::net {

struct Timeouts {
  std::chrono::milliseconds idle{75'000};     // between two exchanges of a connection
  std::chrono::milliseconds head{15'000};     // from a head's first byte to its last
  std::chrono::milliseconds stall{60'000};    // between two pieces of a body, either way
  std::chrono::milliseconds answer{300'000};  // for a peer's answer to begin
  std::chrono::milliseconds linger{5'000};    // for a refused peer to stop sending
};

class Channel {
 public:
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // The next piece of the incoming body; empty at its end. The bytes are valid until the next
  // call of any read. Errors: InvalidInput (malformed framing), Unavailable (peer gone, stalled).
  Task<Result<std::string_view>> read_body();

  // What has arrived already of the body, without waiting: the same bytes that read_body() would
  // give next. Empty does not mean the end; body_done() does.
  Result<std::string_view> buffered_body();
  bool body_done() const { return body_done_; }
  const Framing& incoming() const { return incoming_; }
  // Of a chunked body, once body_done().
  const http::Fields& trailers() const { return chunks_.trailers(); }

  // Sends a piece of the outgoing body, in the framing its head announced. Small pieces wait in
  // the buffer for flush() or the end; large ones go out at once, without a copy.
  Task<Result<>> write_body(std::string_view piece);
  // The same for a piece known to be small: only copies.
  Result<> put_body(std::string_view piece);
  // Ends the outgoing body and sends what is left. Trailers only with chunked framing.
  Task<Result<>> finish_body(http::Fields trailers = {});
  Task<Result<>> flush();
  // The same without waiting, for hot paths: true when the system took all of it at once. False: go
  // on with flush().
  Result<bool> finish_body_now(http::Fields trailers = {});

  // Waits until bytes arrive or the peer is gone. Keeps what arrived for the next read.
  Task<Result<>> wait_for_bytes();
  bool has_bytes() const { return begin_ != end_; }

  void set_deadline(std::chrono::milliseconds limit) { deadline_.arm(limit); }
  void clear_deadline() { deadline_.disarm(); }
  bool timed_out() const { return timed_out_; }

  // While the caller waits for something else than this peer: should the peer go away, `other` is
  // closed, and this connection too. Looked at with the deadlines, so it costs nothing; it takes
  // the place of the deadline. nullptr ends it.
  void watch_peer_for(Channel* other);

  void close();
  // Whether the peer is gone: see Stream::peer_is_done().
  bool peer_is_done() const { return stream_.peer_is_done(); }
  bool is_open() const { return stream_.is_open(); }
  bool is_tls() const { return stream_.is_tls(); }
  const Timeouts& timeouts() const { return timeouts_; }
  // For another protocol on the same connection: what was read and is not used, then the stream.
  std::string_view unused_bytes() const { return {buffer_.get() + begin_, end_ - begin_}; }
  Stream& stream() { return stream_; }
  std::uint64_t bytes_in() const { return bytes_in_; }    // body bytes of this exchange
  std::uint64_t bytes_out() const { return bytes_out_; }  // body bytes of this exchange

 protected:
  Channel(Stream stream, DeadlineSweep& sweep, Timeouts timeouts);
  // Wipes what the buffers held: heads on their way to AWS carry the session's token, answers of
  // STS a whole session.
  ~Channel();

  // Reading a head, in steps, so that the hot path has no coroutine of its own for it:
  // begin_head(), then held_head() until it gives one, with a read_some() into head_room() and a
  // head_arrived() in between.
  void begin_head(std::chrono::milliseconds wait);
  // The bytes of the next head; empty when more must be read.
  Result<std::string_view> held_head();
  boost::asio::mutable_buffer head_room();
  // False: the peer closed instead of beginning a head.
  Result<bool> head_arrived(const Stream::ErrorAndSize& read);
  Task<Result<std::size_t>> fill(std::size_t room);
  Result<std::size_t> filled(const boost::system::error_code& ec, std::size_t n);
  Result<bool> try_flush();
  void begin_incoming(Framing framing);
  void begin_outgoing(Framing framing);
  Error gone(const boost::system::error_code& ec, std::string_view doing) const;

  Stream stream_;
  Timeouts timeouts_;
  std::string out_;
  Framing outgoing_;
  bool outgoing_done_ = true;
  bool broken_ = false;  // the framing of either direction is lost: never reuse

 private:
  void on_deadline();
  void shrink_out();
  void make_room(std::size_t room);
  Result<std::string_view> next_piece();

  Deadline deadline_;
  bool timed_out_ = false;
  Channel* watched_for_ = nullptr;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;  // of what was read and not yet consumed
  std::size_t end_ = 0;
  std::size_t scanned_ = 0;  // of the head being read: has no end in these bytes
  Framing incoming_;
  bool body_done_ = true;
  std::uint64_t left_ = 0;  // of a body of known length
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  ChunkDecoder chunks_;
};

class ServerConnection final : public Channel {
 public:
  ServerConnection(Stream stream, DeadlineSweep& sweep, Timeouts timeouts)
      : Channel(std::move(stream), sweep, timeouts) {}

  // Reads the next request's head into `head` (whose memory is reused). False: the peer closed
  // between requests. InvalidInput: malformed; answer 400 with refuse() and return.
  Task<Result<bool>> read_request(http::RequestHead& head);

  // The client speaks HTTP/2 from here on (net/http2_server.h): read_request() failed because the
  // connection begins with HTTP/2's preface (RFC 9113, 3.4), or it was agreed on in start_tls().
  bool begins_http2() const { return begins_http2_; }

  bool expects_continue() const { return expects_continue_; }
  // Tells a waiting client to send its body. Does nothing when it did not ask.
  Task<Result<>> send_continue();

  // `head` must not name Content-Length, Transfer-Encoding or Connection unless it answers HEAD
  // (then a Content-Length may stand for what GET would give): framing and Connection are added.
  Result<> start_response(const http::ResponseHead& head, Framing framing);

  // A whole answer; closes the connection after it when `then` says so.
  enum class After : bool { KeepAlive, Close };
  Task<Result<>> respond(int status, http::Fields fields, std::string_view body, After after);

  // Flushes; skips a small rest of the request's body. True: another request may be read.
  // Otherwise the connection was closed, after giving the peer a moment to read the answer.
  Task<bool> finish_exchange();
  // Whether there is nothing left to do of it: finish_exchange() would be true at once.
  bool exchange_finished() const {
    return outgoing_done_ && keep_alive_ && !broken_ && body_done() && out_.empty();
  }

  // Answers CONNECT with 200: what follows on the connection is the tunnel.
  Task<Result<>> accept_connect(std::string reason);
  // After accept_connect(): the tunnel is TLS, with us as the server.
  Task<Result<>> start_tls(std::shared_ptr<boost::asio::ssl::context> context);

  // The answer will be the last one on this connection.
  void close_after_exchange() { keep_alive_ = false; }

 private:
  Task<> linger();

  Result<> accept_head(std::string_view bytes, http::RequestHead& head);

  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool head_request_ = false;
  bool begun_ = false;  // a request was read
  bool begins_http2_ = false;
  int version_ = 11;
};

class ClientConnection final : public Channel {
 public:
  ClientConnection(Stream stream, DeadlineSweep& sweep, Timeouts timeouts);

  // Writes the head into the buffer. Framing and Connection fields must not be in `head`.
  Result<> start_request(const http::RequestHead& head, Framing framing);

  // Reads the final answer's head. Informational answers (1xx) are skipped, or returned each, and
  // then the next one is to be read.
  enum class Informational : bool { Skip, Tell };
  Task<Result<>> read_response(http::ResponseHead& head,
                               Informational informational = Informational::Skip);

  // Whether a byte of the answer has arrived: then the request must not be sent again.
  bool answered() const { return answered_ || has_bytes(); }

  // After the answer's body was read to its end: may the connection carry another exchange?
  bool reusable() const;
  bool is_quiet() { return stream_.is_quiet() && !has_bytes(); }

 private:
  Result<> accept_head(std::string_view bytes, http::ResponseHead& head);

  std::string method_;
  bool keep_alive_ = false;
  bool answered_ = false;
};

}  // namespace remit::net
