#include "net/head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>

#include "base/encoding.h"

namespace remit::net {
namespace {

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

constexpr std::size_t kEight = sizeof(std::uint64_t);
constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHigh = 0x8080808080808080;

std::uint64_t load_eight(const char* bytes) {
  std::uint64_t eight;
  std::memcpy(&eight, bytes, sizeof eight);
  return eight;
}

// Whether all of eight bytes are letters, digits or '-', as those of nearly all field names are.
bool are_plain(std::uint64_t eight) {
  if ((eight & kHigh) != 0) return false;
  // The high bit of a byte of `at_least(x, c)` tells whether that byte of x is c or more.
  const auto at_least = [](std::uint64_t x, char c) {
    return x + kOnes * (0x80 - static_cast<std::uint64_t>(c));
  };
  const std::uint64_t folded = eight | (kOnes * 0x20);
  const std::uint64_t letter = at_least(folded, 'a') & ~at_least(folded, 'z' + 1);
  const std::uint64_t digit = at_least(eight, '0') & ~at_least(eight, '9' + 1);
  const std::uint64_t dash = at_least(eight, '-') & ~at_least(eight, '-' + 1);
  return ((letter | digit | dash) & kHigh) == kHigh;
}

// How many bytes at the front of `text` may stand in a token.
std::size_t token_size(std::string_view text) {
  std::size_t size = 0;
  while (text.size() - size >= kEight && are_plain(load_eight(text.data() + size))) {
    size += kEight;
  }
  while (size < text.size() && kToken[static_cast<unsigned char>(text[size])]) ++size;
  return size;
}

// Takes a line off the front, without its CR LF. The empty line has a size of zero; nullopt: what
// is left holds no whole line, or a CR that no LF follows.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t cr = rest.find('\r');
  if (cr == rest.npos || rest.size() - cr < 2 || rest[cr + 1] != '\n') return std::nullopt;
  const std::string_view line = rest.substr(0, cr);
  rest.remove_prefix(cr + 2);
  return line;
}

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::InvalidInput, fmt::format("malformed head: {}", what));
}

// No control byte but HTAB: no NUL, and no line feed that is one to some readers only.
bool is_text(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

// Short texts are copied without a call.
char* copy_text(char* to, std::string_view text) {
  const char* const from = text.data();
  const std::size_t size = text.size();
  constexpr std::size_t kLong = 64;
  if (size < kEight || size >= kLong) {
    if (size != 0) std::memcpy(to, from, size);
    return to + size;
  }
  const std::size_t last = size - kEight;
  for (std::size_t i = 0; i < last; i += kEight) std::memcpy(to + i, from + i, kEight);
  std::memcpy(to + last, from + last, kEight);
  return to + size;
}

void assign(std::string& to, std::string_view text) {
  to.resize_and_overwrite(text.size(), [&](char* bytes, std::size_t) {
    copy_text(bytes, text);
    return text.size();
  });
}

// Sixteen bytes at once; a comparison gives a byte of ones where it holds.
using Sixteen = std::uint8_t __attribute__((vector_size(16)));
using SixteenBits = bool __attribute__((ext_vector_type(16)));

std::uint32_t bits_of(auto holds) {
  return std::bit_cast<std::uint16_t>(__builtin_convertvector(holds, SixteenBits));
}

// What one look at each byte tells of lines that should be text and end in CR LF.
class LineScan {
 public:
  // `ends`, where it is not empty, gets the place of each CR, as far as it has room.
  explicit LineScan(std::string_view text, std::span<std::uint32_t> ends = {}) : ends_(ends) {
    std::size_t at = 0;
    Sixteen block;
    for (; text.size() - at >= sizeof block; at += sizeof block) {
      std::memcpy(&block, text.data() + at, sizeof block);
      look_at(block, at);
    }
    if (at < text.size()) {
      std::memset(&block, ' ', sizeof block);
      std::memcpy(&block, text.data() + at, text.size() - at);
      look_at(block, at);
    }
    if (carried_ != 0) clean_ = false;
  }

  // No control byte but HTAB, and CR and LF only one behind the other.
  bool clean() const { return clean_; }
  std::size_t lines() const { return lines_; }

 private:
  void look_at(Sixteen block, std::size_t at) {
    const auto control = (block < 0x20) | (block == 0x7F);
    if (bits_of(control) == 0 && carried_ == 0) return;
    const auto cr = block == '\r';
    const auto lf = block == '\n';
    std::uint32_t crs = bits_of(cr);
    const std::uint32_t wanted = ((crs << 1) | carried_) & 0xFFFF;
    carried_ = crs >> 15;
    if (bits_of(control & ~cr & ~lf & (block != '\t')) != 0 || bits_of(lf) != wanted) {
      clean_ = false;
    }
    for (; crs != 0; crs &= crs - 1) {
      const auto place = at + static_cast<std::size_t>(std::countr_zero(crs));
      if (lines_ < ends_.size()) ends_[lines_] = static_cast<std::uint32_t>(place);
      ++lines_;
    }
  }

  std::span<std::uint32_t> ends_;
  std::size_t lines_ = 0;
  std::uint32_t carried_ = 0;  // the last byte before was a CR
  bool clean_ = true;
};

std::string_view without_outer_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "name: value", into strings that may hold another field's already. Of the value only its blanks
// are looked at here.
Result<> read_field(std::string_view line, http::Field& field) {
  if (line.front() == ' ' || line.front() == '\t') return malformed("folded field line (obs-fold)");
  const std::size_t colon = token_size(line);
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return malformed("field line that is not a name, a colon and a value");
  }
  assign(field.name, line.substr(0, colon));
  assign(field.value, without_outer_blanks(line.substr(colon + 1)));
  return {};
}

