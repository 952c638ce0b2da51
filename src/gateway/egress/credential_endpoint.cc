#include "gateway/egress/credential_endpoint.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/journal.h"
#include "json/writer.h"

namespace remit::gateway {
namespace {

constexpr std::string_view kContainer = "/.remit/credentials";
constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials";
constexpr std::string_view kRole = "remit";
constexpr int kMaxTtl = 21'600;
// A derived placeholder ends with its call, not by the clock.
constexpr std::chrono::hours kWholeCall{24};

CredentialAnswer plain(std::string text, std::shared_ptr<Lane> lane) {
  CredentialAnswer answer;
  answer.content_type = "text/plain";
  answer.body = std::move(text);
  answer.lane = std::move(lane);
  return answer;
}

// A browser that was led here, or something that passes other people's requests on.
bool is_of_somebody_else(const http::Fields& fields) {
  for (const std::string_view name : {"origin", "sec-fetch-site", "x-forwarded-for"}) {
    if (http::find(fields, name) != nullptr) return true;
  }
  return false;
}

}  // namespace

CredentialAnswer CredentialEndpoint::refusal(int status, std::string reason,
                                             std::shared_ptr<Lane> lane) {
  CredentialAnswer answer;
  answer.status = status;
  json::Writer body;
  body.begin_object();
  body.key("code").string(status == 401 || status == 403 ? "AccessDenied" : "NotFound");
  body.key("message").string("Remit: " + reason);
  body.end_object();
  answer.body = std::move(body).take();
  answer.refused = std::move(reason);
  answer.lane = std::move(lane);
  return answer;
}

CredentialAnswer CredentialEndpoint::answer(const CredentialParts& parts,
                                            const http::RequestHead& head) {
  if (is_of_somebody_else(head.fields)) {
    return refusal(403, "a request for credentials that a browser or a proxy made");
  }
  if (head.target == kContainer) return container(parts, head);
  return refusal(404, "no credentials are served here");
}

CredentialAnswer CredentialEndpoint::container(const CredentialParts& parts,
                                               const http::RequestHead& head) {
  const http::Field* token = http::count(head.fields, "authorization") == 1
                                 ? http::find(head.fields, "authorization")
                                 : nullptr;
  auto lane = token == nullptr ? nullptr : parts.lanes.by_credential_token(token->value);
  if (!lane) return refusal(401, "the token for credentials is none of a running lane");
  if (head.method != "GET") return refusal(405, "credentials are only read", lane);
  auto keys = keys_of(parts, lane);
  if (!keys) return refusal(503, std::move(keys).error().message, lane);
  json::Writer body;
  body.begin_object();
  return keys_answer(std::move(body), *keys, std::move(lane));
}

CredentialAnswer CredentialEndpoint::metadata(const CredentialParts& parts,
                                              const http::RequestHead& head,
                                              std::shared_ptr<Lane> lane) {
  if (is_of_somebody_else(head.fields)) {
    return refusal(403, "a request for credentials that a browser or a proxy made", lane);
  }
  if (parts.lanes.by_access_key(lane->placeholder().access_key_id) != lane) {
    return refusal(404, "the lane has ended", lane);
  }
  std::string_view path = head.target;
  while (path.starts_with("//")) path.remove_prefix(1);  // of a base that ends with a slash
  if (path == "/latest/api/token") {
    if (head.method != "PUT") return refusal(405, "a session token is asked for with PUT", lane);
    return start_session(parts, head, lane);
  }
  if (head.method != "GET") return refusal(405, "metadata are only read", lane);
  // IMDSv1, which answers whoever can make a program fetch a URL, is not served.
  if (!has_session(parts, head, *lane))
    return refusal(401, "metadata without a session token", lane);
  if (path == "/latest/meta-data/placement/region") {
    const auto call = lane->in_force();
    if (call && !call->facts().region.empty()) return plain(call->facts().region, lane);
    return refusal(404, "no call is in force whose region could be told", lane);
  }
  if (path == kRoles || path == fmt::format("{}/", kRoles)) return plain(std::string(kRole), lane);
  if (path != fmt::format("{}/{}", kRoles, kRole)) {
    return refusal(404, "no such metadata are served here", lane);
  }
  auto keys = keys_of(parts, lane);
  if (!keys) return refusal(503, std::move(keys).error().message, lane);
  json::Writer body;
  body.begin_object();
  body.key("Code").string("Success");
  body.key("LastUpdated").string(iso8601(parts.clock.now()));
  body.key("Type").string("AWS-HMAC");
  return keys_answer(std::move(body), *keys, std::move(lane));
}

// The members that both forms end with.
CredentialAnswer CredentialEndpoint::keys_answer(json::Writer body, const Keys& keys,
                                                 std::shared_ptr<Lane> lane) {
  body.key("AccessKeyId").string(keys.access_key_id);
  body.key("SecretAccessKey").string(keys.secret);
  body.key("Token").string(keys.token);
  body.key("Expiration").string(iso8601(keys.expires));
  body.end_object();
  CredentialAnswer answer;
  answer.body = std::move(body).take();
  answer.lane = std::move(lane);
  return answer;
}

CredentialAnswer CredentialEndpoint::start_session(const CredentialParts& parts,
                                                   const http::RequestHead& head,
                                                   const std::shared_ptr<Lane>& lane) {
  const http::Field* ttl = http::find(head.fields, "x-aws-ec2-metadata-token-ttl-seconds");
  int seconds = 0;
  if (ttl != nullptr) {
    const char* const end = ttl->value.data() + ttl->value.size();
    const auto [stop, ec] = std::from_chars(ttl->value.data(), end, seconds);
    if (ec != std::errc() || stop != end) seconds = 0;
  }
  if (seconds < 1 || seconds > kMaxTtl) {
    return refusal(400, "x-aws-ec2-metadata-token-ttl-seconds must be 1 to 21600", lane);
  }
  const TimePoint now = parts.clock.now();
  std::erase_if(sessions_, [now](const auto& entry) { return entry.second.ends <= now; });
  if (sessions_.size() >= kMaxTokens) sessions_.erase(sessions_.begin());  // it asks again
  std::string token = parts.random.base32(56);
  sessions_[token] = {lane->placeholder().access_key_id, now + std::chrono::seconds(seconds)};
  CredentialAnswer answer = plain(std::move(token), nullptr);
  answer.more.push_back({"X-Aws-Ec2-Metadata-Token-Ttl-Seconds", std::to_string(seconds)});
  return answer;
}

bool CredentialEndpoint::has_session(const CredentialParts& parts, const http::RequestHead& head,
                                     const Lane& lane) {
  const http::Field* token = http::find(head.fields, "x-aws-ec2-metadata-token");
  if (token == nullptr) return false;
  const auto found = sessions_.find(token->value);
  return found != sessions_.end() && found->second.ends > parts.clock.now() &&
         found->second.lane == lane.placeholder().access_key_id;
}

Result<CredentialEndpoint::Keys> CredentialEndpoint::keys_of(const CredentialParts& parts,
                                                             const std::shared_ptr<Lane>& lane) {
  const TimePoint now = parts.clock.now();
  const Placeholder& own = lane->placeholder();
  const auto call = lane->in_force();
  if (!call) {
    given_.erase(own.access_key_id);
    return Keys{own.access_key_id, std::string(own.secret_access_key.expose()), "remit-lane",
                now + kSaidLife};
  }
  std::erase_if(given_, [](const auto& entry) { return entry.second.call.expired(); });
  OfCall& given = given_[own.access_key_id];
  auto derived = given.derived.lock();
  if (!derived || given.call.lock() != call || derived->expires <= now + kSaidLife) {
    Derived fresh;
    fresh.lane = lane;
    fresh.expires = now + kWholeCall;
    fresh.call = std::make_shared<Call>(call->facts(), call->session(), call);
    REMIT_TRY(derived, parts.derived.add(parts.random, now, std::move(fresh)));
    given = {call, derived};
  }
  return Keys{derived->access_key_id, std::string(derived->secret_access_key.expose()),
              std::string(derived->session_token.expose()), now + kSaidLife};
}

}  // namespace remit::gateway
