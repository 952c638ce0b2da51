#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <utility>

#include "aws/sigv4.h"
#include "aws/sigv4_canonical.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::string_view kHmacName = "AWS4-HMAC-SHA256";
constexpr std::string_view kEcdsaName = "AWS4-ECDSA-P256-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::int64_t kMaxPresignSeconds = 604'800;

std::unexpected<Error> unreadable_signature(std::string message) {
  return fail(ErrorCode::InvalidInput, std::move(message));
}

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

// What a character may stand in: a bit each.
enum CharKind : unsigned char {
  kDigit = 1,
  kWord = 2,        // of a key id: a letter, a digit or '_'
  kScopeName = 4,   // of a region's or a service's name
  kSignedName = 8,  // of a name in SignedHeaders
  kBlank = 16,      // " \t\r\n"
};
constexpr auto kCharKinds = [] {
  std::array<unsigned char, 256> kinds{};
  for (unsigned c = 0; c < kinds.size(); ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = digit || upper || (c >= 'a' && c <= 'z') || c == '_';
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    const bool signed_name = c > 0x20 && c < 0x7F && !upper && c != ':' && c != ',' && c != ';';
    kinds[c] = static_cast<unsigned char>((digit ? kDigit : 0) | (word ? kWord : 0) |
                                          (word || c == '-' || c == '.' ? kScopeName : 0) |
                                          (signed_name ? kSignedName : 0) | (blank ? kBlank : 0));
  }
  return kinds;
}();

bool is_of(char c, CharKind kind) {
  return (kCharKinds[static_cast<unsigned char>(c)] & kind) != 0;
}

bool all_are(std::string_view text, CharKind kind) {
  unsigned char all = kind;
  for (const char c : text) all &= kCharKinds[static_cast<unsigned char>(c)];
  return all != 0;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_of(text.front(), kBlank)) text.remove_prefix(1);
  while (!text.empty() && is_of(text.back(), kBlank)) text.remove_suffix(1);
  return text;
}

// Without an early end, so that the compiler looks at sixteen at once.
bool is_lower_hex(std::string_view text) {
  unsigned char other = 0;
  for (const char c : text) {
    const auto digit = static_cast<unsigned char>(c - '0');
    const auto letter = static_cast<unsigned char>(c - 'a');
    other |= static_cast<unsigned char>(digit > 9 && letter > 5);
  }
  return other == 0;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         equals_ignoring_ascii_case(text.substr(0, prefix.size()), prefix);
}

// Fields that may stand in a request once at most. Those with a slot are read below.
enum Slot : std::size_t {
  kAuthorization,
  kDate,
  kContentHash,
  kDecodedLength,
  kTrailers,
  kRegionSet,
  kConnection,
  kContentType,
  kHost,
  kSlots,
};
constexpr NameSet<20> kSingleFields({"authorization",
                                     "x-amz-date",
                                     "x-amz-content-sha256",
                                     "x-amz-decoded-content-length",
                                     "x-amz-trailer",
                                     "x-amz-region-set",
                                     "connection",
                                     "content-type",
                                     "host",
                                     "x-amz-security-token",
                                     "x-amz-s3session-token",
                                     "content-length",
                                     "transfer-encoding",
                                     "content-md5",
                                     "x-amz-target",
                                     "x-amz-copy-source",
                                     "x-amz-acl",
                                     "expect",
                                     "date",
                                     "range"});

using Slots = std::array<const std::string*, kSlots>;

Result<> find_single_fields(const http::Fields& fields, Slots& slots) {
  std::uint32_t seen = 0;
  for (const http::Field& field : fields) {
    const std::size_t i = kSingleFields.find(field.name);
    if (i == kSingleFields.size()) continue;
    const std::uint32_t bit = std::uint32_t{1} << i;
    if ((seen & bit) != 0) {
      return unreadable_signature("the request has the field " + std::string(kSingleFields[i]) +
                                  " twice");
    }
    seen |= bit;
    if (i < slots.size()) slots[i] = &field.value;
  }
  return {};
}

