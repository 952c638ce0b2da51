#include "aws/sigv4.h"

#include <functional>
#include <random>

#include "aws/sigv4_canonical.h"
#include "aws/sigv4_key.h"
#include "base/digest.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

const TimePoint kSigningTime = *parse_amz_date("20261121T150405Z");

Credentials credentials(std::string token = "") {
  Credentials c;
  c.access_key_id = "AKIAREMITAAAAAAAAAAA";
  c.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  c.session_token = Secret(token);
  return c;
}

http::RequestHead s3_put() {
  return {"PUT",
          "/bucket/a%20key/%C3%A9?partNumber=1&uploadId=a%2Bb",
          11,
          {{"Host", "127.0.0.1:4000"},
           {"Content-Type", "text/plain"},
           {"X-Amz-Meta-Colour", "blue  and   green"},
           {"User-Agent", "aws-cli/2.9.19"}}};
}

SignInput s3_input(Payload payload = Payload::Unsigned) {
  return {Algorithm::HmacSha256, "us-east-1", "s3", kSigningTime, payload, {}};
}

http::RequestHead signed_put() {
  http::RequestHead head = s3_put();
  Signer signer;
  EXPECT_TRUE(signer.sign(head, credentials(), s3_input()));
  return head;
}

Result<> verify_at(const http::RequestHead& head, TimePoint now, std::string_view hash = {}) {
  REMIT_TRY(const SignedRequest request, parse_signed(head));
  Verifier verifier;
  return verifier.verify(head, request, credentials().secret_access_key, now, hash);
}

std::string reason(const Result<>& result) { return result ? "" : result.error().message; }

void set_field(http::RequestHead& head, std::string_view name, std::string value) {
  http::set(head.fields, name, std::move(value));
}

TEST(SigV4, WhatTheSignerSignsTheVerifierTakes) {
  for (const char* service : {"s3", "dynamodb", "s3express", "execute-api"}) {
    for (const Algorithm algorithm : {Algorithm::HmacSha256, Algorithm::EcdsaP256Sha256}) {
      for (const std::string token : {"", "FwoGZXIvYXdzEBYaD..."}) {
        http::RequestHead head = s3_put();
        const std::string hash = sha256_hex("body");
        Signer signer;
        const SignInput input{algorithm, "us-east-1", service, kSigningTime, Payload::Hash, hash};
        ASSERT_TRUE(signer.sign(head, credentials(token), input));
        EXPECT_EQ(reason(verify_at(head, kSigningTime)), "") << service;
        const auto read = parse_signed(head);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->service, service);
        EXPECT_EQ(read->payload, Payload::Hash);
        EXPECT_EQ(read->payload_hash, hash);
        EXPECT_EQ(read->algorithm, algorithm);
        EXPECT_EQ(read->time, kSigningTime);
      }
    }
  }
}

TEST(SigV4, APresignedRequestIsTakenUntilItExpires) {
  http::RequestHead head = s3_put();
  Signer signer;
  ASSERT_TRUE(signer.presign(head, credentials("token+/="), s3_input(), std::chrono::minutes(60)));
  const auto read = parse_signed(head);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->placement, Placement::Query);
  EXPECT_EQ(read->payload, Payload::Unsigned);
  EXPECT_EQ(*read->expires, std::chrono::minutes(60));
  EXPECT_EQ(reason(verify_at(head, kSigningTime)), "");
  EXPECT_EQ(reason(verify_at(head, kSigningTime + std::chrono::minutes(60))), "");
  EXPECT_NE(reason(verify_at(head, kSigningTime + std::chrono::minutes(61))).find("expired"),
            std::string::npos);
  EXPECT_NE(reason(verify_at(head, kSigningTime - std::chrono::minutes(16))), "");
}

TEST(SigV4, APresignedRequestIsResignedInHeaderForm) {
  http::RequestHead head = s3_put();
  const std::string before = head.target;
  Signer signer;
  ASSERT_TRUE(signer.presign(head, credentials(), s3_input(), std::chrono::minutes(5)));
  ASSERT_TRUE(signer.sign(head, credentials("real-token"), s3_input()));
  EXPECT_EQ(head.target, before);
  EXPECT_EQ(reason(verify_at(head, kSigningTime)), "");
}

