#include "aws/credential_answer.h"

#include <algorithm>
#include <utility>

#include "aws/arn.h"
#include "base/scrub.h"
#include "base/secret.h"
#include "json/json.h"

namespace remit::aws {

namespace {

enum class Temporary : bool { Maybe, Must };

std::unexpected<Error> unusable_answer(std::string reason) {
  return fail(ErrorCode::InvalidInput, "the answer " + std::move(reason));
}

// Messages name keys, never values.
Result<std::string_view> text_of(json::Value object, std::string_view key) {
  const auto value = object.find(key);
  if (!value || value->is(json::Kind::Null)) return std::string_view();
  const auto text = value->as_string();
  if (!text) return unusable_answer("has \"" + std::string(key) + "\" that is not a string");
  return *text;
}

bool is_header_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<Credentials> read(json::Value root, std::string_view token_key, Temporary temporary) {
  REMIT_TRY(const std::string_view id, text_of(root, "AccessKeyId"));
  REMIT_TRY(const std::string_view secret, text_of(root, "SecretAccessKey"));
  REMIT_TRY(const std::string_view token, text_of(root, token_key));
  REMIT_TRY(const std::string_view expiration, text_of(root, "Expiration"));
  REMIT_TRY(const std::string_view account, text_of(root, "AccountId"));
  if (id.empty() || secret.empty())
    return unusable_answer("has no AccessKeyId or no SecretAccessKey");
  if (temporary == Temporary::Must && (token.empty() || expiration.empty())) {
    return unusable_answer("has no " + std::string(token_key) + " or no Expiration");
  }
  if (!is_header_value(id) || !is_header_value(secret) || !is_header_value(token)) {
    return unusable_answer("has credentials with blanks or control characters");
  }
  Credentials credentials;
  credentials.access_key_id = id;
  credentials.secret_access_key = Secret(secret);
  credentials.session_token = Secret(token);
  if (!expiration.empty()) {
    auto time = parse_iso8601(expiration);
    if (!time) return wrap("the answer's Expiration", std::move(time).error());
    credentials.expiration = *time;
  }
  if (!account.empty()) {
    if (!AccountId::parse(account))
      return unusable_answer("has an AccountId that is not twelve digits");
    credentials.account_id = account;
  }
  return credentials;
}

// The bytes of a string value are a parser's or ours, and not const there.
void wipe_strings(json::Value value) {
  if (value.is(json::Kind::String)) {
    const std::string_view text = value.string();
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): a view's bytes, wiped in their place
    wipe(const_cast<char*>(text.data()), text.size());
  } else if (value.is(json::Kind::Object)) {
    for (const auto& member : value.members()) wipe_strings(member.value);
  } else if (value.is(json::Kind::Array)) {
    for (const json::Value element : value.elements()) wipe_strings(element);
  }
}

// An answer and its values; neither is left in memory when it goes.
class JsonAnswer {
 public:
  explicit JsonAnswer(std::string text)
      : text_(std::move(text)),
        parser_({.max_bytes = 64 << 10, .max_depth = 16, .max_values = 1000}),
        root_(parser_.parse(text_)) {}
  JsonAnswer(const JsonAnswer&) = delete;
  JsonAnswer& operator=(const JsonAnswer&) = delete;
  ~JsonAnswer() {
    if (root_) wipe_strings(*root_);
    scrub(text_);
  }

  // An object.
  Result<json::Value> root() const {
    if (!root_) return unusable_answer("is not JSON: " + root_.error().message);
    if (!root_->is(json::Kind::Object)) return unusable_answer("is not a JSON object");
    return *root_;
  }

 private:
  std::string text_;
  json::Parser parser_;
  std::expected<json::Value, json::ParseError> root_;
};

}  // namespace

Result<Credentials> read_process_answer(std::string json) {
  const JsonAnswer answer(std::move(json));
  REMIT_TRY(const json::Value root, answer.root());
  const auto version = root.find("Version");
  if (!version || version->as_int64() != 1) return unusable_answer("does not say \"Version\": 1");
  return read(root, "SessionToken", Temporary::Maybe);
}

Result<Credentials> read_container_answer(std::string json) {
  const JsonAnswer answer(std::move(json));
  REMIT_TRY(const json::Value root, answer.root());
  REMIT_TRY(Credentials credentials, read(root, "Token", Temporary::Must));
  credentials.of_role = true;
  return credentials;
}

Result<Credentials> read_instance_answer(std::string json) {
  const JsonAnswer answer(std::move(json));
  REMIT_TRY(const json::Value root, answer.root());
  REMIT_TRY(const std::string_view code, text_of(root, "Code"));
  if (code != "Success") {
    const bool plain = !code.empty() && code.size() < 64 && is_header_value(code);
    return unusable_answer("says " + (plain ? std::string(code) : "no Code") + " and not Success");
  }
  REMIT_TRY(Credentials credentials, read(root, "Token", Temporary::Must));
  credentials.of_role = true;
  return credentials;
}

}  // namespace remit::aws
