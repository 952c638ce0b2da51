// The part of an exchange that answers with a placeholder instead of credentials (hand_out.h).

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "aws/sts_answer.h"
#include "base/encoding.h"
#include "gateway/egress/exchange.h"
#include "gateway/egress/records.h"
#include "gateway/egress/session_answer.h"
#include "remit/packed.h"
#include "remit/session.h"

namespace remit::gateway {
namespace {

using Kind = HandOut::Kind;

constexpr std::chrono::milliseconds kAnswerLimit{15'000};
// What CreateSession gives when its answer does not say.
constexpr std::chrono::minutes kExpressLife{5};

AnsweredKeys keys_of(const Derived& derived) {
  return {derived.access_key_id, derived.secret_access_key.expose(), derived.session_token.expose(),
          derived.expires};
}

bool says_session_is_bad(const Error& error) {
  return error.message.find("ExpiredToken") != std::string::npos ||
         error.message.find("InvalidClientTokenId") != std::string::npos;
}

}  // namespace

Exchange::Step Exchange::plan_hand_out() {
  const auto kind = hand_out_kind(*identified_);
  if (!kind) return {};
  const EgressParts& parts = service_.parts;
  const bool asks_sts = *kind == Kind::AssumeRole && parts.sts == nullptr;
  if (asks_sts || (*kind == Kind::ExpressSession && parts.http == nullptr)) return {};
  auto planned = gateway::plan_hand_out(*kind, head_, content_, call_->facts());
  if (!planned) {
    const bool malformed = planned.error().code == ErrorCode::InvalidInput;
    return no("credential-returning operation", std::move(planned).error().message,
              malformed ? "ValidationError" : "AccessDenied", malformed ? 400 : 0);
  }
  hand_out_ = *std::move(planned);
  if (*kind != Kind::AssumeRole) return {};
  // What is decided on is what Remit will send, not what the caller wrote.
  http::RequestHead own{"POST",
                        "/",
                        11,
                        {{"Host", http::find(head_.fields, "host")->value},
                         {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}};
  aws::RequestFacts about = facts();
  about.head = &own;
  const std::string form = aws::assume_role_form(hand_out_->role);
  auto identified = aws::identify(service_.parts.catalogue, about, form);
  if (!identified) return no("identification", std::move(identified).error().message);
  identified_ = *std::move(identified);
  return {};
}

net::Task<Exchange::Step> Exchange::hand_out() {
  const auto started = service_.parts.clock.steady();
  Given given;
  Step made;
  if (hand_out_->kind == Kind::AssumeRole) {
    made = co_await assume_role(given);
  } else if (hand_out_->kind == Kind::ExpressSession) {
    made = co_await create_express_session(given);
  } else {
    given.session = call_->session();
    given.expires = service_.parts.clock.now() + hand_out_->duration;
  }
  Done done;
  done.status = made ? 200 : std::max(given.status, 0);
  done.request_id = given.request_id;
  const std::string error = made ? std::string() : made.error()->refusal.message;
  done.error = error;
  done.took = std::chrono::duration_cast<std::chrono::milliseconds>(service_.parts.clock.steady() -
                                                                    started);
  done.decided = decided_.sequence;
  done.request = decided_.request;
  service_.answers.add(call_, done);
  if (!made) {
    made.error()->recorded = true;
    co_return made;
  }
  co_return co_await give(std::move(given));
}

net::Task<Exchange::Step> Exchange::assume_role(Given& given) {
  auto request = std::move(hand_out_->role);
  // Kept for the facts of what acts with it.
  hand_out_->role = {};
  hand_out_->role.role_arn = request.role_arn;
  hand_out_->role.session_name = request.session_name;
  hand_out_->role.tags = request.tags;
  hand_out_->role.transitive_tag_keys = request.transitive_tag_keys;
  auto assumed =
      co_await service_.parts.sts->assume_role(credentials_->credentials, std::move(request));
  if (!assumed) {
    Error error = std::move(assumed).error();
    if (says_session_is_bad(error)) call_->session()->rejected(*credentials_);
    switch (error.code) {
      case ErrorCode::InvalidInput:
        given.status = 400;
        co_return no("AWS", std::move(error).message, "ValidationError", 400);
      case ErrorCode::LimitExceeded:
        given.status = 400;
        co_return no("AWS", std::move(error).message, "PackedPolicyTooLarge", 400);
      case ErrorCode::Denied:
        given.status = 403;
        co_return no("AWS", std::move(error).message, "AccessDenied", 403);
      case ErrorCode::Unavailable:
      case ErrorCode::Internal:
        break;
    }
    co_return no("AWS", std::move(error).message, "ServiceUnavailable", 503);
  }
  SessionCredentials real;
  real.role_arn = hand_out_->role.role_arn;
  real.session_name = hand_out_->role.session_name;
  real.assumed_role_arn = assumed->arn;
  real.assumed_role_id = assumed->assumed_role_id;
  real.account = assumed->credentials.account_id;
  real.packed_policy_percent = assumed->packed_policy_percent.value_or(0);
  real.expires = assumed->credentials.expiration.value_or(service_.parts.clock.now());
  real.credentials = std::move(assumed->credentials);
  given.expires = real.expires;
  given.request_id = assumed->request_id;
  given.packed_policy_percent = assumed->packed_policy_percent;
  given.source_identity = assumed->source_identity;
  given.session = std::make_shared<DerivedSession>(service_.parts.clock, std::move(real));
  co_return Step{};
}

net::Task<Exchange::Step> Exchange::create_express_session(Given& given) {
  if (identified_->actions.size() != 1 || identified_->actions.front().resources.size() != 1) {
    co_return no("identification", "the bucket of the S3 Express session cannot be told");
  }
  given.express = Derived::Express{.bucket_arn = identified_->actions.front().resources.front(),
                                   .read_only = hand_out_->read_only};
  if (auto step = sign(); !step) co_return step;
  const std::string url = fmt::format("{}://{}{}", destination_.origin.tls ? "https" : "http",
                                      destination_.authority, head_.target);
  std::string method = head_.method;
  auto fields = head_.fields;
  http::remove(fields, "content-length");
  auto answered = co_await service_.parts.http->request(url, std::move(method), std::move(fields),
                                                        std::string(), kAnswerLimit);
  if (!answered) {
    co_return no("endpoint",
                 fmt::format("{} did not answer: {}", destination_.authority,
                             std::move(answered).error().message),
                 "ServiceUnavailable", 503);
  }
  given.status = answered->head.status;
  if (const auto* id = http::find(answered->head.fields, "x-amz-request-id")) {
    given.request_id = id->value.substr(0, 128);
  }
  if (answered->head.status != 200) {
    const aws::StsRefusal why = aws::read_refusal(answered->head.status, std::move(answered->body));
    if (answered->head.status == 403 && why.code == "ExpiredToken") {
      call_->session()->rejected(*credentials_);
    }
    auto refused = no("AWS", fmt::format("CreateSession: {}: {}", why.code, why.message));
    refused.error()->status = answered->head.status;
    co_return refused;
  }
  auto keys = aws::read_express_session(std::move(answered->body));
  if (!keys) {
    co_return no("endpoint", "the answer of CreateSession holds no credentials",
                 "ServiceUnavailable", 503);
  }
  SessionCredentials real;
  real.role_arn = credentials_->role_arn;
  real.session_name = credentials_->session_name;
  real.assumed_role_arn = credentials_->assumed_role_arn;
  real.assumed_role_id = credentials_->assumed_role_id;
  real.account = credentials_->account;
  real.expires = keys->expiration.value_or(service_.parts.clock.now() + kExpressLife);
  real.credentials = *std::move(keys);
  given.expires = real.expires;
  given.session = std::make_shared<DerivedSession>(service_.parts.clock, std::move(real));
  co_return Step{};
}

net::Task<Exchange::Step> Exchange::give(Given given) {
  if (call_->over()) co_return no("lane", "the tool call that this request belongs to is over");
  Derived derived;
  derived.lane = lane_;
  derived.expires = given.expires;
  derived.express = given.express;
  derived.call =
      std::make_shared<Call>(derived_facts(call_->facts(), *hand_out_), given.session, call_);
  auto kept =
      service_.derived->add(service_.parts.random, service_.parts.clock.now(), std::move(derived));
  if (!kept) {
    co_return no("limit", std::move(kept).error().message, "LimitExceeded", 400);
  }
  const Derived& made = **kept;
  const auto real = given.session->current();
  const CallFacts& about = made.call->facts();
  DerivedRecord record;
  record.facts = &about;
  record.operation = identified_->operation;
  record.access_key_id = made.access_key_id;
  record.real_access_key_id = real ? std::string_view(real->credentials.access_key_id) : "";
  record.asked_session_name = hand_out_->asked_session_name;
  record.expires = made.expires;
  record.packed_policy_percent = given.packed_policy_percent.value_or(0);
  record.bucket = made.express ? std::string_view(made.express->bucket_arn) : "";
  record.narrowed = hand_out_->narrows != nullptr;
  auto durable = co_await append_and_wait(service_, ledger::Kind::SessionMinted, about.id,
                                          derived_body(record));
  if (!durable) {
    co_return no("ledger", std::move(durable).error().message, "ServiceUnavailable", 503);
  }
  if (call_->over()) co_return no("lane", "the tool call that this request belongs to is over");
  const std::string id = given.request_id.empty() ? service_.new_request_id() : given.request_id;
  const AnsweredKeys keys = keys_of(made);
  AnsweredRole who;
  std::string arn;
  std::string name;
  std::string body;
  http::Fields fields;
  if (made.express) {
    body = express_session_xml(keys);
    fields = {{"Content-Type", "application/xml"}, {"x-amz-request-id", id}};
  } else {
    fields = {{"Content-Type", "text/xml"}, {"x-amzn-RequestId", id}};
    if (hand_out_->kind == Kind::SessionToken) {
      body = session_token_xml(keys, id);
    } else if (hand_out_->kind == Kind::FederationToken) {
      arn = fmt::format("arn:{}:sts::{}:federated-user/{}", about.partition, about.account,
                        hand_out_->name);
      name = fmt::format("{}:{}", about.account, hand_out_->name);
      who.arn = arn;
      who.id = name;
      body = federation_token_xml(keys, who, id);
    } else {
      if (real) who = {real->assumed_role_arn, real->assumed_role_id, given.source_identity, {}};
      who.packed_policy_percent = given.packed_policy_percent;
      body = assume_role_xml(keys, who, id);
    }
  }
  call_->answered(identified_->actions.front().action, 200, id);
  [[maybe_unused]] auto answered = co_await client_.respond(
      200, std::move(fields), body, net::ServerConnection::After::KeepAlive);
  wipe(body.data(), body.size());
  co_return Step{};
}

}  // namespace remit::gateway
