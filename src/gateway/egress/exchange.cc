#include "gateway/egress/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "aws/arn.h"
#include "aws/error_form.h"
#include "base/encoding.h"
#include "gateway/egress/caller_identity.h"
#include "gateway/egress/clocks.h"
#include "gateway/egress/forward.h"
#include "gateway/egress/queue_urls.h"
#include "gateway/egress/records.h"

namespace remit::gateway {
namespace {

constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string_view code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidInput:
      return "ValidationError";
    case ErrorCode::Denied:
      return "SignatureDoesNotMatch";
    case ErrorCode::LimitExceeded:
      return "RequestEntityTooLarge";
    case ErrorCode::Unavailable:
    case ErrorCode::Internal:
      return "ServiceUnavailable";
  }
  return "AccessDenied";
}

// The content of an aws-chunked body, to decide on. That its signatures are right and its lengths
// are what the head says, the Reframer checks on the same bytes before any of them is sent.
Result<std::string> decode_aws_chunked(std::string_view body) {
  std::string content;
  while (true) {
    const std::size_t end = body.find("\r\n");
    const std::string_view digits = body.substr(0, body.substr(0, end).find(';'));
    std::size_t size = 0;
    const auto [stop, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    const bool read = end != body.npos && ec == std::errc() && stop == digits.end();
    if (!read || digits.empty()) return fail(ErrorCode::InvalidInput, "malformed aws-chunked body");
    if (size == 0) return content;
    body.remove_prefix(end + 2);
    if (body.size() < size || body.size() - size < 2 || body.substr(size, 2) != "\r\n") {
      return fail(ErrorCode::InvalidInput, "aws-chunked body shorter than it says");
    }
    content.append(body.substr(0, size));
    body.remove_prefix(size + 2);
  }
}

// A stream of signed messages whose head does not say so in x-amz-content-sha256: the SDK for Rust.
bool announces_events(const http::RequestHead& head) {
  const http::Field* type = http::find(head.fields, "content-type");
  return type != nullptr &&
         equals_ignoring_ascii_case(type->value, "application/vnd.amazon.eventstream");
}

http::Fields without_length(http::Fields fields) {
  http::remove(fields, "content-length");
  return fields;
}

}  // namespace

std::unexpected<std::unique_ptr<Exchange::Refused>> Exchange::no(std::string layer,
                                                                 std::string message,
                                                                 std::string_view code,
                                                                 int status) const {
  auto refused = std::make_unique<Refused>();
  refused->refusal.layer = std::move(layer);
  refused->refusal.message = std::move(message);
  refused->code = code;
  refused->status = status;
  if (identified_ && !identified_->actions.empty()) {
    const aws::ActionRequest& first = identified_->actions.front();
    refused->refusal.action = first.action;
    if (!first.resources.empty()) refused->refusal.resource = first.resources.front();
    refused->decided = true;
  }
  return std::unexpected(std::move(refused));
}

aws::RequestFacts Exchange::facts() const {
  aws::RequestFacts facts;
  facts.head = &head_;
  if (via_.connect != nullptr) facts.host = via_.connect->host;
  facts.scope_region = signed_.region;
  facts.scope_service = signed_.service;
  if (call_) {
    facts.account = call_->facts().account;
    facts.partition = call_->facts().partition;
    facts.places = call_->facts().pins != nullptr;
    facts.keys = service_.options.observe || asks_keys(call_->facts());
  } else {
    facts.partition = aws::partition_of_region(signed_.region);
  }
  return facts;
}

Exchange::Step Exchange::find_lane() {
  auto parsed = aws::parse_signed(head_);
  if (!parsed) {
    const bool unsigned_request = !aws::has_signature(head_);
    return no("signature",
              fmt::format("the request's signature cannot be read: {}{}", parsed.error().message,
                          unsigned_request ? " (operations that AWS takes unsigned, such as "
                                             "AssumeRoleWithWebIdentity, act as another identity "
                                             "than the call's and do not pass)"
                                           : ""),
              "IncompleteSignature", 400);
  }
  signed_ = *std::move(parsed);
  payload_ = signed_.payload;
  lane_ = service_.parts.lanes.by_access_key(signed_.access_key_id);
  if (!lane_ && is_derived_key(signed_.access_key_id)) {
    derived_ = service_.derived->find(signed_.access_key_id);
    if (!derived_) {
      return no("placeholder",
                "these credentials were given within a tool call that is over, or have expired",
                "InvalidClientTokenId", 403);
    }
    lane_ = derived_->lane;
  }
  if (!lane_) {
    return no("placeholder",
              "the access key is none of Remit's placeholders: this process may use AWS only as "
              "the tool call that Remit lets it run",
              "InvalidClientTokenId", 403);
  }
  if (via_.lane && via_.lane != lane_) {
    return no("placeholder", "the access key is not that of the process that opened the tunnel",
              "InvalidClientTokenId", 403);
  }
  return {};
}

