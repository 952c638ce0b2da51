// botocore as an oracle: what it signs must verify here. Skipped where there is no Python with it
// (REMIT_BOTOCORE_PYTHON, or the tests' own environment).

#include <cstdlib>
#include <filesystem>

#include "aws/base_credentials.h"
#include "aws/fake_http_for_tests.h"
#include "aws/sigv4.h"
#include "json/json.h"

namespace remit::aws {
namespace {

namespace fs = std::filesystem;

std::string python() {
  const char* named = std::getenv("REMIT_BOTOCORE_PYTHON");
  if (named != nullptr) return named;
  return fs::path(REMIT_SOURCE_DIR) / "build" / "env" / "harness" / "bin" / "python";
}

http::RequestHead head_of(json::Value line) {
  http::RequestHead head;
  head.method = line.find("method")->string();
  head.target = line.find("target")->string();
  for (const json::Value field : line.find("fields")->elements()) {
    const auto pair = field.elements();
    head.fields.push_back(
        {std::string((*pair.begin()).string()), std::string((*std::next(pair.begin())).string())});
  }
  return head;
}

TEST(SigV4Oracle, WhatBotocoreSignsVerifies) {
  const fs::path script =
      fs::path(REMIT_SOURCE_DIR) / "tests" / "clients" / "sign_with_botocore.py";
  if (!fs::exists(python())) GTEST_SKIP() << "no Python with botocore at " << python();
  const Secret secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  Verifier verifier;
  int verified = 0;
  for (int seed = 1; seed <= 6; ++seed) {
    net::Loop loop;
    const auto runner = make_process_runner(loop);
    const auto done = fake::run(loop, runner->run({python(), script, std::to_string(seed), "50"},
                                                  std::chrono::seconds(60)));
    ASSERT_TRUE(done) << done.error().message;
    if (done->exit_code != 0) GTEST_SKIP() << "botocore does not run here: " << done->err;
    for (std::string_view rest = done->out; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const auto document = json::parse(std::string(line));
      ASSERT_TRUE(document);
      const http::RequestHead head = head_of(document->root());
      const auto read = parse_signed(head);
      ASSERT_TRUE(read) << read.error().message << ": " << line;
      const std::string_view hash = document->root().find("body_sha256")->string();
      const auto result = verifier.verify(head, *read, secret, SystemClock().now(), hash);
      EXPECT_TRUE(result) << (result ? "" : result.error().message) << ": " << line;
      ++verified;
    }
  }
  EXPECT_EQ(verified, 300);
}

}  // namespace
}  // namespace remit::aws
