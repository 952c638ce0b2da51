#include "aws/sigv4_canonical.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/encoding.h"

namespace remit::aws {

namespace {

constexpr char kUpperHex[] = "0123456789ABCDEF";

constexpr std::array<bool, 256> unreserved() {
  std::array<bool, 256> set{};
  for (unsigned c = 0; c < 256; ++c) {
    set[c] = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '.' || c == '_' || c == '~';
  }
  return set;
}
constexpr auto kUnreserved = unreserved();

bool is_unreserved(char c) { return kUnreserved[static_cast<unsigned char>(c)]; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_encoded(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  const char encoded[3] = {'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]};
  out.append(encoded, 3);
}

// Runs of unreserved bytes are the rule: they are appended in one go.
std::size_t append_plain_run(std::string& out, std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_unreserved(text[end])) ++end;
  out.append(text, at, end - at);
  return end;
}

void append_encoded_segment(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (is_unreserved(text[i])) {
      i = append_plain_run(out, text, i);
    } else {
      append_encoded(out, text[i++]);
    }
  }
}

void append_normalised_path(std::string& out, std::string_view path) {
  const std::size_t start = out.size();
  bool ends_in_slash = false;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    ends_in_slash = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      const auto slash = out.rfind('/');
      if (slash != out.npos && slash >= start) out.resize(slash);
    } else if (!ends_in_slash) {
      out.push_back('/');
      append_encoded_segment(out, segment);
    }
  }
  if (ends_in_slash || out.size() == start) out.push_back('/');
}

// The first eight bytes in lower case, as a number that sorts as they do; shorter texts are filled
// up with zero bytes.
constexpr std::uint64_t first_eight(std::string_view text) {
  std::uint64_t eight = 0;
  if (text.size() < sizeof eight || std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < std::min(text.size(), sizeof eight); ++i) {
      eight |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
    }
  } else {
    std::memcpy(&eight, text.data(), sizeof eight);
  }
  static_assert(std::endian::native == std::endian::little);
  return __builtin_bswap64(detail::lower_eight(eight));
}

bool is_never_signed(std::string_view name, std::uint64_t eight) {
  // botocore's list (botocore/auth.py), the hop-by-hop fields of RFC 9110 section 7.6.1, and what
  // intermediaries add or change.
  static constexpr NameSet<15> kNames({"authorization", "connection", "expect", "forwarded",
                                       "http2-settings", "keep-alive", "te", "trailer",
                                       "transfer-encoding", "upgrade", "user-agent", "via",
                                       "x-amzn-trace-id", "accept-encoding", "max-forwards"});
  constexpr std::string_view kForwarded = "x-forwarded-";
  constexpr std::uint64_t kProxy = first_eight("proxy-");
  constexpr std::uint64_t kSixBytes = 0xFFFF'FFFF'FFFF'0000;
  if ((eight & kSixBytes) == first_eight("x-amz-")) return false;  // most of what is signed
  return kNames.contains(name) || (eight & kSixBytes) == kProxy ||
         (eight == first_eight(kForwarded) && name.size() >= kForwarded.size() &&
          equals_ignoring_ascii_case(name.substr(0, kForwarded.size()), kForwarded));
}

bool is_space_or_tab(char c) { return c == ' ' || c == '\t'; }

std::string_view trim_blanks(std::string_view value) {
  while (!value.empty() && is_space_or_tab(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_space_or_tab(value.back())) value.remove_suffix(1);
  return value;
}

// Searches for one byte are what the library does fastest; most values have nothing to fold.
bool has_blanks_to_fold(std::string_view value) {
  const auto first = value.find(' ');
  return (first != value.npos && value.find("  ", first) != value.npos) ||
         value.find('\t') != value.npos;
}

// Copies texts of eight bytes and more, and tells whether a blank may be among them. By eight,
// where a byte's high bit is lost when its other bits are a blank's or less; the last eight may
// overlap those before them.
bool copy_without_blanks(char* to, std::string_view text) {
  constexpr std::size_t kEight = sizeof(std::uint64_t);
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::uint64_t above = kHigh;
  const auto copy = [&](std::size_t at) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data() + at, kEight);
    std::memcpy(to + at, &eight, kEight);
    above &= (eight & ~kHigh) + kOnes * (0x80 - (' ' + 1));
  };
  const std::size_t last = text.size() - kEight;
  for (std::size_t i = 0; i < last; i += kEight) copy(i);
  copy(last);
  return above == kHigh;
}

