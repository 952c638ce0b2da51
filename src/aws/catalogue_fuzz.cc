// Patches of the catalogue's bytes, sealed with the right digest: each six bytes of input are an
// offset (3), and what to write there (3). Properties: such a file is refused, or everything that
// reads it stays inside.
#include <cstdint>
#include <cstring>
#include <string>

#include "aws/catalogue_tables.h"
#include "aws/catalogue_view.h"
#include "aws/identify_for_tests.h"
#include "base/digest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace remit;  // NOLINT: a fuzz target
  std::string bytes(aws::testing::catalogue().tables().bytes);
  for (std::size_t i = 0; i + 6 <= size; i += 6) {
    const std::size_t at =
        (std::size_t{data[i]} | std::size_t{data[i + 1]} << 8 | std::size_t{data[i + 2]} << 16) %
        (bytes.size() - 64);
    std::memcpy(bytes.data() + (i % 12 == 0 ? at % 4096 : at), data + i + 3, 3);
  }
  const Digest digest = sha256(std::string_view(bytes).substr(48));
  std::memcpy(bytes.data() + 16, digest.data(), digest.size());
  const auto catalogue = aws::Catalogue::from_bytes(bytes);
  if (!catalogue) return 0;
  (void)aws::view_service(*catalogue, "s3");
  (void)aws::view_action(*catalogue, "s3:PutObject");
  const http::RequestHead head{"PUT", "/b1c/k", 11, {{"x-amz-tagging", "a=b"}}};
  aws::RequestFacts facts;
  facts.head = &head;
  facts.scope_service = "s3";
  facts.scope_region = "us-east-1";
  (void)aws::identify(*catalogue, facts, {});
  return 0;
}
