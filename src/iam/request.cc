#include "iam/request.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "iam/hash.h"

namespace remit::iam {
namespace {

bool same_key(std::string_view a, std::string_view b) {
  return a == b || equals_ignoring_ascii_case(a, b);
}

bool is_twelve_digits(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Host names that are no AWS service but identity providers of AssumeRoleWithWebIdentity.
bool is_service_name(std::string_view text) {
  return text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") ||
         text.ends_with(".amazonaws.eu") || text.ends_with(".amazon.com") ||
         text.ends_with(".aws.internal") || text.ends_with(".aws");
}

bool is_host_name(std::string_view text) {
  return text.size() <= 253 && text.find('.') != text.npos && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '/' || c == '_';
         });
}

// The web identity providers that IAM knows by name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
bool is_web_provider(std::string_view text) {
  return text == "cognito-identity.amazonaws.com" || text == "www.amazon.com" ||
         text == "graph.facebook.com" || text == "accounts.google.com";
}

}  // namespace

std::uint64_t Context::hash_key(std::string_view key) { return hash_ignoring_case(key); }

void Context::clear() {
  entries_.clear();
  values_.clear();
  others_ = Others::Absent;
}

Context::Entry& Context::entry_for(std::string_view key) {
  const auto hash = hash_key(key);
  auto at = std::ranges::lower_bound(entries_, hash, {}, &Entry::hash);
  for (; at != entries_.end() && at->hash == hash; ++at) {
    if (same_key(at->key, key)) return *at;
  }
  Entry entry;
  entry.hash = hash;
  entry.key = key;
  return *entries_.insert(at, entry);
}

void Context::set(std::string_view key, std::string_view value) { set(key, std::span(&value, 1)); }

void Context::set(std::string_view key, std::span<const std::string_view> values) {
  auto& entry = entry_for(key);
  entry.state = values.empty() ? State::Absent : State::Known;
  entry.first = static_cast<std::uint32_t>(values_.size());
  entry.count = static_cast<std::uint32_t>(values.size());
  values_.insert(values_.end(), values.begin(), values.end());
}

void Context::set_unknown(std::string_view key) {
  auto& entry = entry_for(key);
  entry.state = State::Unknown;
  entry.count = 0;
}

void Context::set_absent(std::string_view key) {
  auto& entry = entry_for(key);
  entry.state = State::Absent;
  entry.count = 0;
}

const Context::Entry* Context::entry(std::uint64_t key_hash, std::string_view key) const {
  // A request has a dozen keys or two: walking them beats halving.
  constexpr std::size_t kFew = 24;
  auto at = entries_.begin();
  if (entries_.size() > kFew) {
    at = std::ranges::lower_bound(entries_, key_hash, {}, &Entry::hash);
  } else {
    while (at != entries_.end() && at->hash < key_hash) ++at;
  }
  for (; at != entries_.end() && at->hash == key_hash; ++at) {
    if (same_key(at->key, key)) return &*at;
  }
  return nullptr;
}

Context::Found Context::find_hashed(std::uint64_t key_hash, std::string_view key) const {
  const Entry* found = entry(key_hash, key);
  if (found == nullptr) return {others_ == Others::Unknown ? State::Unknown : State::Absent, {}};
  return {found->state, values_of(*found)};
}

Context::Found Context::find(std::string_view key) const {
  if (entries_.empty()) return {others_ == Others::Unknown ? State::Unknown : State::Absent, {}};
  return find_hashed(hash_key(key), key);
}

namespace {

struct ArnFields {
  std::array<std::string_view, 6> field;
  bool whole = false;
};

ArnFields split(std::string_view text) {
  ArnFields out;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto colon = text.find(':');
    if (colon == text.npos) return out;
    out.field[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  out.field[5] = text;
  out.whole = out.field[0] == "arn" && !out.field[1].empty() && !text.empty();
  return out;
}

// "user/a/b/name" without its first word: path "/a/b/", name "name".
void read_path(std::string_view rest, std::string& path, std::string& name) {
  const auto slash = rest.rfind('/');
  path = slash == rest.npos ? "/" : "/" + std::string(rest.substr(0, slash + 1));
  name = rest.substr(slash == rest.npos ? 0 : slash + 1);
}

std::unexpected<std::string> no_principal(std::string_view why) {
  return std::unexpected(std::string(why).append(
      "; a principal is the ARN of a user, role, assumed-role session, federated user or root, a "
      "service such as lambda.amazonaws.com, or \"*\""));
}

}  // namespace

std::expected<Principal, std::string> Principal::parse(std::string_view text) {
  Principal out;
  out.text_ = text;
  if (text == "*") return out;
  const bool arn = text.starts_with("arn:");
  if (!arn && is_web_provider(text)) {
    out.kind_ = PrincipalKind::Provider;
    out.name_ = text;
    return out;
  }
  if (!arn && is_host_name(text)) {
    out.kind_ = is_service_name(text) ? PrincipalKind::Service : PrincipalKind::Provider;
    out.name_ = text;
    return out;
  }
  if (!arn) return no_principal("no principal");
  const auto fields = split(text);
  if (!fields.whole) return no_principal("not an ARN of six fields");
  if (text.find_first_of("*?") != text.npos) return no_principal("a principal holds no wildcard");
  out.partition_ = fields.field[1];
  out.account_ = fields.field[4];
  if (!is_twelve_digits(out.account_)) return no_principal("no 12-digit account");
  const auto service = fields.field[2];
  auto rest = fields.field[5];
  const auto take = [&rest](std::string_view word) {
    if (!rest.starts_with(word) || rest.size() == word.size()) return false;
    rest.remove_prefix(word.size());
    return true;
  };
  out.principal_arn_ = text;
  if (service == "iam" && rest == "root") {
    out.kind_ = PrincipalKind::Root;
  } else if (service == "iam" && take("user/")) {
    out.kind_ = PrincipalKind::User;
    read_path(rest, out.path_, out.name_);
  } else if (service == "iam" && take("role/")) {
    out.kind_ = PrincipalKind::Role;
    read_path(rest, out.path_, out.name_);
  } else if (service == "iam" && (take("saml-provider/") || take("oidc-provider/"))) {
    out.kind_ = PrincipalKind::Provider;
    out.name_ = rest;
  } else if (service == "sts" && take("assumed-role/")) {
    const auto slash = rest.find('/');
    if (slash == rest.npos || slash == 0 || slash + 1 == rest.size()) {
      return no_principal("a session is assumed-role/ROLE/SESSION");
    }
    out.kind_ = PrincipalKind::RoleSession;
    out.name_ = rest.substr(0, slash);
    out.session_ = rest.substr(slash + 1);
    out.path_ = "/";
    out.principal_arn_ = "arn:" + out.partition_ + ":iam::" + out.account_ + ":role/" + out.name_;
  } else if (service == "sts" && take("federated-user/")) {
    out.kind_ = PrincipalKind::FederatedUser;
    out.name_ = rest;
  } else {
    return no_principal("not the ARN of a principal");
  }
  if (out.kind_ != PrincipalKind::Root && out.name_.empty()) return no_principal("a name is empty");
  return out;
}

Principal Principal::with_role_arn(std::string_view role_arn) const {
  Principal out = *this;
  const auto role = parse(role_arn);
  if (role && role->kind() == PrincipalKind::Role && role->name() == name_ &&
      role->account() == account_) {
    out.principal_arn_ = role_arn;
    out.path_ = role->path_;
  }
  return out;
}

}  // namespace remit::iam
