#include "aws/chunked.h"

#include <random>

#include "aws/corpus_for_tests.h"
#include "aws/sigv4_key.h"
#include "base/digest.h"

namespace remit::aws {
namespace {

constexpr std::string_view kScope = "20261121/us-east-1/s3/aws4_request";
constexpr std::string_view kEcdsaScope = "20261121/s3/aws4_request";

Seed seed(Algorithm algorithm, std::string_view secret) {
  Seed s;
  s.algorithm = algorithm;
  const bool hmac = algorithm == Algorithm::HmacSha256;
  s.key = hmac ? derive_hmac_key(Secret(secret), "20261121", "us-east-1", "s3")
               : derive_ecdsa_key("AKIAREMITAAAAAAAAAAA", Secret(secret));
  s.timestamp = "20261121T150405Z";
  s.scope = hmac ? kScope : kEcdsaScope;
  s.signature = std::string(64, 'a');
  return s;
}

Seed client(Algorithm a = Algorithm::HmacSha256) { return seed(a, "placeholder"); }
Seed ours(Algorithm a = Algorithm::HmacSha256) { return seed(a, "real"); }

// A client's side, written apart from the Reframer: chunks of the given sizes and a trailer.
std::string client_body(Seed s, const std::vector<std::string>& chunks, bool signed_form,
                        std::string_view trailer = {}) {
  const bool hmac = s.algorithm == Algorithm::HmacSha256;
  const std::string name = hmac ? "AWS4-HMAC-SHA256" : "AWS4-ECDSA-P256-SHA256";
  const auto sign = [&](const std::string& kind, const std::string& rest) {
    SignatureText out;
    s.key->sign(
        name + kind + "\n" + s.timestamp + "\n" + s.scope + "\n" + s.signature + "\n" + rest, out);
    s.signature = out.view();
    return s.signature + std::string(hmac ? 0 : 144 - s.signature.size(), '*');
  };
  std::string body;
  std::vector<std::string> all = chunks;
  all.push_back("");
  for (const std::string& chunk : all) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx", chunk.size());
    body += size;
    if (signed_form) {
      body += ";chunk-signature=" + sign("-PAYLOAD", sha256_hex("") + "\n" + sha256_hex(chunk));
    }
    body += "\r\n";
    if (!chunk.empty()) body += chunk + "\r\n";
  }
  if (!trailer.empty()) {
    body += std::string(trailer) + "\r\n";
    if (signed_form) {
      body +=
          "x-amz-trailer-signature:" + sign("-TRAILER", sha256_hex(std::string(trailer) + "\n")) +
          "\r\n";
    }
  }
  return body + "\r\n";
}

ReframeInput input(Payload payload, std::uint64_t decoded, Algorithm a = Algorithm::HmacSha256) {
  ReframeInput in;
  in.payload = payload;
  in.inbound = client(a);
  in.outbound = ours(a);
  in.decoded_length = decoded;
  const bool trailer = payload != Payload::StreamingHmac && payload != Payload::StreamingEcdsa;
  in.trailers = trailer ? "x-amz-checksum-crc32c" : "";
  return in;
}

struct Outcome {
  Result<> result;
  std::string out;
};

Outcome run(const ReframeInput& in, std::string_view body, std::size_t piece = std::string::npos) {
  auto reframer = Reframer::make(in);
  if (!reframer) return {std::unexpected(reframer.error()), ""};
  Outcome outcome;
  while (!body.empty()) {
    std::string out;
    const std::size_t take = std::min(piece, body.size());
    const auto state = reframer->feed(body.substr(0, take), out);
    if (!state) return {std::unexpected(state.error()), outcome.out};
    outcome.out += out;
    body.remove_prefix(take);
  }
  outcome.result = reframer->finish();
  return outcome;
}

std::string reason(const Outcome& outcome) {
  return outcome.result ? "" : outcome.result.error().message;
}

constexpr std::string_view kTrailer = "x-amz-checksum-crc32c:sOO8/Q==";

struct Form {
  Payload payload;
  Algorithm algorithm;
  bool trailer;
};
constexpr Form kForms[] = {
    {Payload::StreamingHmac, Algorithm::HmacSha256, false},
    {Payload::StreamingHmacTrailer, Algorithm::HmacSha256, true},
    {Payload::StreamingUnsignedTrailer, Algorithm::HmacSha256, true},
    {Payload::StreamingEcdsa, Algorithm::EcdsaP256Sha256, false},
    {Payload::StreamingEcdsaTrailer, Algorithm::EcdsaP256Sha256, true},
};

std::string body_of(const Form& form, const std::vector<std::string>& chunks) {
  return client_body(client(form.algorithm), chunks,
                     form.payload != Payload::StreamingUnsignedTrailer,
                     form.trailer ? kTrailer : "");
}

TEST(Reframer, CarriesEveryFormOverToOurSignaturesInTheSameSize) {
  const std::vector<std::string> chunks = {std::string(5000, 'a'), std::string(8192, 'b'), "c"};
  for (const Form& form : kForms) {
    const std::string body = body_of(form, chunks);
    const ReframeInput in = input(form.payload, 13193, form.algorithm);
    const Outcome first = run(in, body);
    ASSERT_EQ(reason(first), "") << name_of(form.payload);
    EXPECT_EQ(first.out.size(), body.size());
    // What comes out is right for our key: a second pass from our seed takes it.
    ReframeInput again = in;
    again.inbound = in.outbound;
    again.outbound = in.inbound;
    const Outcome second = run(again, first.out);
    EXPECT_EQ(reason(second), "") << name_of(form.payload);
    if (form.algorithm == Algorithm::HmacSha256) {
      EXPECT_EQ(second.out, body);
    }
    if (form.payload == Payload::StreamingUnsignedTrailer) {
      EXPECT_EQ(first.out, body);
    } else {
      EXPECT_NE(first.out, body);
    }
  }
}

TEST(Reframer, GivesTheSameWhereverTheBytesAreSplit) {
  const std::vector<std::string> chunks = {std::string(100, 'a'), std::string(31, 'b')};
  for (const Form& form : kForms) {
    if (form.algorithm != Algorithm::HmacSha256) continue;  // ECDSA's signatures are random
    const std::string body = body_of(form, chunks);
    const ReframeInput in = input(form.payload, 131);
    const std::string whole = run(in, body).out;
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u, 100u, 173u}) {
      const Outcome outcome = run(in, body, piece);
      EXPECT_EQ(reason(outcome), "");
      EXPECT_EQ(outcome.out, whole) << piece;
    }
  }
}

