// A signature and a verification with warm keys: a DynamoDB-like call of 1.3 kB canonical request
// with a session token, as measured for the design.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>
#include <string>

#include "aws/chunked.h"
#include "aws/sigv4.h"
#include "aws/sigv4_key.h"
#include "base/digest.h"

namespace {
std::int64_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace remit::aws {
namespace {

// Counts what the loop of a benchmark allocates, once it is warm.
class Allocations {
 public:
  explicit Allocations(benchmark::State& state) : state_(state), before_(allocations) {}
  ~Allocations() {
    state_.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before_),
                                                        benchmark::Counter::kAvgIterations);
  }

 private:
  benchmark::State& state_;
  std::int64_t before_;
};

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
  if (!signer.sign(head, credentials, input)) return state.SkipWithError("not signed");
  const Allocations counted(state);
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
  const Allocations counted(state);
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

// A body of 64 KiB chunks, as a client signs it, verified and signed anew: one hash, two
// signatures.
void reframe_signed_chunks(benchmark::State& state) {
  constexpr std::size_t kChunk = 64 << 10;
  constexpr int kChunks = 64;
  Seed seed;
  seed.key = derive_hmac_key(Secret("placeholder"), "20261121", "us-east-1", "s3");
  seed.timestamp = "20261121T150405Z";
  seed.scope = "20261121/us-east-1/s3/aws4_request";
  seed.signature = std::string(64, 'a');
  ReframeInput input;
  input.payload = Payload::StreamingHmac;
  input.inbound = seed;
  input.outbound = seed;
  input.outbound.key = derive_hmac_key(Secret("real"), "20261121", "us-east-1", "s3");
  input.decoded_length = kChunk * kChunks;

  const std::string data(kChunk, 'a');
  std::string body;
  std::string previous = seed.signature;
  const std::string empty = sha256_hex("");
  const std::string hash = sha256_hex(data);
  for (int i = 0; i <= kChunks; ++i) {
    const bool last = i == kChunks;
    SignatureText signature;
    seed.key->sign("AWS4-HMAC-SHA256-PAYLOAD\n" + seed.timestamp + "\n" + seed.scope + "\n" +
                       previous + "\n" + empty + "\n" + (last ? empty : hash),
                   signature);
    previous = signature.view();
    body += (last ? "0" : "10000") + std::string(";chunk-signature=") + previous + "\r\n";
    body += last ? "\r\n" : data + "\r\n";
  }
  std::string out;
  for (auto _ : state) {
    auto reframer = Reframer::make(input);
    for (std::string_view rest = body; !rest.empty();) {
      const std::string_view piece = rest.substr(0, kChunk);
      rest.remove_prefix(piece.size());
      out.clear();
      if (!reframer->feed(piece, out)) return state.SkipWithError("refused");
    }
    if (!reframer->finish()) return state.SkipWithError("not whole");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}
BENCHMARK(reframe_signed_chunks);

}  // namespace
}  // namespace remit::aws