// Says what is wrong with lines that are not clean.
std::unexpected<Error> unclean(std::string_view rest) {
  while (true) {
    const auto line = take_line(rest);
    if (!line) return malformed("line that does not end in CR LF");
    if (!is_text(*line)) return malformed("control byte in a field");
  }
}

// All field lines and the empty one, which must be the last. Reuses the list and its strings.
Result<> read_fields(std::string_view rest, http::Fields& fields) {
  [[clang::uninitialized]] std::array<std::uint32_t, kMaxFields + 1> ends;
  const LineScan scan(rest, ends);
  if (!scan.clean()) return unclean(rest);
  if (scan.lines() > ends.size()) {
    return fail(ErrorCode::LimitExceeded, fmt::format("head of more than {} fields", kMaxFields));
  }
  std::size_t begin = 0;
  std::size_t used = 0;
  while (true) {
    if (used == scan.lines()) return malformed("line that does not end in CR LF");
    const std::string_view line = rest.substr(begin, ends[used] - begin);
    begin += line.size() + 2;
    if (line.empty()) break;
    if (used == fields.size()) fields.emplace_back();
    REMIT_CHECKED(read_field(line, fields[used++]));
  }
  fields.resize(used);
  if (begin != rest.size()) return malformed("bytes behind its empty line");
  return {};
}

Result<std::string_view> start_line(std::string_view& bytes) {
  if (bytes.size() > kMaxHeadBytes) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("head of {} bytes, at most {} are taken", bytes.size(), kMaxHeadBytes));
  }
  const auto line = take_line(bytes);
  if (!line || line->empty()) return malformed("no start line");
  return *line;
}

// "HTTP/1.1" or "HTTP/1.0": 11 or 10.
Result<int> read_version(std::string_view text) {
  if (text == "HTTP/1.1") return 11;
  if (text == "HTTP/1.0") return 10;
  return malformed("HTTP version other than 1.0 and 1.1");
}

// One pass over the fields that decide where a message ends.
struct FramingFields {
  const http::Field* length = nullptr;
  const http::Field* coding = nullptr;
  bool repeated = false;
  bool bad_options = false;  // of Connection
};

// A list of tokens, of which any may be missing (RFC 9110, 5.6.1.2).
bool is_token_list(std::string_view text) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view element = without_outer_blanks(text.substr(0, comma));
    if (!element.empty() && !is_token(element)) return false;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return true;
}

