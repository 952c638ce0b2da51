#include "aws/sigv4.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "aws/sigv4_canonical.h"
#include "aws/sigv4_key.h"
#include "base/check.h"
#include "base/encoding.h"

namespace remit::aws {

namespace {

// "20261231" → "20270101"; the date of a scope, which was read before.
std::string day_after(std::string_view date) {
  std::string text;
  if (const auto time = parse_amz_date(std::string(date) + "T000000Z")) {
    append_amz_date(text, *time + std::chrono::days(1));
    text.resize(8);
  }
  return text;
}

constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string_view algorithm_name(Algorithm algorithm) {
  return algorithm == Algorithm::HmacSha256 ? "AWS4-HMAC-SHA256" : "AWS4-ECDSA-P256-SHA256";
}

std::string_view or_empty_hash(std::string_view hash) { return hash.empty() ? kEmptyHash : hash; }

// The last line of the canonical request.
std::string_view payload_line(Payload payload, std::string_view hash) {
  const std::string_view name = name_of(payload);
  return name.empty() ? or_empty_hash(hash) : name;
}

// All parts in one go: one check for room instead of one for each.
template <class... Parts>
void append_all(std::string& out, const Parts&... parts) {
  const std::size_t before = out.size();
  const std::size_t after = before + (std::string_view(parts).size() + ...);
  out.resize_and_overwrite(after, [&](char* bytes, std::size_t) {
    char* to = bytes + before;
    const auto put = [&to](std::string_view part) {
      if (!part.empty()) std::memcpy(to, part.data(), part.size());
      to += part.size();
    };
    (put(parts), ...);
    return after;
  });
}

// Buffers of one signature, kept for the next.
struct Scratch {
  std::string canonical;
  std::string string_to_sign;
  CanonicalQuery query;

