#include "gateway/tool_call.h"

#include <fmt/format.h>

#include <utility>

#include "base/digest.h"
#include "gateway/receipt.h"
#include "mcp/schema.h"
#include "mcp/splice.h"

namespace remit::gateway {
namespace {

std::optional<json::Value> arguments_of(const mcp::Message& request) {
  return request.params ? request.params->find("arguments") : std::nullopt;
}

std::string digest_of_arguments(const mcp::Message& request) {
  const auto arguments = arguments_of(request);
  return arguments ? sha256_hex(arguments->raw()) : std::string();
}

}  // namespace

void Calls::cancel(ToolCall& call) {
  if (std::exchange(call.cancelled, true)) return;
  if (call.pending) call.pending->done.set();
  parts_.upstreams.wake();
}

Calls::Decision Calls::decide(const ToolCall& call) {
  Decision decision;
  const auto& request = call.request;
  const auto name = request.params ? request.params->find("name") : std::nullopt;
  if (!name || !name->is(json::Kind::String)) {
    decision.protocol_error = mcp::kInvalidParams;
    decision.denied = "tools/call needs the name of a tool";
    return decision;
  }
  decision.asked_for = std::string(name->string().substr(0, 256));
  if (request.params->find("task")) {
    decision.protocol_error = mcp::kInvalidParams;
    decision.denied = "calls as tasks are not offered here";
    return decision;
  }
  decision.tool = parts_.toolbox.find(name->string());
  if (!decision.tool) {
    // The same words for a tool that does not exist and one that no remit covers.
    decision.protocol_error = mcp::kInvalidParams;
    decision.denied = fmt::format("unknown tool: {}", decision.asked_for);
    return decision;
  }
  bind(request, decision);
  return decision;
}

void Calls::bind(const mcp::Message& request, Decision& decision) {
  const auto arguments = arguments_of(request);
  if (arguments && !arguments->is(json::Kind::Object)) {
    decision.denied = "arguments must be an object";
    return;
  }
  if (const auto schema = decision.tool->input_schema()) {
    const auto empty = json::parse("{}");
    const auto fits = mcp::validate(*schema, arguments ? *arguments : empty->root());
    if (!fits) {
      decision.denied = fits.error().message;
      return;
    }
  }
  auto plan = parts_.planner.plan(*decision.tool->remit, arguments);
  if (!plan) {
    decision.denied = plan.error().message;
    return;
  }
  decision.plan = *std::move(plan);
  const auto room = parts_.limits.take_call(*decision.tool->remit, parts_.clock.steady());
  if (!room) decision.denied = room.error().message;
}

net::Task<Result<>> Calls::record(const ToolCall& call, const Decision& decision) {
  const Tool* tool = decision.tool.get();
  CallDecision record{.agent = config_->agent.name,
                      .user = config_->agent.user ? std::string_view(*config_->agent.user) : "",
                      .upstream = tool != nullptr ? std::string_view(tool->upstream) : "",
                      .tool = tool != nullptr ? std::string_view(tool->name) : decision.asked_for,
                      .arguments_sha256 = digest_of_arguments(call.request),
                      .remit = tool != nullptr ? std::string_view(tool->remit->name) : "",
                      .role = decision.plan ? std::string_view(decision.plan->role) : "",
                      .allowed = decision.denied.empty(),
                      .reason = decision.denied};
  return parts_.journal.write(ledger::Kind::CallDecided, call.id, Journal::decided(record));
}

net::Task<std::string> Calls::run(std::shared_ptr<ToolCall> call) {
  const auto started = parts_.clock.steady();
  call->id = make_call_id(parts_.clock, parts_.random);
  const auto name = call->request.params ? call->request.params->find("name") : std::nullopt;
  const auto asked = name ? name->as_string() : std::nullopt;
  if (asked && !parts_.toolbox.find(*asked)) co_await parts_.upstreams.known();

  auto decision = decide(*call);
  const auto recorded = co_await record(*call, decision);
  if (!recorded) {
    parts_.log.error("call.not-recorded", {{"reason", std::string_view(recorded.error().message)}});
    co_return mcp::result_line(
        call->request.raw_id(),
        mcp::tool_error_result("Remit did not forward the call: the decision could not be recorded "
                               "in its ledger (" +
                                   recorded.error().message + ").",
                               receipt_of_unforwarded(call->id, Verdict::Denied, "")));
  }
  if (!decision.denied.empty()) {
    parts_.log.info("call.denied", {{"call", std::string_view(call->id)},
                                    {"tool", std::string_view(decision.asked_for)},
                                    {"reason", std::string_view(decision.denied)}});
    co_return denial_line(*call, decision);
  }

  auto answer = co_await perform(call, std::move(decision));
  answer.outcome.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.steady() - started);
  answer.outcome.reason = answer.reason;
  parts_.journal.note(ledger::Kind::CallDone, call->id, Journal::done(answer.outcome));
  co_return std::move(answer.line);
}

