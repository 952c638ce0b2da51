#include "net/client_tls.h"

#include <gtest/gtest.h>

namespace remit::net {
namespace {

Task<> ask(ClientTls& tls, std::string name, std::vector<std::string>& seen) {
  const auto context = co_await tls.context(std::chrono::seconds(60));
  seen.push_back(name + (context && *context ? " has it" : " has none"));
}

Task<> pass_by(std::vector<std::string>& seen) {
  seen.emplace_back("the loop went on");
  co_return;
}

TEST(ClientTls, ReadsTheSystemsCertificatesBesideTheLoop) {
  Loop loop(kOneThread);
  std::vector<std::string> seen;
  auto tls = ClientTls::make(loop, "");
  ASSERT_TRUE(tls) << tls.error().message;
  spawn(loop, ask(**tls, "first", seen));
  spawn(loop, ask(**tls, "second", seen));
  spawn(loop, pass_by(seen));
  loop.run();
  const std::vector<std::string> wanted = {"the loop went on", "first has it", "second has it"};
  EXPECT_EQ(seen, wanted);
  spawn(loop, ask(**tls, "a later one", seen));
  loop.restart();
  loop.run();
  EXPECT_EQ(seen.back(), "a later one has it");
}

TEST(ClientTls, MayEndWhileItReads) {
  Loop loop(kOneThread);
  auto tls = ClientTls::make(loop, "");
  ASSERT_TRUE(tls);
  (*tls)->prepare();
  tls->reset();
  loop.run();
}

TEST(ClientTls, TellsAtOnceOfAFileThatIsNoCertificate) {
  Loop loop(kOneThread);
  EXPECT_FALSE(ClientTls::make(loop, "/dev/null"));
  EXPECT_FALSE(ClientTls::make(loop, "/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace remit::net
