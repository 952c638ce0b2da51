#include "remit/sources.h"

namespace remit::rules {

std::string sts_endpoint(const Config& config) {
  constexpr std::string_view kScheme = "https://";
  const std::string host = aws::sts_endpoint(config.aws.region).substr(kScheme.size());
  for (const std::string_view key :
       {std::string_view(host), std::string_view("sts"), std::string_view("*")}) {
    for (const auto& [name, url] : config.aws.endpoints)
      if (name == key) return url;
  }
  return {};
}

aws::BaseOptions base_options(const Config& config) {
  using From = aws::BaseOptions::From;
  aws::BaseOptions options;
  options.profile = config.aws.base.profile;
  options.region = config.aws.region;
  options.sts_endpoint = sts_endpoint(config);
  switch (config.aws.base.kind) {
    case BaseSource::Kind::DefaultChain:
    case BaseSource::Kind::Profile:
      options.from = From::Chain;
      break;
    case BaseSource::Kind::Environment:
      options.from = From::Environment;
      break;
    case BaseSource::Kind::Container:
      options.from = From::Container;
      break;
    case BaseSource::Kind::InstanceMetadata:
      options.from = From::Instance;
      break;
  }
  return options;
}

aws::AssumeRoleRequest assume_role_request(const SessionPlan& plan) {
  aws::AssumeRoleRequest request;
  request.role_arn = plan.role;
  request.session_name = plan.session_name;
  if (!plan.offloaded) request.policy = plan.policy;
  request.policy_arns = plan.policy_arns;
  for (const auto& [key, value] : plan.tags) request.tags.emplace_back(key, value);
  request.transitive_tag_keys = plan.transitive;
  request.duration = plan.duration;
  request.external_id = plan.external_id.value_or("");
  request.source_identity = plan.source_identity.value_or("");
  return request;
}

}  // namespace remit::rules
