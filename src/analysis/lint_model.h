#pragma once

// What the checks of lint share: the document taken apart once, and where findings go. For lint's
// files only.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/finding.h"
#include "analysis/service_data.h"
#include "iam/operators.h"
#include "iam/policy.h"
#include "json/json.h"

namespace remit::analysis {

// A string of a list, or the one string that stands for a list.
struct Item {
  std::string_view text;
  std::string lower;
  std::string pattern;  // iam/wildcard.h's encoding of `lower` (actions) or `text` (others)
  std::size_t offset = 0;
  std::int64_t index = -1;  // in its list
};

struct ConditionEntry {
  std::string_view op_name;
  std::optional<iam::Operator> op;  // nullopt: no such operator
  std::string_view key;
  std::string lower_key;
  std::size_t offset = 0;  // of the key
  json::Value values;
  std::vector<Item> items;  // those of `values` that are strings, numbers or booleans, as text
  std::optional<ConditionKey> known;
};

struct StatementView {
  StatementView(json::Value v, std::string p) : value(v), path(std::move(p)) {}

  json::Value value;
  std::string path;
  bool allow = false;
  bool deny = false;
  std::optional<json::Value> sid, effect, principal, not_principal, action, not_action, resource,
      not_resource, condition;
  std::vector<Item> actions, not_actions, resources, not_resources;
  std::vector<ConditionEntry> conditions;

  const ConditionEntry* condition_on(std::string_view lower_key) const;
  bool has_resource_star() const;
};

class Pass {
 public:
  Pass(const ServiceData& service_data, iam::PolicyKind policy_kind, std::vector<Finding>& out)
      : data(service_data), kind(policy_kind), findings_(out) {}

  void report(FindingType type, std::string_view code, std::string path, std::size_t offset,
              std::string message, std::string mend);

  bool is_identity_like() const;  // of principals: identity, boundary, session, SCP
  bool has_principals() const;    // resource, trust, endpoint, RCP

  const ServiceData& data;
  const iam::PolicyKind kind;
  std::optional<json::Value> version;
  bool variables = false;  // Version is 2012-10-17
  std::vector<StatementView> statements;

 private:
  std::vector<Finding>& findings_;
};

std::string item_path(const StatementView& statement, std::string_view element, const Item& item);
std::string condition_path(const StatementView& statement, const ConditionEntry& entry);
std::string_view service_of(std::string_view lower_action);  // "" of "*"
// Whether an action pattern covers an action or another pattern.
bool covers(const Item& pattern, std::string_view lower_action);
bool any_covers(const std::vector<Item>& patterns, std::string_view lower_action);
// Whether the statement's actions hold it: Action that covers, or NotAction that does not.
bool acts_on(const StatementView& statement, std::string_view lower_action);
bool has_wildcard(std::string_view text);
// A statement that needs the key's value to be there: `key` is absent from a request, it fails.
bool requires_key(const StatementView& statement, std::string_view lower_key);

// The checks, one file each.
void read_document(Pass& pass, json::Value root);         // lint_document.cc: grammar, Sids, sizes
void check_actions(Pass& pass, const StatementView&);     // lint_actions.cc
void check_resources(Pass& pass, const StatementView&);   // lint_resources.cc
void check_conditions(Pass& pass, const StatementView&);  // lint_conditions.cc
void check_values(Pass& pass, const StatementView&, const ConditionEntry&);  // lint_values.cc
void check_variables(Pass& pass, const StatementView&);                      // lint_values.cc
void check_principals(Pass& pass, const StatementView&);                     // lint_principals.cc
void check_trust(Pass& pass);         // lint_trust.cc: the whole policy
void check_agent_access(Pass& pass);  // lint_agent.cc: the whole policy
void check_practice(Pass& pass);      // lint_practice.cc: the whole policy

}  // namespace remit::analysis
