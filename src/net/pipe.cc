#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>
#include <memory>
#include <utility>

#include "base/secret.h"
#include "net/stream_layer.h"

namespace remit::net {
namespace {

using PipeError = boost::system::error_code;

// One way of a pipe: a ring of bytes between the end that writes and the one that reads.
class OneWay {
 public:
  explicit OneWay(std::size_t capacity) : capacity_(capacity) {}
  OneWay(const OneWay&) = delete;
  OneWay& operator=(const OneWay&) = delete;
  ~OneWay() { wipe(ring_.get(), used_); }  // a session's token may have passed

  std::size_t put(std::string_view bytes) {
    if (!ring_) ring_ = std::make_unique_for_overwrite<char[]>(capacity_);
    std::size_t done = 0;
    while (done < bytes.size() && size_ < capacity_) {
      const std::size_t at = (begin_ + size_) % capacity_;
      const std::size_t run = at >= begin_ ? capacity_ - at : begin_ - at;
      const std::size_t n = std::min({run, capacity_ - size_, bytes.size() - done});
      std::memcpy(ring_.get() + at, bytes.data() + done, n);
      size_ += n;
      done += n;
      used_ = std::max(used_, at + n);
    }
    if (done != 0) readable.set();
    return done;
  }

  std::size_t take(char* into, std::size_t room) {
    const std::size_t n = std::min({room, size_, capacity_ - begin_});
    if (n == 0) return 0;
    std::memcpy(into, ring_.get() + begin_, n);
    begin_ = (begin_ + n) % capacity_;
    size_ -= n;
    writable.set();
    return n;
  }

  void end() {
    ended = true;
    wake();
  }
  void abandon() {
    abandoned = true;
    wake();
  }

  bool ended = false;      // nothing more will be written
  bool abandoned = false;  // nobody reads any more
  Event readable;
  Event writable;

 private:
  void wake() {
    readable.set();
    writable.set();
  }

  std::size_t capacity_;
  std::unique_ptr<char[]> ring_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::size_t used_ = 0;  // the ring was never written behind this
};

}  // namespace

class Stream::PipeEnd final : public Stream::Layer {
 public:
  PipeEnd(std::shared_ptr<OneWay> in, std::shared_ptr<OneWay> out)
      : in_(std::move(in)), out_(std::move(out)) {}
  ~PipeEnd() override { PipeEnd::close(); }

  Task<ErrorAndSize> read_some(boost::asio::mutable_buffer into) override {
    const auto in = in_;  // this end may go while somebody waits
    while (true) {
      if (in->abandoned) co_return ErrorAndSize(boost::asio::error::operation_aborted, 0);
      const std::size_t n = in->take(static_cast<char*>(into.data()), into.size());
      if (n != 0) co_return ErrorAndSize(PipeError{}, n);
      if (in->ended) co_return ErrorAndSize(boost::asio::error::eof, 0);
      in->readable.reset();
      co_await in->readable.wait();
      if (!in->readable.is_set()) {
        co_return ErrorAndSize(boost::asio::error::operation_aborted, 0);  // cancelled
      }
    }
  }

  std::size_t try_write(std::string_view first, std::string_view second, PipeError& ec) override {
    if (out_->ended || out_->abandoned) {
      ec = boost::asio::error::broken_pipe;
      return 0;
    }
    const std::size_t n = out_->put(first);
    return n < first.size() ? n : n + out_->put(second);
  }

  Task<PipeError> write(std::string_view first, std::string_view second) override {
    const auto out = out_;
    while (true) {
      if (out->ended || out->abandoned) co_return boost::asio::error::broken_pipe;
      first.remove_prefix(out->put(first));
      if (first.empty()) second.remove_prefix(out->put(second));
      if (first.empty() && second.empty()) co_return PipeError{};
      out->writable.reset();
      co_await out->writable.wait();
      if (!out->writable.is_set()) co_return boost::asio::error::operation_aborted;
    }
  }

  void shutdown_send() override { out_->end(); }
  void close() override {
    open_ = false;
    out_->end();
    in_->abandon();
  }
  bool is_open() const override { return open_; }
  bool peer_is_done() const override { return out_->abandoned; }

 private:
  std::shared_ptr<OneWay> in_;
  std::shared_ptr<OneWay> out_;
  bool open_ = true;
};

std::pair<Stream, Stream> make_pipe(std::size_t capacity) {
  auto there = std::make_shared<OneWay>(capacity);
  auto back = std::make_shared<OneWay>(capacity);
  Stream one(std::make_unique<Stream::PipeEnd>(back, there));
  Stream other(std::make_unique<Stream::PipeEnd>(there, back));
  return {std::move(one), std::move(other)};
}

}  // namespace remit::net