TEST(SigV4, RefusesATimeMoreThanFifteenMinutesOff) {
  const http::RequestHead head = signed_put();
  EXPECT_EQ(reason(verify_at(head, kSigningTime + std::chrono::minutes(15))), "");
  EXPECT_EQ(reason(verify_at(head, kSigningTime - std::chrono::minutes(15))), "");
  EXPECT_NE(reason(verify_at(head, kSigningTime + std::chrono::minutes(16))), "");
  EXPECT_NE(reason(verify_at(head, kSigningTime - std::chrono::minutes(16))), "");
}

TEST(SigV4, SignsTheBodyOfARequestThatDoesNotStateItsHash) {
  http::RequestHead head{"POST", "/", 11, {{"Host", "h"}, {"X-Amz-Target", "DynamoDB.GetItem"}}};
  const std::string hash = sha256_hex("{}");
  const SignInput input{Algorithm::HmacSha256, "us-east-1",     "dynamodb",
                        kSigningTime,          Payload::Absent, hash};
  Signer signer;
  ASSERT_TRUE(signer.sign(head, credentials(), input));
  EXPECT_EQ(http::find(head.fields, "x-amz-content-sha256"), nullptr);
  EXPECT_EQ(reason(verify_at(head, kSigningTime, hash)), "");
  EXPECT_NE(reason(verify_at(head, kSigningTime, sha256_hex("{ }"))), "");
  EXPECT_NE(reason(verify_at(head, kSigningTime)), "");
}

TEST(SigV4, FlippingAnyByteOfWhatIsSignedBreaksTheSignature) {
  const http::RequestHead good = signed_put();
  const auto read = parse_signed(good);
  ASSERT_TRUE(read);
  const auto broken = [&](const http::RequestHead& head) {
    // The key id is not signed: it is how the caller finds the secret.
    const auto other = parse_signed(head);
    if (other && other->access_key_id != read->access_key_id) return;
    EXPECT_FALSE(verify_at(head, kSigningTime)) << head.method << " " << head.target;
  };
  const auto flip_all = [&](std::function<std::string&(http::RequestHead&)> part,
                            std::size_t from = 0) {
    http::RequestHead copy = good;
    const std::size_t size = part(copy).size();
    for (std::size_t i = from; i < size; ++i) {
      for (const char mask : {'\x01', '\x02', '\x10'}) {
        copy = good;
        char& c = part(copy)[i];
        c = static_cast<char>(c ^ mask);
        broken(copy);
      }
    }
  };
  flip_all([](auto& h) -> std::string& { return h.method; });
  flip_all([](auto& h) -> std::string& { return h.target; });
  for (std::size_t i = 0; i < good.fields.size(); ++i) {
    const bool is_signed =
        read->signed_headers.find(lower_ascii(good.fields[i].name)) != std::string_view::npos;
    const bool authorization = good.fields[i].name == "Authorization";
    if (is_signed || authorization) {
      flip_all([i](auto& h) -> std::string& { return h.fields[i].value; });
    }
  }
}

TEST(SigV4, AnyRequestSignedIsTakenAndTakenOnlyAsItWas) {
  std::mt19937 random(7);
  const auto text = [&random](std::string_view alphabet, std::size_t most) {
    std::string out;
    for (std::size_t n = random() % (most + 1); n > 0; --n)
      out += alphabet[random() % alphabet.size()];
    return out;
  };
  constexpr std::string_view kPath = "abcXYZ019-._~/%2F%20!$'()*,;:@";
  constexpr std::string_view kValue = "abc XYZ,;=\"\t019";
  const std::string hash = sha256_hex("b");
  Signer signer;
  Verifier verifier;
  int signed_requests = 0;
  for (int round = 0; round < 2000; ++round) {
    http::RequestHead head{"GET",
                           "/" + text(kPath, 20) + "?" + text(kPath, 10) + "=" + text(kPath, 10) +
                               "&" + text(kPath, 5),
                           11,
                           {{"Host", "a.example"},
                            {"x-amz-meta-a", text(kValue, 20)},
                            {"b", text(kValue, 9)},
                            {"B", text(kValue, 9)}}};
    if (!split_target(head.target)) continue;
    const char* service = random() % 2 == 0 ? "s3" : "sqs";
    const SignInput input{Algorithm::HmacSha256, "us-east-1",   service,
                          kSigningTime,          Payload::Hash, hash};
    ASSERT_TRUE(signer.sign(head, credentials(), input));
    const auto read = parse_signed(head);
    ASSERT_TRUE(read) << head.target << " " << read.error().message;
    EXPECT_TRUE(verifier.verify(head, *read, credentials().secret_access_key, kSigningTime))
        << head.target;
    ++signed_requests;
    head.target += "x";
    const auto other = parse_signed(head);
    ASSERT_TRUE(other);
    EXPECT_FALSE(verifier.verify(head, *other, credentials().secret_access_key, kSigningTime))
        << head.target;
  }
  EXPECT_GT(signed_requests, 500);
}

