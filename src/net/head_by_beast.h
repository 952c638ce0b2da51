#pragma once

// A second reading of heads, by Boost.Beast: what Remit takes, Beast must take and read alike. For
// tests and fuzzing only; the program itself does not hold it.

#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "net/head.h"

namespace remit::net {

template <bool IsRequest>
class BeastReading final : public boost::beast::http::basic_parser<IsRequest> {
 public:
  using Head = std::conditional_t<IsRequest, http::RequestHead, http::ResponseHead>;

  // Nullopt: Beast refuses it, or sees its end elsewhere.
  static std::optional<Head> of(std::string_view bytes) {
    BeastReading reading;
    reading.header_limit(static_cast<std::uint32_t>(kMaxHeadBytes));
    reading.body_limit(boost::none);
    reading.eager(false);
    Code code;
    const std::size_t used =
        reading.put(boost::asio::const_buffer(bytes.data(), bytes.size()), code);
    if (code || !reading.is_header_done() || used != bytes.size()) return std::nullopt;
    return std::move(reading.head_);
  }

 private:
  using Code = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version,
                       Code&) override {
    if constexpr (IsRequest) {
      head_.method.assign(method.data(), method.size());
      head_.target.assign(target.data(), target.size());
      head_.version = version;
    }
  }
  void on_response_impl(int code, Text reason, int version, Code&) override {
    if constexpr (!IsRequest) {
      head_.status = code;
      head_.reason.assign(reason.data(), reason.size());
      head_.version = version;
    }
  }
  void on_field_impl(boost::beast::http::field, Text name, Text value, Code&) override {
    head_.fields.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text body, Code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override { return body.size(); }
  void on_finish_impl(Code&) override {}

  Head head_;
};

}  // namespace remit::net
