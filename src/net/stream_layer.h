#pragma once

// What lies over or in place of a stream's socket. Internal to src/net.

#include <cstddef>
#include <string_view>

#include "net/stream.h"

namespace remit::net {

// The operations of Stream, for streams that are not a bare socket.
class Stream::Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  virtual Task<ErrorAndSize> read_some(boost::asio::mutable_buffer into) = 0;
  virtual Task<boost::system::error_code> write(std::string_view first,
                                                std::string_view second) = 0;
  virtual std::size_t try_write(std::string_view first, std::string_view second,
                                boost::system::error_code& ec) = 0;
  virtual void shutdown_send() = 0;

  // Of a stream without a socket only.
  virtual void close() {}
  virtual bool is_open() const { return false; }
  virtual bool peer_is_done() const { return true; }
};

}  // namespace remit::net