TEST(ParseSigned, RefusesWithAReason) {
  using Edit = std::function<void(http::RequestHead&)>;
  const struct {
    const char* reason;
    Edit edit;
  } cases[] = {
      {"not signed", [](auto& h) { http::remove(h.fields, "Authorization"); }},
      {"signed twice", [](auto& h) { h.target += "&X-Amz-Signature=aa"; }},
      {"parts of a signature in the query", [](auto& h) { h.target += "&X-Amz-Expires=5"; }},
      {"in another way", [](auto& h) { h.target += "&x-amz-signature=aa"; }},
      {"in another way", [](auto& h) { h.target += "&X-Amz-Sig%6eature=aa"; }},
      {"field authorization twice",
       [](auto& h) { h.fields.push_back({"authorization", "AWS4-HMAC-SHA256 x"}); }},
      {"field host twice", [](auto& h) { h.fields.push_back({"HOST", "b"}); }},
      {"field x-amz-date twice", [](auto& h) { h.fields.push_back({"x-amz-date", "x"}); }},
      {"field content-length twice",
       [](auto& h) {
         h.fields.push_back({"Content-Length", "1"});
         h.fields.push_back({"Content-Length", "1"});
       }},
      {"no field Host", [](auto& h) { http::remove(h.fields, "Host"); }},
      {"no field X-Amz-Date", [](auto& h) { http::remove(h.fields, "X-Amz-Date"); }},
      {"before 4", [](auto& h) { set_field(h, "Authorization", "AWS AKID:c2ln"); }},
      {"before 4", [](auto& h) { set_field(h, "Authorization", "AWS3-HTTPS AWSAccessKeyId=a"); }},
      {"scheme", [](auto& h) { set_field(h, "Authorization", "Bearer abc"); }},
      {"scheme", [](auto& h) { set_field(h, "Authorization", ""); }},
      {"version 2", [](auto& h) { h.target += "&AWSAccessKeyId=a&Signature=b&Expires=1"; }},
      {"version 2", [](auto& h) { h.target += "&SignatureVersion=2"; }},
      {"form upload",
       [](auto& h) {
         http::remove(h.fields, "Authorization");
         set_field(h, "Content-Type", "multipart/form-data; boundary=x");
       }},
      {"neither 64", [](auto& h) { set_field(h, "X-Amz-Content-Sha256", "STREAMING-NEW"); }},
      {"is empty", [](auto& h) { set_field(h, "X-Amz-Content-Sha256", ""); }},
      {"not signed", [](auto& h) { h.fields.push_back({"x-amz-acl", "public-read"}); }},
      {"names x-amz-copy-source",
       [](auto& h) { h.fields.push_back({"Connection", "close, x-amz-copy-source"}); }},
      {"another day", [](auto& h) { set_field(h, "X-Amz-Date", "20261122T000000Z"); }},
      {"X-Amz-Date", [](auto& h) { set_field(h, "X-Amz-Date", "yesterday"); }},
      {"'+'", [](auto& h) { h.target += "&prefix=a+b"; }},
      {"'%'", [](auto& h) { h.target += "&prefix=%zz"; }},
      {"must be a path", [](auto& h) { h.target = "http://a/b"; }},
      {"must be a path", [](auto& h) { h.target = "*"; }},
      {"Decoded-Content-Length",
       [](auto& h) { h.fields.push_back({"x-amz-decoded-content-length", "5"}); }},
      {"without X-Amz-Decoded",
       [](auto& h) { set_field(h, "X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"); }},
      {"another algorithm",
       [](auto& h) {
         set_field(h, "X-Amz-Content-Sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD");
       }},
      {"X-Amz-Trailer",
       [](auto& h) { h.fields.push_back({"x-amz-trailer", "x-amz-checksum-crc32"}); }},
  };
  for (const auto& [wanted, edit] : cases) {
    http::RequestHead head = signed_put();
    edit(head);
    const auto read = parse_signed(head);
    ASSERT_FALSE(read) << wanted;
    EXPECT_EQ(read.error().code, ErrorCode::InvalidInput);
    EXPECT_NE(read.error().message.find(wanted), std::string::npos) << read.error().message;
  }
}

