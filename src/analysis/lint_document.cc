// The document's grammar: elements, their types, Sids, sizes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "analysis/lint_model.h"
#include "base/encoding.h"
#include "iam/wildcard.h"

namespace remit::analysis {
namespace {

using enum FindingType;

void wrong_type(Pass& pass, std::string path, json::Value value, std::string_view wanted) {
  pass.report(Error, "DATA_TYPE_MISMATCH", std::move(path), value.offset(),
              fmt::format("must be {}, not {}", wanted, json::name_of(value.kind())),
              fmt::format("write {}", wanted));
}

// The strings of a string or a list of strings.
std::vector<Item> read_items(Pass& pass, json::Value list, const std::string& path,
                             std::string_view element) {
  std::vector<Item> items;
  const bool is_action = element == "Action" || element == "NotAction";
  const auto add = [&](json::Value value, std::int64_t index) {
    if (!value.is(json::Kind::String)) {
      const std::string at = index < 0 ? "" : fmt::format("[{}]", index);
      wrong_type(pass, fmt::format("{}.{}{}", path, element, at), value, "a string");
      return;
    }
    Item& item = items.emplace_back();
    item.text = value.string();
    item.lower = lower_ascii(item.text);
    iam::append_encoded(item.pattern, is_action ? std::string_view(item.lower) : item.text);
    item.offset = value.offset();
    item.index = index;
  };
  if (!list.is(json::Kind::Array)) {
    add(list, -1);
    return items;
  }
  std::int64_t index = 0;
  for (const json::Value element_value : list.elements()) add(element_value, index++);
  if (index == 0) {
    const std::string_view code = is_action ? "EMPTY_ARRAY_ACTION" : "EMPTY_ARRAY_RESOURCE";
    pass.report(Suggestion, code, fmt::format("{}.{}", path, element), list.offset(),
                "the list is empty: the statement has no effect",
                fmt::format("name at least one {}", is_action ? "action" : "resource"));
  }
  return items;
}

std::vector<Item> read_values(Pass& pass, json::Value values, const std::string& path) {
  std::vector<Item> items;
  const auto add = [&](json::Value value, std::int64_t index) {
    if (value.is(json::Kind::Null) || value.is(json::Kind::Array) || value.is(json::Kind::Object)) {
      const std::string at = index < 0 ? "" : fmt::format("[{}]", index);
      wrong_type(pass, path + at, value, "a string, number or boolean");
      return;
    }
    Item& item = items.emplace_back();
    item.text = value.is(json::Kind::String) ? value.string() : value.raw();
    item.lower = lower_ascii(item.text);
    item.offset = value.offset();
    item.index = index;
  };
  if (!values.is(json::Kind::Array)) {
    add(values, -1);
    return items;
  }
  std::int64_t index = 0;
  for (const json::Value element : values.elements()) add(element, index++);
  return items;
}

void empty_values(Pass& pass, const StatementView& statement, const ConditionEntry& entry) {
  const bool all = entry.op && entry.op->qualifier == iam::Qualifier::ForAllValues;
  const bool any = entry.op && entry.op->qualifier == iam::Qualifier::ForAnyValue;
  const bool optional = entry.op && entry.op->if_exists;
  pass.report(Suggestion,
              all        ? "EMPTY_ARRAY_CONDITION_FORALLVALUES"
              : any      ? "EMPTY_ARRAY_CONDITION_FORANYVALUE"
              : optional ? "EMPTY_ARRAY_CONDITION_IFEXISTS"
                         : "EMPTY_ARRAY_CONDITION",
              condition_path(statement, entry), entry.values.offset(),
              "the list of values is empty: nothing is compared", "name at least one value");
}

void read_block(Pass& pass, StatementView& statement, std::string_view op_name,
                std::size_t op_offset, json::Value block) {
  const std::string path = fmt::format("{}.Condition.{}", statement.path, op_name);
  if (!block.is(json::Kind::Object)) {
    wrong_type(pass, path, block, "an object of condition keys");
    return;
  }
  const auto op = iam::read_operator(op_name);
  if (!op && op_name.find("Null") != op_name.npos && op_name.ends_with("IfExists")) {
    pass.report(Error, "NULL_WITH_IF_EXISTS", path, op_offset,
                "Null asks whether the key exists: IfExists contradicts it",
                "write Null without IfExists");
  } else if (!op) {
    const std::string near = iam::nearest_operator(op_name);
    pass.report(Error, "INVALID_CONDITION_OPERATOR", path, op_offset,
                fmt::format("there is no condition operator {}", op_name),
                near.empty() ? "use an operator of IAM's" : fmt::format("write {}", near));
  }
  if (block.size() == 0) {
    pass.report(Suggestion, "EMPTY_OBJECT_CONDITION", path, block.offset(),
                "the operator compares nothing", "remove it or name a key");
  }
  for (const auto& [key, key_offset, values] : block.members()) {
    ConditionEntry entry{op_name, op, key, lower_ascii(key), key_offset, values, {}, {}};
    for (const ConditionEntry& earlier : statement.conditions) {
      if (earlier.op_name == op_name && earlier.lower_key == entry.lower_key) {
        pass.report(Error, "DUPLICATE_KEYS_WITH_DIFFERENT_CASE", condition_path(statement, entry),
                    key_offset, fmt::format("{} and {} are the same key", earlier.key, key),
                    "write the key once, with all its values");
      }
    }
    entry.items = read_values(pass, values, condition_path(statement, entry));
    if (values.is(json::Kind::Array) && values.size() == 0) empty_values(pass, statement, entry);
    statement.conditions.push_back(std::move(entry));
  }
}

void read_conditions(Pass& pass, StatementView& statement) {
  if (!statement.condition) return;
  const json::Value condition = *statement.condition;
  if (!condition.is(json::Kind::Object)) {
    wrong_type(pass, statement.path + ".Condition", condition, "an object of operators");
    return;
  }
  if (condition.size() == 0) {
    pass.report(Suggestion, "EMPTY_OBJECT_CONDITION", statement.path + ".Condition",
                condition.offset(), "the condition is empty", "remove it or name an operator");
  }
  for (const auto& [name, offset, block] : condition.members()) {
    read_block(pass, statement, name, offset, block);
  }
}

void read_effect(Pass& pass, StatementView& statement) {
  if (!statement.effect) {
    pass.report(Error, "MISSING_EFFECT", statement.path, statement.value.offset(),
                "the statement has no Effect", "add \"Effect\": \"Allow\" or \"Deny\"");
    return;
  }
  const auto text = statement.effect->as_string();
  statement.allow = text == "Allow";
  statement.deny = text == "Deny";
  if (!statement.allow && !statement.deny) {
    pass.report(Error, "INVALID_EFFECT", statement.path + ".Effect", statement.effect->offset(),
                "Effect must be Allow or Deny, written so", "write Allow or Deny");
  }
}

void check_sid(Pass& pass, const StatementView& statement) {
  if (!statement.sid) return;
  const auto text = statement.sid->as_string();
  const std::string path = statement.path + ".Sid";
  if (!text) {
    wrong_type(pass, path, *statement.sid, "a string");
  } else if (text->empty()) {
    pass.report(Suggestion, "EMPTY_SID_VALUE", path, statement.sid->offset(), "the Sid is empty",
                "remove it or give it a name");
  } else if (pass.kind != iam::PolicyKind::Resource && pass.kind != iam::PolicyKind::Endpoint &&
             !std::ranges::all_of(*text, [](unsigned char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
             })) {
    pass.report(Error, "UNSUPPORTED_SID", path, statement.sid->offset(),
                "a Sid holds letters and digits only", "remove the other characters");
  }
}

void both(Pass& pass, const StatementView& s, const std::optional<json::Value>& a,
          const std::optional<json::Value>& b, std::string_view name) {
  if (!a || !b) return;
  pass.report(Error, "UNSUPPORTED_ELEMENT_COMBINATION", s.path, s.value.offset(),
              fmt::format("{} and Not{} exclude each other", name, name),
              fmt::format("keep {} or Not{}", name, name));
}

void check_presence(Pass& pass, const StatementView& s) {
  const bool trust = pass.kind == iam::PolicyKind::Trust;
  both(pass, s, s.action, s.not_action, "Action");
  both(pass, s, s.resource, s.not_resource, "Resource");
  both(pass, s, s.principal, s.not_principal, "Principal");
  if (!s.action && !s.not_action) {
    pass.report(Error, "MISSING_ACTION", s.path, s.value.offset(),
                "the statement has neither Action nor NotAction", "add an Action");
  }
  if (!trust && !s.resource && !s.not_resource) {
    pass.report(Error, "MISSING_RESOURCE", s.path, s.value.offset(),
                "the statement has neither Resource nor NotResource", "add a Resource");
  }
  if (trust && (s.resource || s.not_resource)) {
    pass.report(Error, "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", s.path, s.value.offset(),
                "a role trust policy has no Resource: it is attached to the role",
                "remove Resource");
  }
  // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
  if (pass.kind == iam::PolicyKind::Rcp && s.not_action) {
    pass.report(Error, "RCP_SYNTAX_ERROR_NOTACTION", s.path + ".NotAction", s.not_action->offset(),
                "a resource control policy has no NotAction", "name the actions in Action");
  }
  const bool principals = s.principal || s.not_principal;
  if (pass.is_identity_like() && principals) {
    const bool scp = pass.kind == iam::PolicyKind::Scp;
    pass.report(Error, scp ? "SCP_SYNTAX_ERROR_PRINCIPAL" : "UNSUPPORTED_PRINCIPAL", s.path,
                s.value.offset(),
                fmt::format("a {} has no Principal: it speaks of whom it is attached to",
                            iam::name_of(pass.kind)),
                "remove Principal");
  } else if (pass.has_principals() && !principals) {
    pass.report(Error, "MISSING_PRINCIPAL", s.path, s.value.offset(),
                fmt::format("a {} must say whom it speaks of", iam::name_of(pass.kind)),
                "add a Principal");
  }
}

void read_statement(Pass& pass, json::Value value, std::string path) {
  StatementView s(value, std::move(path));
  if (!value.is(json::Kind::Object)) {
    wrong_type(pass, s.path, value, "an object");
    return;
  }
  for (const auto& [key, offset, member] : value.members()) {
    if (key == "Sid")
      s.sid = member;
    else if (key == "Effect")
      s.effect = member;
    else if (key == "Principal")
      s.principal = member;
    else if (key == "NotPrincipal")
      s.not_principal = member;
    else if (key == "Action")
      s.action = member;
    else if (key == "NotAction")
      s.not_action = member;
    else if (key == "Resource")
      s.resource = member;
    else if (key == "NotResource")
      s.not_resource = member;
    else if (key == "Condition")
      s.condition = member;
    else
      pass.report(Error, "INVALID_POLICY_ELEMENT", s.path + "." + std::string(key), offset,
                  fmt::format("a statement has no element {}", key),
                  "remove it or write the element's name as AWS does");
  }
  read_effect(pass, s);
  check_sid(pass, s);
  check_presence(pass, s);
  if (s.action) s.actions = read_items(pass, *s.action, s.path, "Action");
  if (s.not_action) s.not_actions = read_items(pass, *s.not_action, s.path, "NotAction");
  if (s.resource) s.resources = read_items(pass, *s.resource, s.path, "Resource");
  if (s.not_resource) s.not_resources = read_items(pass, *s.not_resource, s.path, "NotResource");
  read_conditions(pass, s);
  pass.statements.push_back(std::move(s));
}

void check_sids_differ(Pass& pass) {
  std::map<std::string_view, bool> seen;
  const bool required = pass.kind == iam::PolicyKind::Identity ||
                        pass.kind == iam::PolicyKind::Boundary ||
                        pass.kind == iam::PolicyKind::Session;
  for (const StatementView& s : pass.statements) {
    const auto sid = s.sid ? s.sid->as_string() : std::nullopt;
    if (!sid || sid->empty() || seen.try_emplace(*sid, true).second) continue;
    pass.report(required ? Error : Warning,
                required ? "UNIQUE_SIDS_REQUIRED" : "UNIQUE_SIDS_RECOMMENDED", s.path + ".Sid",
                s.sid->offset(), fmt::format("an earlier statement has the Sid {} too", *sid),
                "give each statement a Sid of its own");
  }
}

// Statements that say the same but for their Sids.
void check_repeated_statements(Pass& pass) {
  std::map<std::string, const StatementView*> seen;
  for (const StatementView& s : pass.statements) {
    std::string form = s.effect ? std::string(s.effect->raw()) : "";
    for (const auto* part : {&s.principal, &s.not_principal, &s.action, &s.not_action, &s.resource,
                             &s.not_resource, &s.condition}) {
      form += '\n';
      if (*part) form += json::canonical(**part);
    }
    const auto [earlier, fresh] = seen.try_emplace(std::move(form), &s);
    if (fresh) continue;
    pass.report(Suggestion, "REDUNDANT_STATEMENT", s.path, s.value.offset(),
                fmt::format("{} says the same", earlier->second->path), "remove one of the two");
  }
}

// AWS counts characters and leaves out white space.
std::size_t counted_size(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char c) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    return !space && (c & 0xC0U) != 0x80U;
  }));
}

