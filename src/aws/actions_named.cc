// ECS, EventBridge, Glue: names that stand for several ARNs, or that two members may hold.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html
// https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTable.html
#include <algorithm>
#include <array>

#include "aws/call.h"

namespace remit::aws {
namespace {

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// "family:revision", its ARN, or "family" for the newest revision, whose number is not told.
void add_task_definition(const Call& call, ActionRequest& request, std::string_view given) {
  if (given.starts_with("arn:")) {
    if (given.contains(":ecs:") && given.contains(":task-definition/") &&
        given.find_first_of("*?") == std::string_view::npos) {
      request.resources.emplace_back(given);
      // Of an ARN without a revision it is the newest one.
      if (!given.substr(given.find(":task-definition/") + 1).contains(':')) {
        request.resources.back() += ":*";
        request.resource_approximate = true;
      }
    } else {
      request.resource_unknown = true;
    }
    return;
  }
  const std::size_t colon = given.find(':');
  const std::string_view family = given.substr(0, colon);
  const bool newest = colon == std::string_view::npos;
  const std::string_view revision = newest ? "*" : given.substr(colon + 1);
  if (!is_plain_name(family) || !(newest || is_plain_name(revision)) || !call.account_known()) {
    request.resource_unknown = true;
    return;
  }
  request.resource_approximate |= newest;
  request.resources.push_back(call.regional_arn(
      "ecs", "task-definition/" + std::string(family) + ":" + std::string(revision)));
}

// ecs:cluster: the ARN, of a name too.
void set_cluster(const Call& call, ActionRequest& request) {
  constexpr std::string_view kKey = "ecs:cluster";
  if (std::ranges::find(request.unknown_keys, kKey) == request.unknown_keys.end()) return;
  const Wire::Ref member = call.body.child(call.body.root(), "cluster");
  const bool absent = member == Wire::kNothing;
  if (!absent && !call.body.is_scalar(member)) return;
  const std::string given(absent ? "default" : call.body.text(member));
  if (given.starts_with("arn:")) {
    set_context(request, std::string(kKey), given);
  } else if (is_plain_name(given) && call.account_known()) {
    set_context(request, std::string(kKey), call.regional_arn("ecs", "cluster/" + given));
  }
}

void add_ecs(const Call& call, std::vector<ActionRequest>& out) {
  add_generic_actions(call, out);
  const std::string_view name = call.name();
  if (out.empty()) return;
  if (name == "RunTask" || name == "StartTask") {
    out[0].resources.clear();
    out[0].resource_unknown = false;
    add_task_definition(call, out[0], body_text(call, "taskDefinition"));
  } else if (name == "DeleteTaskDefinitions") {
    out[0].resources.clear();
    const std::vector<Wire::Ref> items = call.body.items(call.body.root(), "taskDefinitions");
    out[0].resource_unknown = items.empty();
    for (const Wire::Ref item : items)
      add_task_definition(call, out[0], call.body.is_scalar(item) ? call.body.text(item) : "");
  }
  constexpr std::array<std::string_view, 12> kOnCluster = {
      "RunTask",       "StartTask",     "StopTask",         "CreateService",
      "UpdateService", "DeleteService", "ExecuteCommand",   "DescribeTasks",
      "ListTasks",     "ListServices",  "DescribeServices", "UpdateTaskProtection"};
  if (std::ranges::find(kOnCluster, name) != kOnCluster.end()) set_cluster(call, out[0]);
}

// The name of a bus of the caller's own; empty: not told.
std::string bus_of(const Call& call, Wire::Ref given) {
  if (given == Wire::kNothing) return "default";
  if (!call.body.is_scalar(given)) return {};
  std::string_view text = call.body.text(given);
  const std::string prefix = call.regional_arn("events", "event-bus/");
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  // A partner's bus has slashes in its name.
  const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return c == '/' || is_plain_name(std::string_view(&c, 1));
  });
  return plain ? std::string(text) : std::string{};
}

// rule/NAME on the default bus, rule/BUS/NAME on another.
bool add_rule(const Call& call, std::vector<ActionRequest>& out) {
  constexpr std::array<std::string_view, 8> kOnRules = {
      "PutRule",     "DeleteRule", "DescribeRule",  "EnableRule",
      "DisableRule", "PutTargets", "RemoveTargets", "ListTargetsByRule"};
  const std::string_view operation = call.name();
  if (std::ranges::find(kOnRules, operation) == kOnRules.end()) return false;
  const bool by_rule = operation.contains("Target");
  const std::string_view rule = body_text(call, by_rule ? "Rule" : "Name");
  const std::string bus = bus_of(call, call.body.child(call.body.root(), "EventBusName"));
  ActionRequest request = generic_action(call, 0);
  request.resources.clear();
  request.resource_unknown = !is_plain_name(rule) || bus.empty() || !call.account_known();
  if (!request.resource_unknown) {
    const std::string place = bus == "default" ? "rule/" : "rule/" + bus + "/";
    request.resources.push_back(call.regional_arn("events", place + std::string(rule)));
  }
  out.push_back(std::move(request));
  return true;
}

bool put_events(const Call& call, std::vector<ActionRequest>& out) {
  const Wire& body = call.body;
  ActionRequest request = generic_action(call, 0);
  request.resources.clear();
  const std::vector<Wire::Ref> entries = body.items(body.root(), "Entries");
  // A global endpoint has buses of its own choice.
  request.resource_unknown = entries.empty() || !call.account_known() ||
                             body.child(body.root(), "EndpointId") != Wire::kNothing;
  for (const Wire::Ref entry : entries) {
    const Wire::Ref given = body.child(entry, "EventBusName");
    std::string bus = bus_of(call, given);
    const bool elsewhere = given != Wire::kNothing && body.is_scalar(given) &&
                           body.text(given).starts_with("arn:") &&
                           body.text(given).contains(":event-bus/") &&
                           body.text(given).find_first_of("*?") == std::string_view::npos;
    std::string arn =
        elsewhere ? std::string(body.text(given)) : call.regional_arn("events", "event-bus/" + bus);
    request.resource_unknown |= !elsewhere && bus.empty();
    if ((elsewhere || !bus.empty()) &&
        std::ranges::find(request.resources, arn) == request.resources.end())
      request.resources.push_back(std::move(arn));
  }
  out.push_back(std::move(request));
  return true;
}

// The table of CreateTable and UpdateTable is named in TableInput, or at the top for open formats:
// what counts where both are given is not documented.
bool add_glue(const Call& call, std::vector<ActionRequest>& out) {
  add_generic_actions(call, out);
  const Wire& body = call.body;
  const bool table = call.name() == "CreateTable" || call.name() == "UpdateTable";
  const bool beside = body.child(body.root(), "Name") != Wire::kNothing ||
                      body.child(body.root(), "OpenTableFormatInput") != Wire::kNothing ||
                      body.child(body.root(), "UpdateOpenTableFormatInput") != Wire::kNothing;
  const bool arn = body.at({"RegistryId", "RegistryArn"}) != Wire::kNothing;
  for (ActionRequest& request : out) request.resource_unknown |= (table && beside) || arn;
  return true;
}

}  // namespace

Result<bool> add_named_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  const std::string_view service = call.t.text(call.service.name);
  if (service == "glue") return add_glue(call, out);
  if (service == "events") {
    if (call.name() == "PutEvents") return put_events(call, out);
    return add_rule(call, out);
  }
  add_ecs(call, out);
  return true;
}

}  // namespace remit::aws
