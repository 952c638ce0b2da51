#include "iam/policy.h"

#include <utility>

#include "iam/compiled.h"
#include "iam/compiler.h"

namespace remit::iam {
namespace {

constexpr std::size_t kMaxPolicyBytes = std::size_t{4}
                                        << 20;  // AWS takes at most 20,480 characters

}  // namespace

std::string_view name_of(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::Identity:
      return "identity policy";
    case PolicyKind::Boundary:
      return "permission boundary";
    case PolicyKind::Session:
      return "session policy";
    case PolicyKind::Resource:
      return "resource policy";
    case PolicyKind::Trust:
      return "trust policy";
    case PolicyKind::Scp:
      return "service control policy";
    case PolicyKind::Rcp:
      return "resource control policy";
    case PolicyKind::Endpoint:
      return "endpoint policy";
  }
  return "policy";
}

std::string to_text(const PolicyError& error) {
  std::string out =
      std::to_string(error.position.line) + ":" + std::to_string(error.position.column) + ": ";
  if (!error.path.empty()) out.append(error.path).append(": ");
  return out.append(error.message);
}

Policy::Policy(std::unique_ptr<const CompiledPolicy> compiled) : compiled_(std::move(compiled)) {}
Policy::Policy(Policy&&) noexcept = default;
Policy& Policy::operator=(Policy&&) noexcept = default;
Policy::~Policy() = default;

PolicyKind Policy::kind() const { return compiled_->kind; }
std::string_view Policy::name() const { return compiled_->name; }
std::size_t Policy::statements() const { return compiled_->statements.size(); }

CompileResult compile(json::Value document, PolicyKind kind, std::string name) {
  return compile(document, kind, std::move(name), document.position());
}

CompileResult compile(json::Value document, PolicyKind kind, std::string name, json::Position at) {
  auto compiled = std::make_unique<CompiledPolicy>();
  compiled->kind = kind;
  compiled->name = std::move(name);
  if (document.raw().size() > kMaxPolicyBytes) {
    return std::unexpected(std::vector{PolicyError{{}, at, "is beyond 4 MiB"}});
  }
  Compiler compiler(*compiled, document, at);
  compiler.policy();
  if (auto errors = std::move(compiler).take_errors(); !errors.empty()) {
    return std::unexpected(std::move(errors));
  }
  return Policy(std::move(compiled));
}

CompileResult compile(std::string_view text, PolicyKind kind, std::string name) {
  const auto document = json::parse(std::string(text), {.max_bytes = kMaxPolicyBytes});
  if (!document) {
    const auto& fault = document.error();
    return std::unexpected(std::vector{PolicyError{{}, fault.position, fault.message}});
  }
  return compile(document->root(), kind, std::move(name));
}

}  // namespace remit::iam
