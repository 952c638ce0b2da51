#include "net/http2_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cstring>
#include <utility>

namespace remit::net {
namespace {

// Of one stream and of all together, what a peer may send before anybody has taken it. The first
// is a bound on memory; the second is given back at once, so that no stream holds up another.
constexpr std::uint32_t kStreamWindow = 256 << 10;
constexpr std::int32_t kLinkWindow = 1 << 20;
constexpr std::uint32_t kMaxStreams = 100;
// Requests that were reset may still be at work for a moment.
constexpr std::size_t kMaxAlive = std::size_t{2} * kMaxStreams;
// Resets by the peer: so many at once, then so many a second (CVE-2023-44487).
constexpr std::uint64_t kResetBurst = 200;
constexpr std::uint64_t kResetRate = 20;
constexpr std::size_t kMaxContinuations = 8;
constexpr std::size_t kMaxUnsentAcks = 64;
constexpr std::size_t kMaxSettings = 32;
constexpr std::size_t kMaxQueued = 1024;
constexpr std::size_t kMaxBlock = 128 << 10;  // on the wire, sent
constexpr int kMaxMalformed = 8;
constexpr double kResetCost = 5;
constexpr std::size_t kRead = 16 << 10;
constexpr std::size_t kWrite = 64 << 10;

struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};

std::unique_ptr<nghttp2_option, FreeOption> make_options() {
  nghttp2_option* raw = nullptr;
  nghttp2_option_new(&raw);
  nghttp2_option_set_no_auto_window_update(raw, 1);
  nghttp2_option_set_stream_reset_rate_limit(raw, kResetBurst, kResetRate);
  nghttp2_option_set_max_continuations(raw, kMaxContinuations);
  nghttp2_option_set_max_outbound_ack(raw, kMaxUnsentAcks);
  nghttp2_option_set_max_settings(raw, kMaxSettings);
  nghttp2_option_set_max_send_header_block_length(raw, kMaxBlock);
  return std::unique_ptr<nghttp2_option, FreeOption>(raw);
}

// nghttp2 copies what it is shown; its structure, shared with C, just knows no const.
std::vector<nghttp2_nv> name_values(http::Fields& fields) {
  const auto bytes = [](std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); };
  std::vector<nghttp2_nv> all;
  all.reserve(fields.size());
  for (http::Field& field : fields) {
    const bool secret = field.name == "authorization" || field.name.ends_with("token");
    all.push_back(
        {bytes(field.name), bytes(field.value), field.name.size(), field.value.size(),
         static_cast<std::uint8_t>(secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)});
  }
  return all;
}

bool costs_nothing(std::uint8_t type, std::size_t length, std::uint8_t flags) {
  switch (type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
      return false;
    case NGHTTP2_DATA:
      return length == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0;
    default:
      return true;
  }
}

}  // namespace

// ---- what nghttp2 calls ----

