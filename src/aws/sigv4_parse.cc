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
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower_hex(char c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_word(char c) {
  return is_ascii_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '_';
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
constexpr std::array<std::string_view, 20> kSingleFields = {"authorization",
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
                                                            "range"};

// Which of them have a name of so many bytes: a bit each.
constexpr std::size_t kLongestSingle = 28;
constexpr auto kSinglesOfSize = [] {
  std::array<std::uint32_t, kLongestSingle + 1> bits{};
  for (std::size_t i = 0; i < kSingleFields.size(); ++i) {
    bits[kSingleFields[i].size()] |= std::uint32_t{1} << i;
  }
  return bits;
}();

using Slots = std::array<const std::string*, kSlots>;

Result<Slots> find_single_fields(const http::Fields& fields) {
  std::array<const std::string*, kSingleFields.size()> found{};
  for (const http::Field& field : fields) {
    if (field.name.size() > kLongestSingle) continue;
    for (std::uint32_t left = kSinglesOfSize[field.name.size()]; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (!equals_ignoring_ascii_case(field.name, kSingleFields[i])) continue;
      if (found[i] != nullptr) {
        return unreadable_signature("the request has the field " + std::string(kSingleFields[i]) +
                                    " twice");
      }
      found[i] = &field.value;
      break;
    }
  }
  Slots slots;
  std::copy_n(found.begin(), slots.size(), slots.begin());
  return slots;
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
    const std::string_view name = trim_ascii(item);
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
  const auto name = [](char c) { return is_word(c) || c == '-' || c == '.'; };
  const auto good = [&](std::string_view part, std::size_t max, auto allowed) {
    return !part.empty() && part.size() <= max && std::ranges::all_of(part, allowed);
  };
  out.access_key_id = parts[0];
  out.date = parts[1];
  out.region = regional ? parts[2] : std::string_view();
  out.service = parts[wanted - 2];
  if (!good(out.access_key_id, 128, is_word))
    return unreadable_signature("the access key id is malformed");
  if (out.date.size() != 8 || !std::ranges::all_of(out.date, is_ascii_digit)) {
    return unreadable_signature("the credential's date is not YYYYMMDD");
  }
  if (regional && !good(out.region, 64, name))
    return unreadable_signature("the credential's region is malformed");
  if (!good(out.service, 64, name))
    return unreadable_signature("the credential's service is malformed");
  if (parts[wanted - 1] != kTerminator)
    return unreadable_signature("the credential does not end in aws4_request");
  return {};
}

Result<> read_signature(std::string_view text, SignedRequest& out) {
  const std::size_t least = out.algorithm == Algorithm::HmacSha256 ? 64 : 16;
  const std::size_t most = out.algorithm == Algorithm::HmacSha256 ? 64 : 144;
  if (text.size() < least || text.size() > most || text.size() % 2 != 0 ||
      !std::ranges::all_of(text, is_lower_hex)) {
    return unreadable_signature("the signature is not lower-case hex of the right length");
  }
  out.signature = text;
  return {};
}

Result<> read_signed_headers(std::string_view text, int version, SignedRequest& out) {
  std::string_view previous;
  bool host = false;
  for (std::string_view rest = text; !rest.empty() || previous.empty();) {
    const std::string_view name = rest.substr(0, rest.find(';'));
    const bool last = name.size() == rest.size();
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    // Only HTTP/2 has it; see HeaderTable::append_signed().
    const bool authority = version == 20 && name == kAuthority;
    const bool good = authority || (!name.empty() && std::ranges::all_of(name, [](char c) {
                        return c > 0x20 && c < 0x7F && !is_upper(c) && c != ':' && c != ',';
                      }));
    if (!good) return unreadable_signature("SignedHeaders is malformed");
    if (!previous.empty() && name <= previous) {
      return unreadable_signature("SignedHeaders is not sorted or has a name twice");
    }
    host = host || authority || name == "host";
    previous = name;
    if (last) break;
    if (rest.empty()) return unreadable_signature("SignedHeaders is malformed");
  }
  if (!host) return unreadable_signature("the field Host is not signed");
  out.signed_headers = text;
  return {};
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
    if (!starts_with_ignoring_case(field.name, "x-amz-")) continue;
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
  if (text.size() == 64 && std::ranges::all_of(text, is_lower_hex)) return Payload::Hash;
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
  std::string_view credential, signed_headers, signature;
  std::string_view rest = blank == text.npos ? std::string_view() : text.substr(blank + 1);
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const std::string_view part = trim_ascii(item);
    const auto equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    std::string_view* slot = name == "Credential"      ? &credential
                             : name == "SignedHeaders" ? &signed_headers
                             : name == "Signature"     ? &signature
                                                       : nullptr;
    if (slot == nullptr || equals == part.npos || !slot->empty()) {
      return unreadable_signature(
          "the field Authorization is not Credential, SignedHeaders and Signature");
    }
    *slot = part.substr(equals + 1);
  }
  REMIT_CHECKED(read_credential(credential, out));
  REMIT_CHECKED(read_signed_headers(signed_headers, version, out));
  return read_signature(signature, out);
}

Result<SignedRequest> parse_header_form(const http::RequestHead& head, const Slots& fields) {
  SignedRequest out;
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
  REMIT_CHECKED(check_amz_fields_signed(head.fields, out.signed_headers));
  return out;
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

struct QueryForm {
  std::array<std::optional<std::string>, kQueryNames.size()> values;
  bool version2 = false;
  bool any() const {
    return values[kAlgorithm] || values[kCredential] || values[kSignature] ||
           values[kSignedHeaders];
  }
};

Result<QueryForm> read_query(std::string_view query) {
  QueryForm form;
  if (query.empty()) return form;
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
    if (form.values[index]) {
      return unreadable_signature("the query has " + std::string(kQueryNames[index]) + " twice");
    }
    form.values[index] = uri_decode(pair.value);
    if (!form.values[index]) return unreadable_signature("the query is malformed");
  }
  return form;
}

// Keeps the decoded values in one buffer, whose address moves with the request.
void keep(const QueryForm& form, std::array<std::string_view, kQueryNames.size()>& views,
          std::vector<char>& buffer) {
  std::size_t size = 0;
  for (const auto& value : form.values) size += value ? value->size() : 0;
  buffer.reserve(size);
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!form.values[i]) continue;
    const std::size_t at = buffer.size();
    buffer.insert(buffer.end(), form.values[i]->begin(), form.values[i]->end());
    views[i] = {buffer.data() + at, form.values[i]->size()};
  }
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