std::string Calls::denial_line(const ToolCall& call, const Decision& decision) const {
  if (decision.protocol_error) {
    return mcp::error_line(call.request.raw_id(), *decision.protocol_error, decision.denied);
  }
  return mcp::result_line(
      call.request.raw_id(),
      mcp::tool_error_result(
          "Remit refused this call: " + decision.denied + ".",
          receipt_of_unforwarded(call.id, Verdict::Denied, decision.tool->remit->name)));
}

net::Task<Calls::Answer> Calls::perform(std::shared_ptr<ToolCall> call, Decision decision) {
  LanePool* pool = parts_.upstreams.find(decision.tool->upstream);
  const auto& upstream = pool->upstream();
  const auto deadline = parts_.clock.steady() + upstream.timeouts.call;

  auto acquired = co_await parts_.sessions.acquire(decision.plan);
  if (!acquired) {
    co_return failure(*call, decision, nullptr, "error",
                      "no AWS session could be had for this call: " + acquired.error().message);
  }
  parts_.journal.note(ledger::Kind::SessionMinted, call->id,
                      Journal::minted(*decision.plan, *acquired->credentials, acquired->reused));

  std::string owner = decision.plan->key;
  if (upstream.isolate == rules::Isolate::Agent) owner = "agent";
  if (upstream.isolate == rules::Isolate::Call) owner = call->id;
  auto leased = co_await pool->acquire(std::move(owner), deadline, &call->cancelled);
  if (!leased) {
    const std::string_view outcome = call->cancelled ? "cancelled" : "error";
    co_return failure(*call, decision, nullptr, outcome, leased.error().message);
  }
  const auto process = *std::move(leased);
  if (call->cancelled) {
    pool->release(process, true);
    co_return failure(*call, decision, nullptr, "cancelled", "the call was cancelled");
  }

  auto in_force = make_call(*call, decision, *acquired, *pool);
  process->lane->put_in_force(in_force);
  auto answer = co_await forward(call, std::move(decision), process, in_force, deadline);
  // Before the agent hears of it, the call authorises nothing more.
  process->lane->clear();
  process->progress.reset();
  const bool answered = call->pending && call->pending->message.has_value();
  call->pending = nullptr;
  pool->release(process, answered);
  co_return answer;
}

std::shared_ptr<Call> Calls::make_call(const ToolCall& call, const Decision& decision,
                                       const Sessions::Acquired& acquired, const LanePool& pool) {
  CallFacts facts;
  facts.id = call.id;
  facts.agent = config_->agent.name;
  facts.upstream = decision.tool->upstream;
  facts.tool = decision.tool->name;
  facts.remit = decision.tool->remit->name;
  facts.region = config_->aws.region;
  facts.approve = decision.tool->remit->approve;
  facts.pins = decision.tool->remit->pins;
  facts.public_hosts = pool.upstream().public_hosts;
  facts.plan = decision.plan;
  add_session_facts(facts, *decision.plan, *acquired.credentials);
  auto in_force = std::make_shared<Call>(std::move(facts), acquired.session);
  in_force->limit_writes([this, tool = decision.tool] {
    return parts_.limits.take_write(*tool->remit, parts_.clock.steady());
  });
  return in_force;
}