TEST(ParseSigned, RefusesAMalformedAuthorization) {
  const std::string hex(64, 'a');
  const std::string c = "Credential=AK/20261121/us-east-1/s3/aws4_request";
  const std::string h = "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-colour";
  const std::string s = "Signature=" + hex;
  const std::string a = "AWS4-HMAC-SHA256 ";
  for (const std::string& text : {
           a,
           a + c,
           a + c + ", " + h,
           a + c + ", " + h + ", " + s + ", " + s,
           a + c + ", " + h + ", Signature=" + hex.substr(1),
           a + c + ", " + h + ", Signature=" + std::string(64, 'A'),
           a + "Credential=AK/2026112/us-east-1/s3/aws4_request, " + h + ", " + s,
           a + "Credential=AK/20261121/us-east-1/s3/aws4_request/x, " + h + ", " + s,
           a + "Credential=AK/20261121/us-east-1/s3, " + h + ", " + s,
           a + "Credential=/20261121/us-east-1/s3/aws4_request, " + h + ", " + s,
           a + "Credential=AK/20261121//s3/aws4_request, " + h + ", " + s,
           a + "Credential=AK/20261121/us-east-1/s3/aws5_request, " + h + ", " + s,
           a + c + ", SignedHeaders=x-amz-date, " + s,
           a + c + ", SignedHeaders=, " + s,
           a + c + ", SignedHeaders=x-amz-date;host, " + s,
           a + c + ", SignedHeaders=host;host;x-amz-date, " + s,
           a + c + ", SignedHeaders=Host;x-amz-date, " + s,
           a + c + ", SignedHeaders=host;, " + s,
           a + c + ", SignedHeaders=;host, " + s,
           a + c + ", Other=1, " + h + ", " + s,
       }) {
    http::RequestHead head = signed_put();
    set_field(head, "Authorization", text);
    EXPECT_FALSE(parse_signed(head)) << text;
  }
  http::RequestHead head = signed_put();
  set_field(head, "Authorization", a + c + "," + h + "," + s);
  EXPECT_TRUE(parse_signed(head));
}

TEST(ParseSigned, ReadsEveryFormOfTheBody) {
  const struct {
    Payload payload;
    Algorithm algorithm;
    bool chunked;
  } cases[] = {{Payload::Unsigned, Algorithm::HmacSha256, false},
               {Payload::StreamingHmac, Algorithm::HmacSha256, true},
               {Payload::StreamingHmacTrailer, Algorithm::HmacSha256, true},
               {Payload::StreamingUnsignedTrailer, Algorithm::HmacSha256, true},
               {Payload::StreamingUnsignedTrailer, Algorithm::EcdsaP256Sha256, true},
               {Payload::StreamingEcdsa, Algorithm::EcdsaP256Sha256, true},
               {Payload::StreamingEcdsaTrailer, Algorithm::EcdsaP256Sha256, true},
               {Payload::StreamingEvents, Algorithm::HmacSha256, false}};
  for (const auto& [payload, algorithm, chunked] : cases) {
    http::RequestHead head = s3_put();
    if (chunked) head.fields.push_back({"x-amz-decoded-content-length", "66560"});
    SignInput input = s3_input(payload);
    input.algorithm = algorithm;
    Signer signer;
    ASSERT_TRUE(signer.sign(head, credentials(), input));
    const auto read = parse_signed(head);
    ASSERT_TRUE(read) << name_of(payload) << read.error().message;
    EXPECT_EQ(read->payload, payload);
    EXPECT_EQ(is_aws_chunked(payload), chunked);
    EXPECT_EQ(read->decoded_content_length.has_value(), chunked);
    EXPECT_EQ(reason(verify_at(head, kSigningTime)), "");
  }
}