  Scratch() { canonical.reserve(4096); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { forget(); }

  // The canonical request holds the session token.
  void forget() {
    wipe(canonical.data(), canonical.size());
    canonical.clear();
  }

  // The lines before those of the fields, which will be `fields_size` bytes, with what follows
  // them: the room for all is made here, so that no buffer with a token in it is left behind.
  Result<> begin(const http::RequestHead& head, std::string_view service, std::size_t fields_size,
                 std::string_view query_without = {}) {
    REMIT_TRY(const SplitTarget target, split_target(head.target));
    constexpr std::size_t kRest = 256;
    canonical.clear();
    canonical.reserve(head.method.size() + 3 * head.target.size() + fields_size + kRest);
    canonical.append(head.method).push_back('\n');
    append_canonical_path(canonical, target.path, path_rule(service));
    canonical.push_back('\n');
    query.append(canonical, target.query, query_without);
    canonical.push_back('\n');
    return {};
  }

  // The lines after those of the fields; then the canonical request is gone.
  void build_string_to_sign(Algorithm algorithm, std::string_view timestamp, std::string_view scope,
                            std::string_view signed_headers, std::string_view payload) {
    append_all(canonical, "\n", signed_headers, "\n", payload);
    std::array<std::byte, 32> digest;
    PlainSha256::of(canonical, digest);
    forget();
    string_to_sign.clear();
    append_all(string_to_sign, algorithm_name(algorithm), "\n", timestamp, "\n", scope, "\n");
    append_hex(string_to_sign, digest);
  }
};

std::unexpected<Error> refuse_time(std::string message) {
  return fail(ErrorCode::Denied, std::move(message));
}

Result<> check_time(const SignedRequest& request, TimePoint now) {
  const auto beside = [&](std::string_view where) {
    const auto off = std::chrono::round<std::chrono::minutes>(request.time - now);
    return refuse_time("the signature is dated " + std::to_string(std::chrono::abs(off).count()) +
                       " minutes in the " + std::string(where) +
                       ", and 15 are the most: the client's clock or this machine's is wrong");
  };
  if (request.time > now + kMaxClockSkew) return beside("future");
  if (request.placement == Placement::Query) {
    if (request.time + *request.expires < now)
      return refuse_time("the presigned request has expired");
    return {};
  }
  if (request.time + kMaxClockSkew < now) return beside("past");
  return {};
}

// Fields that sign() writes, and then those that only have to go.
enum OwnField : std::size_t { kOwnDate, kOwnToken, kOwnHash, kOwnAuthorization, kOwnFields };
constexpr NameSet<16> kTakenOff({"x-amz-date", "x-amz-security-token", "x-amz-content-sha256",
                                 "authorization", "connection", "keep-alive", "proxy-connection",
                                 "proxy-authorization", "te", "trailer", "upgrade",
                                 "http2-settings", "x-amz-s3session-token", "x-amz-region-set",
                                 "proxy-authenticate", "proxy-features"});
constexpr std::array<std::string_view, kOwnFields> kOwnNames = {
    "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "Authorization"};

// Where the fields stand that sign() writes: in place of the client's, else at the end.
class OwnFields {
 public:
  using Kept = std::array<bool, kOwnFields>;

  // Takes off what has to go, and the client's of those that are not `kept`.
  OwnFields(http::Fields& fields, const Kept& kept) : fields_(fields) {
    at_.fill(kNowhere);
    auto to = fields.begin();
    for (auto field = fields.begin(); field != fields.end(); ++field) {
      if (const std::size_t i = kTakenOff.find(field->name); i < kTakenOff.size()) {
        if (i >= kOwnFields || !kept[i] || at_[i] != kNowhere) continue;
        at_[i] = static_cast<std::size_t>(to - fields.begin());
      }
      if (to != field) *to = std::move(*field);
      ++to;
    }
    fields.erase(to, fields.end());
  }

  // The value of that field, to be written over: in place there is no allocation when there is
  // room.
  std::string& operator[](OwnField which) {
    if (at_[which] == kNowhere) {
      at_[which] = fields_.size();
      fields_.emplace_back().name = kOwnNames[which];
    }
    return fields_[at_[which]].value;
  }

 private:
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  http::Fields& fields_;
  std::array<std::size_t, kOwnFields> at_;
};

bool is_signing_parameter(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "X-Amz-Algorithm",  "X-Amz-Credential",    "X-Amz-Date",
      "X-Amz-Expires",    "X-Amz-Signature",     "X-Amz-Security-Token",
      "X-Amz-Region-Set", "X-Amz-SignedHeaders", "X-Amz-Content-Sha256"};
  return std::ranges::any_of(
      kNames, [name](std::string_view n) { return equals_ignoring_ascii_case(n, name); });
}

void strip_presigned_query(std::string& target) {
  const auto mark = target.find('?');
  if (mark == std::string::npos) return;
  std::string_view query = std::string_view(target).substr(mark + 1);
  std::string kept;
  bool stripped = false;
  for (RawPair pair; next_pair(query, pair);) {
    if (is_signing_parameter(pair.name)) {
      stripped = true;
      continue;
    }
    const char* end = pair.value.data() != nullptr ? pair.value.data() + pair.value.size()
                                                   : pair.name.data() + pair.name.size();
    kept.append(kept.empty() ? "?" : "&").append(pair.name.data(), end);
  }
  if (stripped) target.replace(mark, target.npos, kept);
}

}  // namespace

Result<> make_headers_of_parameters(http::RequestHead& head) {
  const auto mark = head.target.find('?');
  if (mark == std::string::npos) return {};
  std::string target = head.target.substr(0, mark);
  std::string_view query = std::string_view(head.target).substr(mark + 1);
  http::Fields made;
  for (RawPair pair; next_pair(query, pair);) {
    auto name = uri_decode(pair.name);
    auto value = uri_decode(pair.value);
    if (!name || !value) return fail(ErrorCode::InvalidInput, "the query is malformed");
    const bool own = equals_ignoring_ascii_case(std::string_view(*name).substr(0, 6), "x-amz-");
    if (!own || is_signing_parameter(*name)) {
      const char* end = pair.value.data() != nullptr ? pair.value.data() + pair.value.size()
                                                     : pair.name.data() + pair.name.size();
      target.append(target.size() == mark ? "?" : "&").append(pair.name.data(), end);
      continue;
    }
    const bool of_body = equals_ignoring_ascii_case(*name, "x-amz-trailer") ||
                         equals_ignoring_ascii_case(*name, "x-amz-decoded-content-length");
    const bool plain = std::ranges::all_of(
        *name + *value, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
    if (of_body || !plain || name->contains(':') || name->contains(' ') ||
        trim_ascii(*value) != *value) {
      return fail(ErrorCode::InvalidInput, "the parameter " + std::string(pair.name) +
                                               " of the presigned request can be no header");
    }
    made.push_back({*std::move(name), *std::move(value)});
  }
  head.target = std::move(target);
  for (http::Field& field : made) http::set(head.fields, field.name, std::move(field.value));
  return {};
}

struct Verifier::State {
  explicit State(std::size_t max_keys) : keys(max_keys) {}
  Scratch scratch;
  KeyCache keys;

  const std::shared_ptr<const StringSigner>& key(const SignedRequest& r, const Secret& secret) {
    return keys.get(r.algorithm, {r.credential, r.access_key_id, r.date, r.region, r.service},
                    secret);
  }
};

Verifier::Verifier(std::size_t max_keys) : state_(std::make_unique<State>(max_keys)) {}
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;
Verifier::~Verifier() = default;

Result<> Verifier::verify(const http::RequestHead& head, const SignedRequest& request,
                          const Secret& secret, TimePoint now, std::string_view body_sha256) {
  REMIT_CHECKED(check_time(request, now));
  Scratch& s = state_->scratch;
  std::size_t fields_size = 0;
  for (const http::Field& field : head.fields) {
    fields_size += 2 * field.name.size() + field.value.size() + 3;
  }
  REMIT_CHECKED(s.begin(head, request.service, fields_size, "X-Amz-Signature"));
  if (!append_signed(s.canonical, head.fields, request.signed_headers)) {
    return fail(ErrorCode::InvalidInput, "a field named in SignedHeaders is not there");
  }
  s.build_string_to_sign(
      request.algorithm, request.timestamp, request.scope(), request.signed_headers,
      request.payload == Payload::Absent ? or_empty_hash(body_sha256)
                                         : payload_line(request.payload, request.payload_hash));
  if (!state_->key(request, secret)->verify(s.string_to_sign, request.signature)) {
    return fail(ErrorCode::Denied, "the signature does not match");
  }
  return {};
}

Result<Seed> Verifier::seed(const SignedRequest& request, const Secret& secret) {
  Seed seed;
  seed.algorithm = request.algorithm;
  seed.key = state_->key(request, secret);
  seed.timestamp = request.timestamp;
  seed.scope = request.scope();
  seed.signature = request.signature;
  if (request.payload == Payload::StreamingEvents) {
    seed.next_day = day_after(request.date);
    seed.next_day_key = derive_hmac_key(secret, seed.next_day, request.region, request.service);
  }
  return seed;
}

struct Signer::State {
  explicit State(std::size_t max_keys) : keys(max_keys) {}
  Scratch scratch;
  SignableFields fields;
  KeyCache keys;
  std::chrono::sys_seconds second{};  // that `timestamp` says, once it says something
  std::string timestamp;
  std::string credential;  // "AKID/20261121/us-east-1/s3/aws4_request"
  std::size_t scope_at = 0;
  std::string signed_headers;
  std::string others;  // what fields are signed in a presigned request
  SignatureText signature;
  std::shared_ptr<const StringSigner> key;
  std::string next_day;
  std::shared_ptr<const StringSigner> next_day_key;
  Algorithm algorithm = Algorithm::HmacSha256;

  std::string_view date() const { return std::string_view(timestamp).substr(0, 8); }
  std::string_view scope() const { return std::string_view(credential).substr(scope_at); }
  void start(const Credentials& credentials, const SignInput& input);
  Result<> finish(const http::RequestHead& head, const SignInput& input);
};

// Fixes key, time and scope.
void Signer::State::start(const Credentials& credentials, const SignInput& input) {
  algorithm = input.algorithm;
  const auto now = std::chrono::floor<std::chrono::seconds>(input.now);
  if (timestamp.empty() || now != second) {
    timestamp.clear();
    append_amz_date(timestamp, input.now);
    second = now;
  }
  credential.clear();
  scope_at = credentials.access_key_id.size() + 1;
  if (algorithm == Algorithm::HmacSha256) {
    append_all(credential, credentials.access_key_id, "/", date(), "/", input.region, "/",
               input.service, "/aws4_request");
  } else {
    append_all(credential, credentials.access_key_id, "/", date(), "/", input.service,
               "/aws4_request");
  }
  const auto& found = keys.get(
      algorithm, {credential, credentials.access_key_id, date(), input.region, input.service},
      credentials.secret_access_key);
  if (found != key) key = found;
  if (input.payload == Payload::StreamingEvents) {
    next_day = day_after(date());
    next_day_key =
        derive_hmac_key(credentials.secret_access_key, next_day, input.region, input.service);
  }
}

Result<> Signer::State::finish(const http::RequestHead& head, const SignInput& input) {
  REMIT_CHECKED(scratch.begin(head, input.service, 2 * fields.max_size()));
  signed_headers.clear();
  fields.append(scratch.canonical, signed_headers);
  scratch.build_string_to_sign(algorithm, timestamp, scope(), signed_headers,
                               payload_line(input.payload, input.payload_hash));
  key->sign(scratch.string_to_sign, signature);
  return {};
}

// What is said when there is no Host to sign.
Result<> check_host(const http::RequestHead& head) {
  if (http::find(head.fields, "host") != nullptr) return {};
  return fail(ErrorCode::InvalidInput, "a request without a field Host cannot be signed");
}

Signer::Signer(std::size_t max_keys) : state_(std::make_unique<State>(max_keys)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Result<> Signer::sign(http::RequestHead& head, const Credentials& credentials,
                      const SignInput& input) {
  State& s = *state_;
  REMIT_CHECKED(check_host(head));
  strip_presigned_query(head.target);
  const bool token = credentials.temporary() && !input.express_session;
  const bool hash =
      input.payload != Payload::Absent || path_rule(input.service) == PathRule::AsSent;
  OwnFields own(head.fields, {true, token, hash, true});
  s.start(credentials, input);
  own[kOwnDate] = s.timestamp;
  if (token) own[kOwnToken] = credentials.session_token.expose();
  if (credentials.temporary() && input.express_session) {
    head.fields.push_back(
        {"X-Amz-S3session-Token", std::string(credentials.session_token.expose())});
  }
  if (input.algorithm == Algorithm::EcdsaP256Sha256) {
    head.fields.push_back({"X-Amz-Region-Set", std::string(input.region)});
  }
  if (hash) own[kOwnHash] = payload_line(input.payload, input.payload_hash);
  s.fields.fill(head.fields);
  REMIT_CHECKED(s.finish(head, input));
  std::string& line = own[kOwnAuthorization];
  line.clear();
  append_all(line, algorithm_name(input.algorithm), " Credential=", s.credential,
             ", SignedHeaders=", s.signed_headers, ", Signature=", s.signature.view());
  return {};
}

Result<> Signer::presign(http::RequestHead& head, const Credentials& credentials,
                         const SignInput& input, std::chrono::seconds expires) {
  State& s = *state_;
  if (expires.count() < 1 || expires.count() > 604'800) {
    return fail(ErrorCode::InvalidInput, "a presigned request is good for 1 to 604800 seconds");
  }
  REMIT_CHECKED(check_host(head));
  strip_presigned_query(head.target);
  OwnFields(head.fields, {});
  s.start(credentials, input);
  s.fields.fill(head.fields);
  s.signed_headers.clear();
  s.others.clear();
  s.fields.append(s.others, s.signed_headers);

  std::string& target = head.target;
  const auto add = [&target](std::string_view name, std::string_view value) {
    target.push_back(target.find('?') == target.npos ? '?' : '&');
    target.append(name).push_back('=');
    append_uri_encoded(target, value, Slash::Encode);
  };
  add("X-Amz-Algorithm", algorithm_name(input.algorithm));
  add("X-Amz-Credential", s.credential);
  add("X-Amz-Date", s.timestamp);
  add("X-Amz-SignedHeaders", s.signed_headers);
  add("X-Amz-Expires", std::to_string(expires.count()));
  if (input.algorithm == Algorithm::EcdsaP256Sha256) add("X-Amz-Region-Set", input.region);
  if (credentials.temporary()) add("X-Amz-Security-Token", credentials.session_token.expose());
  REMIT_CHECKED(s.finish(head, input));
  add("X-Amz-Signature", s.signature.view());
  return {};
}

Seed Signer::seed() const {
  REMIT_CHECK(state_->key);
  return {state_->algorithm,
          state_->key,
          state_->timestamp,
          std::string(state_->scope()),
          std::string(state_->signature.view()),
          state_->next_day,
          state_->next_day_key};
}

}  // namespace remit::aws
