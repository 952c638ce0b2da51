#include "gateway/receipt.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "json/writer.h"

namespace remit::gateway {
namespace {

constexpr std::size_t kMaxSentences = 8;

std::string sentence(const Refusal& refusal) {
  std::string text = "Remit refused ";
  text += refusal.action.empty() ? "an AWS request of this call" : refusal.action;
  if (!refusal.resource.empty()) text += " on " + refusal.resource;
  if (!refusal.layer.empty()) text += " (" + refusal.layer + ")";
  return text + ": " + refusal.message;
}

}  // namespace

std::string receipt(const Call& call) {
  const auto& facts = call.facts();
  json::Writer w;
  w.begin_object().key("call").string(facts.id).key("decision").string("allowed");
  w.key("remit").string(facts.remit);
  if (!facts.role_arn.empty()) w.key("role").string(facts.role_arn);
  if (!facts.session_name.empty()) w.key("session").string(facts.session_name);
  w.key("refused").integer(static_cast<std::int64_t>(call.refusal_count()));
  w.key("aws").begin_array();
  for (const auto& answer : call.answers()) {
    w.begin_object().key("action").string(answer.action).key("status").integer(answer.status);
    if (!answer.request_id.empty()) w.key("request_id").string(answer.request_id);
    w.end_object();
  }
  w.end_array().end_object();
  return std::move(w).take();
}

std::string receipt_of_unforwarded(std::string_view call_id, Verdict verdict,
                                   std::string_view remit) {
  json::Writer w;
  w.begin_object().key("call").string(call_id).key("decision");
  w.string(verdict == Verdict::Allowed ? "allowed" : "denied");
  if (!remit.empty()) w.key("remit").string(remit);
  w.end_object();
  return std::move(w).take();
}

std::vector<std::string> sentences_for_result(const Call& call) {
  std::vector<std::string> sentences;
  for (const auto& refusal : call.refusals()) {
    std::string text = sentence(refusal);
    if (std::ranges::find(sentences, text) != sentences.end()) continue;
    if (sentences.size() == kMaxSentences) {
      sentences.push_back(
          fmt::format("Remit refused {} AWS requests of this call in all.", call.refusal_count()));
      break;
    }
    sentences.push_back(std::move(text));
  }
  std::ranges::copy(call.remarks(), std::back_inserter(sentences));
  return sentences;
}

}  // namespace remit::gateway