// What Connection names is taken off on the way: were that x-amz-copy-source, another request than
// the one decided on would arrive.
Result<> check_connection(const std::string* value) {
  if (value == nullptr) return {};
  static constexpr std::array<std::string_view, 6> kKnown = {
      "close", "keep-alive", "te", "upgrade", "http2-settings", "proxy-connection"};
  std::string_view rest = *value;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const std::string_view name = trim(item);
    const bool known = std::ranges::any_of(
        kKnown, [name](std::string_view k) { return equals_ignoring_ascii_case(name, k); });
    if (!known && !name.empty()) {
      return unreadable_signature("the field Connection names " + std::string(name.substr(0, 64)) +
                                  ", which may not be taken off on the way");
    }
  }
  return {};
}

// "AKID/20261121/us-east-1/s3/aws4_request"; without the region for SigV4A.
Result<> read_credential(std::string_view text, SignedRequest& out) {
  const bool regional = out.algorithm == Algorithm::HmacSha256;
  out.credential = text;
  std::array<std::string_view, 5> parts;
  const std::size_t wanted = regional ? 5 : 4;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto slash = text.find('/');
    if ((slash == text.npos) != (i + 1 == wanted)) {
      return unreadable_signature(regional
                                      ? "the credential is not key/date/region/service/aws4_request"
                                      : "the credential is not key/date/service/aws4_request");
    }
    parts[i] = text.substr(0, slash);
    text.remove_prefix(std::min(parts[i].size() + 1, text.size()));
  }
  const auto good = [](std::string_view part, std::size_t max, CharKind kind) {
    return !part.empty() && part.size() <= max && all_are(part, kind);
  };
  out.access_key_id = parts[0];
  out.date = parts[1];
  out.region = regional ? parts[2] : std::string_view();
  out.service = parts[wanted - 2];
  if (!good(out.access_key_id, 128, kWord))
    return unreadable_signature("the access key id is malformed");
  if (out.date.size() != 8 || !all_are(out.date, kDigit)) {
    return unreadable_signature("the credential's date is not YYYYMMDD");
  }
  if (regional && !good(out.region, 64, kScopeName))
    return unreadable_signature("the credential's region is malformed");
  if (!good(out.service, 64, kScopeName))
    return unreadable_signature("the credential's service is malformed");
  if (parts[wanted - 1] != kTerminator)
    return unreadable_signature("the credential does not end in aws4_request");
  return {};
}

Result<> read_signature(std::string_view text, SignedRequest& out) {
  const std::size_t least = out.algorithm == Algorithm::HmacSha256 ? 64 : 16;
  const std::size_t most = out.algorithm == Algorithm::HmacSha256 ? 64 : 144;
  if (text.size() < least || text.size() > most || text.size() % 2 != 0 || !is_lower_hex(text)) {
    return unreadable_signature("the signature is not lower-case hex of the right length");
  }
  out.signature = text;
  return {};
}

Result<> read_signed_headers(std::string_view text, int version, SignedRequest& out) {
  std::string_view previous;
  bool host = false;
  for (std::string_view rest = text;;) {
    // Only HTTP/2 has it; see append_signed().
    const bool authority = version == 20 && rest.starts_with(kAuthority);
    const std::string_view plain = authority ? rest.substr(kAuthority.size()) : rest;
    const auto* const end =
        std::ranges::find_if_not(plain, [](char c) { return is_of(c, kSignedName); });
    const std::string_view name(rest.begin(), end);
    const bool last = end == rest.end();
    if (name.empty() || (authority && name != kAuthority) || (!last && *end != ';')) {
      return unreadable_signature("SignedHeaders is malformed");
    }
    if (!previous.empty() && name <= previous) {
      return unreadable_signature("SignedHeaders is not sorted or has a name twice");
    }
    host = host || authority || name == "host";
    previous = name;
    if (last) break;
    rest.remove_prefix(name.size() + 1);
  }
  if (!host) return unreadable_signature("the field Host is not signed");
  out.signed_headers = text;
  return {};
}

