// The published vectors: https://github.com/awslabs/aws-c-auth (header and query forms, SigV4 and
// SigV4A), https://github.com/boto/botocore (the older suite).

#include <algorithm>
#include <filesystem>

#include "aws/corpus_for_tests.h"
#include "aws/sigv4.h"
#include "aws/sigv4_canonical.h"
#include "aws/sigv4_key.h"
#include "base/digest.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

namespace fs = std::filesystem;

struct Vector {
  fs::path folder;
  std::string name;
  Credentials credentials;
  std::string region, service;
  TimePoint now{};
  bool sign_body = false;
  bool omit_token = false;
  http::RequestHead request;
  std::string body;

  std::string file(std::string_view which) const { return corpus::read(folder / which); }
  SignInput input(Algorithm algorithm) const {
    return {algorithm, region, service, now, Payload::Absent, {}};
  }
};

std::string text_of(json::Value object, std::string_view key) {
  const auto value = object.find(key);
  return value ? std::string(value->string()) : "";
}

bool flag_of(json::Value object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->boolean();
}

Vector load(const fs::path& folder) {
  const auto document = json::parse(corpus::read(folder / "context.json"));
  const json::Value context = document->root();
  const json::Value keys = *context.find("credentials");
  Vector v;
  v.folder = folder;
  v.name = folder.filename();
  v.credentials.access_key_id = text_of(keys, "access_key_id");
  v.credentials.secret_access_key = Secret(text_of(keys, "secret_access_key"));
  v.credentials.session_token = Secret(text_of(keys, "token"));
  v.region = text_of(context, "region");
  v.service = text_of(context, "service");
  v.now = *parse_iso8601(text_of(context, "timestamp"));
  v.sign_body = flag_of(context, "sign_body");
  v.omit_token = flag_of(context, "omit_session_token");
  v.request = corpus::parse_request(corpus::read(folder / "request.txt"), &v.body);
  return v;
}

bool normalizes(const fs::path& folder) {
  return flag_of(json::parse(corpus::read(folder / "context.json"))->root(), "normalize");
}

std::vector<fs::path> folders(const fs::path& of) {
  std::vector<fs::path> found;
  if (!fs::exists(of)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(of)) {
    if (entry.path().filename() == "context.json" &&
        fs::exists(entry.path().parent_path() / "header-signature.txt")) {
      found.push_back(entry.path().parent_path());
    }
  }
  std::ranges::sort(found);
  return found;
}

// The canonical request of a signed head, from the same pieces that Signer and Verifier use.
std::string canonical_of(const http::RequestHead& head, PathRule rule,
                         std::string_view signed_headers, std::string_view hash) {
  const SplitTarget target = *split_target(head.target);
  std::string out = head.method + "\n";
  append_canonical_path(out, target.path, rule);
  out.push_back('\n');
  CanonicalQuery query;
  query.append(out, target.query, "X-Amz-Signature");
  out.push_back('\n');
  EXPECT_TRUE(append_signed(out, head.fields, signed_headers));
  return out.append("\n").append(signed_headers).append("\n").append(hash);
}

// "host;x-amz-date" stands in the last line but one of a canonical request, the hash in the last.
std::string_view line_from_end(std::string_view text, int which) {
  while (which-- > 0) text = text.substr(0, text.rfind('\n'));
  return text.substr(text.rfind('\n') + 1);
}

std::string field(const http::RequestHead& head, std::string_view name) {
  const http::Field* found = http::find(head.fields, name);
  return found == nullptr ? "" : found->value;
}

// The token that is put beside a signature that does not cover it.
void remove_token(http::RequestHead& head) {
  const auto token = head.target.find("&X-Amz-Security-Token=");
  head.target.erase(token, head.target.find('&', token + 1) - token);
}

std::string signature_in(std::string_view authorization) {
  return std::string(authorization.substr(authorization.rfind('=') + 1));
}