Result<SignedRequest> parse_query_form(const http::RequestHead& head, const Slots& fields,
                                       const QueryForm& form) {
  for (const QueryName name :
       {kAlgorithm, kCredential, kQueryDate, kExpires, kSignature, kSignedHeaders}) {
    if (!form.values[name]) {
      return unreadable_signature("the presigned request has no " + std::string(kQueryNames[name]));
    }
  }
  SignedRequest out;
  out.placement = Placement::Query;
  std::array<std::string_view, kQueryNames.size()> values;
  keep(form, values, out.decoded);
  if (values[kAlgorithm] == kEcdsaName) {
    out.algorithm = Algorithm::EcdsaP256Sha256;
    if (!form.values[kQueryRegionSet])
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
  REMIT_CHECKED(check_amz_fields_signed(head.fields, out.signed_headers));
  return out;
}

bool is_form_upload(const Slots& fields) {
  return fields[kContentType] != nullptr &&
         starts_with_ignoring_case(*fields[kContentType], "multipart/form-data");
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
  REMIT_TRY(const SplitTarget target, split_target(head.target));
  REMIT_TRY(const Slots fields, find_single_fields(head.fields));
  REMIT_CHECKED(check_connection(fields[kConnection]));
  REMIT_TRY(const QueryForm form, read_query(target.query));
  if (form.version2)
    return unreadable_signature("signed with signature version 2, which is not supported");
  if (fields[kHost] == nullptr) return unreadable_signature("the request has no field Host");
  const bool header = fields[kAuthorization] != nullptr;
  if (header && form.any())
    return unreadable_signature("signed twice: in the field Authorization and in the query");
  if (header) {
    for (const auto& value : form.values) {
      if (value)
        return unreadable_signature(
            "signed in the field Authorization, with parts of a signature in the query");
    }
    return parse_header_form(head, fields);
  }
  if (form.any()) return parse_query_form(head, fields, form);
  if (is_form_upload(fields))
    return unreadable_signature("a browser's form upload (POST policy), which is not supported");
  return unreadable_signature("the request is not signed");
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