bool is_amz_name(std::string_view name) {
  constexpr std::string_view kPrefix = "x-amz-";
  return name.size() >= kPrefix.size() && (name[0] | 0x20) == 'x' && name[1] == '-' &&
         (name[2] | 0x20) == 'a' && (name[3] | 0x20) == 'm' && (name[4] | 0x20) == 'z' &&
         name[5] == '-';
}

bool is_signed(std::string_view signed_headers, std::string_view name) {
  while (!signed_headers.empty()) {
    const std::string_view one = signed_headers.substr(0, signed_headers.find(';'));
    if (equals_ignoring_ascii_case(one, name)) return true;
    signed_headers.remove_prefix(std::min(one.size() + 1, signed_headers.size()));
  }
  return false;
}

Result<> check_amz_fields_signed(const http::Fields& fields, std::string_view signed_headers) {
  for (const http::Field& field : fields) {
    if (!is_amz_name(field.name)) continue;
    if (equals_ignoring_ascii_case(field.name, "x-amz-security-token")) continue;
    if (!is_signed(signed_headers, field.name)) {
      return unreadable_signature("the field " + lower_ascii(field.name) +
                                  " is sent but not signed");
    }
  }
  return {};
}

Result<> read_timestamp(std::string_view text, SignedRequest& out) {
  auto time = parse_amz_date(text);
  if (!time) return wrap("X-Amz-Date", std::move(time).error());
  if (!text.starts_with(out.date)) {
    return unreadable_signature("X-Amz-Date is of another day than the credential");
  }
  out.timestamp = text;
  out.time = *time;
  return {};
}

Result<Payload> read_payload(std::string_view text) {
  if (text.size() == 64 && is_lower_hex(text)) return Payload::Hash;
  for (const Payload payload :
       {Payload::Unsigned, Payload::StreamingHmac, Payload::StreamingHmacTrailer,
        Payload::StreamingUnsignedTrailer, Payload::StreamingEcdsa, Payload::StreamingEcdsaTrailer,
        Payload::StreamingEvents}) {
    if (text == name_of(payload)) return payload;
  }
  return unreadable_signature(
      "x-amz-content-sha256 is neither 64 lower-case hex digits nor a known form");
}

bool has_trailers(Payload payload) {
  return payload == Payload::StreamingHmacTrailer || payload == Payload::StreamingEcdsaTrailer ||
         payload == Payload::StreamingUnsignedTrailer;
}

Result<> read_body_form(const Slots& fields, SignedRequest& out) {
  if (const std::string* hash = fields[kContentHash]; hash != nullptr) {
    if (!out.payload_hash.empty() && out.payload_hash != *hash) {
      return unreadable_signature(
          "x-amz-content-sha256 says one thing in the query and another in its field");
    }
    if (hash->empty()) return unreadable_signature("x-amz-content-sha256 is empty");
    out.payload_hash = *hash;
  }
  if (!out.payload_hash.empty()) {
    REMIT_TRY(out.payload, read_payload(out.payload_hash));
  }
  const bool ecdsa_body =
      out.payload == Payload::StreamingEcdsa || out.payload == Payload::StreamingEcdsaTrailer;
  const bool hmac_body = out.payload == Payload::StreamingHmac ||
                         out.payload == Payload::StreamingHmacTrailer ||
                         out.payload == Payload::StreamingEvents;
  if ((out.algorithm == Algorithm::HmacSha256 && ecdsa_body) ||
      (out.algorithm == Algorithm::EcdsaP256Sha256 && hmac_body)) {
    return unreadable_signature("the body is signed with another algorithm than the head");
  }
  if (out.placement == Placement::Query && (ecdsa_body || hmac_body)) {
    return unreadable_signature("a presigned request with a signed streaming body");
  }
  if (is_aws_chunked(out.payload) != (fields[kDecodedLength] != nullptr)) {
    return unreadable_signature(
        fields[kDecodedLength] == nullptr
            ? "an aws-chunked body without X-Amz-Decoded-Content-Length"
            : "X-Amz-Decoded-Content-Length with a body that is not aws-chunked");
  }
  if (fields[kDecodedLength] != nullptr) {
    const std::string& text = *fields[kDecodedLength];
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || !is_ascii_digit(text[0]) || error != std::errc() ||
        end != text.data() + text.size()) {
      return unreadable_signature("X-Amz-Decoded-Content-Length is not a number");
    }
    out.decoded_content_length = value;
  }
  if (fields[kTrailers] != nullptr) {
    if (!has_trailers(out.payload))
      return unreadable_signature("X-Amz-Trailer with a body that has no trailer");
    out.trailers = *fields[kTrailers];
  }
  return {};
}

