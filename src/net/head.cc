#include "net/head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <concepts>
#include <cstring>

#include "base/encoding.h"

namespace remit::net {
namespace {

namespace beast = boost::beast;

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto kToken = token_table();

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Copies a head's parts in order. Fields reuse the strings that the list already holds.
template <bool IsRequest>
class HeadParser final : public beast::http::basic_parser<IsRequest> {
 public:
  using Head = std::conditional_t<IsRequest, http::RequestHead, http::ResponseHead>;
  explicit HeadParser(Head& head) : head_(head) {
    this->header_limit(static_cast<std::uint32_t>(kMaxHeadBytes));
    this->body_limit(boost::none);
    this->eager(false);
  }
  std::size_t fields() const { return fields_; }

 private:
  using ErrorCodeOf = beast::error_code;

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, ErrorCodeOf&) override {
    if constexpr (IsRequest) {
      head_.method.assign(view(method));
      head_.target.assign(view(target));
      head_.version = version;
    }
  }
  void on_response_impl(int code, beast::string_view reason, int version, ErrorCodeOf&) override {
    if constexpr (!IsRequest) {
      head_.status = code;
      head_.reason.assign(view(reason));
      head_.version = version;
    }
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     ErrorCodeOf& ec) override {
    if (fields_ == kMaxFields) {
      ec = beast::http::error::header_limit;
      return;
    }
    if (fields_ == head_.fields.size()) head_.fields.emplace_back();
    http::Field& field = head_.fields[fields_++];
    field.name.assign(view(name));
    field.value.assign(view(value));
  }
  void on_header_impl(ErrorCodeOf&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCodeOf&) override {}
  std::size_t on_body_impl(beast::string_view body, ErrorCodeOf&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCodeOf&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, ErrorCodeOf&) override {
    return body.size();
  }
  void on_finish_impl(ErrorCodeOf&) override {}

  Head& head_;
  std::size_t fields_ = 0;
};

// What has to hold of the raw lines, whoever parses them: CR and LF only as pairs, no folded
// line, no NUL.
Result<> check_lines(std::string_view bytes) {
  if (bytes.size() > kMaxHeadBytes) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("head of {} bytes, at most {} are taken", bytes.size(), kMaxHeadBytes));
  }
  if (!bytes.ends_with("\r\n\r\n") || bytes.starts_with("\r\n")) {
    return fail(ErrorCode::InvalidInput, "head without a start line or without its empty line");
  }
  for (std::size_t at = bytes.find('\n'); at != bytes.npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') {
      return fail(ErrorCode::InvalidInput, "line feed without carriage return in the head");
    }
    if (at + 1 < bytes.size() && (bytes[at + 1] == ' ' || bytes[at + 1] == '\t')) {
      return fail(ErrorCode::InvalidInput, "folded field line (obs-fold)");
    }
  }
  return {};
}

template <bool IsRequest, class Head>
Result<> parse_head(std::string_view bytes, Head& head) {
  REMIT_CHECKED(check_lines(bytes));
  HeadParser<IsRequest> parser(head);
  beast::error_code ec;
  const std::size_t used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (ec) return fail(ErrorCode::InvalidInput, fmt::format("malformed head: {}", ec.message()));
  if (!parser.is_header_done() || used != bytes.size()) {
    return fail(ErrorCode::InvalidInput, "malformed head: more than one empty line");
  }
  head.fields.resize(parser.fields());
  for (const http::Field& field : head.fields) {
    if (!is_token(field.name) || !is_field_value(field.value)) {
      return fail(ErrorCode::InvalidInput, "field with bytes that HTTP does not allow");
    }
  }
  return {};
}

// One pass over the fields that decide where a message ends.
struct FramingFields {
  const http::Field* length = nullptr;
  const http::Field* coding = nullptr;
  bool repeated = false;
};

FramingFields framing_fields(std::span<const http::Field> fields) {
  FramingFields found;
  for (const http::Field& field : fields) {
    const bool is_length = equals_ignoring_ascii_case(field.name, "content-length");
    const bool is_coding =
        !is_length && equals_ignoring_ascii_case(field.name, "transfer-encoding");
    if (!is_length && !is_coding) continue;
    const http::Field*& slot = is_length ? found.length : found.coding;
    found.repeated = found.repeated || slot != nullptr;
    slot = &field;
  }
  return found;
}

Result<std::uint64_t> parse_length(std::string_view text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() > 18 || (text.size() > 1 && text.front() == '0')) {
    return fail(ErrorCode::InvalidInput, "Content-Length is not one plain decimal number");
  }
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<Framing> framing(int version, const FramingFields& found, Framing::Kind without) {
  if (found.repeated) {
    return fail(ErrorCode::InvalidInput, "repeated Content-Length or Transfer-Encoding");
  }
  if (found.coding != nullptr) {
    if (found.length != nullptr) {
      return fail(ErrorCode::InvalidInput, "both Content-Length and Transfer-Encoding");
    }
    if (version < 11) return fail(ErrorCode::InvalidInput, "Transfer-Encoding in HTTP/1.0");
    if (found.coding->value != "chunked") {
      return fail(ErrorCode::InvalidInput, "Transfer-Encoding other than chunked");
    }
    return Framing{Framing::Kind::Chunked, 0};
  }
  if (found.length != nullptr) {
    REMIT_TRY(const std::uint64_t length, parse_length(found.length->value));
    return Framing{Framing::Kind::Length, length};
  }
  return Framing{without, 0};
}