// Whether the body must be here before the request can be decided on or signed.
void Exchange::hold_body_if_needed() {
  call_ = derived_ ? derived_->call : lane_->in_force();
  identification_.emplace(service_.parts.catalogue, facts());
  const aws::BodyNeed need = identification_->body_need();
  const bool whole = need.kind == aws::BodyNeed::Kind::Whole;
  if (payload_ == aws::Payload::Absent && announces_events(head_)) {
    payload_ = aws::Payload::StreamingEvents;  // the head is signed as one without a body
  }
  held_ = payload_ != aws::Payload::StreamingEvents && (whole || payload_ == aws::Payload::Absent);
  body_limit_ = service_.options.max_held_body;
  if (whole) body_limit_ = std::min(body_limit_, need.max_bytes);
}

net::Task<Exchange::Step> Exchange::read_body() {
  auto read = co_await read_whole(client_, body_limit_, held_bytes_, scratch_.body);
  if (!read) {
    const bool busy = read.error().code == ErrorCode::Unavailable;
    co_return no("body", read.error().message, code_of(read.error().code), busy ? 503 : 413);
  }
  if (payload_ == aws::Payload::Absent || payload_ == aws::Payload::Hash) {
    service_.sha.update(scratch_.body);
    body_hash_ = hex(service_.sha.finish());
  }
  content_ = scratch_.body;
  if (aws::is_aws_chunked(payload_)) {
    auto decoded = decode_aws_chunked(scratch_.body);
    if (!decoded) {
      co_return no("payload form", std::move(decoded).error().message, "InvalidRequest", 400);
    }
    decoded_ = *std::move(decoded);
    content_ = decoded_;
  }
  co_return Step{};
}

bool Exchange::is_reframed() const {
  return aws::is_aws_chunked(payload_) || payload_ == aws::Payload::StreamingEvents;
}

Exchange::Step Exchange::verify() {
  now_ = service_.parts.clock.now();
  auto right = service_.verifier.verify(head_, signed_, inbound_secret(), now_, body_hash_);
  if (!right) {
    const bool skewed = is_skewed(signed_, now_);
    return no("signature", std::move(right).error().message,
              skewed ? kSkewed : "SignatureDoesNotMatch", 403);
  }
  if (derived_) {
    auto fits = check_token(*derived_, head_, signed_, now_);
    if (!fits) return no("session token", std::move(fits).error().message, "ExpiredToken");
  }
  const bool bodyless =
      client_.incoming().kind == net::Framing::Kind::None ||
      (client_.incoming().kind == net::Framing::Kind::Length && client_.incoming().length == 0);
  const std::string_view actual = held_ ? std::string_view(body_hash_) : kEmptySha256;
  if (payload_ == aws::Payload::Hash && (held_ || bodyless) &&
      !equals_ignoring_ascii_case(actual, signed_.payload_hash)) {
    return no("signature", "the body's SHA-256 is not the one that x-amz-content-sha256 states",
              "XAmzContentSHA256Mismatch", 400);
  }
  if (is_reframed()) {
    signed_.payload = payload_;
    auto seed = service_.verifier.seed(signed_, inbound_secret());
    if (!seed) return no("signature", std::move(seed).error().message);
    inbound_seed_ = *std::move(seed);
  }
  if (aws::is_aws_chunked(payload_)) {
    chunk_trailers_ = signed_.trailers;
    if (!signed_.decoded_content_length) {
      return no("payload form", "x-amz-decoded-content-length is missing", "MissingContentLength",
                411);
    }
    decoded_length_ = *signed_.decoded_content_length;
  }
  return {};
}

Exchange::Step Exchange::find_call() {
  // The call in force when the head was read; another may have taken its place while a body came.
  if (!call_) {
    return no("lane",
              "no tool call is in force on this process: it may use AWS only while a call "
              "runs");
  }
  if (call_->over()) return no("lane", "the tool call that this request belongs to is over");
  return {};
}