// "Credential=..., SignedHeaders=..., Signature=...", each once, in any order.
Result<> read_authorization(std::string_view text, int version, SignedRequest& out) {
  const auto blank = text.find(' ');
  const std::string_view scheme = text.substr(0, blank);
  if (scheme == kHmacName) {
    out.algorithm = Algorithm::HmacSha256;
  } else if (scheme == kEcdsaName) {
    out.algorithm = Algorithm::EcdsaP256Sha256;
  } else if (scheme == "AWS" || starts_with_ignoring_case(scheme, "AWS3")) {
    return unreadable_signature("signed with a signature version before 4, which is not supported");
  } else {
    return unreadable_signature(
        "the scheme of the field Authorization is not AWS4-HMAC-SHA256 or "
        "AWS4-ECDSA-P256-SHA256");
  }
  struct Part {
    std::string_view name;  // with the '='
    std::string_view value;
  } parts[] = {{"Credential=", {}}, {"SignedHeaders=", {}}, {"Signature=", {}}};
  std::string_view rest = blank == text.npos ? std::string_view() : text.substr(blank + 1);
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const std::string_view part = trim(item);
    Part* const known =
        std::ranges::find_if(parts, [part](const Part& p) { return part.starts_with(p.name); });
    if (known == std::end(parts) || !known->value.empty()) {
      return unreadable_signature(
          "the field Authorization is not Credential, SignedHeaders and Signature");
    }
    known->value = part.substr(known->name.size());
  }
  const auto& [credential, signed_headers, signature] = parts;
  REMIT_CHECKED(read_credential(credential.value, out));
  REMIT_CHECKED(read_signed_headers(signed_headers.value, version, out));
  return read_signature(signature.value, out);
}

Result<> parse_header_form(const http::RequestHead& head, const Slots& fields, SignedRequest& out) {
  out.placement = Placement::Header;
  REMIT_CHECKED(read_authorization(*fields[kAuthorization], head.version, out));
  if (fields[kDate] == nullptr) return unreadable_signature("the request has no field X-Amz-Date");
  REMIT_CHECKED(read_timestamp(*fields[kDate], out));
  if (out.algorithm == Algorithm::EcdsaP256Sha256) {
    if (fields[kRegionSet] == nullptr)
      return unreadable_signature("the request has no field X-Amz-Region-Set");
    out.region_set = *fields[kRegionSet];
  }
  REMIT_CHECKED(read_body_form(fields, out));
  return check_amz_fields_signed(head.fields, out.signed_headers);
}

constexpr std::array<std::string_view, 9> kQueryNames = {
    "X-Amz-Algorithm",  "X-Amz-Credential",    "X-Amz-Date",
    "X-Amz-Expires",    "X-Amz-Signature",     "X-Amz-Security-Token",
    "X-Amz-Region-Set", "X-Amz-SignedHeaders", "X-Amz-Content-Sha256"};
enum QueryName : std::size_t {
  kAlgorithm,
  kCredential,
  kQueryDate,
  kExpires,
  kSignature,
  kToken,
  kQueryRegionSet,
  kSignedHeaders,
  kQueryHash,
};

// Of a name decoded from the query: which of kQueryNames, ignoring case; size() for none.
std::size_t query_name_index(std::string_view name) {
  if (!starts_with_ignoring_case(name, "x-amz-")) return kQueryNames.size();
  const auto found = std::ranges::find_if(
      kQueryNames, [name](std::string_view n) { return equals_ignoring_ascii_case(n, name); });
  return static_cast<std::size_t>(found - kQueryNames.begin());
}

