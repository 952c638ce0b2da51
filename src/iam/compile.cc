#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "iam/compiler.h"
#include "iam/near.h"

namespace remit::iam {
namespace {

constexpr std::size_t kMaxErrors = 50;  // a person mends no more at once; positions cost time

constexpr std::array<std::string_view, 3> kDocumentElements{"Version", "Id", "Statement"};
constexpr std::array<std::string_view, 9> kStatementElements{
    "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
    "NotAction", "Resource", "NotResource", "Condition"};

std::string unknown_element(std::string_view name, std::span<const std::string_view> known) {
  std::string message = "unknown element";
  if (const auto near = nearest(name, known); !near.empty()) {
    message.append("; did you mean ").append(near).append("?");
  }
  return message;
}

bool takes_principal(PolicyKind kind) {
  return kind == PolicyKind::Resource || kind == PolicyKind::Trust || kind == PolicyKind::Rcp ||
         kind == PolicyKind::Endpoint;
}

bool takes_not_principal(PolicyKind kind) {
  return kind == PolicyKind::Resource || kind == PolicyKind::Endpoint;
}

// Trust policies have no Resource; other resource policies may leave it out where their service has
// none (ECR repositories).
bool needs_resource(PolicyKind kind) {
  return kind != PolicyKind::Resource && kind != PolicyKind::Trust;
}

void append_path(std::string& out, const Path& path) {
  if (path.parent != nullptr) append_path(out, *path.parent);
  if (path.index >= 0) {
    out.append("[").append(std::to_string(path.index)).append("]");
  } else if (!path.name.empty()) {
    if (!out.empty()) out.push_back('.');
    out.append(path.name);
  }
}

bool is_star(json::Value value) {
  return value.as_string() == std::optional<std::string_view>("*");
}

// "*" or ["*"].
bool is_only_star(const std::optional<json::Value>& value) {
  if (!value) return false;
  if (!value->is(json::Kind::Array)) return is_star(*value);
  return value->size() == 1 && is_star(*value->elements().begin());
}

}  // namespace

struct Compiler::Elements {
  struct Found {
    std::optional<json::Value> value;
    std::size_t key_offset = 0;
    explicit operator bool() const { return value.has_value(); }
  };
  Found sid, effect, principal, not_principal, action, not_action, resource, not_resource,
      condition;

