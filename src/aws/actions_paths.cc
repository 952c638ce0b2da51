// Services whose resources are in the request's path: API Gateway, whose ARNs are paths, and
// Bedrock's models.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
// https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
#include <algorithm>
#include <array>

#include "aws/call.h"

namespace remit::aws {
namespace {

// arn:aws:apigateway:REGION::/restapis/ID/…: the path itself, of version 2 without its "/v2".
bool add_apigateway(const Call& call, std::vector<ActionRequest>& out) {
  std::string_view path = call.resolved.target.path;
  if (path.starts_with("/v2/")) path.remove_prefix(3);
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  add_generic_actions(call, out);
  for (ActionRequest& request : out) {
    constexpr std::array<std::string_view, 5> kVerbs = {"apigateway:GET", "apigateway:POST",
                                                        "apigateway:PUT", "apigateway:PATCH",
                                                        "apigateway:DELETE"};
    if (std::ranges::find(kVerbs, request.action) == kVerbs.end()) continue;
    request.resources.clear();
    // Of tags the ARN in the path stays encoded; whether anything else does is not documented.
    request.resource_unknown = path.contains('%') && !path.starts_with("/tags/");
    if (!request.resource_unknown) {
      request.resources.push_back(
          call.arn("apigateway", call.facts.scope_region, {}, std::string(path)));
    }
  }
  return true;
}

// "us.anthropic.claude…": a model by way of an inference profile of that part of the world.
bool is_profile(std::string_view id) {
  constexpr std::array<std::string_view, 8> kParts = {"us.",     "eu.", "apac.", "global.",
                                                      "us-gov.", "jp.", "au.",   "ca."};
  return std::ranges::any_of(kParts, [&](std::string_view part) { return id.starts_with(part); });
}

void add_model(const Call& call, ActionRequest& request, std::string_view id) {
  request.resources.clear();
  request.resource_unknown = false;
  const bool clean = !id.empty() && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
  if (id.starts_with("arn:") && id.contains(":bedrock:")) {
    request.resources.emplace_back(id);
    // Behind a profile, a router or a prompt stand models that the request does not name.
    request.resource_approximate =
        !id.contains(":foundation-model/") && !id.contains(":provisioned-model/");
  } else if (!clean || !id.contains('.') || id.starts_with("arn:") ||
             (is_profile(id) && !call.account_known())) {
    request.resource_unknown = true;
  } else if (is_profile(id)) {
    const std::string_view model = id.substr(id.find('.') + 1);
    request.resources.push_back(
        call.regional_arn("bedrock", "inference-profile/" + std::string(id)));
    request.resources.push_back(
        call.arn("bedrock", call.facts.scope_region, {}, "foundation-model/" + std::string(model)));
    request.resource_approximate = true;  // the same model in the profile's other regions
  } else {
    request.resources.push_back(
        call.arn("bedrock", call.facts.scope_region, {}, "foundation-model/" + std::string(id)));
  }
}

bool add_bedrock(const Call& call, std::vector<ActionRequest>& out) {
  const auto id = call.value("modelId");
  if (!id) return false;
  add_generic_actions(call, out);
  for (ActionRequest& request : out) {
    if (request.action.starts_with("bedrock:InvokeModel")) add_model(call, request, *id);
  }
  return true;
}

}  // namespace

Result<bool> add_path_actions(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view service = call.t.text(call.service.name);
  if (service == "bedrock-runtime") return add_bedrock(call, out);
  return add_apigateway(call, out);
}

}  // namespace remit::aws