// What a query says of a signature, as sent: split_target() has seen that it can be decoded.
struct QueryForm {
  std::array<std::string_view, kQueryNames.size()> values;
  std::uint32_t seen = 0;  // a bit for each of `values`
  bool version2 = false;

  bool has(std::size_t index) const { return (seen >> index & 1) != 0; }
  bool any() const {
    return has(kAlgorithm) || has(kCredential) || has(kSignature) || has(kSignedHeaders);
  }
};

Result<> read_query(std::string_view query, QueryForm& form) {
  if (query.find('+') != query.npos) {
    return unreadable_signature("a '+' in the query may mean a blank or itself: send %20 or %2B");
  }
  for (RawPair pair; next_pair(query, pair);) {
    // Names that matter here are seldom encoded; those that are must not slip through.
    std::string decoded;
    std::string_view name = pair.name;
    if (name.find('%') != name.npos) {
      decoded = uri_decode(name).value_or(std::string());
      name = decoded;
    }
    form.version2 = form.version2 || equals_ignoring_ascii_case(name, "AWSAccessKeyId") ||
                    equals_ignoring_ascii_case(name, "SignatureVersion");
    const std::size_t index = query_name_index(name);
    if (index == kQueryNames.size()) continue;
    if (pair.name != kQueryNames[index]) {
      return unreadable_signature("the query spells " + std::string(kQueryNames[index]) +
                                  " in another way");
    }
    if (form.has(index)) {
      return unreadable_signature("the query has " + std::string(kQueryNames[index]) + " twice");
    }
    form.seen |= std::uint32_t{1} << index;
    form.values[index] = pair.value;
  }
  return {};
}

// Decodes the values into one buffer, whose address moves with the request.
Result<> decode_values(QueryForm& form, std::vector<char>& buffer) {
  std::size_t size = 0;
  for (const std::string_view value : form.values) size += value.size();
  buffer.reserve(size);  // decoding makes nothing longer
  for (std::size_t i = 0; i < form.values.size(); ++i) {
    if (!form.has(i)) continue;
    const auto decoded = uri_decode(form.values[i]);
    if (!decoded) return unreadable_signature("the query is malformed");
    const std::size_t at = buffer.size();
    buffer.insert(buffer.end(), decoded->begin(), decoded->end());
    form.values[i] = {buffer.data() + at, decoded->size()};
  }
  return {};
}

Result<> read_expiry(std::string_view text, SignedRequest& out) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || !is_ascii_digit(text[0]) || error != std::errc() ||
      end != text.data() + text.size() || value < 1 || value > kMaxPresignSeconds) {
    return unreadable_signature("X-Amz-Expires is not a number of seconds from 1 to 604800");
  }
  out.expires = std::chrono::seconds(value);
  return {};
}

Result<> parse_query_form(const http::RequestHead& head, const Slots& fields, QueryForm& form,
                          SignedRequest& out) {
  for (const QueryName name :
       {kAlgorithm, kCredential, kQueryDate, kExpires, kSignature, kSignedHeaders}) {
    if (!form.has(name)) {
      return unreadable_signature("the presigned request has no " + std::string(kQueryNames[name]));
    }
  }
  out.placement = Placement::Query;
  REMIT_CHECKED(decode_values(form, out.decoded));
  const auto& values = form.values;
  if (values[kAlgorithm] == kEcdsaName) {
    out.algorithm = Algorithm::EcdsaP256Sha256;
    if (!form.has(kQueryRegionSet))
      return unreadable_signature("the query has no X-Amz-Region-Set");
    out.region_set = values[kQueryRegionSet];
  } else if (values[kAlgorithm] != kHmacName) {
    return unreadable_signature(
        "X-Amz-Algorithm is not AWS4-HMAC-SHA256 or AWS4-ECDSA-P256-SHA256");
  }
  REMIT_CHECKED(read_credential(values[kCredential], out));
  REMIT_CHECKED(read_signed_headers(values[kSignedHeaders], head.version, out));
  REMIT_CHECKED(read_signature(values[kSignature], out));
  REMIT_CHECKED(read_timestamp(values[kQueryDate], out));
  REMIT_CHECKED(read_expiry(values[kExpires], out));
  out.payload_hash = values[kQueryHash];
  out.payload = path_rule(out.service) == PathRule::AsSent ? Payload::Unsigned : Payload::Absent;
  REMIT_CHECKED(read_body_form(fields, out));
  return check_amz_fields_signed(head.fields, out.signed_headers);
}

