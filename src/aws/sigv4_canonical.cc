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

// As a number that sorts as the bytes do; shorter names are filled up with zero bytes.
std::uint64_t first_eight(std::string_view name) {
  std::uint64_t eight = 0;
  std::memcpy(&eight, name.data(), std::min(name.size(), sizeof eight));
  static_assert(std::endian::native == std::endian::little);
  return __builtin_bswap64(eight);
}

bool is_space_or_tab(char c) { return c == ' ' || c == '\t'; }

// Without blanks around it, and with one for each run inside.
void append_header_value(std::string& out, std::string_view value) {
  while (!value.empty() && is_space_or_tab(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_space_or_tab(value.back())) value.remove_suffix(1);
  // Searches for one byte are what the library does fastest; most values have nothing to fold.
  const auto first = value.find(' ');
  const bool folds = (first != value.npos && value.find("  ", first) != value.npos) ||
                     value.find('\t') != value.npos;
  if (!folds) {
    out.append(value);
    return;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_space_or_tab(value[i])) {
      out.push_back(value[i]);
    } else if (!is_space_or_tab(value[i - 1])) {
      out.push_back(' ');
    }
  }
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

void HeaderTable::fill(const http::Fields& fields) {
  names_.clear();
  rows_.clear();
  for (const http::Field& field : fields) {
    const std::size_t at = names_.size();
    append_lower_ascii(names_, field.name);
    rows_.push_back({first_eight(std::string_view(names_).substr(at)),
                     static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(field.name.size()),
                     &field.value});
  }
  const auto before = [this](const Row& a, const Row& b) {
    return a.order != b.order ? a.order < b.order : name(a) < name(b);
  };
  // Insertion sort: stable, in place, and heads have some ten fields, often sorted already.
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    const Row row = rows_[i];
    std::size_t j = i;
    for (; j > 0 && before(row, rows_[j - 1]); --j) rows_[j] = rows_[j - 1];
    rows_[j] = row;
  }
}

bool HeaderTable::append_signed(std::string& out, std::string_view signed_headers) const {
  std::size_t at = 0;
  while (!signed_headers.empty()) {
    const std::string_view wanted = signed_headers.substr(0, signed_headers.find(';'));
    signed_headers.remove_prefix(std::min(wanted.size() + 1, signed_headers.size()));
    while (at < rows_.size() && name(rows_[at]) < wanted) ++at;
    if (at == rows_.size() || name(rows_[at]) != wanted) {
      if (wanted != kAuthority || !append_authority(out)) return false;
      continue;
    }
    out.append(wanted).push_back(':');
    for (const std::size_t first = at; at < rows_.size() && name(rows_[at]) == wanted; ++at) {
      if (at != first) out.push_back(',');
      append_header_value(out, *rows_[at].value);
    }
    out.push_back('\n');
  }
  return true;
}

// Over HTTP/2 the host of a request is `:authority`, which stands in the field Host here.
bool HeaderTable::append_authority(std::string& out) const {
  const auto host = std::ranges::find(rows_, "host", [this](const Row& row) { return name(row); });
  if (host == rows_.end()) return false;
  out.append(kAuthority).push_back(':');
  append_header_value(out, *host->value);
  out.push_back('\n');
  return true;
}

void HeaderTable::append_signable(std::string& out, std::string& signed_headers) const {
  std::string_view previous;
  for (const Row& row : rows_) {
    const std::string_view current = name(row);
    if (is_never_signed(current)) continue;
    if (current == previous && !signed_headers.empty()) {
      out.back() = ',';  // another value of the field just written
    } else {
      if (!signed_headers.empty()) signed_headers.push_back(';');
      signed_headers.append(current);
      out.append(current).push_back(':');
    }
    append_header_value(out, *row.value);
    out.push_back('\n');
    previous = current;
  }
}

bool is_never_signed(std::string_view name) {
  // botocore's list (botocore/auth.py), the hop-by-hop fields of RFC 9110 section 7.6.1, and what
  // intermediaries add or change.
  static constexpr std::array<std::string_view, 15> kNames = {
      "authorization", "connection", "expect",          "forwarded",         "http2-settings",
      "keep-alive",    "te",         "trailer",         "transfer-encoding", "upgrade",
      "user-agent",    "via",        "x-amzn-trace-id", "accept-encoding",   "max-forwards"};
  return std::ranges::find(kNames, name) != kNames.end() || name.starts_with("proxy-") ||
         name.starts_with("x-forwarded-");
}

}  // namespace remit::aws