struct Http2Link::Callbacks {
  static Http2Link& link(void* user) { return *static_cast<Http2Link*>(user); }

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* hd, void* user) {
    Http2Link& self = link(user);
    if (costs_nothing(hd->type, hd->length, hd->flags)) self.spend(1);
    return 0;
  }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Link& self = link(user);
    self.in_block_ = true;
    const std::int32_t id = frame->hd.stream_id;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
      if (Http2Stream* stream = self.find(id)) stream->block_ = {};
      return 0;
    }
    if (self.streams_.size() < kMaxAlive) self.opening_ = self.open(id);
    if (!self.opening_) {
      self.in_block_ = false;
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    nghttp2_session_set_stream_user_data(session, id, self.opening_.get());
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    Http2Link& self = link(user);
    Http2Stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    auto added = stream->block_.add({reinterpret_cast<const char*>(name), name_size},
                                    {reinterpret_cast<const char*>(value), value_size});
    if (added) return 0;
    self.in_block_ = false;
    self.malformed(frame->hd.stream_id, added.error().message,
                   added.error().code == ErrorCode::LimitExceeded ? NGHTTP2_ENHANCE_YOUR_CALM
                                                                  : NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_invalid_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t*,
                               std::size_t, const std::uint8_t*, std::size_t, std::uint8_t,
                               void* user) {
    Http2Link& self = link(user);
    self.in_block_ = false;
    self.malformed(frame->hd.stream_id, "a field that HTTP/2 does not allow",
                   NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Link& self = link(user);
    switch (frame->hd.type) {
      case NGHTTP2_SETTINGS:
        self.greeted_ = true;
        break;
      case NGHTTP2_HEADERS:
        self.end_block(*frame);
        break;
      case NGHTTP2_DATA:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) break;
        if (Http2Stream* stream = self.find(frame->hd.stream_id)) self.end_body(*stream);
        break;
      default:
        break;
    }
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int code, void* user) {
    Http2Link& self = link(user);
    if (frame->hd.type == NGHTTP2_HEADERS) self.in_block_ = false;
    self.malformed(0, fmt::format("malformed HTTP/2: {}", nghttp2_strerror(code)), 0);
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     const std::uint8_t* data, std::size_t size, void* user) {
    Http2Link& self = link(user);
    self.calm_.earn(1);
    nghttp2_session_consume_connection(session, size);
    Http2Stream* const stream = self.find(id);
    if (stream == nullptr || stream->ignored_) {
      nghttp2_session_consume_stream(session, id, size);
      return 0;
    }
    stream->body_.append(reinterpret_cast<const char*>(data), size);
    stream->arrived_.set();
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    Http2Link& self = link(user);
    Http2Stream* const stream = self.find(id);
    const auto never_begun = self.opening_ && self.opening_->id() == id
                                 ? std::exchange(self.opening_, nullptr)
                                 : nullptr;
    if (stream == nullptr || stream->closed_) return 0;
    stream->closed_ = true;
    if (error != NGHTTP2_NO_ERROR || !stream->ended_ || !stream->out_done_) {
      stream->cut_ = true;
      stream->on_cut();
    }
    stream->arrived_.set();
    stream->taken_.set();
    return 0;
  }

  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Link& self = link(user);
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR) {
      self.spend(kResetCost);
    }
    const bool carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (frame->hd.type == NGHTTP2_DATA) self.calm_.earn(3);  // the peer's WINDOW_UPDATEs
    if (!carries || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    Http2Stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    stream->out_done_ = true;
    stream->taken_.set();
    if (self.side_ == Side::Server && !stream->ended_) {
      // Answered before its end: the rest of the request is of no interest (RFC 9113, 8.1).
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  // A frame that cannot be sent: a head beyond bounds, or a request after GOAWAY.
  static int on_frame_not_send(nghttp2_session* session, const nghttp2_frame* frame, int,
                               void* user) {
    Http2Link& self = link(user);
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    Http2Stream* stream = self.find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                              NGHTTP2_INTERNAL_ERROR);
    stream->cut_ = true;
    stream->on_cut();
    stream->arrived_.set();
    stream->taken_.set();
    return 0;
  }

  static ssize_t read_out(nghttp2_session* session, std::int32_t id, std::uint8_t* into,
                          std::size_t room, std::uint32_t* flags, nghttp2_data_source*,
                          void* user) {
    Http2Stream* const stream = link(user).find(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t n = std::min(room, stream->out_.size());
    if (n != 0) {
      std::memcpy(into, stream->out_.data(), n);
      stream->out_.remove_prefix(n);
      stream->stalled_.arm(link(user).timeouts_.stall);
    }
    if (stream->out_.empty()) {
      stream->taken_.set();
      if (!stream->out_ended_ && n == 0) return NGHTTP2_ERR_DEFERRED;
      if (stream->out_ended_) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!stream->out_trailers_.empty()) {
          *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
          const auto trailers = name_values(stream->out_trailers_);
          if (nghttp2_submit_trailer(session, id, trailers.data(), trailers.size()) != 0) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
          }
        }
      }
    }
    return static_cast<ssize_t>(n);
  }
};

// ---- the connection ----

