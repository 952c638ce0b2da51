#include "net/channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/encoding.h"
#include "base/scrub.h"
#include "base/secret.h"

namespace remit::net {
namespace {

constexpr std::size_t kFirstRead = 8 << 10;
// Any usual head fits, so that none leaves a part of itself behind where the buffer was smaller.
constexpr std::size_t kHeadRoom = 8 << 10;
constexpr std::size_t kBodyRead = 256 << 10;
// A larger piece is sent from where it lies; smaller ones are cheaper to copy than to send alone.
constexpr std::size_t kCopyUpTo = 16 << 10;
// What a refused or uninterested answer still reads of a request's body, to keep the connection.
constexpr std::uint64_t kSkipUpTo = 64 << 10;
constexpr std::uint64_t kLingerUpTo = std::uint64_t{1} << 30;
constexpr std::chrono::milliseconds kWatchTick(200);

bool names_framing(const http::Fields& fields, bool allow_length) {
  return std::ranges::any_of(fields, [&](const http::Field& field) {
    return equals_ignoring_ascii_case(field.name, "transfer-encoding") ||
           equals_ignoring_ascii_case(field.name, "connection") ||
           (!allow_length && equals_ignoring_ascii_case(field.name, "content-length"));
  });
}

void append_framing(std::string& out, const Framing& framing) {
  if (framing.kind == Framing::Kind::Chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (framing.kind != Framing::Kind::Length) return;
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), framing.length).ptr;
  out.append("Content-Length: ").append(digits.data(), end).append("\r\n");
}

// Takes the empty line off that ends the head in `out`, so that fields can follow.
void reopen_head(std::string& out) { out.resize(out.size() - 2); }

}  // namespace

Channel::Channel(Stream stream, DeadlineSweep& sweep, Timeouts timeouts)
    : stream_(std::move(stream)),
      timeouts_(timeouts),
      deadline_(sweep, [this] { on_deadline(); }) {}

Channel::~Channel() {
  scrub(out_);
  wipe(buffer_.get(), capacity_);
}

void Channel::on_deadline() {
  if (watched_for_ == nullptr) {
    timed_out_ = true;
    close();
  } else if (stream_.peer_is_done()) {
    watched_for_->close();
    close();
  } else {
    deadline_.arm(kWatchTick);
  }
}

void Channel::watch_peer_for(Channel* other) {
  watched_for_ = other;
  if (other == nullptr) {
    deadline_.disarm();
  } else {
    deadline_.arm(kWatchTick);
  }
}

void Channel::close() {
  broken_ = true;
  stream_.close();
}

Error Channel::gone(const boost::system::error_code& ec, std::string_view doing) const {
  if (timed_out_) {
    return Error{ErrorCode::Unavailable, fmt::format("{}: no progress in time", doing)};
  }
  if (ec == boost::asio::error::eof) {
    return Error{ErrorCode::Unavailable, fmt::format("{}: the peer closed the connection", doing)};
  }
  return Error{ErrorCode::Unavailable, fmt::format("{}: {}", doing, ec.message())};
}

void Channel::make_room(std::size_t room) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (capacity_ - end_ >= room) return;
  const std::size_t held = end_ - begin_;
  if (capacity_ >= held + room) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, held);
  } else {
    auto larger = std::make_unique_for_overwrite<char[]>(held + room);
    if (held != 0) std::memcpy(larger.get(), buffer_.get() + begin_, held);
    buffer_ = std::move(larger);
    capacity_ = held + room;
  }
  begin_ = 0;
  end_ = held;
}

Task<Result<std::size_t>> Channel::fill(std::size_t room) {
  make_room(room);
  auto [ec, n] =
      co_await stream_.read_some(boost::asio::buffer(buffer_.get() + end_, capacity_ - end_));
  co_return filled(ec, n);
}

Result<std::size_t> Channel::filled(const boost::system::error_code& ec, std::size_t n) {
  if (ec == boost::asio::error::operation_aborted && stream_.is_open()) {
    // Cancelled by whoever waited: the connection itself is well.
    return fail(ErrorCode::Unavailable, "cancelled");
  }
  if (ec) {
    broken_ = true;
    return std::unexpected(gone(ec, "read"));
  }
  end_ += n;
  return n;
}

