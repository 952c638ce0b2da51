#pragma once

// AWS Signature Version 4 and 4A: reading what a client signed, proving it, and signing anew.
//
//   parse_signed   which key signed this request, for what, in which of the two places
//   Verifier       is that signature right for this secret, now
//   Signer         take the client's signature off and put ours on
//
// Rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// Everything that could be read in two ways is refused. Verifier and Signer keep scratch buffers
// and derived keys: one of each for a thread; about 2 us for a signature, no allocation once warm.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/http.h"

namespace remit::aws {

enum class Algorithm : std::uint8_t { HmacSha256, EcdsaP256Sha256 };
enum class Placement : std::uint8_t { Header, Query };

// What x-amz-content-sha256 says of the body.
enum class Payload : std::uint8_t {
  Hash,                      // 64 hex digits: the body's SHA-256
  Absent,                    // no header: the body's SHA-256 must be computed
  Unsigned,                  // UNSIGNED-PAYLOAD, or presigned for S3
  StreamingHmac,             // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  StreamingHmacTrailer,      // ...-TRAILER
  StreamingUnsignedTrailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
  StreamingEcdsa,            // STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD
  StreamingEcdsaTrailer,     // ...-TRAILER
  StreamingEvents,           // STREAMING-AWS4-HMAC-SHA256-EVENTS
};
std::string_view name_of(Payload payload);  // the header value; "" for Hash and Absent
// True when the body is framed as aws-chunked: see aws/chunked.h. (aws/event_stream.h has events.)
bool is_aws_chunked(Payload payload);

// What a client signed. Views into the RequestHead it was read from (header form), or into
// `decoded` (query form): valid while that head is neither changed nor destroyed.
struct SignedRequest {
  Algorithm algorithm = Algorithm::HmacSha256;
  Placement placement = Placement::Header;
  std::string_view credential;  // "AKID/20261121/us-east-1/s3/aws4_request", of which are:
  std::string_view access_key_id;
  std::string_view date;            // YYYYMMDD of the scope
  std::string_view region;          // of the scope; empty for SigV4A
  std::string_view service;         // of the scope
  std::string_view region_set;      // SigV4A only: X-Amz-Region-Set
  std::string_view signed_headers;  // "host;x-amz-date": lower case, sorted, without doubles
  std::string_view signature;       // hex, lower case
  std::string_view timestamp;       // "20261121T150405Z"
  TimePoint time{};
  Payload payload = Payload::Absent;
  std::string_view payload_hash;  // the value of x-amz-content-sha256; empty when absent
  std::optional<std::chrono::seconds> expires;          // query form only
  std::optional<std::uint64_t> decoded_content_length;  // aws-chunked only
  std::string_view trailers;                            // X-Amz-Trailer, as sent

  std::vector<char> decoded;  // storage of decoded query values

  // "20261121/us-east-1/s3/aws4_request"; without the region for SigV4A.
  std::string_view scope() const { return credential.substr(access_key_id.size() + 1); }
};

// Reads the signature of a request from the one place where it stands. Refuses (InvalidInput, with
// a reason for people): no signature, two signatures, doubled fields that matter, Signature
// Version 2, POST policy forms, unknown STREAMING-... forms, a '+' in the query (a blank or
// itself?), malformed anything, `host` unsigned, an x-amz-* field that is sent but not signed
// (except X-Amz-Security-Token, which re-signing removes).
Result<SignedRequest> parse_signed(const http::RequestHead& head);

// True when the request carries anything that looks like a signature or credentials; false for one
// that is plainly anonymous.
bool has_signature(const http::RequestHead& head);

// S3 signs the path as it is sent, encoded once; all others sign it without dot segments and double
// slashes, encoded twice.
enum class PathRule : std::uint8_t { Normalised, AsSent };
PathRule path_rule(std::string_view signing_service);

struct StringSigner;  // a derived key, ready to sign (aws/sigv4_key.h)

// Where the chunk signatures of an aws-chunked body start from.
struct Seed {
  Algorithm algorithm = Algorithm::HmacSha256;
  std::shared_ptr<const StringSigner> key;
  std::string timestamp;
  std::string scope;      // "20261121/us-east-1/s3/aws4_request"
  std::string signature;  // of the head
  // Of Payload::StreamingEvents only: its messages have times of their own, perhaps after midnight.
  std::string next_day = {};  // "20261122"
  std::shared_ptr<const StringSigner> next_day_key = {};
};

inline constexpr std::chrono::minutes kMaxClockSkew{15};

class Verifier {
 public:
  explicit Verifier(std::size_t max_keys = 1024);
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;
  ~Verifier();

  // Does `secret` belong to the signature, and was it made now (15 minutes either way; a presigned
  // one: not in the future and not past its expiry)? `body_sha256` is the hex hash of the body for
  // Payload::Absent (empty stands for an empty body); else it is not looked at: that the body
  // has the hash that Payload::Hash states is for the reader of the body to check.
  // Denied when the signature does not match or the time is off. Constant time in the signature.
  Result<> verify(const http::RequestHead& head, const SignedRequest& request, const Secret& secret,
                  TimePoint now, std::string_view body_sha256 = {});

  // For the chunk signatures that follow a head which verify() found right.
  Result<Seed> seed(const SignedRequest& request, const Secret& secret);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct SignInput {
  Algorithm algorithm = Algorithm::HmacSha256;
  std::string_view region;  // a region set, for EcdsaP256Sha256
  std::string_view service;
  TimePoint now{};
  Payload payload = Payload::Absent;
  // Hash: what x-amz-content-sha256 says; Absent: the body's hash (empty: no body), which is then
  // signed but sent only to S3. Not looked at for the other forms.
  std::string_view payload_hash;
  // The token goes as X-Amz-S3session-Token: credentials of S3's CreateSession, sign() only.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
  bool express_session = false;
};

// Of a presigned request to S3: each x-amz- parameter that is not of the signature becomes the
// header that it stands for. In a request that is signed in its head, readers may pass over such a
// parameter. InvalidInput for one that can be no header.
Result<> make_headers_of_parameters(http::RequestHead& head);

class Signer {
 public:
  explicit Signer(std::size_t max_keys = 1024);
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  // Makes `head` a request of `credentials`: the client's signature (header or query form), its
  // date, its tokens and the hop-by-hop fields (Connection and what it names, Keep-Alive,
  // Proxy-*, TE, Trailer, Upgrade; not Transfer-Encoding, which frames the body) go;
  // Authorization, X-Amz-Date, X-Amz-Security-Token and, where needed, X-Amz-Content-Sha256 come.
  // The Host field must already be the one that will be sent. Nothing may be changed afterwards
  // but unsigned fields (Connection, Expect, Transfer-Encoding, User-Agent...).
  Result<> sign(http::RequestHead& head, const Credentials& credentials, const SignInput& input);

  // Makes `head` a presigned request: everything in the query, no Authorization. Fields other than
  // Host are signed too when they are x-amz-*, Content-Type or Content-MD5.
  Result<> presign(http::RequestHead& head, const Credentials& credentials, const SignInput& input,
                   std::chrono::seconds expires);

  // For the chunk signatures of the request that sign() signed last.
  Seed seed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace remit::aws
