// Lambda: https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html and
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
#include <algorithm>

#include "aws/call.h"

namespace remit::aws {
namespace {

bool is_part(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '$';
  });
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    parts.push_back(text.substr(0, colon));
    if (colon == text.size()) return parts;
    text.remove_prefix(colon + 1);
  }
}

// What AWS may read as region, account or "function" in front of a name, whose parts it all lets be
// left out: "111122223333:name" is no function 111122223333.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName's pattern)
bool may_lead(std::string_view part) {
  const bool digits = std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  // "us-west-2", "us-gov-west-1"
  const bool region = part.size() >= 8 && part[2] == '-' && part[part.size() - 2] == '-' &&
                      part.back() >= '0' && part.back() <= '9';
  return part == "function" || (digits && part.size() == 12) || region;
}

// A function is named in four ways: name, name:qualifier, account:function:name[:qualifier] and the
// ARN. nullopt when it is none of them.
std::optional<std::string> function_arn(const Call& call, std::string_view given,
                                        std::string_view qualifier) {
  std::vector<std::string_view> parts = split(given);
  std::string_view region = call.facts.scope_region;
  std::string_view account = call.facts.account;
  if (parts.size() >= 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "function") {
    region = parts[3];
    account = parts[4];
    parts.erase(parts.begin(), parts.begin() + 6);
  } else if (parts.size() >= 3 && parts[1] == "function") {
    account = parts[0];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  if (parts.size() > 2 || account.empty() || !std::ranges::all_of(parts, is_part))
    return std::nullopt;
  if (parts.size() == 2) {
    if (parts.front().data() == given.data() && may_lead(parts[0])) return std::nullopt;
    if (!qualifier.empty() && qualifier != parts[1]) return std::nullopt;
    qualifier = parts[1];
  }
  std::string resource = "function:" + std::string(parts[0]);
  if (!qualifier.empty()) {
    if (!is_part(qualifier)) return std::nullopt;
    resource.append(":").append(qualifier);
  }
  return call.arn("lambda", region, account, resource);
}

std::string given_function(const Call& call) {
  if (auto name = call.label("FunctionName")) return *std::move(name);
  return std::string(call.body.text_at(call.body.root(), "FunctionName").value_or(""));
}

std::string given_qualifier(const Call& call) {
  const QueryParameter* found = call.query("Qualifier");
  return found == nullptr ? std::string() : found->value;
}

void add_list_key(const Call& call, ActionRequest& request, std::string_view key,
                  std::initializer_list<std::string_view> path) {
  const Wire& body = call.body;
  Wire::Ref parent = body.root();
  for (auto part = path.begin(); part + 1 < path.end(); ++part) parent = body.child(parent, *part);
  std::vector<std::string> values;
  for (const Wire::Ref item : body.items(parent, *(path.end() - 1)))
    if (body.is_scalar(item)) values.emplace_back(body.text(item));
  set_absent(request, key);
  if (!values.empty()) set_context(request, std::string(key), std::move(values), true);
}

void add_keys(const Call& call, ActionRequest& request,
              const std::optional<std::string>& function) {
  const std::string_view name = call.name();
  if (name == "CreateFunction" || name == "UpdateFunctionConfiguration") {
    add_list_key(call, request, "lambda:Layer", {"Layers"});
    add_list_key(call, request, "lambda:SubnetIds", {"VpcConfig", "SubnetIds"});
    add_list_key(call, request, "lambda:SecurityGroupIds", {"VpcConfig", "SecurityGroupIds"});
    if (call.body.child(call.body.root(), "VpcConfig") == Wire::kNothing)
      set_absent(request, "lambda:VpcIds");
  }
  if (name == "CreateFunction" || name.starts_with("PutFunctionCodeSigning"))
    set_text_key(call, request, "lambda:CodeSigningConfigArn", "CodeSigningConfigArn");
  if (name == "AddPermission") {
    set_text_key(call, request, "lambda:Principal", "Principal");
    set_text_key(call, request, "lambda:FunctionUrlAuthType", "FunctionUrlAuthType");
  }
  if (name.ends_with("FunctionUrlConfig"))
    set_text_key(call, request, "lambda:FunctionUrlAuthType", "AuthType");
  if (name.ends_with("EventSourceMapping") && function)
    set_context(request, "lambda:FunctionArn", *function);
  if (call.t.text(call.operation.name).starts_with("Invoke")) {
    set_absent(request, "lambda:EventSourceToken");
    set_absent(request, "lambda:InvokedViaFunctionUrl");
  }
}

}  // namespace

Result<bool> add_lambda_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  if (const auto layer = call.label("LayerName"); layer && call.label("VersionNumber")) {
    ActionRequest request = generic_action(call, 0);
    const auto version = call.label("VersionNumber");
    if (is_part(*layer) && is_part(*version) && call.account_known()) {
      request.resource_unknown = false;
      request.resources = {call.regional_arn("lambda", "layer:" + *layer + ":" + *version)};
    }
    out.push_back(std::move(request));
    return true;
  }
  const std::string given = given_function(call);
  if (given.empty()) return false;
  const auto function = function_arn(call, given, given_qualifier(call));
  for (std::uint32_t i = 0; i < call.operation.action_count; ++i) {
    const ActionRow action = call.t.actions[call.t.lists[call.operation.uses + i * 3]];
    ActionRequest request = call.ask(call.t.text(action.name));
    bool on_function = false;
    for (std::uint32_t j = 0; j < action.type_count; ++j) {
      const std::uint32_t type = call.t.lists[action.type_first + j] >> 1;
      on_function |= call.t.text(call.t.resource_types[type].name).starts_with("function");
    }
    if (!on_function) {
      request = generic_action(call, i);
    } else if (function) {
      request.resources.push_back(*function);
    } else {
      request.resource_unknown = true;
    }
    add_keys(call, request, function);
    out.push_back(std::move(request));
  }
  return true;
}

}  // namespace remit::aws
