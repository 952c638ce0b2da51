#include "aws/sigv4.h"

#include <algorithm>
#include <array>
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

void append_scope(std::string& out, Algorithm algorithm, std::string_view date,
                  std::string_view region, std::string_view service) {
  out.append(date).push_back('/');
  if (algorithm == Algorithm::HmacSha256) out.append(region).push_back('/');
  out.append(service).append("/aws4_request");
}

// Buffers of one signature, kept for the next.
struct Scratch {
  std::string canonical;
  std::string string_to_sign;
  std::string scope;
  CanonicalQuery query;
  HeaderTable headers;
  PlainSha256 hash;

  Scratch() { canonical.reserve(4096); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { forget(); }

  // The canonical request holds the session token.
  void forget() {
    wipe(canonical.data(), canonical.size());
    canonical.clear();
  }

  void build_string_to_sign(Algorithm algorithm, std::string_view timestamp) {
    std::array<std::byte, 32> digest;
    hash.update(canonical);
    hash.finish(digest);
    string_to_sign.assign(algorithm_name(algorithm));
    string_to_sign.append("\n").append(timestamp).append("\n").append(scope).append("\n");
    append_hex(string_to_sign, digest);
    forget();
  }
};

std::unexpected<Error> refuse_time(std::string message) {
  return fail(ErrorCode::Denied, std::move(message));
}

Result<> check_time(const SignedRequest& request, TimePoint now) {
  const auto off = std::chrono::round<std::chrono::minutes>(request.time - now);
  const auto beside = [&](std::string_view where) {
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

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && equals_ignoring_ascii_case(a, b);
}

void put(http::Fields& fields, std::string_view name, std::string_view value) {
  const auto named = [name](const http::Field& field) { return same_name(field.name, name); };
  const auto first = std::ranges::find_if(fields, named);
  if (first == fields.end()) {
    fields.push_back({std::string(name), std::string(value)});
    return;
  }
  first->value.assign(value);  // in place: no allocation when there is room
  fields.erase(std::remove_if(first + 1, fields.end(), named), fields.end());
}

bool is_stripped(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kNames = {"connection",
                                                              "keep-alive",
                                                              "proxy-connection",
                                                              "proxy-authorization",
                                                              "te",
                                                              "trailer",
                                                              "upgrade",
                                                              "http2-settings",
                                                              "x-amz-s3session-token",
                                                              "x-amz-region-set",
                                                              "proxy-authenticate",
                                                              "proxy-features"};
  return std::ranges::any_of(kNames, [name](std::string_view n) { return same_name(n, name); });
}

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

struct Verifier::State {
  explicit State(std::size_t max_keys) : keys(max_keys) {}
  Scratch scratch;
  KeyCache keys;

  const std::shared_ptr<const StringSigner>& key(const SignedRequest& request,
                                                 const Secret& secret) {
    return keys.get(request.algorithm, request.access_key_id, secret, request.date, request.region,
                    request.service);
  }
};

Verifier::Verifier(std::size_t max_keys) : state_(std::make_unique<State>(max_keys)) {}
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;
Verifier::~Verifier() = default;

Result<> Verifier::verify(const http::RequestHead& head, const SignedRequest& request,
                          const Secret& secret, TimePoint now, std::string_view body_sha256) {
  REMIT_CHECKED(check_time(request, now));
  REMIT_TRY(const SplitTarget target, split_target(head.target));
  Scratch& s = state_->scratch;
  s.canonical.assign(head.method).push_back('\n');
  append_canonical_path(s.canonical, target.path, path_rule(request.service));
  s.canonical.push_back('\n');
  s.query.append(s.canonical, target.query, "X-Amz-Signature");
  s.canonical.push_back('\n');
  s.headers.fill(head.fields);
  if (!s.headers.append_signed(s.canonical, request.signed_headers)) {
    return fail(ErrorCode::InvalidInput, "a field named in SignedHeaders is not there");
  }
  s.canonical.append("\n").append(request.signed_headers).append("\n");
  s.canonical.append(request.payload == Payload::Absent
                         ? or_empty_hash(body_sha256)
                         : payload_line(request.payload, request.payload_hash));
  s.scope.clear();
  append_scope(s.scope, request.algorithm, request.date, request.region, request.service);
  s.build_string_to_sign(request.algorithm, request.timestamp);
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
  append_scope(seed.scope, request.algorithm, request.date, request.region, request.service);
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
  KeyCache keys;
  std::string timestamp;
  std::string signed_headers;
  std::string line;
  SignatureText signature;
  std::shared_ptr<const StringSigner> key;
  std::string next_day;
  std::shared_ptr<const StringSigner> next_day_key;
  Algorithm algorithm = Algorithm::HmacSha256;

  std::string_view date() const { return std::string_view(timestamp).substr(0, 8); }
  Result<> start(http::RequestHead& head, const Credentials& credentials, const SignInput& input);
  Result<> finish(const http::RequestHead& head, const SignInput& input);
};

// Takes the client's signature off and fixes key, time and scope.
Result<> Signer::State::start(http::RequestHead& head, const Credentials& credentials,
                              const SignInput& input) {
  if (http::find(head.fields, "host") == nullptr) {
    return fail(ErrorCode::InvalidInput, "a request without a field Host cannot be signed");
  }
  strip_presigned_query(head.target);
  std::erase_if(head.fields, [](const http::Field& field) { return is_stripped(field.name); });
  algorithm = input.algorithm;
  timestamp.clear();
  append_amz_date(timestamp, input.now);
  scratch.scope.clear();
  append_scope(scratch.scope, algorithm, date(), input.region, input.service);
  key = keys.get(algorithm, credentials.access_key_id, credentials.secret_access_key, date(),
                 input.region, input.service);
  if (input.payload == Payload::StreamingEvents) {
    next_day = day_after(date());
    next_day_key =
        derive_hmac_key(credentials.secret_access_key, next_day, input.region, input.service);
  }
  return {};
}

Result<> Signer::State::finish(const http::RequestHead& head, const SignInput& input) {
  REMIT_TRY(const SplitTarget target, split_target(head.target));
  std::string& canonical = scratch.canonical;
  canonical.assign(head.method).push_back('\n');
  append_canonical_path(canonical, target.path, path_rule(input.service));
  canonical.push_back('\n');
  scratch.query.append(canonical, target.query);
  canonical.push_back('\n');
  signed_headers.clear();
  scratch.headers.append_signable(canonical, signed_headers);
  canonical.append("\n").append(signed_headers).append("\n");
  canonical.append(payload_line(input.payload, input.payload_hash));
  scratch.build_string_to_sign(algorithm, timestamp);
  key->sign(scratch.string_to_sign, signature);
  return {};
}

Signer::Signer(std::size_t max_keys) : state_(std::make_unique<State>(max_keys)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Result<> Signer::sign(http::RequestHead& head, const Credentials& credentials,
                      const SignInput& input) {
  State& s = *state_;
  REMIT_CHECKED(s.start(head, credentials, input));
  put(head.fields, "X-Amz-Date", s.timestamp);
  if (credentials.temporary() && input.express_session) {
    http::remove(head.fields, "X-Amz-Security-Token");
    put(head.fields, "X-Amz-S3session-Token", credentials.session_token.expose());
  } else if (credentials.temporary()) {
    put(head.fields, "X-Amz-Security-Token", credentials.session_token.expose());
  } else {
    http::remove(head.fields, "X-Amz-Security-Token");
  }
  if (input.algorithm == Algorithm::EcdsaP256Sha256) {
    put(head.fields, "X-Amz-Region-Set", input.region);
  }
  if (input.payload != Payload::Absent || path_rule(input.service) == PathRule::AsSent) {
    put(head.fields, "X-Amz-Content-Sha256", payload_line(input.payload, input.payload_hash));
  } else {
    http::remove(head.fields, "X-Amz-Content-Sha256");
  }
  s.scratch.headers.fill(head.fields);
  REMIT_CHECKED(s.finish(head, input));
  s.line.assign(algorithm_name(input.algorithm)).append(" Credential=");
  s.line.append(credentials.access_key_id).append("/").append(s.scratch.scope);
  s.line.append(", SignedHeaders=").append(s.signed_headers);
  s.line.append(", Signature=").append(s.signature.view());
  put(head.fields, "Authorization", s.line);
  return {};
}

Result<> Signer::presign(http::RequestHead& head, const Credentials& credentials,
                         const SignInput& input, std::chrono::seconds expires) {
  State& s = *state_;
  if (expires.count() < 1 || expires.count() > 604'800) {
    return fail(ErrorCode::InvalidInput, "a presigned request is good for 1 to 604800 seconds");
  }
  REMIT_CHECKED(s.start(head, credentials, input));
  for (const std::string_view name :
       {"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"}) {
    http::remove(head.fields, name);
  }
  s.scratch.headers.fill(head.fields);
  s.signed_headers.clear();
  s.line.clear();
  s.scratch.headers.append_signable(s.line, s.signed_headers);

  std::string& target = head.target;
  const auto add = [&target](std::string_view name, std::string_view value) {
    target.push_back(target.find('?') == target.npos ? '?' : '&');
    target.append(name).push_back('=');
    append_uri_encoded(target, value, Slash::Encode);
  };
  add("X-Amz-Algorithm", algorithm_name(input.algorithm));
  add("X-Amz-Credential", credentials.access_key_id + "/" + s.scratch.scope);
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
          state_->scratch.scope,
          std::string(state_->signature.view()),
          state_->next_day,
          state_->next_day_key};
}

}  // namespace remit::aws
