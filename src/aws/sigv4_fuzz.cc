// Reading a signature from any bytes: never more than the head holds, never the same request read
// as signed in two places, and what is read verifies only with its own secret.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "base/check.h"

using namespace remit;
using namespace remit::aws;

static bool is_token(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// Lines: the target, then "name:value" fields.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16384) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  http::RequestHead head;
  head.method = "GET";
  head.target = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(head.target.size() + 1, text.size()));
  while (!text.empty() && head.fields.size() < 64) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto colon = line.find(':');
    // The HTTP parser lets only tokens through.
    if (colon == line.npos || colon == 0 || !is_token(line.substr(0, colon))) continue;
    head.fields.push_back(
        {std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
  }
  static const Secret kSecret("a-secret-that-signed-nothing");
  const auto request = parse_signed(head);
  if (!request) {
    REMIT_CHECK(!request.error().message.empty());
    return 0;
  }
  REMIT_CHECK(has_signature(head));
  REMIT_CHECK(request->placement == Placement::Query || !request->expires);
  REMIT_CHECK(is_aws_chunked(request->payload) == request->decoded_content_length.has_value());
  Verifier verifier;
  REMIT_CHECK(!verifier.verify(head, *request, kSecret, request->time));

  Credentials credentials;
  credentials.access_key_id = "AKIAREMITAAAAAAAAAAA";
  credentials.secret_access_key = kSecret.clone();
  // Re-signed, it must be readable and verify, whatever it was before.
  Signer signer;
  const SignInput input{Algorithm::HmacSha256, "us-east-1",       request->service,
                        request->time,         Payload::Unsigned, {}};
  http::remove(head.fields, "x-amz-decoded-content-length");
  http::remove(head.fields, "x-amz-trailer");
  const std::string service(request->service);
  const TimePoint time = request->time;
  SignInput again = input;
  again.service = service;
  if (!signer.sign(head, credentials, again)) return 0;
  const auto resigned = parse_signed(head);
  REMIT_CHECK(resigned.has_value());
  REMIT_CHECK(verifier.verify(head, *resigned, kSecret, time).has_value());
  return 0;
}