TEST(SigV4Vectors, CanonicalRequestsAndStringsToSignOfBothFormsAreEqual) {
  const auto v4 = folders(corpus::sigv4() / "aws-c-auth" / "v4");
  if (v4.empty()) GTEST_SKIP() << "no corpus at " << corpus::sigv4();
  EXPECT_EQ(v4.size(), 38u);
  for (const char* kind : {"v4", "v4a"}) {
    for (const fs::path& folder : folders(corpus::sigv4() / "aws-c-auth" / kind)) {
      for (const std::string form : {"header", "query"}) {
        const Vector v = load(folder);
        const std::string wanted = v.file(form + "-canonical-request.txt");
        http::RequestHead head = corpus::parse_request(v.file(form + "-signed-request.txt"));
        if (form == "query" && v.omit_token) remove_token(head);
        const PathRule rule = normalizes(folder) ? PathRule::Normalised : PathRule::AsSent;
        const std::string made =
            canonical_of(head, rule, line_from_end(wanted, 1), line_from_end(wanted, 0));
        EXPECT_EQ(made, wanted) << kind << " " << form << " " << v.name;
        EXPECT_EQ(line_from_end(v.file(form + "-string-to-sign.txt"), 0), sha256_hex(made))
            << kind << " " << form << " " << v.name;
      }
    }
  }
}

// A service that is S3 signs the path as sent; the corpus says "service" all the same, so that its
// unnormalised cases are signed here through the pieces, the others through Signer.
std::string sign_by_pieces(const Vector& v, std::string_view string_to_sign) {
  SignatureText text;
  derive_hmac_key(v.credentials.secret_access_key, format_amz_date(v.now).substr(0, 8), v.region,
                  v.service)
      ->sign(string_to_sign, text);
  return std::string(text.view());
}

TEST(SigV4Vectors, SignaturesOfBothFormsAreEqual) {
  const auto v4 = folders(corpus::sigv4() / "aws-c-auth" / "v4");
  if (v4.empty()) GTEST_SKIP() << "no corpus at " << corpus::sigv4();
  for (const fs::path& folder : v4) {
    const Vector v = load(folder);
    for (const std::string form : {"header", "query"}) {
      EXPECT_EQ(sign_by_pieces(v, v.file(form + "-string-to-sign.txt")),
                v.file(form + "-signature.txt"))
          << form << " " << v.name;
    }
  }
}

TEST(SigV4Vectors, TheSignerMakesTheSignedRequestsOfBothForms) {
  const auto v4 = folders(corpus::sigv4() / "aws-c-auth" / "v4");
  if (v4.empty()) GTEST_SKIP() << "no corpus at " << corpus::sigv4();
  int signed_here = 0;
  Signer signer;
  for (const fs::path& folder : v4) {
    Vector v = load(folder);
    if (!normalizes(folder)) continue;
    if (v.omit_token) v.credentials.session_token = Secret();
    const std::string hash = sha256_hex(v.body);
    SignInput input = v.input(Algorithm::HmacSha256);
    input.payload_hash = hash;
    http::RequestHead presigned = v.request;
    ASSERT_TRUE(signer.presign(presigned, v.credentials, input, std::chrono::seconds(3600)));
    http::RequestHead wanted = corpus::parse_request(v.file("query-signed-request.txt"));
    if (v.omit_token) remove_token(wanted);
    EXPECT_EQ(presigned.target, wanted.target) << v.name;

    input.payload = v.sign_body ? Payload::Hash : Payload::Absent;
    http::RequestHead made = v.request;
    ASSERT_TRUE(signer.sign(made, v.credentials, input));
    wanted = corpus::parse_request(v.file("header-signed-request.txt"));
    EXPECT_EQ(field(made, "Authorization"), field(wanted, "Authorization")) << v.name;
    EXPECT_EQ(field(made, "X-Amz-Date"), field(wanted, "X-Amz-Date")) << v.name;
    ++signed_here;
  }
  EXPECT_GE(signed_here, 28);
}

TEST(SigV4Vectors, TheVerifierTakesTheSignedRequestsOfBothForms) {
  for (const char* kind : {"v4", "v4a"}) {
    const auto all = folders(corpus::sigv4() / "aws-c-auth" / kind);
    if (all.empty()) GTEST_SKIP() << "no corpus at " << corpus::sigv4();
    Verifier verifier;
    for (const fs::path& folder : all) {
      const Vector v = load(folder);
      if (!normalizes(folder)) continue;
      for (const std::string form : {"header", "query"}) {
        if (form == "query" && v.omit_token) continue;  // a token outside the signature: IoT only
        const http::RequestHead head = corpus::parse_request(v.file(form + "-signed-request.txt"));
        const auto read = parse_signed(head);
        ASSERT_TRUE(read) << v.name << ": " << read.error().message;
        EXPECT_EQ(read->access_key_id, v.credentials.access_key_id);
        const auto verified = verifier.verify(head, *read, v.credentials.secret_access_key, v.now,
                                              sha256_hex(v.body));
        EXPECT_TRUE(verified) << kind << " " << form << " " << v.name;
        const Secret wrong("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ");
        EXPECT_FALSE(verifier.verify(head, *read, wrong, v.now, sha256_hex(v.body))) << v.name;
      }
    }
  }
}

