#pragma once

// The catalogue for people: what `remit catalogue` prints. Not for the path of a request.
// Views live as long as the Catalogue.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/catalogue.h"

namespace remit::aws {

struct ResourceTypeView {
  std::string_view name;
  std::string_view arn;  // with ${Variables}
  bool required = false;
};

struct ActionView {
  std::string_view name;
  AccessLevel level = AccessLevel::Unknown;
  bool known = false;  // the IAM data have it; otherwise it is an operation's name only
  bool permission_only = false;
  std::vector<ResourceTypeView> resource_types;
  std::vector<std::string_view> condition_keys;
  std::vector<std::string> operations;  // "s3:PutObject" by botocore's names
};

struct OperationView {
  std::string_view name;
  std::string request;  // "PUT /{Bucket}/{Key+}" of REST protocols
  std::vector<std::string_view> actions;
  bool returns_credentials = false;
  bool passes_role = false;
};

struct EndpointView {
  std::string_view partition;
  std::string_view host;    // "{r}" for the region; "|REGION=HOST" for each that differs
  std::string_view region;  // signed for, whatever the client's own is; empty: that one
};
struct ServiceView {
  std::string_view name, id, signing_name, iam_prefix, api_version;
  std::vector<Protocol> protocols;
  std::vector<std::string_view> hosts;
  std::vector<EndpointView> endpoints;  // where endpoint mode goes: first of most operations
  std::vector<OperationView> operations;
};

// "s3:PutObject" in any case; nullopt when there is none.
std::optional<ActionView> view_action(const Catalogue& catalogue, std::string_view name);
std::optional<ServiceView> view_service(const Catalogue& catalogue, std::string_view name);

}  // namespace remit::aws