Task<Result<>> Channel::wait_for_bytes() {
  if (begin_ != end_) co_return Result<>{};
  auto got = co_await fill(kFirstRead);
  if (!got) co_return std::unexpected(std::move(got).error());
  co_return Result<>{};
}

void Channel::begin_head(std::chrono::milliseconds wait) {
  set_deadline(begin_ == end_ ? wait : timeouts_.head);
  // A large buffer that a body needed is given back before the connection goes to rest.
  if (begin_ == end_ && capacity_ > kFirstRead) {
    buffer_.reset();
    capacity_ = begin_ = end_ = 0;
  }
  scanned_ = 0;
}

Result<std::string_view> Channel::held_head() {
  const std::string_view held(buffer_.get() + begin_, end_ - begin_);
  const auto size = find_head_end(held, scanned_);
  if (size ? *size > kMaxHeadBytes : held.size() >= kMaxHeadBytes) {
    broken_ = true;
    return fail(ErrorCode::LimitExceeded, fmt::format("head larger than {} bytes", kMaxHeadBytes));
  }
  if (!size) {
    scanned_ = held.size();
    return std::string_view{};
  }
  begin_ += *size;
  clear_deadline();
  return held.substr(0, *size);
}

boost::asio::mutable_buffer Channel::head_room() {
  make_room(kFirstRead);
  return boost::asio::buffer(buffer_.get() + end_, capacity_ - end_);
}

Result<bool> Channel::head_arrived(const Stream::ErrorAndSize& read) {
  auto got = filled(std::get<0>(read), std::get<1>(read));
  if (!got) {
    if (scanned_ == 0 && !timed_out_ && broken_) return false;
    return std::unexpected(std::move(got).error());
  }
  if (scanned_ == 0) set_deadline(timeouts_.head);
  return true;
}

void Channel::begin_incoming(Framing framing) {
  incoming_ = framing;
  left_ = framing.kind == Framing::Kind::Length ? framing.length : 0;
  body_done_ = framing.kind == Framing::Kind::None ||
               (framing.kind == Framing::Kind::Length && framing.length == 0);
  bytes_in_ = 0;
  if (framing.kind == Framing::Kind::Chunked) chunks_ = ChunkDecoder{};
}

Result<std::string_view> Channel::next_piece() {
  const std::string_view held(buffer_.get() + begin_, end_ - begin_);
  switch (incoming_.kind) {
    case Framing::Kind::None:
      return std::string_view{};
    case Framing::Kind::UntilClose:
      begin_ = end_;
      return held;
    case Framing::Kind::Length: {
      const std::string_view piece = held.substr(0, std::min<std::uint64_t>(left_, held.size()));
      begin_ += piece.size();
      left_ -= piece.size();
      body_done_ = left_ == 0;
      return piece;
    }
    case Framing::Kind::Chunked:
      break;
  }
  while (begin_ != end_ && !chunks_.done()) {
    auto step = chunks_.step({buffer_.get() + begin_, end_ - begin_});
    if (!step) {
      broken_ = true;
      return std::unexpected(std::move(step).error());
    }
    begin_ += step->consumed;
    if (!step->content.empty()) {
      body_done_ = chunks_.done();
      return step->content;
    }
  }
  body_done_ = chunks_.done();
  return std::string_view{};
}

Result<std::string_view> Channel::buffered_body() {
  if (body_done_ || begin_ == end_) return std::string_view{};
  auto piece = next_piece();
  if (piece) bytes_in_ += piece->size();
  return piece;
}

Task<Result<std::string_view>> Channel::read_body() {
  while (!body_done_) {
    auto piece = buffered_body();
    if (!piece || !piece->empty()) co_return piece;
    if (body_done_) break;
    set_deadline(timeouts_.stall);
    auto got = co_await fill(bytes_in_ == 0 ? kFirstRead : kBodyRead);
    clear_deadline();
    if (!got) {
      if (incoming_.kind == Framing::Kind::UntilClose && !timed_out_ && stream_.is_open()) {
        body_done_ = true;  // the end of the connection is the end of the body
        break;
      }
      co_return std::unexpected(std::move(got).error());
    }
  }
  co_return std::string_view{};
}

void Channel::begin_outgoing(Framing framing) {
  outgoing_ = framing;
  bytes_out_ = 0;
  outgoing_done_ = framing.kind == Framing::Kind::None;
}