TEST(SigV4Vectors, TheOlderSuiteOfBotocoreIsEqual) {
  const fs::path suite = corpus::sigv4() / "botocore-aws4_testsuite";
  if (!fs::exists(suite)) GTEST_SKIP() << "no corpus at " << suite;
  const Secret secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  const auto key = derive_hmac_key(secret, "20150830", "us-east-1", "service");
  int cases = 0;
  for (const auto& entry : fs::recursive_directory_iterator(suite)) {
    if (entry.path().extension() != ".req") continue;
    const auto file = [&entry](const char* extension) {
      fs::path path = entry.path();
      return corpus::read(path.replace_extension(extension));
    };
    ++cases;
    const std::string name = entry.path().stem();
    std::string body;
    http::RequestHead head = corpus::parse_request(file(".sreq"), &body);
    const std::string wanted = file(".creq");
    EXPECT_EQ(canonical_of(head, PathRule::Normalised, line_from_end(wanted, 1), sha256_hex(body)),
              wanted)
        << name;
    const std::string string_to_sign = file(".sts");
    EXPECT_EQ(line_from_end(string_to_sign, 0), sha256_hex(wanted)) << name;
    SignatureText signature;
    key->sign(string_to_sign, signature);
    EXPECT_EQ(signature.view(), signature_in(file(".authz"))) << name;

    // One .sreq file of the suite carries the signature of another case; .authz files are right.
    http::set(head.fields, "Authorization", file(".authz"));
    const auto read = parse_signed(head);
    ASSERT_TRUE(read) << name << ": " << read.error().message;
    Verifier verifier;
    EXPECT_TRUE(verifier.verify(head, *read, secret, read->time, sha256_hex(body))) << name;
  }
  EXPECT_EQ(cases, 34);
}

TEST(SigV4aVectors, SignaturesVerifyWithThePublicKeyAndWithTheDerivedOne) {
  const auto all = folders(corpus::sigv4() / "aws-c-auth" / "v4a");
  if (all.empty()) GTEST_SKIP() << "no corpus at " << corpus::sigv4();
  EXPECT_EQ(all.size(), 38u);
  for (const fs::path& folder : all) {
    const Vector v = load(folder);
    const auto document = json::parse(v.file("public-key.json"));
    const auto published = ecdsa_public_key(*unhex(text_of(document->root(), "X")),
                                            *unhex(text_of(document->root(), "Y")));
    ASSERT_TRUE(published);
    const auto derived =
        derive_ecdsa_key(v.credentials.access_key_id, v.credentials.secret_access_key);
    for (const std::string form : {"header", "query"}) {
      const std::string string_to_sign = v.file(form + "-string-to-sign.txt");
      const std::string signature = v.file(form + "-signature.txt");
      EXPECT_TRUE(published->verify(string_to_sign, signature)) << form << " " << v.name;
      EXPECT_TRUE(derived->verify(string_to_sign, signature)) << form << " " << v.name;
      EXPECT_FALSE(derived->verify(string_to_sign + "x", signature)) << form << " " << v.name;
      SignatureText own;
      derived->sign(string_to_sign, own);
      EXPECT_TRUE(published->verify(string_to_sign, own.view())) << v.name;
    }
  }
}

// https://github.com/awslabs/aws-c-auth, tests/key_derivation_tests.c: a key that AWS agreed on.
TEST(SigV4a, DerivesTheAgreedKey) {
  const auto key =
      derive_ecdsa_key("AKISORANDOMAASORANDOM", Secret("q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom"));
  const auto published =
      ecdsa_public_key(*unhex("15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb"),
                       *unhex("0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0"));
  SignatureText signature;
  key->sign("text", signature);
  EXPECT_TRUE(published->verify("text", signature.view()));
  EXPECT_FALSE(published->verify("Text", signature.view()));
}

}  // namespace
}  // namespace remit::aws