Exchange::Step Exchange::identify() {
  auto done = identification_->identify(facts(), content_, identified_.emplace());
  identification_.reset();  // it looks into the head, which signing changes
  if (!done) {
    identified_.reset();
    return no("identification", std::move(done).error().message, "AccessDenied");
  }
  if (derived_) {
    auto fits = check_express(*derived_, head_, *identified_);
    if (!fits) return no("S3 Express session", std::move(fits).error().message);
  }
  return plan_hand_out();
}

bool Exchange::is_caller_identity() const {
  return identified_->service == "sts" && identified_->operation == "GetCallerIdentity" &&
         identified_->candidates.size() <= 1;
}

Exchange::Step Exchange::decide() {
  const aws::Identified& what = *identified_;
  const auto name = [&] { return fmt::format("{}:{}", what.service, what.operation); };
  const bool events = payload_ == aws::Payload::StreamingEvents;
  if (events != what.event_stream_request) {
    constexpr std::string_view kNone = "takes no event stream, which the request's head announces";
    constexpr std::string_view kSome = "takes an event stream, whose messages are not signed here";
    return no("event stream", fmt::format("{} {}", name(), events ? kNone : kSome));
  }
  // In the other protocols the first message holds the input, and nothing has looked into it.
  if (events && what.protocol != aws::Protocol::RestJson) {
    return no("event stream", fmt::format("{} has its input in the event stream", name()));
  }
  if (is_caller_identity()) return {};
  if (what.returns_credentials && !hand_out_) {
    return no("credential-returning operation", why_not_handed_out(what));
  }
  if (!scratch_.judge || scratch_.judge->call() != call_) {
    auto judge = Judge::make(call_);
    if (!judge) return no("session", std::move(judge).error().message);
    scratch_.judge = *std::move(judge);
  }
  if (!service_.unsafe()) {
    Circumstances circumstances;
    circumstances.head = &head_;
    circumstances.now = now_;
    circumstances.secure_transport = destination_.origin.tls;
    if (signed_.region.empty()) circumstances.region_set = signed_.region_set;
    if (auto refusal = scratch_.judge->judge(what, circumstances)) {
      auto refused = std::make_unique<Refused>();
      refused->refusal = *std::move(refusal);
      refused->decided = true;
      return std::unexpected(std::move(refused));
    }
  }
  if (is_write(what)) {
    if (auto room = call_->admit_write(); !room) {
      return no("limit", std::move(room).error().message);
    }
  }
  return {};
}

net::Task<Exchange::Step> Exchange::renew_credentials() {
  const auto& session = call_->session();
  if (!session) co_return no("session", "the call has no AWS session");
  auto renewed = co_await session->credentials();
  if (!renewed) {
    co_return no("session", fmt::format("no AWS session can be had: {}", renewed.error().message),
                 "ServiceUnavailable", 503);
  }
  credentials_ = *std::move(renewed);
  co_return Step{};
}

ledger::Kind Exchange::decided_kind() const {
  return call_->facts().kind == CallKind::Startup ? ledger::Kind::StartupDecided
                                                  : ledger::Kind::AwsDecided;
}

Decided Exchange::decided() const {
  Decided decided;
  decided.identified = &*identified_;
  decided.host = destination_.origin.host;
  decided.session_name = call_->facts().session_name;
  decided.upstream = call_->facts().upstream;
  decided.catalogue = service_.parts.catalogue.sha256();
  decided.observe = service_.options.observe;
  decided.unsafe = service_.unsafe();
  return decided;
}

Exchange::Step Exchange::recorded(const Result<ledger::Appended>& durable) {
  if (!durable) {
    auto refused = no("ledger",
                      fmt::format("the decision cannot be recorded, so nothing is forwarded: {}",
                                  durable.error().message),
                      "ServiceUnavailable", 503);
    refused.error()->recorded = true;  // trying again would only fail again
    return refused;
  }
  decided_ = *durable;
  if (call_->over()) return no("lane", "the tool call that this request belongs to is over");
  return {};
}

Exchange::Step Exchange::read_head() {
  if (auto step = find_lane(); !step) return step;
  hold_body_if_needed();
  return {};
}

// Everything between the request and its record that waits for nobody.
Exchange::Step Exchange::understand() {
  if (auto step = verify(); !step) {
    call_.reset();  // whoever sent it, it is not known to be of that call
    return step;
  }
  if (auto step = find_call(); !step) return step;
  if (auto step = identify(); !step) return step;
  if (!is_caller_identity()) {
    auto destination = service_.endpoints.resolve(*identified_, via_.connect);
    if (!destination) return no("endpoint", std::move(destination).error().message);
    destination_ = *std::move(destination);
  }
  if (auto step = decide(); !step) return step;
  if (!is_caller_identity() && call_->session()) credentials_ = call_->session()->current();
  return {};
}