TEST(ParseSigned, SurvivesBeingMoved) {
  http::RequestHead head = s3_put();
  Signer signer;
  ASSERT_TRUE(signer.presign(head, credentials(), s3_input(), std::chrono::minutes(5)));
  auto read = parse_signed(head);
  ASSERT_TRUE(read);
  SignedRequest moved = std::move(*read);
  EXPECT_EQ(moved.access_key_id, "AKIAREMITAAAAAAAAAAA");
  EXPECT_EQ(moved.service, "s3");
}

TEST(HasSignature, SeesEverythingThatLooksLikeOne) {
  const http::RequestHead plain{"GET", "/v1/?x=1", 11, {{"Host", "h"}}};
  EXPECT_FALSE(has_signature(plain));
  for (const char* query : {"X-Amz-Signature=a", "x-amz-credential=a", "AWSAccessKeyId=a",
                            "%58-Amz-Signature=a", "a=b&X-Amz-Security-Token=a"}) {
    http::RequestHead head = plain;
    head.target = std::string("/?") + query;
    EXPECT_TRUE(has_signature(head)) << query;
  }
  for (const char* name : {"Authorization", "x-amz-security-token"}) {
    http::RequestHead head = plain;
    head.fields.push_back({name, "x"});
    EXPECT_TRUE(has_signature(head)) << name;
  }
}

TEST(Signer, TakesOffTheClientsSignatureAndWhatIsHopByHop) {
  http::RequestHead head = s3_put();
  Signer signer;
  ASSERT_TRUE(signer.sign(head, credentials("placeholder-token"), s3_input()));
  head.fields.push_back({"Connection", "keep-alive"});
  head.fields.push_back({"Keep-Alive", "timeout=5"});
  head.fields.push_back({"TE", "trailers"});
  head.fields.push_back({"Proxy-Authorization", "Basic x"});
  head.fields.push_back({"X-Amz-S3session-Token", "x"});
  head.fields.push_back({"Transfer-Encoding", "chunked"});
  Credentials real = credentials();
  real.access_key_id = "ASIAREAL";
  ASSERT_TRUE(signer.sign(head, real, s3_input()));
  for (const char* name : {"Connection", "Keep-Alive", "TE", "Proxy-Authorization",
                           "X-Amz-S3session-Token", "X-Amz-Security-Token"}) {
    EXPECT_EQ(http::count(head.fields, name), 0u) << name;
  }
  for (const char* name : {"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "Host",
                           "Transfer-Encoding", "User-Agent"}) {
    EXPECT_EQ(http::count(head.fields, name), 1u) << name;
  }
  EXPECT_EQ(parse_signed(head)->access_key_id, "ASIAREAL");
  EXPECT_EQ(parse_signed(head)->signed_headers,
            "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-colour");
}

TEST(Signer, DoesNotReuseAKeyForAnotherSecretOfTheSameId) {
  Signer signer;
  http::RequestHead first = s3_put();
  ASSERT_TRUE(signer.sign(first, credentials(), s3_input()));
  Credentials other = credentials();
  other.secret_access_key = Secret("another");
  http::RequestHead second = s3_put();
  ASSERT_TRUE(signer.sign(second, other, s3_input()));
  EXPECT_NE(http::find(first.fields, "authorization")->value,
            http::find(second.fields, "authorization")->value);
}

// Strings that begin alike, that do not, that are shorter than a block: in any order, and at every
// length of the padding.
TEST(HmacKey, SignsAsHmacDoesWhateverWasSignedBefore) {
  for (const std::size_t key_size : {0u, 1u, 32u, 63u, 64u, 65u, 200u}) {
    const std::string secret(key_size, 'k');
    HmacKey key(secret);
    for (std::size_t size = 0; size < 200; ++size) {
      for (const char first : {'a', 'b', 'a'}) {
        std::string message(size, 'a');
        if (!message.empty()) message[size / 2] = first;
        Digest made;
        key.sign(message, made);
        ASSERT_EQ(made, hmac_sha256(secret, message)) << key_size << ' ' << size << ' ' << first;
      }
    }
  }
}

