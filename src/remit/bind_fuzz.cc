// Any bytes as an argument's value: either it is refused, or the session policy is the template
// with exactly these bytes in exactly that string, and nothing else has changed.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "json/json.h"
#include "remit/config.h"
#include "remit/session.h"

namespace {

using remit::json::Value;
using remit::rules::Config;

constexpr std::string_view kConfig = R"(
aws: { region: eu-west-1 }
upstreams: { s3: { command: [x] } }
remits:
  - name: r
    tools: [s3/x]
    role: arn:aws:iam::111122223333:role/r
    arguments: { value: { grammar: { pattern: "(?s).*" } } }
    session:
      - Effect: Allow
        Action: s3:GetObject
        Resource: "arn:aws:s3:::bucket/${arg:value}/${aws:username}"
        Condition: { StringLike: { "s3:prefix": ["${arg:value}"] } }
)";

std::shared_ptr<const Config> config() {
  static const std::shared_ptr<const Config> loaded =
      remit::rules::load_config(kConfig, {.home = "/home/jane"}).config;
  REMIT_CHECK(loaded != nullptr);
  return loaded;
}

void check_policy(std::string_view policy, std::string_view value) {
  const auto document = remit::json::parse(std::string(policy));
  REMIT_CHECK(document.has_value());
  const Value root = document->root();
  const Value statement = *root.find("Statement");
  REMIT_CHECK(root.size() == 2 && statement.size() == 4);
  REMIT_CHECK(statement.find("Effect")->string() == "Allow");
  REMIT_CHECK(statement.find("Action")->string() == "s3:GetObject");
  const std::string resource =
      std::string("arn:aws:s3:::bucket/").append(value).append("/${aws:username}");
  REMIT_CHECK(statement.find("Resource")->string() == resource);
  const Value condition = *statement.find("Condition");
  REMIT_CHECK(condition.size() == 1 && condition.find("StringLike")->size() == 1);
  REMIT_CHECK(condition.at({"StringLike", "s3:prefix"})->string() == value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto& remit = config()->remits.front();
  if (!remit.arguments.front().grammar.accepts(value)) return 0;
  REMIT_CHECK(value.find_first_of("*?$\\") == std::string_view::npos);
  const auto plan = remit::rules::plan_session(*config(), remit, {{"value", std::string(value)}});
  if (plan) check_policy(plan->policy, value);
  return 0;
}
