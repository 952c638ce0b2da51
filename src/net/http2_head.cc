#include "net/http2_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/encoding.h"

namespace remit::net {
namespace {

// What a field costs beside its bytes (RFC 9113, 6.5.2).
constexpr std::size_t kFieldCost = 32;

// Fields that mean something to one connection of HTTP/1.1 and must not be in HTTP/2 (8.2.2).
bool is_of_one_connection(std::string_view lower_name) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "connection",        "keep-alive", "proxy-connection",
      "transfer-encoding", "upgrade",    "http2-settings"};
  return std::ranges::find(kNames, lower_name) != kNames.end();
}

bool is_lower_token(std::string_view name) {
  return is_token(name) && std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
}

Result<> check_fields(const http::Fields& fields) {
  for (const http::Field& field : fields) {
    if (!is_lower_token(field.name) || !is_field_value(field.value)) {
      return fail(ErrorCode::InvalidInput, "field with bytes that HTTP/2 does not allow");
    }
    if (is_of_one_connection(field.name) || (field.name == "te" && field.value != "trailers")) {
      return fail(ErrorCode::InvalidInput,
                  fmt::format("the field {}, which HTTP/2 does not have", field.name));
    }
  }
  return {};
}

// Takes Content-Length out of the fields: the framing says it from here on.
Result<Framing> take_framing(http::Fields& fields, bool ends) {
  Framing framing{ends ? Framing::Kind::None : Framing::Kind::Chunked, 0};
  const http::Field* field = http::find(fields, "content-length");
  if (field == nullptr) return framing;
  if (http::count(fields, "content-length") > 1) {
    return fail(ErrorCode::InvalidInput, "repeated content-length");
  }
  const std::string& text = field->value;
  const auto [stop, ec] =
      std::from_chars(text.data(), text.data() + text.size(), framing.length, 10);
  if (ec != std::errc() || stop != text.data() + text.size() || text.size() > 18 ||
      (text.size() > 1 && text.front() == '0')) {
    return fail(ErrorCode::InvalidInput, "content-length is not one plain decimal number");
  }
  framing.kind = Framing::Kind::Length;
  http::remove(fields, "content-length");
  return framing;
}

// The host that the request is for: `:authority`, or Host in its place; never two that differ.
Result<std::string> take_authority(Http2Block& block) {
  const std::size_t hosts = http::count(block.fields, "host");
  if (hosts > 1) return fail(ErrorCode::InvalidInput, "more than one field host");
  if (hosts == 1) {
    const std::string host = http::find(block.fields, "host")->value;
    http::remove(block.fields, "host");
    if (block.authority.empty()) {
      block.authority = host;
    } else if (!equals_ignoring_ascii_case(block.authority, host)) {
      return fail(ErrorCode::InvalidInput, ":authority and host are not the same");
    }
  }
  if (!is_target(block.authority) || block.authority.find_first_of("@/?#,") != std::string::npos) {
    return fail(ErrorCode::InvalidInput, "no :authority, or a malformed one");
  }
  return std::move(block.authority);
}

// A cookie may come in pieces, which are one field to everybody else (8.2.3).
void join_cookies(http::Fields& fields) {
  if (http::count(fields, "cookie") < 2) return;
  std::string all;
  for (const http::Field& field : fields) {
    if (field.name != "cookie") continue;
    if (!all.empty()) all += "; ";
    all += field.value;
  }
  http::set(fields, "cookie", std::move(all));
}

http::Fields lowered(const http::Fields& fields, http::Fields into) {
  for (const http::Field& field : fields) {
    std::string name = lower_ascii(field.name);
    if (is_of_one_connection(name) || name == "host" || name == "te") continue;
    into.push_back({std::move(name), field.value});
  }
  return into;
}

}  // namespace

