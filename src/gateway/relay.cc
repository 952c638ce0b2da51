#include "gateway/relay.h"

#include <utility>

#include "mcp/splice.h"

namespace remit::gateway {
namespace {

// The capability that the agent must have declared to be asked this; empty: never asked.
std::string_view capability_for(std::string_view method) {
  if (method == "sampling/createMessage") return "sampling";
  if (method == "elicitation/create") return "elicitation";
  if (method == "roots/list") return "roots";
  return {};
}

}  // namespace

Relay::~Relay() { withdraw_all("the upstream has ended"); }

void Relay::on_notification(const mcp::Message& notification) {
  if (notification.method == "notifications/progress") return progress(notification);
  if (notification.method == "notifications/cancelled") return withdraw(notification);
  if (notification.method == "notifications/message") {
    return agent_.notify_if_it_reads(notification.method, notification.raw_params());
  }
  if (notification.method == "notifications/elicitation/complete") {
    return agent_.notify(notification.method, notification.raw_params());
  }
  if (notification.method == "notifications/tools/list_changed") {
    if (auto process = process_.lock()) tools_changed_(std::move(process));
  }
  // Everything else is about what this gateway does not serve (resources, prompts).
}

void Relay::progress(const mcp::Message& notification) {
  const auto process = process_.lock();
  if (!process || !process->progress || !notification.params) return;
  const auto token = notification.params->find("progressToken");
  if (!token || token->as_int64() != process->progress->token) return;
  mcp::Splice splice(*notification.params);
  splice.replace(*token, process->progress->agents_token);
  agent_.notify_if_it_reads(notification.method, splice.take());
}

void Relay::withdraw(const mcp::Message& notification) {
  const auto id = notification.params ? notification.params->find("requestId") : std::nullopt;
  const auto found = id ? questions_->find(mcp::id_key(*id)) : questions_->end();
  if (found == questions_->end()) return;
  agent_.withdraw(found->second, "the upstream withdrew it");
}

void Relay::withdraw_all(std::string_view reason) {
  for (const auto& [key, question] : std::exchange(*questions_, {})) {
    agent_.withdraw(question, reason);
  }
}

void Relay::on_closed() { withdraw_all("the upstream has ended"); }

void Relay::on_request(mcp::Message request) {
  const auto process = process_.lock();
  if (!process) return;
  const auto refuse = [&](std::string_view reason) {
    process->connection->answer(mcp::error_line(request.raw_id(), mcp::kMethodNotFound, reason));
    log_.info("upstream.not-relayed", {{"upstream", std::string_view(process->name)},
                                       {"method", request.method},
                                       {"reason", reason}});
  };
  const auto capability = capability_for(request.method);
  const auto caller = agent_.caller();
  if (capability.empty() || !caller || !caller->has(capability)) {
    return refuse("the client does not offer this");
  }
  // A question outside a call could act for nobody; roots name no one and are often asked at start.
  const auto& call = process->lane->in_force();
  if (capability != "roots" && (!call || call->facts().kind != CallKind::Tool)) {
    return refuse("no tool call is in progress");
  }
  std::string key = mcp::id_key(*request.id);
  if (questions_->size() >= kMaxQuestions || questions_->contains(key)) {
    return refuse("too many requests at once, or an id that is in use");
  }
  auto question = agent_.ask(request.method, request.raw_params());
  questions_->emplace(key, question);
  net::spawn(loop_, carry_answer(process->connection, std::move(question),
                                 std::string(request.raw_id()), std::move(key), questions_));
}

net::Task<> Relay::carry_answer(std::shared_ptr<Connection> connection,
                                std::shared_ptr<Question> question, std::string raw_id,
                                std::string key, std::shared_ptr<Questions> questions) {
  co_await question->done.wait();
  questions->erase(key);
  if (!question->answer) {
    connection->answer(mcp::error_line(raw_id, mcp::kInternalError, "the client did not answer"));
  } else if (question->answer->result) {
    connection->answer(mcp::result_line(raw_id, question->answer->result->raw()));
  } else {
    connection->answer(mcp::raw_error_line(raw_id, question->answer->error->raw()));
  }
}

}  // namespace remit::gateway
