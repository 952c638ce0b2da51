// Signatures that do not end with the head: aws-chunked bodies, passed on and held, and presigned
// requests. Chunks are signed and checked here by hand, from AWS's description alone:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html

#include <fmt/format.h>

#include "base/digest.h"
#include "gateway/egress/test_fixture.h"

namespace remit::gateway {
namespace {

constexpr std::string_view kRealSecret = "real-secret-real-secret-real-secret-real";

std::string_view as_text(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// aws-chunked coding of `chunks`, signed on from the head's signature.
std::string signed_chunks(std::string_view secret, const http::RequestHead& head,
                          std::vector<std::string> chunks) {
  const std::string timestamp = http::find(head.fields, "x-amz-date")->value;
  const std::string day = timestamp.substr(0, 8);
  const Digest dated = hmac_sha256("AWS4" + std::string(secret), day);
  const Digest of_region = hmac_sha256(as_text(dated), "us-east-1");
  const Digest of_service = hmac_sha256(as_text(of_region), "s3");
  const Digest key = hmac_sha256(as_text(of_service), "aws4_request");
  const std::string authorization = http::find(head.fields, "authorization")->value;
  std::string last = authorization.substr(authorization.rfind('=') + 1);
  std::string out;
  chunks.emplace_back();
  for (const std::string& chunk : chunks) {
    last = hex(hmac_sha256(as_text(key), "AWS4-HMAC-SHA256-PAYLOAD\n" + timestamp + "\n" + day +
                                             "/us-east-1/s3/aws4_request\n" + last + "\n" +
                                             sha256_hex("") + "\n" + sha256_hex(chunk)));
    out += fmt::format("{:x};chunk-signature={}\r\n{}\r\n", chunk.size(), last, chunk);
  }
  return out;
}

class SignedBodies : public EgressTest {
 protected:
  void SetUp() override {
    EgressTest::SetUp();
    start();
  }
  http::RequestHead chunked_head(std::string method, std::string target,
                                 const std::vector<std::string>& chunks) {
    std::size_t size = 0;
    for (const std::string& chunk : chunks) size += chunk.size();
    return request(std::move(method), std::move(target), "", "s3", aws::Payload::StreamingHmac,
                   {{"Content-Encoding", "aws-chunked"},
                    {"X-Amz-Decoded-Content-Length", std::to_string(size)}});
  }
  std::string signed_by_client(const http::RequestHead& head, std::vector<std::string> chunks) {
    return signed_chunks(placeholder.secret_access_key.expose(), head, std::move(chunks));
  }
  void expect_right_signature(const http::RequestHead& head) {
    const auto parsed = aws::parse_signed(head);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->access_key_id, "ASIAREALKEYREALKEY00");
    aws::Verifier verifier;
    const auto right = verifier.verify(head, *parsed, Secret(kRealSecret), clock.now());
    EXPECT_TRUE(right) << right.error().message;
  }
  // A request as `aws s3 presign` makes it.
  http::RequestHead presigned(std::string target, std::chrono::seconds expires) {
    http::RequestHead head{"GET", std::move(target), 11, {{"Host", own_host()}}};
    aws::SignInput input;
    input.region = "us-east-1";
    input.service = "s3";
    input.now = clock.now();
    input.payload = aws::Payload::Unsigned;
    aws::Credentials credentials;
    credentials.access_key_id = placeholder.access_key_id;
    credentials.secret_access_key = placeholder.secret_access_key.clone();
    const auto done = signer.presign(head, credentials, input, expires);
    EXPECT_TRUE(done) << done.error().message;
    return head;
  }
};

TEST_F(SignedBodies, EachChunkCarriesTheSessionsSignatureWhenItArrives) {
  begin_call(kAllS3);
  const std::vector<std::string> chunks{std::string(64 << 10, 'a'), std::string(64 << 10, 'b'),
                                        "the end"};
  const auto head = chunked_head("PUT", "/b/k", chunks);
  const Answered answered = exchange(with_body(head, signed_by_client(head, chunks)));
  EXPECT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  expect_right_signature(arrived[0]->head);
  EXPECT_EQ(arrived[0]->body, signed_chunks(kRealSecret, arrived[0]->head, chunks));
}

TEST_F(SignedBodies, NoByteOfAChunkWithAWrongSignatureArrives) {
  begin_call(kAllS3);
  const std::vector<std::string> chunks{std::string(64 << 10, 'a'), std::string(64 << 10, 'b')};
  const auto head = chunked_head("PUT", "/b/k", chunks);
  std::string body = signed_by_client(head, chunks);
  body[body.find(std::string(1024, 'b')) + 512] = 'X';  // signatures have single b's too
  const Answered answered = exchange(with_body(head, body));
  EXPECT_NE(answered.status, 200) << answered.raw;
  for (const auto& here : arrived) {
    EXPECT_FALSE(here->whole);
    EXPECT_EQ(here->body.find("bbbb"), std::string::npos);
    EXPECT_EQ(here->body.find('X'), std::string::npos);
  }
}

constexpr std::string_view kMayDeleteOld =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:DeleteObject",)"
    R"("Resource":"arn:aws:s3:::b/old/*"}]})";

TEST_F(SignedBodies, AChunkedBodyThatDecidesIsHeldAndSignedAnew) {
  begin_call(kMayDeleteOld);
  const std::vector<std::string> chunks{"<Delete><Object><Key>old/1</Key></Object>",
                                        "<Object><Key>old/2</Key></Object></Delete>"};
  const auto head = chunked_head("POST", "/b?delete", chunks);
  const Answered answered = exchange(with_body(head, signed_by_client(head, chunks)));
  EXPECT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  expect_right_signature(arrived[0]->head);
  EXPECT_EQ(arrived[0]->body, signed_chunks(kRealSecret, arrived[0]->head, chunks));
}

TEST_F(SignedBodies, AHeldChunkedBodyIsRefusedForWhatItAsksOrForASignature) {
  begin_call(kMayDeleteOld);
  const std::vector<std::string> chunks{"<Delete><Object><Key>old/1</Key></Object>",
                                        "<Object><Key>new/2</Key></Object></Delete>"};
  const auto head = chunked_head("POST", "/b?delete", chunks);
  const Answered beyond = exchange(with_body(head, signed_by_client(head, chunks)));
  EXPECT_EQ(beyond.status, 403) << beyond.raw;
  EXPECT_NE(beyond.body.find("s3:DeleteObject"), std::string::npos) << beyond.body;

  // What was signed asked for new/2; what is sent asks for what the policy allows.
  std::string body = signed_by_client(head, chunks);
  body.replace(body.find("new/2"), 5, "old/2");
  const Answered forged = exchange(with_body(head, body));
  EXPECT_EQ(forged.status, 403) << forged.raw;
  EXPECT_NE(forged.body.find("SignatureDoesNotMatch"), std::string::npos) << forged.body;
  EXPECT_TRUE(arrived.empty());
}

TEST_F(SignedBodies, APresignedRequestIsServedAsTheCallsSession) {
  begin_call(kReadInvoices);
  const auto head =
      presigned("/invoices/a%20b?response-content-type=text%2Fplain", std::chrono::minutes(10));
  const Answered answered = exchange(text(head) + "\r\n");
  EXPECT_EQ(answered.status, 200) << answered.raw;
  ASSERT_EQ(arrived.size(), 1u);
  const http::RequestHead& sent = arrived[0]->head;
  EXPECT_EQ(sent.target, "/invoices/a%20b?response-content-type=text%2Fplain");
  expect_right_signature(sent);
}

// What was decided on as a header arrives as one: the request is signed in its head now.
TEST_F(SignedBodies, HeadersThatAPresignedRequestCarriesAsParametersArriveAsHeaders) {
  begin_call(kReadInvoices);
  const auto get = [&](const std::string& more) {
    return exchange(text(presigned("/invoices/a?x-id=GetObject" + more, std::chrono::minutes(10))) +
                    "\r\n");
  };
  EXPECT_EQ(get("&x-amz-request-payer=requester&X-Amz-Meta-A=b%20c").status, 200);
  ASSERT_EQ(arrived.size(), 1u);
  const http::RequestHead& sent = arrived[0]->head;
  EXPECT_EQ(sent.target, "/invoices/a?x-id=GetObject");
  EXPECT_EQ(http::find(sent.fields, "x-amz-request-payer")->value, "requester");
  EXPECT_EQ(http::find(sent.fields, "x-amz-meta-a")->value, "b c");
  expect_right_signature(sent);
  for (const std::string more : {"&x-amz-meta-a=b%0D%0AHost:c", "&x-amz-meta-a%3Ab=c",
                                 "&x-amz-trailer=x-amz-checksum-crc32", "&x-amz-target=A.B"})
    EXPECT_GE(get(more).status, 400) << more;
  EXPECT_EQ(arrived.size(), 1u);
}

TEST_F(SignedBodies, APresignedRequestHasItsLimitsTooAndItsEnd) {
  begin_call(kReadInvoices);
  const Answered beyond = exchange(text(presigned("/others/a", std::chrono::minutes(10))) + "\r\n");
  EXPECT_EQ(beyond.status, 403) << beyond.raw;
  EXPECT_NE(beyond.body.find("arn:aws:s3:::others/a"), std::string::npos) << beyond.body;

  auto tampered = presigned("/invoices/a", std::chrono::minutes(10));
  tampered.target.replace(tampered.target.find("/a?"), 2, "/b");
  EXPECT_EQ(exchange(text(tampered) + "\r\n").status, 403);

  const auto head = presigned("/invoices/a", std::chrono::minutes(10));
  clock.offset = std::chrono::minutes(11);
  const Answered late = exchange(text(head) + "\r\n");
  EXPECT_EQ(late.status, 403) << late.raw;
  EXPECT_TRUE(arrived.empty());
}

}  // namespace
}  // namespace remit::gateway