Result<> Channel::put_body(std::string_view piece) {
  if (piece.empty()) return {};
  if (outgoing_.kind == Framing::Kind::None ||
      (outgoing_.kind == Framing::Kind::Length && piece.size() > outgoing_.length)) {
    broken_ = true;
    return fail(ErrorCode::Internal, "more body than its head announced");
  }
  bytes_out_ += piece.size();
  if (outgoing_.kind == Framing::Kind::Length) outgoing_.length -= piece.size();
  const bool chunked = outgoing_.kind == Framing::Kind::Chunked;
  if (chunked) append_chunk_size(out_, piece.size());
  out_.append(piece);
  if (chunked) out_.append("\r\n");
  return {};
}

Task<Result<>> Channel::write_body(std::string_view piece) {
  if (piece.size() <= kCopyUpTo || outgoing_.kind == Framing::Kind::None ||
      (outgoing_.kind == Framing::Kind::Length && piece.size() > outgoing_.length)) {
    REMIT_CO_CHECKED(put_body(piece));
    if (out_.size() < kCopyUpTo) co_return Result<>{};
    co_return co_await flush();
  }
  bytes_out_ += piece.size();
  if (outgoing_.kind == Framing::Kind::Length) outgoing_.length -= piece.size();
  const bool chunked = outgoing_.kind == Framing::Kind::Chunked;
  if (chunked) append_chunk_size(out_, piece.size());
  set_deadline(timeouts_.stall);
  boost::system::error_code ec;
  const std::size_t sent = stream_.try_write(out_, piece, ec);
  if (!ec && sent < out_.size() + piece.size()) {
    const std::string_view head = std::string_view(out_).substr(std::min(sent, out_.size()));
    const std::string_view rest = piece.substr(sent - std::min(sent, out_.size()));
    ec = co_await stream_.write(head, rest);
  }
  clear_deadline();
  out_.clear();
  if (ec) {
    broken_ = true;
    co_return std::unexpected(gone(ec, "write"));
  }
  if (chunked) out_.append("\r\n");
  co_return Result<>{};
}

// A large buffer is not kept for a connection at rest.
void Channel::shrink_out() {
  if (out_.capacity() <= 4 * kCopyUpTo) return;
  scrub(out_);
  out_.shrink_to_fit();
}

// What the system does not take at once stays in out_.
Result<bool> Channel::try_flush() {
  if (out_.empty()) return true;
  boost::system::error_code ec;
  const std::size_t sent = stream_.try_write(out_, {}, ec);
  if (ec) {
    broken_ = true;
    return std::unexpected(gone(ec, "write"));
  }
  if (sent < out_.size()) {
    out_.erase(0, sent);
    return false;
  }
  out_.clear();
  shrink_out();
  return true;
}

Task<Result<>> Channel::flush() {
  auto flushed = try_flush();
  if (!flushed) co_return std::unexpected(std::move(flushed).error());
  if (*flushed) co_return Result<>{};
  set_deadline(timeouts_.stall);
  const boost::system::error_code ec = co_await stream_.write(out_, {});
  clear_deadline();
  out_.clear();
  shrink_out();
  if (ec) {
    broken_ = true;
    co_return std::unexpected(gone(ec, "write"));
  }
  co_return Result<>{};
}

Task<Result<>> Channel::finish_body(http::Fields trailers) {
  auto finished = finish_body_now(std::move(trailers));
  if (!finished) co_return std::unexpected(std::move(finished).error());
  if (*finished) co_return Result<>{};
  co_return co_await flush();
}

Result<bool> Channel::finish_body_now(http::Fields trailers) {
  if (!outgoing_done_) {
    if (outgoing_.kind == Framing::Kind::Length && outgoing_.length != 0) {
      broken_ = true;
      return fail(ErrorCode::Internal, "less body than its head announced");
    }
    if (outgoing_.kind == Framing::Kind::Chunked) {
      out_.append("0\r\n");
      for (const http::Field& trailer : trailers) {
        if (!is_token(trailer.name) || !is_field_value(trailer.value)) {
          broken_ = true;
          return fail(ErrorCode::InvalidInput, "malformed trailer");
        }
        out_.append(trailer.name).append(": ").append(trailer.value).append("\r\n");
      }
      out_.append("\r\n");
    }
    outgoing_done_ = true;
  }
  return try_flush();
}