// Without blanks around it, and with one for each run inside. Gives the end.
char* write_value(char* to, std::string_view value) {
  value = trim_blanks(value);
  constexpr std::size_t kLong = 128;  // then a search for each kind of blank is cheaper
  if (value.size() >= sizeof(std::uint64_t) && value.size() < kLong &&
      copy_without_blanks(to, value)) {
    return to + value.size();
  }
  if (!has_blanks_to_fold(value)) {
    std::memcpy(to, value.data(), value.size());
    return to + value.size();
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_space_or_tab(value[i])) {
      *to++ = value[i];
    } else if (!is_space_or_tab(value[i - 1])) {
      *to++ = ' ';
    }
  }
  return to;
}

void append_value(std::string& out, std::string_view value) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + value.size(), [&](char* bytes, std::size_t) {
    return write_value(bytes + before, value) - bytes;
  });
}

char* write_lower(char* to, std::string_view name) {
  constexpr std::size_t kEight = sizeof(std::uint64_t);
  const auto write = [to, name](std::size_t at) {
    std::uint64_t eight;
    std::memcpy(&eight, name.data() + at, kEight);
    eight = detail::lower_eight(eight);
    std::memcpy(to + at, &eight, kEight);
  };
  if (name.size() < kEight) {
    const std::uint64_t eight = __builtin_bswap64(first_eight(name));
    for (std::size_t i = 0; i < name.size(); ++i) to[i] = static_cast<char>(eight >> (8 * i));
    return to + name.size();
  }
  // The last eight may overlap those before them.
  for (std::size_t i = 0; i < name.size() - kEight; i += kEight) write(i);
  write(name.size() - kEight);
  return to + name.size();
}

// Of paths of S3, the rule: nothing to encode or to decode.
bool is_plain_path(std::string_view path) {
  static constexpr auto kPlain = [] {
    auto set = unreserved();
    set['/'] = true;
    return set;
  }();
  bool plain = true;
  for (const char c : path) plain &= kPlain[static_cast<unsigned char>(c)];
  return plain;
}

}  // namespace

Result<SplitTarget> split_target(std::string_view target) {
  if (!target.starts_with('/')) {
    return fail(ErrorCode::InvalidInput, "the request target must be a path");
  }
  for (std::size_t at = target.find('%'); at != target.npos; at = target.find('%', at + 1)) {
    if (at + 2 >= target.size() || hex_value(target[at + 1]) < 0 || hex_value(target[at + 2]) < 0) {
      return fail(ErrorCode::InvalidInput,
                  "the request target has a '%' that two hex digits do not follow");
    }
  }
  const auto mark = target.find('?');
  if (mark == target.npos) return SplitTarget{target, {}};
  return SplitTarget{target.substr(0, mark), target.substr(mark + 1)};
}

void append_canonical_path(std::string& out, std::string_view path, PathRule rule) {
  if (rule == PathRule::Normalised) return append_normalised_path(out, path);
  if (is_plain_path(path)) {
    out.append(path);
    return;
  }
  for (std::size_t i = 0; i < path.size();) {
    const auto slash = std::min(path.find('/', i), path.size());
    append_recoded(out, path.substr(i, slash - i));
    if (slash < path.size()) out.push_back('/');
    i = slash + 1;
  }
}

bool next_pair(std::string_view& query, RawPair& pair) {
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    pair.name = piece.substr(0, equals);
    pair.value = equals == piece.npos ? std::string_view() : piece.substr(equals + 1);
    return true;
  }
  return false;
}

void append_recoded(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (is_unreserved(text[i])) {
      i = append_plain_run(out, text, i);
      continue;
    }
    char c = text[i];
    std::size_t width = 1;
    if (c == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        width = 3;
      }
    }
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      append_encoded(out, c);
    }
    i += width;
  }
}

