#include "gateway/egress/derived.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/encoding.h"

namespace remit::gateway {
namespace {

constexpr std::string_view kPrefix = "ASIAREMIT";
constexpr std::size_t kTokenCharacters = 120;

// Query parameters by name, decoded; nullopt when absent.
std::optional<std::string> query_value(std::string_view target, std::string_view name) {
  const std::size_t mark = target.find('?');
  if (mark == target.npos) return std::nullopt;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!equals_ignoring_ascii_case(pair.substr(0, equals), name)) continue;
    return uri_decode(pair.substr(std::min(equals + 1, pair.size())));
  }
  return std::nullopt;
}

std::unexpected<Error> denied(std::string message) {
  return fail(ErrorCode::Denied, std::move(message));
}

}  // namespace

DerivedSession::DerivedSession(const Clock& clock, SessionCredentials credentials)
    : clock_(clock),
      credentials_(std::make_shared<const SessionCredentials>(std::move(credentials))),
      end_(clock.steady() + std::max(credentials_->expires - clock.now(), TimePoint::duration(0))) {
}

std::shared_ptr<const SessionCredentials> DerivedSession::current() const {
  if (!credentials_ || clock_.now() >= credentials_->expires || clock_.steady() >= end_) {
    return nullptr;
  }
  return credentials_;
}

net::Task<Result<std::shared_ptr<const SessionCredentials>>> DerivedSession::credentials() {
  if (auto now = current()) co_return now;
  co_return fail(ErrorCode::Denied, "these credentials have ended: ask for new ones");
}

void DerivedSession::rejected(const SessionCredentials& credentials) {
  if (credentials_.get() == &credentials) credentials_ = nullptr;
}

bool is_derived_key(std::string_view access_key_id) { return access_key_id.starts_with(kPrefix); }

Result<std::shared_ptr<const Derived>> DerivedTable::add(Random& random, TimePoint now,
                                                         Derived derived) {
  std::erase_if(all_, [now](const auto& entry) { return entry.second->expires <= now; });
  const auto of_lane = std::ranges::count_if(
      all_, [&](const auto& entry) { return entry.second->lane == derived.lane; });
  if (static_cast<std::size_t>(of_lane) >= kMaxOfLane) {
    return fail(ErrorCode::LimitExceeded,
                fmt::format("this call has asked for {} sessions already", kMaxOfLane));
  }
  derived.access_key_id = std::string(kPrefix) + random.base32(11);
  derived.secret_access_key = Secret(random.base32(40));
  derived.session_token = Secret(random.base32(kTokenCharacters));
  auto shared = std::make_shared<const Derived>(std::move(derived));
  all_.insert_or_assign(shared->access_key_id, shared);
  shared->call->when_over([weak = weak_from_this(), id = shared->access_key_id] {
    if (const auto table = weak.lock()) table->all_.erase(id);
  });
  return shared;
}

std::shared_ptr<const Derived> DerivedTable::find(std::string_view access_key_id) const {
  const auto found = all_.find(access_key_id);
  return found == all_.end() ? nullptr : found->second;
}

std::size_t DerivedTable::end(const std::function<bool(const CallFacts& facts)>& fits) {
  return std::erase_if(all_, [&](const auto& entry) { return fits(entry.second->call->facts()); });
}

Result<> check_token(const Derived& derived, const http::RequestHead& head,
                     const aws::SignedRequest& request, TimePoint now) {
  const std::string_view name = derived.express ? "x-amz-s3session-token" : "x-amz-security-token";
  std::optional<std::string> token;
  if (request.placement == aws::Placement::Query) {
    if (derived.express) return denied("presigned requests of an S3 Express session do not pass");
    token = query_value(head.target, name);
  } else if (const http::Field* field = http::find(head.fields, name)) {
    token = field->value;
  }
  if (!token || !derived.session_token.equals(*token)) {
    return denied(fmt::format("the session token ({}) is not that of the access key", name));
  }
  if (derived.expires <= now) return denied("the session has expired: ask for a new one");
  return {};
}

Result<> check_express(const Derived& derived, const http::RequestHead& head,
                       aws::Identified& identified) {
  if (!derived.express) return {};
  const Derived::Express& express = *derived.express;
  // What a copy reads besides is the policy's to allow.
  const bool copies =
      identified.operation == "CopyObject" || identified.operation == "UploadPartCopy";
  for (aws::ActionRequest& action : identified.actions) {
    if (copies && &action != &identified.actions.front()) break;
    const bool its_bucket = !action.resource_unknown && action.resources.size() == 1 &&
                            action.resources.front() == express.bucket_arn;
    if (action.action != "s3express:CreateSession" || !its_bucket) {
      return denied(
          fmt::format("the S3 Express session is for objects of {} only", express.bucket_arn));
    }
    action.context.push_back(
        {.key = "s3express:SessionMode", .values = {express.read_only ? "ReadOnly" : "ReadWrite"}});
  }
  if (identified.actions.empty() || identified.operation == "CreateSession") {
    return denied("an S3 Express session cannot make another one");
  }
  if (express.read_only && head.method != "GET" && head.method != "HEAD") {
    return denied("the S3 Express session was asked for with mode ReadOnly");
  }
  return {};
}

}  // namespace remit::gateway
