#include "aws/sts.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "aws/arn.h"
#include "aws/sigv4.h"
#include "aws/sts_answer.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/scrub.h"

namespace remit::aws {

namespace {

constexpr std::chrono::milliseconds kFirstBackoff{100};
// For what can be sent at most, so that no copy is left behind as a form grows.
constexpr std::size_t kFormRoom = 64 << 10;

// A form of the query protocol. Blanks go as %20: some servers do not decode '+'.
class Form {
 public:
  explicit Form(std::string_view action) {
    text_.reserve(kFormRoom);
    text_.append("Action=").append(action).append("&Version=2011-06-15");
  }
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text_.append("&").append(name).append("=");
    append_uri_encoded(text_, value, Slash::Encode);
  }
  void add(std::string_view list, std::size_t index, std::string_view member,
           std::string_view value) {
    text_.append("&").append(list).append(".member.").append(std::to_string(index + 1));
    text_.append(member).append("=");
    append_uri_encoded(text_, value, Slash::Encode);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::optional<TimePoint> date_of(const http::ResponseHead& head) {
  const http::Field* date = http::find(head.fields, "date");
  if (date == nullptr) return std::nullopt;
  const auto time = parse_http_date(date->value);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace

std::string assume_role_form(const AssumeRoleRequest& request) {
  Form form("AssumeRole");
  form.add("RoleArn", request.role_arn);
  form.add("RoleSessionName", request.session_name);
  form.add("Policy", request.policy);
  for (std::size_t i = 0; i < request.policy_arns.size(); ++i) {
    form.add("PolicyArns", i, ".arn", request.policy_arns[i]);
  }
  for (std::size_t i = 0; i < request.tags.size(); ++i) {
    form.add("Tags", i, ".Key", request.tags[i].first);
    form.add("Tags", i, ".Value", request.tags[i].second);
  }
  for (std::size_t i = 0; i < request.transitive_tag_keys.size(); ++i) {
    form.add("TransitiveTagKeys", i, "", request.transitive_tag_keys[i]);
  }
  if (request.duration.count() != 0) {
    form.add("DurationSeconds", std::to_string(request.duration.count()));
  }
  form.add("ExternalId", request.external_id);
  form.add("SourceIdentity", request.source_identity);
  form.add("SerialNumber", request.serial_number);
  form.add("TokenCode", request.token_code.expose());
  return form.take();
}

std::string sts_endpoint(std::string_view region) {
  if (region.empty() || region == "aws-global") return "https://sts.amazonaws.com";
  return "https://sts." + std::string(region) + "." +
         std::string(dns_suffix(partition_of_region(region)));
}

StsClient::StsClient(net::HttpClient& http, const Clock& clock, Random& random, Log& log,
                     StsOptions options)
    : http_(http), clock_(clock), random_(random), log_(log), options_(std::move(options)) {
  url_ = options_.endpoint.empty() ? sts_endpoint(options_.region) : options_.endpoint;
}

net::Task<Result<AssumedRole>> StsClient::assume_role(const Credentials& credentials,
                                                      AssumeRoleRequest request) {
  const Chained chained = credentials.of_role ? Chained::Yes : Chained::No;
  REMIT_CO_CHECKED(check(request, chained));
  auto answer = co_await call(&credentials, assume_role_form(request));
  if (!answer) co_return wrap("AssumeRole of " + request.role_arn, std::move(answer).error());
  auto role = read_assumed_role(*std::move(answer));
  if (!role) co_return wrap("AssumeRole of " + request.role_arn, std::move(role).error());
  if (role->credentials.expired(clock_.now())) {
    co_return fail(
        ErrorCode::Unavailable,
        "AssumeRole of " + request.role_arn +
            ": STS gave a session that has expired by this machine's clock: set it right");
  }
  co_return role;
}

net::Task<Result<AssumedRole>> StsClient::assume_role_with_web_identity(
    std::string role_arn, std::string session_name, Secret token, std::chrono::seconds duration) {
  AssumeRoleRequest request;
  request.role_arn = role_arn;
  request.session_name = session_name;
  request.duration = duration;
  REMIT_CO_CHECKED(check(request, Chained::No));
  if (token.size() < 4 || token.size() > 20'000) {
    co_return fail(ErrorCode::InvalidInput, "a web identity token has 4 to 20000 characters");
  }
  Form form("AssumeRoleWithWebIdentity");
  form.add("RoleArn", role_arn);
  form.add("RoleSessionName", session_name);
  form.add("WebIdentityToken", token.expose());
  if (duration.count() != 0) form.add("DurationSeconds", std::to_string(duration.count()));
  auto answer = co_await call(nullptr, form.take());
  if (!answer)
    co_return wrap("AssumeRoleWithWebIdentity of " + role_arn, std::move(answer).error());
  auto role = read_assumed_role(*std::move(answer));
  if (!role) co_return wrap("AssumeRoleWithWebIdentity of " + role_arn, std::move(role).error());
  co_return role;
}

net::Task<Result<CallerIdentity>> StsClient::caller_identity(const Credentials& credentials) {
  Form form("GetCallerIdentity");
  auto answer = co_await call(&credentials, form.take());
  if (!answer) co_return wrap("GetCallerIdentity", std::move(answer).error());
  co_return read_caller_identity(*std::move(answer));
}

Result<http::Fields> StsClient::sign(const Credentials* credentials,
                                     const std::string& form) const {
  REMIT_TRY(const net::Url url, net::parse_url(url_));
  http::RequestHead head{"POST",
                         url.target,
                         11,
                         {{"Host", url.authority},
                          {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}};
  if (credentials != nullptr) {
    const std::string hash = sha256_hex(form);
    Signer signer;
    const SignInput input{Algorithm::HmacSha256, options_.region, "sts",
                          clock_.now(),          Payload::Absent, hash};
    REMIT_CHECKED(signer.sign(head, *credentials, input));
  }
  return std::move(head.fields);
}

// Full jitter: anything from nothing to the bound, which doubles with each attempt.
net::Task<> StsClient::pause(int attempt) {
  const auto bound = std::min(kFirstBackoff * (1 << std::min(attempt, 10)), options_.max_backoff);
  if (bound.count() <= 0) co_return;
  std::array<std::byte, 4> bytes;
  random_.fill(bytes);
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  const std::chrono::milliseconds wait(value % static_cast<std::uint32_t>(bound.count() + 1));
  co_await net::sleep_for(wait);
}

net::Task<Result<std::string>> StsClient::call(const Credentials* credentials, std::string form) {
  const ScrubAtEnd scrub_form(form);  // a web identity token or an MFA code may be in it
  Error last{ErrorCode::Unavailable, "STS was not asked"};
  for (int attempt = 0; attempt < options_.attempts; ++attempt) {
    if (attempt > 0) {
      log_.warn("sts-retry", {{"attempt", attempt + 1}, {"reason", last.message}});
      co_await pause(attempt - 1);
    }
    auto fields = sign(credentials, form);
    if (!fields) co_return std::unexpected(std::move(fields).error());
    auto response =
        co_await http_.request(url_, "POST", *std::move(fields), form, options_.timeout);
    if (!response) {
      last = std::move(response).error();
      last.message.insert(0, "STS at " + url_ + ": ");
      if (last.code == ErrorCode::Unavailable) continue;
      co_return std::unexpected(std::move(last));
    }
    if (response->head.status == 200) co_return std::move(response->body);
    const StsRefusal refusal = read_refusal(response->head.status, std::move(response->body));
    last = explain(refusal, date_of(response->head), clock_.now());
    if (!refusal.worth_a_retry()) co_return std::unexpected(std::move(last));
    last.code = ErrorCode::Unavailable;
  }
  last.message += " (" + std::to_string(options_.attempts) + " attempts)";
  co_return std::unexpected(std::move(last));
}

}  // namespace remit::aws