Result<> append_fields(std::string& out, std::span<const http::Field> fields) {
  for (const http::Field& field : fields) {
    if (!is_token(field.name) || !is_field_value(field.value)) {
      return fail(ErrorCode::InvalidInput,
                  "a field to be sent holds bytes that HTTP does not allow");
    }
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  out.append("\r\n");
  return {};
}

// Runs `append`, and takes back what it wrote when it fails.
Result<> all_or_nothing(std::string& out, const std::invocable auto& append) {
  const std::size_t before = out.size();
  Result<> done = append();
  if (!done) out.resize(before);
  return done;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

bool is_field_value(std::string_view text) {
  if (!text.empty() &&
      (text.front() == ' ' || text.front() == '\t' || text.back() == ' ' || text.back() == '\t')) {
    return false;
  }
  // Without an early exit, and in bytes, the compiler checks many at once: session tokens are long.
  bool bad = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    bad |= ((byte < 0x20) & (byte != '\t')) | (byte == 0x7f);
  }
  return !bad;
}

bool is_target(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f;
  });
}

std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t scanned) {
  // The end may straddle what was scanned: step back over a partial one.
  std::size_t at = scanned < 3 ? 0 : scanned - 3;
  at = bytes.find("\r\n\r\n", at);
  if (at == bytes.npos) return std::nullopt;
  return at + 4;
}

Result<> parse_request_head(std::string_view bytes, http::RequestHead& head) {
  REMIT_CHECKED((parse_head<true>(bytes, head)));
  if (!is_token(head.method)) return fail(ErrorCode::InvalidInput, "malformed method");
  if (!is_target(head.target)) {
    return fail(ErrorCode::InvalidInput, "target with bytes other than visible ASCII");
  }
  if (head.version != 10 && head.version != 11) {
    return fail(ErrorCode::InvalidInput, "HTTP version other than 1.0 and 1.1");
  }
  const std::size_t hosts = http::count(head.fields, "host");
  if (hosts > 1) return fail(ErrorCode::InvalidInput, "more than one Host field");
  // botocore sends CONNECT as HTTP/1.0 without Host; the target says it all.
  const bool may_lack_host = head.version == 10 && head.method == "CONNECT";
  if (hosts == 0 && !may_lack_host) return fail(ErrorCode::InvalidInput, "no Host field");
  return {};
}

Result<> parse_response_head(std::string_view bytes, http::ResponseHead& head) {
  REMIT_CHECKED((parse_head<false>(bytes, head)));
  if (head.version != 10 && head.version != 11) {
    return fail(ErrorCode::InvalidInput, "HTTP version other than 1.0 and 1.1");
  }
  if (head.status < 100 || head.status > 599) {
    return fail(ErrorCode::InvalidInput, "status outside 100 to 599");
  }
  return {};
}

Result<Framing> request_framing(const http::RequestHead& head) {
  return framing(head.version, framing_fields(head.fields), Framing::Kind::None);
}

Result<Framing> response_framing(const http::ResponseHead& head, std::string_view request_method) {
  const bool never_a_body =
      request_method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304;
  REMIT_TRY(const Framing found,
            framing(head.version, framing_fields(head.fields), Framing::Kind::UntilClose));
  return never_a_body ? Framing{} : found;
}

bool keeps_alive(int version, std::span<const http::Field> fields) {
  bool keep = version >= 11;
  for (const http::Field& field : fields) {
    if (!equals_ignoring_ascii_case(field.name, "connection")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view option = trim_ascii(rest.substr(0, comma));
      if (equals_ignoring_ascii_case(option, "close")) return false;
      if (equals_ignoring_ascii_case(option, "keep-alive")) keep = true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return keep;
}

Result<> append_request_head(std::string& out, const http::RequestHead& head) {
  return all_or_nothing(out, [&]() -> Result<> {
    if (!is_token(head.method) || !is_target(head.target)) {
      return fail(ErrorCode::InvalidInput, "a request line to be sent is malformed");
    }
    out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
    return append_fields(out, head.fields);
  });
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 407:
      return "Proxy Authentication Required";
    case 413:
      return "Content Too Large";
    case 421:
      return "Misdirected Request";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return {};
  }
}

Result<> append_response_head(std::string& out, const http::ResponseHead& head) {
  return all_or_nothing(out, [&]() -> Result<> {
    if (head.status < 100 || head.status > 999 ||
        (!head.reason.empty() && !is_field_value(head.reason))) {
      return fail(ErrorCode::InvalidInput, "a status line to be sent is malformed");
    }
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", head.status, head.reason);
    return append_fields(out, head.fields);
  });
}

}  // namespace remit::net
