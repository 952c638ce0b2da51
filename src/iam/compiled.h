#pragma once

// The flat form of a policy: arrays of plain structs that refer to each other by index and to one
// pool of text by offset. For the engine and its tests only.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "iam/operators.h"
#include "iam/policy.h"
#include "iam/scalar.h"

namespace remit::iam {

struct Text {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};
struct Range {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

enum class PatternForm : std::uint8_t {
  Any,       // `*`
  Literal,   // no wildcard
  Prefix,    // one star, at the end; the text without it
  Glob,      // wildcards anywhere (iam/wildcard.h)
  Template,  // holds variables
};

struct Pattern {
  Text text;  // encoded (iam/wildcard.h)
  PatternForm form = PatternForm::Literal;
  // Of a Resource: a wildcard in the first five segments that does not end its segment. AWS says
  // that a `*` crosses colons only at a segment's end; anything else that needs to is undetermined.
  bool inner_wildcard = false;
  // Of a Resource: a variable before the fifth colon, where AWS documents none and uses some.
  bool early_variable = false;
  // Of a Resource with wildcards and fewer than six fields: how many `:*` were added to complete
  // it. Its own stars might have covered the missing fields instead.
  std::uint8_t completed = 0;
};

// Keys whose value follows from the request itself when the context does not hold them.
enum class Derived : std::uint8_t {
  None,
  PrincipalArn,
  PrincipalAccount,
  PrincipalType,
  PrincipalIsAwsService,
  PrincipalServiceName,
  UserName,
  UserId,
  ResourceAccount,
};

struct Key {
  std::uint64_t hash = 0;
  Text name;
  Derived derived = Derived::None;
};

struct Variable {
  std::uint32_t key = 0;
  bool has_default = false;
  Text default_text;
};

enum class OperandForm : std::uint8_t { Pattern, Decimal, Instant, Network, Bool, Malformed };

struct DecimalText {
  bool negative = false;
  Text whole;
  Text fraction;
};

struct Operand {
  OperandForm form = OperandForm::Pattern;
  std::uint32_t index = 0;  // into the array of its form; of a Bool 0 or 1
  Text source;              // as written
};

struct Condition {
  Operator op;
  Text op_name;
  std::uint32_t key = 0;
  Range operands;
};

enum class PrincipalForm : std::uint8_t {
  Everyone,  // "*" or {"AWS": "*"}
  Account,   // 12 digits, or the ARN of its root
  User,
  Role,
  Session,
  FederatedUser,
  UniqueId,  // AIDA..., AROA...: what AWS shows once the principal was deleted
  Service,
  AnyService,
  Provider,
  AnyProvider,
  Canonical,  // an S3 canonical user: which account that is, the engine cannot know
  Nobody,     // an ARN that no caller has
};

struct PrincipalEntry {
  PrincipalForm form = PrincipalForm::Nobody;
  Text text;       // as written
  Text partition;  // of an ARN
  Text account;
  Text name;  // of a role or user, without its path
};

struct ActionPattern {
  Text service;      // lower case, encoded; empty for a bare `*`
  Text name;         // lower case, encoded
  Text full;         // lower case, not encoded
  bool any = false;  // a bare `*`
  bool wild_service = false;
  bool wild_name = false;
};

struct Statement {
  Text sid;
  json::Position position;
  bool deny = false;
  bool not_action = false;
  bool not_resource = false;
  bool not_principal = false;
  bool has_principal = false;
  bool has_resource = false;
  Range actions;
  Range resources;
  Range principals;
  Range conditions;
};

// One service's part of the index.
struct ServiceEntry {
  std::uint64_t hash = 0;
  Range exact;  // into CompiledPolicy::exact, sorted by hash
  Range wild;   // into CompiledPolicy::wild
};
struct ExactAction {
  std::uint64_t hash = 0;  // action_hash()
  std::uint32_t action = 0;
  std::uint32_t statement = 0;
};
struct WildActions {  // the wildcard actions of one statement in one service
  std::uint32_t statement = 0;
  Range actions;  // into CompiledPolicy::wild_actions
};

struct CompiledPolicy {
  PolicyKind kind = PolicyKind::Identity;
  std::string name;
  std::string pool;
  std::vector<Statement> statements;
  std::vector<ActionPattern> actions;
  std::vector<Pattern> patterns;  // resources and string operands
  std::vector<PrincipalEntry> principals;
  std::vector<Condition> conditions;
  std::vector<Operand> operands;
  std::vector<Key> keys;
  std::vector<Variable> variables;
  std::vector<DecimalText> decimals;
  std::vector<Instant> instants;
  std::vector<Network> networks;

  // The index: which statements an action can matter to.
  std::uint64_t service_mask = 0;      // one bit a service, by its hash
  std::vector<ServiceEntry> services;  // sorted by hash
  std::vector<ExactAction> exact;
  std::vector<WildActions> wild;
  std::vector<std::uint32_t> wild_actions;  // indexes into actions
  std::vector<std::uint32_t> general;       // statements that any service may concern
  bool has_deny = false;

  std::string_view text(Text t) const { return {pool.data() + t.offset, t.size}; }
  template <class T>
  std::span<const T> slice(const std::vector<T>& all, Range r) const {
    return {all.data() + r.first, r.count};
  }
};

constexpr std::uint64_t service_bit(std::uint64_t hash) {
  return std::uint64_t{1} << (hash >> 58U);
}

}  // namespace remit::iam