void check_size(Pass& pass, json::Value root) {
  struct Quota {
    iam::PolicyKind kind;
    FindingType type;
    std::string_view code;
    std::size_t most;
  };
  constexpr std::array kQuotas{
      Quota{iam::PolicyKind::Identity, Warning, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", 10240},
      Quota{iam::PolicyKind::Boundary, Warning, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", 10240},
      Quota{iam::PolicyKind::Resource, Warning, "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA", 20480},
      Quota{iam::PolicyKind::Trust, Warning, "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA", 4096},
      Quota{iam::PolicyKind::Scp, Error, "POLICY_SIZE_EXCEEDS_SCP_QUOTA", 5120},
      Quota{iam::PolicyKind::Session, Error, "SESSION_POLICY_TOO_LONG", 2048}};
  for (const auto& [kind, type, code, most] : kQuotas) {
    if (kind != pass.kind) continue;
    const std::size_t size = counted_size(root.raw());
    if (size <= most) continue;
    pass.report(type, code, "", root.offset(),
                fmt::format("{} characters without white space: a {} has at most {}", size,
                            iam::name_of(kind), most),
                "split it into several policies");
  }
}

void read_version(Pass& pass, json::Value root) {
  pass.version = root.find("Version");
  if (!pass.version) {
    pass.report(Warning, "MISSING_VERSION", "", root.offset(),
                "no Version: 2008-10-17 applies, in which variables are plain text",
                "add \"Version\": \"2012-10-17\"");
    return;
  }
  const auto text = pass.version->as_string();
  pass.variables = text == "2012-10-17";
  if (!pass.variables && text != "2008-10-17") {
    pass.report(Error, "INVALID_VERSION", "Version", pass.version->offset(),
                "Version must be 2012-10-17 or 2008-10-17", "write 2012-10-17");
  }
}

}  // namespace

void read_document(Pass& pass, json::Value root) {
  if (!root.is(json::Kind::Object)) {
    wrong_type(pass, "", root, "an object with a Statement");
    return;
  }
  for (const auto& [key, offset, value] : root.members()) {
    if (key != "Version" && key != "Id" && key != "Statement") {
      pass.report(Error, "INVALID_POLICY_ELEMENT", std::string(key), offset,
                  fmt::format("a policy has no element {}", key),
                  "remove it; a policy has Version, Id and Statement");
    }
  }
  read_version(pass, root);
  const auto statement = root.find("Statement");
  if (!statement) {
    pass.report(Error, "MISSING_STATEMENT", "", root.offset(), "the policy has no Statement",
                "add a Statement");
    return;
  }
  if (statement->is(json::Kind::Array)) {
    std::size_t index = 0;
    for (const json::Value element : statement->elements()) {
      read_statement(pass, element, fmt::format("Statement[{}]", index++));
    }
  } else {
    read_statement(pass, *statement, "Statement");
  }
  check_size(pass, root);
  check_sids_differ(pass);
  check_repeated_statements(pass);
}

}  // namespace remit::analysis
