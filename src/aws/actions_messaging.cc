// SQS and SNS:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
#include <algorithm>

#include "aws/call.h"

namespace remit::aws {
namespace {

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_queue_name(std::string_view name) {
  return !name.empty() && name.size() <= 80 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// "/111122223333/name" of a queue's URL or of a request's path; nullopt when it is not that.
std::optional<std::string> queue_of_path(const Call& call, std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view account = path.substr(0, slash);
  const std::string_view name = path.substr(slash + 1);
  if (!is_account(account) || !is_queue_name(name)) return std::nullopt;
  return call.arn("sqs", call.facts.scope_region, account, name);
}

// A name alone is taken as one, too, for a queue of the caller's own:
// https://github.com/aws/aws-sdk-js-v3/pull/6337
std::optional<std::string> queue_of_url(const Call& call, std::string_view url) {
  if (is_queue_name(url) && call.account_known()) return call.regional_arn("sqs", url);
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::size_t slash = url.find('/', scheme + 3);
  if (slash == std::string_view::npos || url.find_first_of("?#%") != std::string_view::npos)
    return std::nullopt;
  return queue_of_path(call, url.substr(slash));
}

// The queue that the request is about; nullopt when it names none that can be told.
Result<std::optional<std::string>> find_queue(const Call& call) {
  std::optional<std::string> found;
  const bool by_url = call.body.child(call.body.root(), "QueueUrl") != Wire::kNothing;
  if (by_url) found = queue_of_url(call, body_text(call, "QueueUrl"));
  if (call.resolved.target.path != "/") {
    auto by_path = queue_of_path(call, call.resolved.target.path);
    if (found && found != by_path)
      return fail(ErrorCode::InvalidInput, "QueueUrl and the path name different queues");
    if (!by_path) return fail(ErrorCode::InvalidInput, "the path names no queue");
    found = std::move(by_path);
  }
  // Only where the operation has no URL: beside one that cannot be read a name says nothing.
  if (found || by_url) return found;
  if (call.name() != "CreateQueue" && call.name() != "GetQueueUrl") return found;
  const std::string_view name = body_text(call, "QueueName");
  const std::string_view owner = body_text(call, "QueueOwnerAWSAccountId");
  const std::string_view account = owner.empty() ? call.facts.account : owner;
  if (is_queue_name(name) && is_account(account))
    found = call.arn("sqs", call.facts.scope_region, account, name);
  return found;
}

void ask_queue(const Call& call, std::string_view action, const std::optional<std::string>& queue,
               std::vector<ActionRequest>& out) {
  ActionRequest request = call.ask(action);
  if (queue) {
    request.resources.push_back(*queue);
  } else {
    request.resource_unknown = true;
  }
  out.push_back(std::move(request));
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
void move_task(const Call& call, std::vector<ActionRequest>& out) {
  const auto arn = [&](std::string_view member) -> std::optional<std::string> {
    const std::string_view text = body_text(call, member);
    if (!text.starts_with("arn:") || !text.contains(":sqs:")) return std::nullopt;
    return std::string(text);
  };
  const auto source = arn("SourceArn");
  ask_queue(call, "sqs:" + std::string(call.name()), source, out);
  if (call.name() != "StartMessageMoveTask") return;
  for (const std::string_view action :
       {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"})
    ask_queue(call, action, source, out);
  // Without a destination the messages go back to the queues they came from.
  ask_queue(call, "sqs:SendMessage", arn("DestinationArn"), out);
}

Result<bool> add_sqs(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view name = call.name();
  if (name == "StartMessageMoveTask" || name == "ListMessageMoveTasks") {
    move_task(call, out);
    return true;
  }
  if (name == "ListQueues" || name == "CancelMessageMoveTask") return false;
  REMIT_TRY(const auto queue, find_queue(call));
  const std::uint32_t use = call.operation.uses;
  ask_queue(call, call.t.text(call.t.actions[call.t.lists[use]].name), queue, out);
  return true;
}

Result<bool> add_sns(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view name = call.name();
  if (name == "Publish" || name == "PublishBatch") {
    ActionRequest request = call.ask("sns:Publish");
    for (const std::string_view member : {"TopicArn", "TargetArn"})
      if (const std::string_view arn = body_text(call, member); !arn.empty()) {
        if (arn.starts_with("arn:") && arn.contains(":sns:")) {
          request.resources.emplace_back(arn);
        } else {
          request.resource_unknown = true;
        }
      }
    // A text message to a phone number is allowed on `*` only.
    if (request.resources.empty() || !body_text(call, "PhoneNumber").empty())
      request.resource_unknown = true;
    out.push_back(std::move(request));
    return true;
  }
  if (!body_text(call, "SubscriptionArn").empty()) {
    // A subscription is guarded as its topic: the ARN without its last part.
    add_generic_actions(call, out);
    for (std::string& arn : out.back().resources)
      if (std::ranges::count(arn, ':') == 6) arn.resize(arn.rfind(':'));
    return true;
  }
  if (name == "Subscribe") {
    add_generic_actions(call, out);
    for (const auto& [key, member] :
         {std::pair{"sns:Protocol", "Protocol"}, std::pair{"sns:Endpoint", "Endpoint"}}) {
      if (const std::string_view text = body_text(call, member); !text.empty()) {
        set_context(out.back(), key, std::string(text));
      } else {
        set_absent(out.back(), key);
      }
    }
    return true;
  }
  return false;
}

}  // namespace

Result<bool> add_messaging_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  return call.t.text(call.service.name) == "sqs" ? add_sqs(call, out) : add_sns(call, out);
}

}  // namespace remit::aws