TEST(Reframer, NeverHandsOnAByteOfAChunkThatIsNotRight) {
  const std::vector<std::string> chunks = {std::string(64, 'a'), std::string(64, 'b')};
  for (const Form& form : kForms) {
    if (form.payload == Payload::StreamingUnsignedTrailer) continue;
    const std::string good = body_of(form, chunks);
    const ReframeInput in = input(form.payload, 128, form.algorithm);
    const std::size_t first_chunk = good.find('b', good.find("\r\naaaa") + 60) - 1;
    const std::size_t step = form.algorithm == Algorithm::HmacSha256 ? 1 : 13;
    for (std::size_t i = 0; i < good.size(); i += step) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      const Outcome outcome = run(in, bad, 50);
      EXPECT_FALSE(outcome.result) << i << " of " << name_of(form.payload);
      if (i < good.find("\r\naaaa") + 60) {
        EXPECT_EQ(outcome.out, "") << i;
      } else if (i > first_chunk) {
        EXPECT_LT(outcome.out.size(), good.size());
      }
    }
  }
}

TEST(Reframer, RefusesChunksThatAreSwappedDroppedOrRepeated) {
  const Form form = kForms[0];
  const std::string a(64, 'a'), b(64, 'b');
  const std::string good = body_of(form, {a, b});
  const std::size_t size = 2 + 17 + 64 + 2 + 64 + 2;
  const std::string first = good.substr(0, size), second = good.substr(size, size),
                    end = good.substr(2 * size);
  EXPECT_TRUE(run(input(form.payload, 128), first + second + end).result);
  EXPECT_FALSE(run(input(form.payload, 128), second + first + end).result);
  EXPECT_FALSE(run(input(form.payload, 64), second + end).result);
  EXPECT_FALSE(run(input(form.payload, 64), first + end).result);
  EXPECT_FALSE(run(input(form.payload, 192), first + first + second + end).result);
}