// One coroutine for the whole of the usual request: each further one costs it memory and time.
net::Task<> Exchange::run() {
  Step step = read_head();
  if (step && held_) step = co_await read_body();
  if (step) step = understand();
  if (step && !credentials_ && !is_caller_identity()) step = co_await renew_credentials();
  if (step) {
    auto body = decided_body(decided());
    step = recorded(co_await append_and_wait(service_, decided_kind(), call_->facts().id,
                                             std::move(body.json), body.parts));
  }
  if (step && is_caller_identity()) co_return co_await answer_caller_identity();
  if (step && hand_out_) {
    step = co_await hand_out();
  } else if (step) {
    step = make_ready();
    if (step) {
      co_await forward(service_, client_, destination_, outgoing_, call_.get(), scratch_.answer,
                       forwarded_);
      step = sent();
    }
  }
  if (!step) co_await refuse(std::move(step).error());
}

// A queue's URL that names this listener is AWS's again before it leaves. The host of the URL
// decides nothing: what was evaluated is the queue.
void Exchange::restore_queue_url() {
  if (via_.connect != nullptr || identified_->service != "sqs" || !held_) return;
  const std::string own = "http://" + service_.own_authority;
  const std::string real =
      fmt::format("{}://{}", destination_.origin.tls ? "https" : "http", destination_.authority);
  const bool plain = payload_ == aws::Payload::Absent || payload_ == aws::Payload::Hash;
  if (!plain || !restore_queue_base(scratch_.body, own, real)) return;
  service_.sha.update(scratch_.body);
  body_hash_ = hex(service_.sha.finish());
  body_changed_ = true;
}

Exchange::Step Exchange::sign() {
  // The scope is part of what sign() takes out of the head.
  const std::string region(signed_.algorithm == aws::Algorithm::HmacSha256
                               ? std::string_view(identified_->region)
                               : signed_.region_set);
  const std::string service(signed_.service);
  if (payload_ != aws::Payload::Absent && !body_changed_) body_hash_ = signed_.payload_hash;
  const aws::Algorithm algorithm = signed_.algorithm;
  const bool hoisted = signed_.placement == aws::Placement::Query &&
                       aws::path_rule(service) == aws::PathRule::AsSent;
  signed_ = {};
  if (hoisted) {
    if (auto done = aws::make_headers_of_parameters(head_); !done) {
      return no("signing", std::move(done).error().message, "InvalidRequest", 400);
    }
  }
  strip_connection_fields(head_.fields, false);
  http::set(head_.fields, "Host", destination_.authority);
  if (destination_.path_cut != 0) {
    head_.target.erase(0, destination_.path_cut);
    if (!head_.target.starts_with('/')) head_.target.insert(0, 1, '/');
  }
  if (!destination_.path_prefix.empty()) head_.target.insert(0, destination_.path_prefix);
  aws::SignInput input;
  input.algorithm = algorithm;
  input.region = region;
  input.service = service;
  input.now = service_.parts.clock.now();
  input.payload = payload_;
  input.payload_hash = body_hash_;
  input.express_session = derived_ && derived_->express;
  if (auto done = service_.signer.sign(head_, credentials_->credentials, input); !done) {
    return no("signing", std::move(done).error().message);
  }
  return {};
}

Exchange::Step Exchange::make_ready() {
  sending_since_ = service_.parts.clock.steady();
  restore_queue_url();
  if (auto step = sign(); !step) return step;
  if (via_.connect == nullptr && gives_queue_urls(*identified_)) {
    outgoing_.queue_base = "http://" + service_.own_authority;
  }
  outgoing_.head = &head_;
  outgoing_.framing = client_.incoming();
  if (held_) outgoing_.held_body = scratch_.body;
  if (is_reframed()) {
    if (auto step = reframe(); !step) return step;
  } else if (payload_ == aws::Payload::Hash && !held_ && !client_.body_done()) {
    outgoing_.sha256 = body_hash_;
  }
  if (held_ && (body_changed_ || outgoing_.framing.kind == net::Framing::Kind::Chunked)) {
    outgoing_.framing = net::Framing{net::Framing::Kind::Length, outgoing_.held_body->size()};
  }
  return {};
}