FramingFields framing_fields(std::span<const http::Field> fields) {
  FramingFields found;
  for (const http::Field& field : fields) {
    const bool is_length = equals_ignoring_ascii_case(field.name, "content-length");
    const bool is_coding =
        !is_length && equals_ignoring_ascii_case(field.name, "transfer-encoding");
    if (!is_length && !is_coding) {
      if (equals_ignoring_ascii_case(field.name, "connection")) {
        found.bad_options = found.bad_options || !is_token_list(field.value);
      }
      continue;
    }
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
  if (found.bad_options) {
    return fail(ErrorCode::InvalidInput, "Connection other than a list of options");
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

bool has_outer_blank(std::string_view text) {
  return !text.empty() &&
         (text.front() == ' ' || text.front() == '\t' || text.back() == ' ' || text.back() == '\t');
}

Result<> append_fields(std::string& out, std::span<const http::Field> fields) {
  const auto refused = [] {
    return fail(ErrorCode::InvalidInput, "a field to be sent holds bytes that HTTP does not allow");
  };
  std::size_t size = 2;
  for (const http::Field& field : fields) {
    if (!is_token(field.name) || has_outer_blank(field.value)) return refused();
    size += field.name.size() + field.value.size() + 4;
  }
  const std::size_t before = out.size();
  // The size that the function is given may be the capacity (libstdc++ 12).
  out.resize_and_overwrite(before + size, [&](char* bytes, std::size_t) {
    char* at = bytes + before;
    for (const http::Field& field : fields) {
      at = copy_text(at, field.name);
      *at++ = ':';
      *at++ = ' ';
      at = copy_text(at, field.value);
      *at++ = '\r';
      *at++ = '\n';
    }
    *at++ = '\r';
    *at++ = '\n';
    return before + size;
  });
  // A value that holds the end of a line makes one more than there are fields.
  const LineScan scan(std::string_view(out).substr(before));
  if (!scan.clean() || scan.lines() != fields.size() + 1) return refused();
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

bool is_token(std::string_view text) { return !text.empty() && token_size(text) == text.size(); }

bool is_field_value(std::string_view text) { return !has_outer_blank(text) && is_text(text); }

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
  REMIT_TRY(const std::string_view line, start_line(bytes));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return malformed("not METHOD TARGET VERSION");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) return malformed("method");
  if (!is_target(target)) return malformed("target with bytes other than visible ASCII");
  REMIT_TRY(head.version, read_version(line.substr(last + 1)));
  head.method.assign(method);
  head.target.assign(target);
  REMIT_CHECKED(read_fields(bytes, head.fields));
  const std::size_t hosts = http::count(head.fields, "host");
  if (hosts > 1) return malformed("more than one Host field");
  // botocore sends CONNECT as HTTP/1.0 without Host; the target says it all.
  const bool may_lack_host = head.version == 10 && head.method == "CONNECT";
  if (hosts == 0 && !may_lack_host) return malformed("no Host field");
  return {};
}

Result<> parse_response_head(std::string_view bytes, http::ResponseHead& head) {
  REMIT_TRY(const std::string_view line, start_line(bytes));
  // "HTTP/1.1 200 OK"; the words may be missing, the blank before them may not (RFC 9112, 4).
  constexpr std::size_t kVersion = 8;
  constexpr std::size_t kStatus = 3;
  constexpr std::size_t kEnd = kVersion + 1 + kStatus;
  if (line.size() <= kEnd || line[kVersion] != ' ' || line[kEnd] != ' ') {
    return malformed("not VERSION STATUS REASON");
  }
  REMIT_TRY(head.version, read_version(line.substr(0, kVersion)));
  const char* const digits = line.data() + kVersion + 1;
  const auto [end, error] = std::from_chars(digits, digits + kStatus, head.status);
  if (error != std::errc() || end != digits + kStatus || head.status < 100 || head.status > 599) {
    return malformed("status outside 100 to 599");
  }
  const std::string_view reason = line.substr(kEnd + 1);
  if (!is_text(reason)) return malformed("control byte in the reason");
  head.reason.assign(reason);
  return read_fields(bytes, head.fields);
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
    const auto digit = [](int of) { return static_cast<char>('0' + of % 10); };
    const std::array<char, 4> status = {digit(head.status / 100), digit(head.status / 10),
                                        digit(head.status), ' '};
    out.append("HTTP/1.1 ").append(status.data(), status.size());
    out.append(head.reason).append("\r\n");
    return append_fields(out, head.fields);
  });
}

}  // namespace remit::net