net::Task<Calls::Answer> Calls::forward(std::shared_ptr<ToolCall> call, Decision decision,
                                        LanePool::Leased process, std::shared_ptr<Call> in_force,
                                        std::chrono::steady_clock::time_point deadline) {
  const auto& params = *call->request.params;
  std::optional<std::int64_t> token;
  if (const auto theirs = params.at({"_meta", "progressToken"})) {
    token = next_progress_++;
    process->progress = Progress{.token = *token, .agents_token = std::string(theirs->raw())};
  }
  const auto connection = process->connection;
  call->pending = connection->request("tools/call",
                                      mcp::forward_call_params(params, decision.tool->name, token));
  const auto pending = call->pending;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - parts_.clock.steady());
  const bool woken = co_await pending->done.wait_for(left);

  if (pending->message) co_return finish(*call, *pending->message, *in_force);
  if (pending->error) {
    co_return failure(*call, decision, in_force.get(), "lost", pending->error->message);
  }
  connection->forget(pending->id);
  connection->notify("notifications/cancelled", fmt::format(R"({{"requestId":{}}})", pending->id));
  if (woken) {
    co_return failure(*call, decision, in_force.get(), "cancelled", "the call was cancelled");
  }
  co_return failure(
      *call, decision, in_force.get(), "error",
      fmt::format("upstream {} did not answer within {} s", in_force->facts().upstream,
                  std::chrono::duration_cast<std::chrono::seconds>(left).count()));
}

Calls::Answer Calls::finish(const ToolCall& call, const mcp::Message& answer,
                            const Call& in_force) const {
  Answer out;
  out.outcome.outcome = "result";
  out.outcome.refused = in_force.refusal_count();
  const auto sentences = sentences_for_result(in_force);
  if (answer.result) {
    const auto is_error = answer.result->find("isError");
    out.outcome.is_error = is_error && is_error->as_boolean() == true;
    out.line =
        mcp::result_line(call.request.raw_id(),
                         mcp::finish_tool_result(*answer.result, sentences, receipt(in_force)));
    return out;
  }
  out.outcome.outcome = "error";
  out.outcome.is_error = true;
  const auto message = answer.error->find("message")->string();
  out.reason = std::string(message.substr(0, 500));
  if (sentences.empty()) {
    out.line = mcp::raw_error_line(call.request.raw_id(), answer.error->raw());
    return out;
  }
  // A protocol error has no place for the reasons: the agent gets them as a failed result.
  std::string text(message);
  for (const auto& sentence : sentences) text += "\n" + sentence;
  out.line =
      mcp::result_line(call.request.raw_id(), mcp::tool_error_result(text, receipt(in_force)));
  return out;
}

Calls::Answer Calls::failure(const ToolCall& call, const Decision& decision, const Call* in_force,
                             std::string_view outcome, std::string reason) const {
  Answer out;
  out.outcome.outcome = outcome;
  out.outcome.is_error = true;
  out.outcome.refused = in_force != nullptr ? in_force->refusal_count() : 0;
  out.reason = reason;
  parts_.log.warn("call.failed", {{"call", std::string_view(call.id)},
                                  {"tool", std::string_view(decision.tool->exposed)},
                                  {"reason", std::string_view(reason)}});
  // A cancelled request is not answered.
  if (call.cancelled) {
    out.outcome.outcome = "cancelled";
    return out;
  }
  std::string text = "Remit could not complete this call: " + reason + ".";
  if (in_force != nullptr) {
    for (const auto& sentence : sentences_for_result(*in_force)) text += "\n" + sentence;
  }
  const std::string paper =
      in_force != nullptr
          ? receipt(*in_force)
          : receipt_of_unforwarded(call.id, Verdict::Allowed, decision.tool->remit->name);
  out.line = mcp::result_line(call.request.raw_id(), mcp::tool_error_result(text, paper));
  return out;
}

}  // namespace remit::gateway