Http2Link::Http2Link(Loop& loop, Side side, Stream& carrier, Timeouts timeouts, std::string scheme)
    : loop_(loop),
      side_(side),
      carrier_(&carrier),
      timeouts_(timeouts),
      scheme_(std::move(scheme)),
      sweep_(loop),
      quiet_(sweep_,
             [this] {
               const bool idle = std::exchange(waiting_, Waiting::Nothing) == Waiting::Idle;
               shut(idle ? NGHTTP2_NO_ERROR : NGHTTP2_PROTOCOL_ERROR);
             }),
      writing_(sweep_,
               [this] {
                 if (carrier_ != nullptr) carrier_->close();
               }),
      calm_(std::chrono::steady_clock::now()) {
  nghttp2_session_callbacks* raw = nullptr;
  nghttp2_session_callbacks_new(&raw);
  const std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> callbacks(raw);
  nghttp2_session_callbacks_set_on_begin_frame_callback(raw, Callbacks::on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(raw, Callbacks::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(raw, Callbacks::on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(raw, Callbacks::on_invalid_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(raw, Callbacks::on_frame_recv);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(raw, Callbacks::on_invalid_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, Callbacks::on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(raw, Callbacks::on_stream_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(raw, Callbacks::on_frame_send);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(raw, Callbacks::on_frame_not_send);
  const auto options = make_options();
  if (side == Side::Server) {
    nghttp2_session_server_new2(&session_, raw, this, options.get());
  } else {
    nghttp2_session_client_new2(&session_, raw, this, options.get());
  }
  std::vector<nghttp2_settings_entry> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxHeadBytes}};
  if (side == Side::Server) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kLinkWindow);
}

Http2Link::~Http2Link() { nghttp2_session_del(session_); }

std::shared_ptr<Http2Stream> Http2Link::open(std::int32_t) { return nullptr; }
void Http2Link::on_malformed(std::string_view) {}

Http2Stream* Http2Link::find(std::int32_t id) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

void Http2Link::end_body(Http2Stream& stream) {
  stream.ended_ = true;
  stream.arrived_.set();
}

void Http2Link::end_block(const nghttp2_frame& frame) {
  in_block_ = false;
  const std::int32_t id = frame.hd.stream_id;
  Http2Stream* const stream = find(id);
  if (stream == nullptr) {
    opening_.reset();
    return;
  }
  calm_.earn(1);
  const auto held = std::exchange(opening_, nullptr);  // on_head() takes a share, or it goes
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  Http2Block block = std::exchange(stream->block_, {});
  Result<> taken;
  if (!stream->head_read_) {
    const bool informational = side_ == Side::Client && block.status.starts_with('1');
    stream->head_read_ = !informational;
    taken = on_head(*stream, std::move(block), ends);
  } else {
    auto trailers = to_trailers(std::move(block));
    if (trailers) {
      stream->trailers_ = *std::move(trailers);
    } else {
      taken = std::unexpected(std::move(trailers).error());
    }
  }
  if (!taken) {
    malformed(id, taken.error().message, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  if (ends) end_body(*stream);
}

void Http2Link::malformed(std::int32_t id, std::string_view reason, std::uint32_t error) {
  Http2Stream* const stream = id != 0 ? find(id) : nullptr;
  if (stream != nullptr) stream->reset(error);
  on_malformed(reason);
  if (++malformed_ == kMaxMalformed) shut(NGHTTP2_PROTOCOL_ERROR);
}

void Http2Link::spend(double cost) {
  if (!calm_.spend(cost, std::chrono::steady_clock::now())) shut(NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2Link::shut(std::uint32_t error) {
  if (over_) return;
  nghttp2_session_terminate_session(session_, error);
  wake();
}

Result<> Http2Link::submit(int code) {
  if (code < 0) return fail(ErrorCode::Internal, nghttp2_strerror(code));
  wake();
  return {};
}

Result<> Http2Link::submit_response(Http2Stream& stream, const http::ResponseHead& head,
                                    bool ends) {
  if (over_ || stream.closed_) return fail(ErrorCode::Unavailable, "the stream was cut");
  http::Fields fields = from_response(head);
  const auto values = name_values(fields);
  const nghttp2_data_provider body{{.ptr = nullptr}, Callbacks::read_out};
  return submit(nghttp2_submit_response(session_, stream.id_, values.data(), values.size(),
                                        ends ? nullptr : &body));
}

Result<> Http2Link::submit_informational(Http2Stream& stream, const http::ResponseHead& head) {
  if (over_ || stream.closed_) return fail(ErrorCode::Unavailable, "the stream was cut");
  http::Fields fields = from_response(head);
  const auto values = name_values(fields);
  return submit(nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id_, nullptr,
                                       values.data(), values.size(), nullptr));
}

Result<> Http2Link::submit_request(Http2Stream& stream, const http::RequestHead& head, bool ends) {
  if (over_) return fail(ErrorCode::Unavailable, "the connection is over");
  http::Fields fields = from_request(head, scheme_);
  const auto values = name_values(fields);
  const nghttp2_data_provider body{{.ptr = nullptr}, Callbacks::read_out};
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, values.data(), values.size(),
                                                 ends ? nullptr : &body, &stream);
  if (id > 0) stream.id_ = id;
  return submit(id);
}

// False: nothing can be made of the bytes, nor of any behind them.
bool Http2Link::feed(std::string_view bytes) {
  const ssize_t n = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (n < 0) on_malformed(nghttp2_strerror(static_cast<int>(n)));
  after_feed();
  keep_time();
  wake();
  return n >= 0;
}

// What the connection as a whole waits for, and how long: a stream has deadlines of its own.
void Http2Link::keep_time() {
  const Waiting waiting = over_                           ? Waiting::Nothing
                          : !greeted_ || in_block_        ? Waiting::Head
                          : streams_.empty() && !opening_ ? Waiting::Idle
                                                          : Waiting::Nothing;
  if (waiting == waiting_) return;
  waiting_ = waiting;
  if (waiting == Waiting::Nothing) {
    quiet_.disarm();
  } else {
    quiet_.arm(waiting == Waiting::Idle ? timeouts_.idle : timeouts_.head);
  }
}

Task<> Http2Link::read_loop() {
  std::array<char, kRead> piece;
  while (true) {
    // A peer that does not take our answers has no more of its frames read.
    while (nghttp2_session_get_outbound_queue_size(session_) > kMaxQueued) {
      wrote_.reset();
      co_await wrote_.wait();
      if (!wrote_.is_set()) co_return;
    }
    auto [ec, n] = co_await carrier_->read_some(boost::asio::buffer(piece));
    if (ec) co_return;
    if (!feed({piece.data(), n})) co_return;
  }
}

// Fills out_ with what is to be sent; false when that failed.
bool Http2Link::gather() {
  out_.clear();
  while (out_.size() < kWrite) {
    const std::uint8_t* data = nullptr;
    const ssize_t n = nghttp2_session_mem_send(session_, &data);
    if (n < 0) return false;
    if (n == 0) break;
    out_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
  }
  return true;
}

Task<> Http2Link::write_loop() {
  while (gather()) {
    wrote_.set();
    if (out_.empty()) {
      if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0) {
        carrier_->shutdown_send();
        co_return;
      }
      wake_.reset();
      co_await wake_.wait();
      if (!wake_.is_set()) co_return;
      continue;
    }
    writing_.arm(timeouts_.stall);
    const boost::system::error_code ec = co_await carrier_->write(out_, {});
    writing_.disarm();
    if (ec) co_return;
  }
}

void Http2Link::cut_all() {
  for (Http2Stream* stream : streams_) {
    if (!std::exchange(stream->cut_, true)) stream->on_cut();
    stream->arrived_.set();
    stream->taken_.set();
  }
}

Task<> Http2Link::run(std::string first) {
  using boost::asio::experimental::awaitable_operators::operator||;
  const auto self = shared_from_this();
  keep_time();
  if (first.empty() || feed(first)) co_await (read_loop() || write_loop());
  over_ = true;
  opening_.reset();
  quiet_.disarm();
  writing_.disarm();
  cut_all();
  carrier_->close();
  carrier_ = nullptr;
}

Task<> Http2Link::drained() {
  while (!streams_.empty()) {
    fewer_.reset();
    co_await fewer_.wait();
    if (!fewer_.is_set()) co_return;
  }
}

}  // namespace remit::net
