#pragma once

// A policy document of AWS, read strictly and compiled once into a flat form that holds no pointers
// into itself, is immutable, and may be shared between threads. `decide` (iam/decide.h) asks it.
//
// The language: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace remit::iam {

// What a document is attached to: it says which elements the document must and must not have.
enum class PolicyKind : std::uint8_t {
  Identity,  // of a user, group or role; inline or managed
  Boundary,  // permission boundary
  Session,   // passed to AssumeRole or GetFederationToken; inline or managed
  Resource,  // bucket policy, queue policy, key policy, ...
  Trust,     // a role's trust policy: a resource policy without Resource
  Scp,       // service control policy
  Rcp,       // resource control policy
  Endpoint,  // VPC endpoint policy
};
std::string_view name_of(PolicyKind kind);  // "identity policy", "session policy", ...

struct PolicyError {
  std::string path;         // "Statement[2].Condition.StringEqual"
  json::Position position;  // of the offending key or value
  std::string message;      // lower case, no final stop: what is wrong and what would be right
};
// "3:14: Statement[0].Efect: unknown element; did you mean Effect?"
std::string to_text(const PolicyError& error);

struct CompiledPolicy;  // iam/compiled.h: for the engine and its tests only

class Policy {
 public:
  explicit Policy(std::unique_ptr<const CompiledPolicy> compiled);
  Policy(Policy&&) noexcept;
  Policy& operator=(Policy&&) noexcept;
  ~Policy();

  PolicyKind kind() const;
  std::string_view name() const;  // as given to compile(): "session policy of remit read-invoices"
  std::size_t statements() const;

  const CompiledPolicy& compiled() const { return *compiled_; }

 private:
  std::unique_ptr<const CompiledPolicy> compiled_;
};

using CompileResult = std::expected<Policy, std::vector<PolicyError>>;

// Either a policy without a fault or every fault found (never an empty list). `name` appears in
// reasons. Nothing of `document` is referred to afterwards.
CompileResult compile(json::Value document, PolicyKind kind, std::string name);
// `at`: where the document stands, for a caller who knows it; to find it takes time in proportion
// to the text before it.
CompileResult compile(json::Value document, PolicyKind kind, std::string name, json::Position at);
// The same from the exact text: broken JSON and duplicate keys become PolicyErrors with an empty
// path.
CompileResult compile(std::string_view text, PolicyKind kind, std::string name);

}  // namespace remit::iam