TEST(PlainSha256, OfAWholeMessageIsAsOfItsPieces) {
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string message(size, 'm');
    Digest whole;
    PlainSha256::of(message, whole);
    ASSERT_EQ(whole, sha256(message)) << size;
  }
}

// Wrong in one bit at any place, or of another length: not the signature.
TEST(StringSigner, TakesOneSignatureOnly) {
  const auto signer = derive_hmac_key(Secret("s"), "20261121", "us-east-1", "s3");
  SignatureText right;
  signer->sign("text", right);
  EXPECT_TRUE(signer->verify("text", right.view()));
  for (std::size_t i = 0; i < right.view().size(); ++i) {
    std::string wrong(right.view());
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_FALSE(signer->verify("text", wrong)) << i;
    EXPECT_FALSE(signer->verify("text", right.view().substr(0, i))) << i;
  }
  EXPECT_FALSE(signer->verify("text", std::string(right.view()) + "0"));
}

TEST(KeyCache, GivesTheKeyThatWasAskedForInAnyOrder) {
  KeyCache cache(4);
  const auto sign = [](const StringSigner& signer) {
    SignatureText text;
    signer.sign("text", text);
    return std::string(text.view());
  };
  for (int i = 0; i < 300; ++i) {
    const std::string id = "AKID" + std::to_string(i * 7 % 11);
    const std::string day = i % 3 == 0 ? "20261121" : "20261122";
    const Secret secret(i % 5 == 0 ? "one" : "another");
    const std::string credential = id + "/" + day + "/us-east-1/s3/aws4_request";
    const auto& key =
        cache.get(Algorithm::HmacSha256, {credential, id, day, "us-east-1", "s3"}, secret);
    ASSERT_EQ(sign(*key), sign(*derive_hmac_key(secret, day, "us-east-1", "s3"))) << i;
  }
}

TEST(KeyCache, StaysBounded) {
  KeyCache cache(16);
  const Secret secret("s");
  for (int i = 0; i < 1000; ++i) {
    const std::string id = "AKID" + std::to_string(i);
    const std::string credential = id + "/20261121/us-east-1/s3/aws4_request";
    cache.get(Algorithm::HmacSha256, {credential, id, "20261121", "us-east-1", "s3"}, secret);
  }
  EXPECT_LE(cache.size(), 18u);
}

TEST(CanonicalPath, IsAsS3AndTheOthersWantIt) {
  const struct {
    const char* path;
    const char* as_sent;
    const char* normalised;
  } cases[] = {{"/", "/", "/"},
               {"/a b", "/a%20b", "/a%20b"},
               {"/a%20b", "/a%20b", "/a%2520b"},
               {"/a%2fb", "/a%2Fb", "/a%252fb"},
               {"/a//b/./c/../d", "/a//b/./c/../d", "/a/b/d"},
               {"/../..", "/../..", "/"},
               {"/a/..", "/a/..", "/"},
               {"/a/b/", "/a/b/", "/a/b/"},
               {"/%7Ea", "/~a", "/%257Ea"},
               {"/a/./", "/a/./", "/a/"}};
  for (const auto& [path, as_sent, normalised] : cases) {
    std::string s3, other;
    append_canonical_path(s3, path, PathRule::AsSent);
    append_canonical_path(other, path, PathRule::Normalised);
    EXPECT_EQ(s3, as_sent);
    EXPECT_EQ(other, normalised);
  }
}

TEST(CanonicalQuery, IsSortedByEncodedNameThenValue) {
  const struct {
    const char* query;
    const char* canonical;
  } cases[] = {{"", ""},
               {"acl", "acl="},
               {"b=2&a=1", "a=1&b=2"},
               {"a=2&a=1&a", "a=&a=1&a=2"},
               {"&&a=1&", "a=1"},
               {"a-b=1&a=2", "a=2&a-b=1"},
               {"a=b=c", "a=b%3Dc"},
               {"a=%2f%7e:", "a=%2F~%3A"}};
  for (const auto& [query, canonical] : cases) {
    std::string out;
    CanonicalQuery().append(out, query);
    EXPECT_EQ(out, canonical);
  }
}

}  // namespace
}  // namespace remit::aws