// The body's own signatures are made anew: at once when it is held, else while it passes.
Exchange::Step Exchange::reframe() {
  aws::ReframeInput input;
  input.payload = payload_;
  input.inbound = *std::move(inbound_seed_);
  input.outbound = service_.signer.seed();
  input.decoded_length = decoded_length_;
  input.trailers = chunk_trailers_;
  auto made = aws::Reframer::make(input);
  if (!made) return no("payload form", std::move(made).error().message, "InvalidRequest", 400);
  reframer_ = *std::move(made);
  outgoing_.both_ways = payload_ == aws::Payload::StreamingEvents;
  if (!held_) {
    outgoing_.reframer = &*reframer_;
    return {};
  }
  decoded_.clear();
  auto fed = reframer_->feed(scratch_.body, decoded_);
  Result<> whole = fed ? reframer_->finish() : std::unexpected(std::move(fed).error());
  if (!whole) return no("signature", whole.error().message, "SignatureDoesNotMatch", 403);
  outgoing_.held_body = decoded_;
  return {};
}

Exchange::Step Exchange::sent() {
  const Forwarded& done = forwarded_;
  if (done.session_rejected) call_->session()->rejected(*credentials_);
  const auto took = service_.parts.clock.steady() - sending_since_;
  service_.answers.add(call_, done_of(decided_, done, took));
  if (done.status != 0) {
    if (auto remark =
            remark_on_clock(scratch_.answer, service_.parts.clock.now(), destination_.authority)) {
      service_.parts.log.warn("clock-off", {{"reason", std::string_view(*remark)}});
      call_->remark(*std::move(remark));
    }
    call_->answered(
        identified_->actions.empty() ? identified_->operation : identified_->actions.front().action,
        done.status, done.request_id);
  }
  if (done.error.empty() || done.answer_started || !client_.is_open()) return {};
  auto refused =
      done.client_fault
          ? no("body", done.error, "InvalidRequest", 400)
          : no("endpoint", fmt::format("{} did not answer: {}", destination_.authority, done.error),
               "ServiceUnavailable", 503);
  refused.error()->recorded = true;  // as the end of the request
  return refused;
}

net::Task<> Exchange::answer_caller_identity() {
  const auto current = call_->session() ? call_->session()->current() : nullptr;
  const std::string id = service_.new_request_id();
  const std::string body = caller_identity_xml(caller_identity(call_->facts(), current.get()), id);
  http::Fields fields = {{"Content-Type", "text/xml"}, {"x-amzn-RequestId", id}};
  call_->answered("sts:GetCallerIdentity", 200, id);
  [[maybe_unused]] auto answered = co_await client_.respond(
      200, std::move(fields), body, net::ServerConnection::After::KeepAlive);
}

net::Task<> Exchange::refuse(std::unique_ptr<Refused> refused) {
  Refusal& refusal = refused->refusal;
  service_.parts.log.info("egress-refused", {{"layer", refusal.layer},
                                             {"action", refusal.action},
                                             {"resource", refusal.resource},
                                             {"reason", refusal.message}});
  if (!refused->recorded) {
    if (refused->decided && identified_ && call_) {
      Decided denied = decided();
      denied.refusal = &refusal;
      append(service_, decided_kind(), call_->facts().id, decided_body(denied).json);
    } else {
      const std::string_view upstream = lane_ ? std::string_view(lane_->upstream()) : "";
      append(service_, ledger::Kind::Refused, call_ ? call_->facts().id : std::string(),
             refused_body(upstream, via_.connect != nullptr ? via_.connect->host : "", head_,
                          refusal));
    }
  }
  const std::string message = fmt::format("Remit: {}", refusal.message);
  const std::string id = service_.new_request_id();
  aws::ErrorFacts error;
  error.protocol =
      identified_ ? identified_->protocol : aws::guess_protocol(service_.parts.catalogue, facts());
  error.service = identified_ ? identified_->service : signed_.service;
  error.code = refused->code;
  error.message = message;
  error.request_id = id;
  error.resource = std::string_view(head_.target).substr(0, head_.target.find('?'));
  error.status = refused->status;
  error.head_request = head_.method == "HEAD";
  aws::ErrorForm form = aws::error_form(error);
  if (error.code == kSkewed) form.fields.push_back({"Date", http_date(service_.parts.clock.now())});
  if (call_) call_->refused(std::move(refusal));
  [[maybe_unused]] auto answered = co_await client_.respond(
      form.status, without_length(form.fields), form.body, net::ServerConnection::After::KeepAlive);
}

}  // namespace remit::gateway
