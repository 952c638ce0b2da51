#pragma once

// What is asked: who wants to do what to which resource, under which circumstances. Everything here
// may be unknown, and unknown never allows (docs/iam.md).

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace remit::iam {

// The request context: condition keys and their values. A flat array sorted by a hash of the key
// (key names ignore case), built by the caller into a buffer that can be used again: clear() keeps
// the memory. Keys and values are views: their bytes must outlive the Context's use.
//
// A key is known (with its values), known to be absent, or unknown. What was never mentioned is
// absent, or unknown after `others(Others::Unknown)`.
class Context {
 public:
  enum class Others : bool { Absent, Unknown };
  enum class State : std::uint8_t { Known, Absent, Unknown };
  struct Found {
    State state = State::Absent;
    std::span<const std::string_view> values;  // of a Known key; never empty
  };

  void clear();
  void others(Others rest) { others_ = rest; }
  Others others() const { return others_; }

  // The last word on a key counts. An empty list of values is the same as an absent key.
  void set(std::string_view key, std::string_view value);
  void set(std::string_view key, std::span<const std::string_view> values);
  void set_unknown(std::string_view key);
  void set_absent(std::string_view key);

  Found find(std::string_view key) const;
  Found find_hashed(std::uint64_t key_hash, std::string_view key) const;  // key_hash: hash_key(key)
  static std::uint64_t hash_key(std::string_view key);                    // ignores ASCII case

  struct Entry {
    std::uint64_t hash = 0;
    std::string_view key;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    State state = State::Absent;
  };
  std::span<const Entry> entries() const { return entries_; }
  // What was set for the key; nullptr when it was never mentioned.
  const Entry* entry(std::uint64_t key_hash, std::string_view key) const;
  std::span<const std::string_view> values_of(const Entry& entry) const {
    return std::span(values_).subspan(entry.first, entry.count);
  }

 private:
  Entry& entry_for(std::string_view key);

  std::vector<Entry> entries_;  // sorted by (hash, key)
  std::vector<std::string_view> values_;
  Others others_ = Others::Absent;
};

enum class PrincipalKind : std::uint8_t {
  Anonymous,      // an unsigned request
  User,           // arn:aws:iam::111122223333:user/path/name
  Role,           // arn:aws:iam::111122223333:role/path/name: any session of it
  RoleSession,    // arn:aws:sts::111122223333:assumed-role/name/session
  FederatedUser,  // arn:aws:sts::111122223333:federated-user/name (GetFederationToken)
  Root,           // arn:aws:iam::111122223333:root
  Service,        // lambda.amazonaws.com
  Provider,  // a SAML or OIDC provider's ARN, or cognito-identity.amazonaws.com, ...: who calls
             // AssumeRoleWithSAML and AssumeRoleWithWebIdentity
};

// Who asks. Owns its text; made once for many requests.
class Principal {
 public:
  Principal() = default;  // anonymous
  // An ARN, a service's name, or "*" for an anonymous caller; the error says what would be right.
  static std::expected<Principal, std::string> parse(std::string_view text);

  PrincipalKind kind() const { return kind_; }
  std::string_view text() const { return text_; }            // as given
  std::string_view partition() const { return partition_; }  // "aws"; empty when it has none
  std::string_view account() const { return account_; }      // 12 digits; empty when it has none
  std::string_view name() const { return name_; }  // of user, role, federated user or provider
  std::string_view path() const { return path_; }  // of a user's or role's ARN: "/", "/team/"
  std::string_view session_name() const { return session_; }  // of a role session
  // What aws:PrincipalArn holds: of a session the ARN of its role. A session's ARN does not tell
  // its role's path; say it with `with_role_arn`, else "/" is taken.
  std::string_view principal_arn() const { return principal_arn_; }
  Principal with_role_arn(std::string_view role_arn) const;

 private:
  PrincipalKind kind_ = PrincipalKind::Anonymous;
  std::string text_ = "*";
  std::string partition_, account_, name_, path_, session_, principal_arn_;
};

// A yes-or-no fact that may be unknown.
using Fact = std::optional<bool>;

// Facts that no policy contains. nullopt is unknown: it makes the answer undetermined where it
// would change it, unless the field says otherwise.
struct Facts {
  // SCPs do not reach principals of the management account, RCPs not its resources. Assumed false.
  Fact principal_in_management_account;
  Fact resource_in_management_account;
  // Taken from the role's path (/aws-service-role/) when unknown; else assumed false.
  Fact principal_is_service_linked_role;
  // RCPs do not reach AWS managed KMS keys. Assumed false.
  Fact resource_is_aws_managed_key;
  // A gateway endpoint (S3, DynamoDB) reads an account as principal as that account's root user.
  Fact endpoint_is_gateway;
  // The ARN of the IAM user that called GetFederationToken. Empty: unknown.
  std::string_view federated_by;
};

struct Request {
  const Principal* principal = nullptr;      // nullptr: not known
  std::string_view action;                   // "s3:GetObject"
  std::optional<std::string_view> resource;  // an ARN; "*" where the action has no resource;
                                             // nullopt: not known, so any resource
  std::optional<std::string_view> resource_account;  // who owns it; else from the ARN, else from
                                                     // aws:ResourceAccount, else unknown
  const Context* context = nullptr;                  // nullptr: every key absent
  Facts facts;
};

}  // namespace remit::iam