bool is_form_upload(const Slots& fields) {
  return fields[kContentType] != nullptr &&
         starts_with_ignoring_case(*fields[kContentType], "multipart/form-data");
}

Result<> read_signed(const http::RequestHead& head, SignedRequest& out) {
  REMIT_TRY(const SplitTarget target, split_target(head.target));
  Slots fields{};
  REMIT_CHECKED(find_single_fields(head.fields, fields));
  REMIT_CHECKED(check_connection(fields[kConnection]));
  QueryForm form;
  if (!target.query.empty()) REMIT_CHECKED(read_query(target.query, form));
  if (form.version2)
    return unreadable_signature("signed with signature version 2, which is not supported");
  if (fields[kHost] == nullptr) return unreadable_signature("the request has no field Host");
  const bool header = fields[kAuthorization] != nullptr;
  if (header && form.any())
    return unreadable_signature("signed twice: in the field Authorization and in the query");
  if (header && form.seen != 0) {
    return unreadable_signature(
        "signed in the field Authorization, with parts of a signature in the query");
  }
  if (header) return parse_header_form(head, fields, out);
  if (form.any()) return parse_query_form(head, fields, form, out);
  if (is_form_upload(fields))
    return unreadable_signature("a browser's form upload (POST policy), which is not supported");
  return unreadable_signature("the request is not signed");
}

}  // namespace

std::string_view name_of(Payload payload) {
  switch (payload) {
    case Payload::Hash:
    case Payload::Absent:
      return "";
    case Payload::Unsigned:
      return "UNSIGNED-PAYLOAD";
    case Payload::StreamingHmac:
      return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    case Payload::StreamingHmacTrailer:
      return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    case Payload::StreamingUnsignedTrailer:
      return "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    case Payload::StreamingEcdsa:
      return "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD";
    case Payload::StreamingEcdsaTrailer:
      return "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER";
    case Payload::StreamingEvents:
      return "STREAMING-AWS4-HMAC-SHA256-EVENTS";
  }
  return "";
}

bool is_aws_chunked(Payload payload) {
  return payload == Payload::StreamingHmac || payload == Payload::StreamingEcdsa ||
         has_trailers(payload);
}

PathRule path_rule(std::string_view service) {
  const bool s3 = service == "s3" || service == "s3express" || service == "s3-object-lambda" ||
                  service == "s3-outposts";
  return s3 ? PathRule::AsSent : PathRule::Normalised;
}

Result<SignedRequest> parse_signed(const http::RequestHead& head) {
  Result<SignedRequest> request;
  if (auto read = read_signed(head, *request); !read)
    request = std::unexpected(std::move(read).error());
  return request;
}

bool has_signature(const http::RequestHead& head) {
  for (const http::Field& field : head.fields) {
    if (equals_ignoring_ascii_case(field.name, "authorization") ||
        equals_ignoring_ascii_case(field.name, "x-amz-security-token") ||
        equals_ignoring_ascii_case(field.name, "x-amz-s3session-token")) {
      return true;
    }
  }
  const auto mark = head.target.find('?');
  if (mark == std::string::npos) return false;
  std::string_view query = std::string_view(head.target).substr(mark + 1);
  for (RawPair pair; next_pair(query, pair);) {
    const std::string name = uri_decode(pair.name).value_or(std::string(pair.name));
    if (query_name_index(name) < kQueryNames.size() ||
        equals_ignoring_ascii_case(name, "AWSAccessKeyId") ||
        equals_ignoring_ascii_case(name, "SignatureVersion")) {
      return true;
    }
  }
  return false;
}

}  // namespace remit::aws
