// A signature and a verification with warm keys: a DynamoDB-like call of 1.3 kB canonical request
// with a session token, as measured for the design.

#include <benchmark/benchmark.h>

#include "aws/sigv4.h"
#include "base/digest.h"

namespace remit::aws {
namespace {

const TimePoint kNow = *parse_amz_date("20261121T150405Z");

http::RequestHead dynamodb_call() {
  return {"POST",
          "/",
          11,
          {{"Host", "dynamodb.us-east-1.amazonaws.com"},
           {"X-Amz-Target", "DynamoDB_20120810.GetItem"},
           {"Content-Type", "application/x-amz-json-1.0"},
           {"User-Agent", "Boto3/1.43.67 md/Botocore#1.43.67 ua/2.1 os/linux lang/python#3.11.2"},
           {"Content-Length", "300"},
           {"amz-sdk-invocation-id", "6a1f8b2e-6d0c-4d0f-8f0e-5a1c5e0b7d11"},
           {"amz-sdk-request", "attempt=1"}}};
}

Credentials session() {
  Credentials c;
  c.access_key_id = "ASIAIOSFODNN7EXAMPLE";
  c.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  c.session_token = Secret(std::string(900, 'T'));
  return c;
}

void sign(benchmark::State& state) {
  http::RequestHead head = dynamodb_call();
  const Credentials credentials = session();
  const std::string hash = sha256_hex("body");
  const SignInput input{Algorithm::HmacSha256, "us-east-1", "dynamodb", kNow,
                        Payload::Absent,       hash};
  Signer signer;
  for (auto _ : state) {
    auto result = signer.sign(head, credentials, input);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(sign);

void parse_and_verify(benchmark::State& state) {
  http::RequestHead head = dynamodb_call();
  Credentials credentials = session();
  credentials.session_token = Secret();
  const std::string hash = sha256_hex("body");
  const SignInput input{Algorithm::HmacSha256, "us-east-1", "dynamodb", kNow,
                        Payload::Absent,       hash};
  Signer signer;
  Verifier verifier;
  if (!signer.sign(head, credentials, input)) return state.SkipWithError("not signed");
  for (auto _ : state) {
    const auto request = parse_signed(head);
    auto result = verifier.verify(head, *request, credentials.secret_access_key, kNow, hash);
    if (!result) return state.SkipWithError("not verified");
  }
}
BENCHMARK(parse_and_verify);

void sign_sigv4a(benchmark::State& state) {
  http::RequestHead head = dynamodb_call();
  const Credentials credentials = session();
  const std::string hash = sha256_hex("body");
  const SignInput input{Algorithm::EcdsaP256Sha256, "*", "s3", kNow, Payload::Hash, hash};
  Signer signer;
  for (auto _ : state) {
    auto result = signer.sign(head, credentials, input);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(sign_sigv4a);

}  // namespace
}  // namespace remit::aws