// ---- server ----

Task<Result<bool>> ServerConnection::read_request(http::RequestHead& head) {
  begin_head(timeouts_.idle);
  while (true) {
    auto bytes = held_head();
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    if (!bytes->empty()) {
      REMIT_CO_CHECKED(accept_head(*bytes, head));
      co_return true;
    }
    auto arrived = head_arrived(co_await stream_.read_some(head_room()));
    if (!arrived || !*arrived) co_return arrived;
  }
}

Result<> ServerConnection::accept_head(std::string_view bytes, http::RequestHead& head) {
  keep_alive_ = false;  // until the request says otherwise
  version_ = 11;
  head_request_ = false;
  expects_continue_ = false;
  begin_incoming(Framing{});
  if (auto parsed = parse_request_head(bytes, head); !parsed) {
    begins_http2_ = !begun_ && !is_tls() && bytes == "PRI * HTTP/2.0\r\n\r\n";
    broken_ = true;
    return std::unexpected(std::move(parsed).error());
  }
  begun_ = true;
  auto framing = request_framing(head);
  if (!framing) {
    broken_ = true;
    return std::unexpected(std::move(framing).error());
  }
  begin_incoming(*framing);
  version_ = head.version;
  head_request_ = head.method == "HEAD";
  keep_alive_ = keeps_alive(head.version, head.fields);
  const http::Field* expect = http::find(head.fields, "expect");
  if (expect != nullptr && !equals_ignoring_ascii_case(expect->value, "100-continue")) {
    broken_ = true;
    return fail(ErrorCode::InvalidInput, "an expectation other than 100-continue");
  }
  expects_continue_ = expect != nullptr && head.version >= 11 && !body_done();
  return {};
}

Task<Result<>> ServerConnection::send_continue() {
  if (!std::exchange(expects_continue_, false)) co_return Result<>{};
  out_.append("HTTP/1.1 100 Continue\r\n\r\n");
  co_return co_await flush();
}

Result<> ServerConnection::start_response(const http::ResponseHead& head, Framing framing) {
  if (names_framing(head.fields, head_request_ || head.status == 304)) {
    return fail(ErrorCode::Internal, "framing fields are not the caller's to write");
  }
  // HTTP/1.0 knows no chunks: the body ends with the connection.
  if (framing.kind == Framing::Kind::Chunked && version_ < 11) {
    framing = Framing{Framing::Kind::UntilClose, 0};
  }
  const bool bodyless =
      head_request_ || head.status < 200 || head.status == 204 || head.status == 304;
  // A client that still waits for 100 may or may not send its body now: the framing is lost.
  if (framing.kind == Framing::Kind::UntilClose || expects_continue_) keep_alive_ = false;
  REMIT_CHECKED(append_response_head(out_, head));
  reopen_head(out_);
  if (!bodyless) {
    const bool none = framing.kind == Framing::Kind::None;
    append_framing(out_, none ? Framing{Framing::Kind::Length, 0} : framing);
  }
  if (!keep_alive_) {
    out_.append("Connection: close\r\n");
  } else if (version_ < 11) {
    out_.append("Connection: keep-alive\r\n");
  }
  out_.append("\r\n");
  begin_outgoing(bodyless ? Framing{} : framing);
  return {};
}

Task<Result<>> ServerConnection::respond(int status, http::Fields fields, std::string_view body,
                                         After after) {
  if (after == After::Close) keep_alive_ = false;
  http::ResponseHead head;
  head.status = status;
  head.fields = std::move(fields);
  head.reason = reason_of(status);
  if (head_request_) {
    http::set(head.fields, "Content-Length", fmt::format("{}", body.size()));
    body = {};
  }
  REMIT_CO_CHECKED(start_response(head, Framing{Framing::Kind::Length, body.size()}));
  REMIT_CO_CHECKED(put_body(body));
  co_return co_await finish_body();
}

Task<bool> ServerConnection::finish_exchange() {
  auto flushed = co_await flush();
  if (!flushed || !outgoing_done_) {
    close();
    co_return false;
  }
  std::uint64_t skipped = 0;
  while (keep_alive_ && !broken_ && !body_done()) {
    auto piece = co_await read_body();
    if (!piece) break;
    skipped += piece->size();
    if (skipped > kSkipUpTo) break;
  }
  if (keep_alive_ && !broken_ && body_done()) co_return true;
  co_await linger();
  co_return false;
}

