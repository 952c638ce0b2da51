#include <utility>

#include "net/http2_link.h"

namespace remit::net {

Http2Stream::Http2Stream(std::shared_ptr<Http2Link> link, std::int32_t id)
    : link_(std::move(link)), id_(id), stalled_(link_->sweep_, [this] { reset(NGHTTP2_CANCEL); }) {
  link_->streams_.push_back(this);
}

Http2Stream::~Http2Stream() {
  if (!closed_) {
    reset(NGHTTP2_INTERNAL_ERROR);
    nghttp2_session_set_stream_user_data(link_->session_, id_, nullptr);
  }
  std::erase(link_->streams_, this);
  link_->fewer_.set();
  link_->keep_time();
}

void Http2Stream::reset(std::uint32_t error) {
  if (closed_ || link_->over_ || id_ <= 0 || std::exchange(reset_, true)) return;
  nghttp2_submit_rst_stream(link_->session_, NGHTTP2_FLAG_NONE, id_, error);
  link_->wake();
}

Task<Result<std::string>> Http2Stream::receive() {
  while (body_.empty() && !ended_ && !cut_) {
    arrived_.reset();
    co_await arrived_.wait();
    if (!arrived_.is_set()) co_return fail(ErrorCode::Unavailable, "cancelled");
  }
  if (body_.empty() && !ended_) co_return fail(ErrorCode::Unavailable, "the stream was cut");
  co_return std::exchange(body_, {});
}

void Http2Stream::consumed(std::size_t bytes) {
  if (closed_ || link_->over_ || bytes == 0) return;
  nghttp2_session_consume_stream(link_->session_, id_, bytes);
  link_->wake();
}

void Http2Stream::ignore_body() {
  ignored_ = true;
  consumed(std::exchange(body_, {}).size());
}

// Offers what is to be sent and waits until the link took some of it. False: cancelled.
Task<bool> Http2Stream::offer() {
  taken_.reset();
  nghttp2_session_resume_data(link_->session_, id_);
  link_->wake();
  stalled_.arm(link_->timeouts_.stall);
  co_await taken_.wait();
  co_return taken_.is_set();
}

Task<Result<>> Http2Stream::send(std::string_view piece) {
  out_ = piece;
  while (!out_.empty() && !cut_) {
    if (!co_await offer()) break;
  }
  stalled_.disarm();
  if (std::exchange(out_, {}).empty() && !cut_) co_return Result<>{};
  co_return fail(ErrorCode::Unavailable, "the stream was cut");
}

Task<Result<>> Http2Stream::finish(http::Fields trailers) {
  out_trailers_ = std::move(trailers);
  out_ended_ = true;
  while (!out_done_ && !cut_) {
    if (!co_await offer()) break;
  }
  stalled_.disarm();
  if (out_done_) co_return Result<>{};
  co_return fail(ErrorCode::Unavailable, "the stream was cut");
}

}  // namespace remit::net