Result<> Http2Block::add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + kFieldCost;
  if (bytes_ > kMaxHeadBytes || fields.size() >= kMaxFields) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("head larger than {} bytes or {} fields", kMaxHeadBytes, kMaxFields));
  }
  if (!name.starts_with(':')) {
    fields.push_back({std::string(name), std::string(value)});
    return {};
  }
  std::string* const slot = name == ":method"      ? &method
                            : name == ":scheme"    ? &scheme
                            : name == ":authority" ? &authority
                            : name == ":path"      ? &path
                            : name == ":status"    ? &status
                                                   : nullptr;
  if (slot == nullptr || !slot->empty() || !fields.empty() || value.empty()) {
    return fail(ErrorCode::InvalidInput,
                "a pseudo-field that is unknown, empty, repeated or behind a field");
  }
  slot->assign(value);
  return {};
}

Result<Http2Request> to_request(Http2Block block, bool ends, std::string_view scheme) {
  if (!block.status.empty()) return fail(ErrorCode::InvalidInput, ":status in a request");
  if (!is_token(block.method))
    return fail(ErrorCode::InvalidInput, "no :method, or a malformed one");
  if (block.method == "CONNECT") {
    return fail(ErrorCode::InvalidInput, "CONNECT within HTTP/2 is not served");
  }
  if (block.method == "PRI") {  // forwarded over HTTP/1.1 it could begin HTTP/2 there (11.6)
    return fail(ErrorCode::InvalidInput, "PRI is HTTP/2's preface and no request");
  }
  if (block.scheme != scheme) {
    return fail(ErrorCode::InvalidInput, "a :scheme that is not the connection's");
  }
  if (!block.path.starts_with('/') || !is_target(block.path)) {
    return fail(ErrorCode::InvalidInput, "no :path, or a malformed one");
  }
  REMIT_CHECKED(check_fields(block.fields));
  Http2Request request;
  REMIT_TRY(request.framing, take_framing(block.fields, ends));
  if (ends && request.framing.length != 0) {
    return fail(ErrorCode::InvalidInput, "a content-length, and no content");
  }
  REMIT_TRY(std::string authority, take_authority(block));
  join_cookies(block.fields);
  request.head.version = 20;
  request.head.method = std::move(block.method);
  request.head.target = std::move(block.path);
  request.head.fields = std::move(block.fields);
  request.head.fields.insert(request.head.fields.begin(), {"host", std::move(authority)});
  return request;
}

Result<Http2Response> to_response(Http2Block block, bool ends) {
  if (!block.method.empty() || !block.scheme.empty() || !block.path.empty() ||
      !block.authority.empty()) {
    return fail(ErrorCode::InvalidInput, "a request's pseudo-field in an answer");
  }
  Http2Response response;
  int& status = response.head.status;
  const std::string& text = block.status;
  const auto [stop, ec] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (ec != std::errc() || stop != text.data() + text.size() || text.size() != 3 || status < 100 ||
      status > 599 || status == 101) {
    return fail(ErrorCode::InvalidInput, "no :status, or a malformed one");
  }
  REMIT_CHECKED(check_fields(block.fields));
  REMIT_TRY(response.framing, take_framing(block.fields, ends));
  if (ends) response.framing = Framing{};
  response.head.fields = std::move(block.fields);
  return response;
}

Result<http::Fields> to_trailers(Http2Block block) {
  if (!block.method.empty() || !block.scheme.empty() || !block.path.empty() ||
      !block.authority.empty() || !block.status.empty()) {
    return fail(ErrorCode::InvalidInput, "a pseudo-field behind a body");
  }
  REMIT_CHECKED(check_fields(block.fields));
  if (http::find(block.fields, "content-length") != nullptr ||
      http::find(block.fields, "host") != nullptr) {
    return fail(ErrorCode::InvalidInput, "a field behind a body that belongs before it");
  }
  return std::move(block.fields);
}

http::Fields from_request(const http::RequestHead& head, std::string_view scheme) {
  const http::Field* host = http::find(head.fields, "host");
  return lowered(head.fields, {{":method", head.method},
                               {":scheme", std::string(scheme)},
                               {":authority", host != nullptr ? host->value : std::string()},
                               {":path", head.target}});
}

http::Fields from_response(const http::ResponseHead& head) {
  return lowered(head.fields, {{":status", fmt::format("{}", head.status)}});
}

http::Fields from_trailers(const http::Fields& trailers) { return lowered(trailers, {}); }

}  // namespace remit::net