TEST(Reframer, RefusesWrongLengthsAndFraming) {
  const std::string hash(64, 'a');
  const struct {
    Payload payload;
    std::uint64_t decoded;
    std::string body;
    const char* reason;
  } cases[] = {
      {Payload::StreamingUnsignedTrailer, 4, "5\r\nhello\r\n", "more than"},
      {Payload::StreamingUnsignedTrailer, 6, "5\r\nhello\r\n0\r\n", "less than"},
      {Payload::StreamingUnsignedTrailer, 5, "5\r\nhelloX", "CRLF"},
      {Payload::StreamingUnsignedTrailer, 5, "5\nhello", "CRLF"},
      {Payload::StreamingUnsignedTrailer, 5, "5;a=b\r\nhello", "size is malformed"},
      {Payload::StreamingUnsignedTrailer, 5, "-5\r\nhello", "size is malformed"},
      {Payload::StreamingUnsignedTrailer, 5, "\r\nhello", "size is malformed"},
      {Payload::StreamingUnsignedTrailer, 5, "0x5\r\nhello", "size is malformed"},
      {Payload::StreamingUnsignedTrailer, 5, "fffffffffffffff\r\n", "more than"},
      {Payload::StreamingUnsignedTrailer, 5, "ffffffffffffffff\r\n", "size is malformed"},
      {Payload::StreamingUnsignedTrailer, 5, std::string(300, '0'), "too long"},
      {Payload::StreamingUnsignedTrailer, 0, "0\r\n\r\n", "is missing"},
      {Payload::StreamingUnsignedTrailer, 0, "0\r\nx-amz-meta-a:b\r\n\r\n", "not announced"},
      {Payload::StreamingUnsignedTrailer, 0,
       "0\r\nx-amz-checksum-crc32c:a\r\nX-Amz-Checksum-Crc32c:a\r\n\r\n", "twice"},
      {Payload::StreamingUnsignedTrailer, 0, "0\r\nnonsense\r\n\r\n", "malformed"},
      {Payload::StreamingUnsignedTrailer, 0, "0\r\nx-amz-checksum-crc32c:a\r\n\r\nmore", "goes on"},
      {Payload::StreamingUnsignedTrailer, 0, "0\r\nx-amz-checksum-crc32c:a\r\n", "in the middle"},
      {Payload::StreamingUnsignedTrailer, 0, "", "in the middle"},
      {Payload::StreamingHmac, 5, "5\r\nhello\r\n", "no chunk-signature"},
      {Payload::StreamingHmac, 5, "5;chunk-signature=abc\r\nhello\r\n", "no chunk-signature"},
      {Payload::StreamingHmac, 5, "5;chunk-signature=" + hash + "\r\nhello\r\n", "does not match"},
      {Payload::StreamingHmac, 1 << 26, "2000000;chunk-signature=" + hash + "\r\n", "are held"},
  };
  for (const auto& [payload, decoded, body, wanted] : cases) {
    const Outcome outcome = run(input(payload, decoded), body);
    ASSERT_FALSE(outcome.result) << body;
    EXPECT_NE(reason(outcome).find(wanted), std::string::npos)
        << reason(outcome) << " for " << body;
  }
}

