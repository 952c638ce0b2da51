#include "iam/query.h"

#include <algorithm>

#include "iam/hash.h"
#include "iam/wildcard.h"

namespace remit::iam {
namespace {

bool is_account_id(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view type_of(const Principal& principal) {
  switch (principal.kind()) {
    case PrincipalKind::Anonymous:
      return "Anonymous";
    case PrincipalKind::User:
      return "User";
    case PrincipalKind::Role:
    case PrincipalKind::RoleSession:
      return "AssumedRole";
    case PrincipalKind::FederatedUser:
      return "FederatedUser";
    case PrincipalKind::Root:
      return "Account";
    default:
      return {};
  }
}

}  // namespace

ArnView split_arn_view(std::string_view text) {
  ArnView out;
  if (!text.starts_with("arn:")) return out;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto colon = text.find(':');
    if (colon == text.npos) return out;
    out.field[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  out.field[5] = text;
  out.whole = true;
  return out;
}

Query::Query(const Stack& stack, const Request& asked)
    : request(asked), principal(asked.principal) {
  const auto colon = asked.action.find(':');
  const bool well_formed = colon != std::string_view::npos && colon > 0 &&
                           colon + 1 < asked.action.size() && asked.action.size() <= kMaxAction;
  if (well_formed) {
    lower_into(lower_.data(), asked.action);
    action = {lower_.data(), asked.action.size()};
    service = action.substr(0, colon);
    name = action.substr(colon + 1);
    action_hash = iam::action_hash(action);
    service_hash = hash_ignoring_case(service);
  }
  if (asked.resource && asked.resource->size() <= kLongestText) {
    resource_text = asked.resource;
    resource = split_arn_view(*asked.resource);
  }
  boundary_attached = !stack.boundary.known ? Truth::Maybe : truth_of(stack.boundary.attached());
  if (principal == nullptr) return;
  principal_arn = principal->principal_arn();
  principal_arn_stated =
      principal->kind() != PrincipalKind::RoleSession || principal->path() != "/";
  if (asked.context != nullptr) {
    if (const auto stated = asked.context->find("aws:PrincipalArn");
        stated.state == Context::State::Known && stated.values.size() == 1) {
      principal_arn = stated.values.front();
      principal_arn_stated = true;
    }
  }
}

Query::Values Query::values_of(const CompiledPolicy& policy, const Key& key) const {
  const Context* context = request.context;
  if (context != nullptr) {
    if (const auto* entry = context->entry(key.hash, policy.text(key.name))) {
      const auto values = context->values_of(*entry);
      for (const auto value : values) {
        if (value.size() > kLongestText) return {Context::State::Unknown, {}};
      }
      return {entry->state, values};
    }
  }
  if (key.derived != Derived::None) {
    auto& value = derived_[static_cast<std::size_t>(key.derived)];
    const auto state = derive(key.derived, value);
    if (state == Context::State::Known) return {state, std::span(&value, 1)};
    if (state == Context::State::Absent) return {};
    if (unknown_to_all(key.derived)) return {Context::State::Unknown, {}};
  }
  if (context != nullptr && context->others() == Context::Others::Unknown) {
    return {Context::State::Unknown, {}};
  }
  return {};
}

bool Query::role_path_unknown() const {
  if (principal == nullptr || principal_arn_stated) return false;
  return principal->kind() == PrincipalKind::RoleSession &&
         (principal->name().starts_with("AWSReservedSSO_") ||
          principal->name().starts_with("AWSServiceRoleFor"));
}

// Whether a derived key that the request does not tell is there all the same: the caller is not
// known, or a bucket has an owner that is not known.
bool Query::unknown_to_all(Derived key) const {
  if (key == Derived::PrincipalArn && role_path_unknown()) return true;
  if (key != Derived::ResourceAccount) return principal == nullptr;
  return !resource_text || resource.field[2] == "s3";
}

// Unknown here means: the request does not tell.
Context::State Query::derive(Derived key, std::string_view& value) const {
  using enum Context::State;
  const auto known = [&value](std::string_view v) {
    value = v;
    return v.empty() ? Absent : Known;
  };
  if (key == Derived::ResourceAccount) {
    value = request.resource_account.value_or(
        is_account_id(resource.field[4]) ? resource.field[4] : std::string_view{});
    return value.empty() ? Unknown : Known;
  }
  if (principal == nullptr) return Unknown;
  const auto kind = principal->kind();
  const bool provider = kind == PrincipalKind::Provider;
  switch (key) {
    case Derived::PrincipalArn:
      if (role_path_unknown()) return Unknown;
      return known(provider ? std::string_view{} : principal->principal_arn());
    case Derived::PrincipalAccount:
      return known(provider ? std::string_view{} : principal->account());
    case Derived::PrincipalType: {
      const auto type = type_of(*principal);
      if (type.empty()) return Unknown;
      return known(type);
    }
    case Derived::PrincipalIsAwsService:
      if (kind == PrincipalKind::Anonymous || provider) return Absent;
      return known(kind == PrincipalKind::Service ? "true" : "false");
    case Derived::PrincipalServiceName:
      return known(kind == PrincipalKind::Service ? principal->name() : std::string_view{});
    case Derived::UserName:
      return known(kind == PrincipalKind::User ? principal->name() : std::string_view{});
    case Derived::UserId:
      if (kind == PrincipalKind::Root) return known(principal->account());
      return kind == PrincipalKind::Anonymous ? Absent : Unknown;
    default:
      return Unknown;
  }
}

std::string_view Query::resource_account() const {
  if (request.resource_account) return *request.resource_account;
  if (is_account_id(resource.field[4])) return resource.field[4];
  if (request.context == nullptr) return {};
  const auto stated = request.context->find("aws:ResourceAccount");
  const bool known = stated.state == Context::State::Known && stated.values.size() == 1;
  return known ? stated.values.front() : std::string_view{};
}

bool Query::is_trust() const {
  return service == "sts" && resource.field[2] == "iam" && resource.field[5].starts_with("role/");
}

bool Query::is_kms_key() const {
  return service == "kms" && resource.field[2] == "kms" && resource.field[5].starts_with("key/");
}

}  // namespace remit::iam