// Closing a socket that holds unread bytes resets the connection, and the peer may lose the
// answer that it was sent. So: say that we are done, then read what still comes, within bounds.
Task<> ServerConnection::linger() {
  if (!is_open()) co_return;
  stream_.shutdown_send();
  if (!(body_done() && !has_bytes())) {
    set_deadline(timeouts_.linger);
    std::uint64_t dropped = 0;
    while (dropped < kLingerUpTo) {
      std::array<char, 16 << 10> scratch;
      auto [ec, n] = co_await stream_.read_some(boost::asio::buffer(scratch));
      if (ec) break;
      dropped += n;
    }
  }
  close();
}

Task<Result<>> ServerConnection::accept_connect(std::string reason) {
  // No framing and no Connection field: neither belongs to an answer to CONNECT (RFC 9110, 9.3.6).
  http::ResponseHead head;
  head.status = 200;
  head.reason = std::move(reason);
  REMIT_CO_CHECKED(append_response_head(out_, head));
  begin_outgoing(Framing{});
  co_return co_await flush();
}

Task<Result<>> ServerConnection::start_tls(std::shared_ptr<boost::asio::ssl::context> context) {
  if (has_bytes()) {
    broken_ = true;
    co_return fail(ErrorCode::InvalidInput, "bytes behind CONNECT before it was answered");
  }
  set_deadline(timeouts_.head);
  auto started = co_await stream_.start_tls_server(std::move(context));
  clear_deadline();
  begins_http2_ = started && stream_.is_http2();
  co_return started;
}

// ---- client ----

ClientConnection::ClientConnection(Stream stream, DeadlineSweep& sweep, Timeouts timeouts)
    : Channel(std::move(stream), sweep, timeouts) {
  out_.reserve(kHeadRoom);
}

Result<> ClientConnection::start_request(const http::RequestHead& head, Framing framing) {
  if (names_framing(head.fields, false)) {
    return fail(ErrorCode::Internal, "framing fields are not the caller's to write");
  }
  REMIT_CHECKED(append_request_head(out_, head));
  reopen_head(out_);
  append_framing(out_, framing);
  out_.append("\r\n");
  begin_outgoing(framing);
  method_.assign(head.method);
  answered_ = false;
  keep_alive_ = false;
  return {};
}

Task<Result<>> ClientConnection::read_response(http::ResponseHead& head,
                                               Informational informational) {
  begin_head(timeouts_.answer);
  while (true) {
    auto bytes = held_head();
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    if (!bytes->empty()) {
      REMIT_CO_CHECKED(accept_head(*bytes, head));
      if (head.status >= 200 || informational == Informational::Tell) co_return Result<>{};
      begin_head(timeouts_.answer);
      continue;
    }
    auto arrived = head_arrived(co_await stream_.read_some(head_room()));
    if (!arrived) co_return std::unexpected(std::move(arrived).error());
    if (!*arrived) {
      co_return fail(ErrorCode::Unavailable, "the server closed the connection without an answer");
    }
  }
}

// An informational answer (1xx) leaves the connection waiting for the final one.
Result<> ClientConnection::accept_head(std::string_view bytes, http::ResponseHead& head) {
  answered_ = true;
  if (auto parsed = parse_response_head(bytes, head); !parsed) {
    broken_ = true;
    return std::unexpected(std::move(parsed).error());
  }
  if (head.status == 101) {
    broken_ = true;
    return fail(ErrorCode::InvalidInput, "the server switched protocols unasked");
  }
  if (head.status < 200) return {};
  auto framing = response_framing(head, method_);
  if (!framing) {
    broken_ = true;
    return std::unexpected(std::move(framing).error());
  }
  begin_incoming(*framing);
  keep_alive_ =
      framing->kind != Framing::Kind::UntilClose && keeps_alive(head.version, head.fields);
  return {};
}

bool ClientConnection::reusable() const {
  return keep_alive_ && !broken_ && is_open() && body_done() && outgoing_done_ && !has_bytes();
}

}  // namespace remit::net