TEST(Reframer, RefusesTrailersThatAreNotSigned) {
  const Form form = kForms[1];
  std::string body = body_of(form, {"hello"});
  const auto at = body.find("x-amz-trailer-signature");
  body.replace(at, body.size() - at, "\r\n");
  EXPECT_NE(reason(run(input(form.payload, 5), body)).find("not signed"), std::string::npos);
}

TEST(Reframer, PassesAnEmptyBody) {
  for (const Form& form : kForms) {
    EXPECT_EQ(reason(run(input(form.payload, 0, form.algorithm), body_of(form, {}))), "");
  }
}

// The worked examples of the S3 documentation.
TEST(StreamingVectors, EveryChunkAndTrailerSignatureIsTheDocumentedOne) {
  const auto path = corpus::sigv4() / "s3-streaming-vectors.json";
  const auto document = json::parse(corpus::read(path));
  if (!document) GTEST_SKIP() << "no corpus at " << path;
  const auto text = [](json::Value v, std::string_view key) {
    return std::string(v.find(key)->string());
  };
  int vectors = 0;
  for (const json::Value v : document->root().elements()) {
    Credentials credentials;
    credentials.access_key_id = text(*v.find("credentials"), "access_key_id");
    credentials.secret_access_key = Secret(text(*v.find("credentials"), "secret_access_key"));
    http::RequestHead head{text(v, "method"), text(v, "path"), 11, {}};
    for (const auto& member : v.find("headers")->members()) {
      if (member.key == "x-amz-content-sha256" || member.key == "x-amz-date") continue;
      head.fields.push_back({std::string(member.key), std::string(member.value.string())});
    }
    const std::string form = text(*v.find("headers"), "x-amz-content-sha256");
    const Payload payload =
        form.ends_with("-TRAILER") ? Payload::StreamingHmacTrailer : Payload::StreamingHmac;
    EXPECT_EQ(form, name_of(payload));
    const TimePoint now = *parse_amz_date(text(v, "timestamp"));
    Signer signer;
    ASSERT_TRUE(signer.sign(
        head, credentials,
        {Algorithm::HmacSha256, text(v, "region"), text(v, "service"), now, payload, {}}));
    EXPECT_EQ(signer.seed().signature, text(v, "seed_signature"));

    std::string body;
    for (const json::Value chunk : v.find("chunks")->elements()) {
      const json::Value data = *chunk.find("data");
      const auto count = static_cast<std::size_t>(*data.find("count")->as_int64());
      body += text(chunk, "header");
      if (count > 0) body += std::string(count, text(data, "byte")[0]) + "\r\n";
    }
    if (const auto trailer = v.find("trailer")) {
      std::string line = text(*trailer, "text");
      line.pop_back();
      body += line + "\r\nx-amz-trailer-signature:" + text(*trailer, "signature") + "\r\n";
    }
    body += "\r\n";
    if (v.find("encoded_length")) {
      EXPECT_EQ(static_cast<std::int64_t>(body.size()), *v.find("encoded_length")->as_int64());
    }

    // Verified with the documented key and signed again with it: nothing may change.
    ReframeInput in;
    in.payload = payload;
    const auto read = parse_signed(head);
    ASSERT_TRUE(read) << read.error().message;
    Verifier verifier;
    ASSERT_TRUE(verifier.verify(head, *read, credentials.secret_access_key, now));
    in.inbound = *verifier.seed(*read, credentials.secret_access_key);
    in.outbound = signer.seed();
    in.decoded_length = *read->decoded_content_length;
    in.trailers = read->trailers;
    const Outcome outcome = run(in, body, 1000);
    EXPECT_EQ(reason(outcome), "");
    EXPECT_TRUE(outcome.out == body);
    ++vectors;
  }
  EXPECT_EQ(vectors, 2);
}

}  // namespace
}  // namespace remit::aws