void CanonicalQuery::append(std::string& out, std::string_view query, std::string_view without) {
  if (query.empty()) return;
  text_.clear();
  pieces_.clear();
  const auto size = [this] { return static_cast<std::uint32_t>(text_.size()); };
  for (RawPair pair; next_pair(query, pair);) {
    Piece piece{};
    piece.name_at = size();
    append_recoded(text_, pair.name);
    piece.name_size = size() - piece.name_at;
    if (!without.empty() && std::string_view(text_).substr(piece.name_at) == without) {
      text_.resize(piece.name_at);
      continue;
    }
    piece.value_at = size();
    append_recoded(text_, pair.value);
    piece.value_size = size() - piece.value_at;
    pieces_.push_back(piece);
  }
  const std::string_view text = text_;
  const auto name = [text](const Piece& p) { return text.substr(p.name_at, p.name_size); };
  const auto value = [text](const Piece& p) { return text.substr(p.value_at, p.value_size); };
  std::ranges::sort(pieces_, [&](const Piece& a, const Piece& b) {
    const int order = name(a).compare(name(b));
    return order != 0 ? order < 0 : value(a) < value(b);
  });
  for (const Piece& piece : pieces_) {
    if (&piece != pieces_.data()) out.push_back('&');
    out.append(name(piece)).append("=").append(value(piece));
  }
}

bool append_signed(std::string& out, const http::Fields& fields, std::string_view signed_headers) {
  while (!signed_headers.empty()) {
    const std::string_view wanted = signed_headers.substr(0, signed_headers.find(';'));
    signed_headers.remove_prefix(std::min(wanted.size() + 1, signed_headers.size()));
    // Few names and few fields, which mostly differ in size: a search is cheaper than a table.
    bool found = false;
    for (const http::Field& field : fields) {
      if (!equals_ignoring_ascii_case(field.name, wanted)) continue;
      if (!found) out.append(wanted);
      out.push_back(found ? ',' : ':');
      append_value(out, field.value);
      found = true;
    }
    if (!found) {
      // Over HTTP/2 the host of a request is `:authority`, which stands in the field Host here.
      const http::Field* host = wanted == kAuthority ? http::find(fields, "host") : nullptr;
      if (host == nullptr) return false;
      out.append(kAuthority).push_back(':');
      append_value(out, host->value);
    }
    out.push_back('\n');
  }
  return true;
}

void SignableFields::fill(const http::Fields& fields) {
  rows_.clear();
  max_size_ = 0;
  for (const http::Field& field : fields) {
    const Row row{first_eight(field.name), &field};
    if (is_never_signed(field.name, row.order)) continue;
    max_size_ += field.name.size() + field.value.size() + 2;  // ':' and '\n'
    // Insertion sort: stable, in place, and heads have some ten fields, often sorted already.
    rows_.push_back(row);
    std::size_t at = rows_.size() - 1;
    for (; at > 0 && before(row, rows_[at - 1]); --at) rows_[at] = rows_[at - 1];
    rows_[at] = row;
  }
}

bool SignableFields::before(const Row& a, const Row& b) {
  if (a.order != b.order) return a.order < b.order;
  std::string_view left = a.field->name, right = b.field->name;
  while (left.size() > sizeof a.order && right.size() > sizeof a.order) {
    left.remove_prefix(sizeof a.order);
    right.remove_prefix(sizeof a.order);
    const std::uint64_t x = first_eight(left), y = first_eight(right);
    if (x != y) return x < y;
  }
  return left.size() < right.size();
}

void SignableFields::append(std::string& out, std::string& signed_headers) const {
  const std::size_t before = out.size();
  const std::size_t names_before = signed_headers.size();
  // Both in one go, with the room that max_size() tells.
  out.resize_and_overwrite(before + max_size_, [&](char* bytes, std::size_t) {
    char* to = bytes + before;
    signed_headers.resize_and_overwrite(names_before + max_size_, [&](char* names, std::size_t) {
      char* const start = names + names_before;
      char* name = start;
      const Row* previous = nullptr;
      for (const Row& row : rows_) {
        if (previous != nullptr && !SignableFields::before(*previous, row)) {
          to[-1] = ',';  // another value of the field just written
        } else {
          if (name != start) *name++ = ';';
          char* const end = write_lower(to, row.field->name);
          name = std::copy(to, end, name);
          to = end;
          *to++ = ':';
        }
        to = write_value(to, row.field->value);
        *to++ = '\n';
        previous = &row;
      }
      return name - names;
    });
    return to - bytes;
  });
}

}  // namespace remit::aws
