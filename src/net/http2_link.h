#pragma once

// The part of an HTTP/2 connection that is the same at both ends: nghttp2 does frames, HPACK and
// flow control; this feeds it bytes, sends its bytes, and keeps streams within bounds of memory,
// time and work. Internal to src/net.

#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/channel.h"
#include "net/deadline.h"
#include "net/http2_calm.h"
#include "net/http2_head.h"
#include "net/stream.h"
#include "net/task.h"

namespace remit::net {

class Http2Link;

// One stream: a message coming in, a message going out. Its owner reads and writes it from
// coroutines; the link puts in what arrives.
class Http2Stream : public std::enable_shared_from_this<Http2Stream> {
 public:
  Http2Stream(std::shared_ptr<Http2Link> link, std::int32_t id);
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;
  virtual ~Http2Stream();

  // What has arrived of the body since the last call; empty at its end. The bytes count against
  // the peer's window until consumed(). Unavailable: the stream is cut.
  Task<Result<std::string>> receive();
  void consumed(std::size_t bytes);
  // Nothing more of the body is of interest.
  void ignore_body();
  const http::Fields& trailers() const { return trailers_; }

  // Returns when the link has taken all of `piece`, so that the peer's window holds the sender up.
  Task<Result<>> send(std::string_view piece);
  // Ends what is sent, and waits until that is on its way.
  Task<Result<>> finish(http::Fields trailers);

  void reset(std::uint32_t error);
  bool is_cut() const { return cut_; }
  std::int32_t id() const { return id_; }

 protected:
  // The stream is over before its time, or the connection is.
  virtual void on_cut() {}

  std::shared_ptr<Http2Link> link_;  // first: what follows refers to it when it goes

 private:
  Task<bool> offer();

  friend class Http2Link;

  std::int32_t id_;
  Http2Block block_;  // that is being read
  std::string body_;
  http::Fields trailers_;
  bool head_read_ = false;
  bool ended_ = false;   // the peer has sent all
  bool closed_ = false;  // nghttp2 knows it no longer
  bool cut_ = false;
  bool reset_ = false;  // by us
  bool ignored_ = false;
  Event arrived_;
  std::string_view out_;
  http::Fields out_trailers_;
  bool out_ended_ = false;
  bool out_done_ = false;  // the end is sent
  Event taken_;
  Deadline stalled_;
};

class Http2Link : public std::enable_shared_from_this<Http2Link> {
 public:
  enum class Side : bool { Server, Client };

  Http2Link(Loop& loop, Side side, Stream& carrier, Timeouts timeouts, std::string scheme);
  Http2Link(const Http2Link&) = delete;
  Http2Link& operator=(const Http2Link&) = delete;
  virtual ~Http2Link();

  // Carries the connection until it ends; `first` was read from it already. Then all streams are
  // cut, and the carrier, which is not touched any more, is closed.
  Task<> run(std::string first);
  // When no stream is left.
  Task<> drained();

  // Ends the connection once what is queued is sent.
  void shut(std::uint32_t error);

  Result<> submit_response(Http2Stream& stream, const http::ResponseHead& head, bool ends);
  Result<> submit_informational(Http2Stream& stream, const http::ResponseHead& head);
  Result<> submit_request(Http2Stream& stream, const http::RequestHead& head, bool ends);
  std::size_t streams() const { return streams_.size(); }
  const std::string& scheme() const { return scheme_; }
  const Timeouts& timeouts() const { return timeouts_; }
  DeadlineSweep& sweep() { return sweep_; }
  Loop& loop() { return loop_; }

 protected:
  // Server: a request begins. nullptr refuses it.
  virtual std::shared_ptr<Http2Stream> open(std::int32_t id);
  // A head is whole: a request's, or an answer's (maybe an informational one). An error resets the
  // stream. Within nghttp2: what follows from it is begun in after_feed().
  virtual Result<> on_head(Http2Stream& stream, Http2Block block, bool ends) = 0;
  // A message was refused by its form.
  virtual void on_malformed(std::string_view reason);
  // After each batch of bytes: what must not happen inside of nghttp2.
  virtual void after_feed() {}

 private:
  friend class Http2Stream;
  struct Callbacks;

  bool feed(std::string_view bytes);
  Task<> read_loop();
  Task<> write_loop();
  bool gather();
  void keep_time();
  void wake() { wake_.set(); }
  void cut_all();
  void end_block(const nghttp2_frame& frame);
  void end_body(Http2Stream& stream);
  void malformed(std::int32_t id, std::string_view reason, std::uint32_t error);
  void spend(double cost);
  Http2Stream* find(std::int32_t id);
  Result<> submit(int code);

  Loop& loop_;
  Side side_;
  Stream* carrier_;
  Timeouts timeouts_;
  std::string scheme_;
  DeadlineSweep sweep_;  // of its own: streams may outlive whoever accepted the connection
  Deadline quiet_;
  Deadline writing_;
  Http2Calm calm_;
  nghttp2_session* session_ = nullptr;
  std::vector<Http2Stream*> streams_;
  std::shared_ptr<Http2Stream> opening_;  // its head is being read
  bool in_block_ = false;
  bool greeted_ = false;  // the peer's SETTINGS are here
  enum class Waiting : std::uint8_t { Nothing, Idle, Head };
  Waiting waiting_ = Waiting::Nothing;
  bool over_ = false;
  int malformed_ = 0;
  std::string out_;
  Event wake_;   // something is to be sent
  Event wrote_;  // something was sent
  Event fewer_;  // a stream went
};

}  // namespace remit::net