  Found* slot(std::string_view name) {
    if (name == "Sid") return &sid;
    if (name == "Effect") return &effect;
    if (name == "Principal") return &principal;
    if (name == "NotPrincipal") return &not_principal;
    if (name == "Action") return &action;
    if (name == "NotAction") return &not_action;
    if (name == "Resource") return &resource;
    if (name == "NotResource") return &not_resource;
    if (name == "Condition") return &condition;
    return nullptr;
  }
};

Compiler::Compiler(CompiledPolicy& out, json::Value root, json::Position at)
    : out_(out), root_(root), at_(at) {
  out_.pool.reserve(root.raw().size() + root.raw().size() / 4);
}

Text Compiler::keep(std::string_view text) {
  const Text kept{static_cast<std::uint32_t>(out_.pool.size()),
                  static_cast<std::uint32_t>(text.size())};
  out_.pool.append(text);
  return kept;
}

void Compiler::fault(std::size_t offset, const Path& path, std::string message) {
  if (errors_.size() >= kMaxErrors) return;
  PolicyError error;
  append_path(error.path, path);
  const auto base = at_;
  const auto inside = json::position_in(root_.raw(), offset - root_.offset());
  error.position.line = base.line + inside.line - 1;
  error.position.column = inside.line == 1 ? base.column + inside.column - 1 : inside.column;
  error.message = std::move(message);
  errors_.push_back(std::move(error));
}

void Compiler::policy() {
  const Path top;
  if (!root_.is(json::Kind::Object)) {
    fault(root_, top, std::string("a policy is an object, not ").append(name_of(root_.kind())));
    return;
  }
  std::optional<json::Value> statement_list;
  for (const auto& [key, key_offset, value] : root_.members()) {
    const Path path = top.key(key);
    if (key == "Version") {
      version(value, path);
    } else if (key == "Statement") {
      statement_list = value;
    } else if (key != "Id") {
      fault(key_offset, path, unknown_element(key, kDocumentElements));
    } else if (!value.is(json::Kind::String)) {
      fault(value, path, "must be a string");
    }
  }
  // The version decides how statements are read, wherever it stands.
  const Path path = top.key("Statement");
  if (!statement_list) {
    fault(root_, path, "is missing: a policy needs at least one statement");
    return;
  }
  statements(*statement_list, path);
  if (errors_.empty()) index();
}

void Compiler::version(json::Value value, const Path& path) {
  const auto text = value.as_string();
  if (text == "2012-10-17") {
    variables_ = true;
  } else if (text != "2008-10-17") {
    fault(value, path, "must be \"2012-10-17\" or \"2008-10-17\"");
  }
}

void Compiler::statements(json::Value value, const Path& path) {
  if (value.is(json::Kind::Object)) {
    statement(value, path);
    return;
  }
  if (!value.is(json::Kind::Array)) {
    fault(value, path, "must be a statement or an array of statements");
    return;
  }
  if (value.size() == 0) fault(value, path, "is empty: a policy needs at least one statement");
  out_.statements.reserve(value.size());
  std::size_t i = 0;
  for (const json::Value element : value.elements()) statement(element, path.at(i++));
}

// Positions of statements, each found from the one before: one pass over the text in all.
json::Position Compiler::statement_position(std::size_t offset) {
  const auto raw = root_.raw();
  if (last_offset_ == 0) {
    last_offset_ = root_.offset();
    last_position_ = at_;
  }
  const auto between = raw.substr(last_offset_ - root_.offset(), offset - last_offset_);
  const auto lines = static_cast<std::size_t>(std::ranges::count(between, '\n'));
  last_position_.line += lines;
  last_position_.column =
      lines == 0 ? last_position_.column + between.size() : between.size() - between.rfind('\n');
  last_offset_ = offset;
  return last_position_;
}

void Compiler::read_elements(json::Value value, const Path& path, Elements& found) {
  for (const auto& [key, key_offset, member] : value.members()) {
    if (auto* slot = found.slot(key)) {
      *slot = {member, key_offset};
    } else {
      fault(key_offset, path.key(key), unknown_element(key, kStatementElements));
    }
  }
}

void Compiler::check_elements(json::Value value, const Path& path, const Elements& found) {
  const auto both = [&](const Elements::Found& a, const Elements::Found& b, std::string_view name,
                        std::string_view other) {
    if (a && b) {
      fault(std::max(a.key_offset, b.key_offset), path.key(other),
            std::string("cannot stand beside ").append(name));
    }
  };
  both(found.action, found.not_action, "Action", "NotAction");
  both(found.resource, found.not_resource, "Resource", "NotResource");
  both(found.principal, found.not_principal, "Principal", "NotPrincipal");

  const std::string kind(name_of(out_.kind));
  if (!found.effect) fault(value, path.key("Effect"), "is missing: \"Allow\" or \"Deny\"");
  if (!found.action && !found.not_action) {
    fault(value, path.key("Action"), "is missing: a statement needs Action or NotAction");
  }
  if (!found.resource && !found.not_resource && needs_resource(out_.kind)) {
    fault(value, path.key("Resource"), "is missing: a statement needs Resource or NotResource");
  }
  if (out_.kind == PolicyKind::Trust) {
    for (const auto* element : {&found.resource, &found.not_resource}) {
      if (*element) {
        fault(element->key_offset, path.key("Resource"),
              "cannot stand in a trust policy: its resource is the role");
      }
    }
  }
  if (!takes_principal(out_.kind)) {
    for (const auto* element : {&found.principal, &found.not_principal}) {
      if (*element) {
        fault(element->key_offset, path.key("Principal"),
              "cannot stand in this policy (" + kind + ")");
      }
    }
  } else if (!found.principal && !found.not_principal) {
    fault(value, path.key("Principal"), "is missing: a statement of this policy names a principal");
  } else if (found.not_principal && !takes_not_principal(out_.kind)) {
    fault(found.not_principal.key_offset, path.key("NotPrincipal"), "cannot stand in this policy");
  }
}

void Compiler::effect(const Elements& found, const Path& path, Statement& out) {
  if (!found.effect) return;
  const auto text = found.effect.value->as_string();
  out.deny = text == "Deny";
  if (!out.deny && text != "Allow") {
    fault(*found.effect.value, path.key("Effect"), "must be \"Allow\" or \"Deny\"");
  } else if (!out.deny && found.not_principal) {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    fault(found.not_principal.key_offset, path.key("NotPrincipal"),
          "is supported with \"Effect\": \"Deny\" only");
  }
}

// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
void Compiler::check_rcp(json::Value value, const Path& path, const Elements& found,
                         const Statement& s) {
  if (found.principal && !is_only_star(found.principal.value)) {
    fault(*found.principal.value, path.key("Principal"),
          "must be \"*\" in a resource control policy");
  }
  if (found.not_action) {
    fault(found.not_action.key_offset, path.key("NotAction"),
          "cannot stand in a resource control policy: name the actions");
  }
  const bool full_access =
      is_only_star(found.action.value) && is_only_star(found.resource.value) && !found.condition;
  if (!s.deny && found.effect && !full_access) {
    fault(value, path.key("Effect"),
          "must be \"Deny\": only RCPFullAWSAccess allows in a resource control policy");
  }
}

void Compiler::statement(json::Value value, const Path& path) {
  if (!value.is(json::Kind::Object)) {
    fault(value, path, std::string("a statement is an object, not ").append(name_of(value.kind())));
    return;
  }
  Elements found;
  read_elements(value, path, found);
  check_elements(value, path, found);
  Statement out;
  out.position = statement_position(value.offset());
  effect(found, path, out);
  if (out_.kind == PolicyKind::Rcp) check_rcp(value, path, found, out);
  if (found.sid) {
    if (const auto sid = found.sid.value->as_string()) {
      out.sid = keep(*sid);
    } else {
      fault(*found.sid.value, path.key("Sid"), "must be a string");
    }
  }
  out.not_action = found.not_action && !found.action;
  out.not_resource = found.not_resource && !found.resource;
  out.not_principal = found.not_principal && !found.principal;
  out.has_principal = found.principal || found.not_principal;
  out.has_resource = found.resource || found.not_resource;
  if (found.action) actions(*found.action.value, path.key("Action"), out);
  if (found.not_action) actions(*found.not_action.value, path.key("NotAction"), out);
  if (found.resource) resources(*found.resource.value, path.key("Resource"), out);
  if (found.not_resource) resources(*found.not_resource.value, path.key("NotResource"), out);
  if (found.principal) principals(*found.principal.value, path.key("Principal"), out);
  if (found.not_principal) principals(*found.not_principal.value, path.key("NotPrincipal"), out);
  if (found.condition) conditions(*found.condition.value, path.key("Condition"), out);
  out_.has_deny = out_.has_deny || out.deny;
  out_.statements.push_back(out);
}

}  // namespace remit::iam
