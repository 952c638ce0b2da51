#include "analysis/lint_model.h"

#include <algorithm>

#include "iam/wildcard.h"

namespace remit::analysis {

const ConditionEntry* StatementView::condition_on(std::string_view lower_key) const {
  const auto found = std::ranges::find(conditions, lower_key, &ConditionEntry::lower_key);
  return found == conditions.end() ? nullptr : &*found;
}

bool StatementView::has_resource_star() const {
  return std::ranges::any_of(resources, [](const Item& item) { return item.text == "*"; });
}

void Pass::report(FindingType type, std::string_view code, std::string path, std::size_t offset,
                  std::string message, std::string mend) {
  findings_.push_back(
      {type, code, std::move(path), offset, {}, std::move(message), std::move(mend)});
}

bool Pass::is_identity_like() const {
  return kind == iam::PolicyKind::Identity || kind == iam::PolicyKind::Boundary ||
         kind == iam::PolicyKind::Session || kind == iam::PolicyKind::Scp;
}

bool Pass::has_principals() const { return !is_identity_like(); }

std::string item_path(const StatementView& statement, std::string_view element, const Item& item) {
  std::string path = statement.path + "." + std::string(element);
  return item.index < 0 ? path : path + "[" + std::to_string(item.index) + "]";
}

std::string condition_path(const StatementView& statement, const ConditionEntry& entry) {
  return statement.path + ".Condition." + std::string(entry.op_name) + "." + std::string(entry.key);
}

std::string_view service_of(std::string_view lower_action) {
  const std::size_t colon = lower_action.find(':');
  return colon == lower_action.npos ? std::string_view{} : lower_action.substr(0, colon);
}

bool covers(const Item& pattern, std::string_view lower_action) {
  return iam::matches(pattern.pattern, lower_action);
}

bool any_covers(const std::vector<Item>& patterns, std::string_view lower_action) {
  return std::ranges::any_of(patterns,
                             [&](const Item& pattern) { return covers(pattern, lower_action); });
}

bool acts_on(const StatementView& statement, std::string_view lower_action) {
  if (statement.not_action) return !any_covers(statement.not_actions, lower_action);
  return any_covers(statement.actions, lower_action);
}

bool has_wildcard(std::string_view text) { return text.find_first_of("*?") != text.npos; }

bool requires_key(const StatementView& statement, std::string_view lower_key) {
  return std::ranges::any_of(statement.conditions, [&](const ConditionEntry& entry) {
    return entry.lower_key == lower_key && entry.op && !entry.op->if_exists && !entry.op->negated &&
           entry.op->compare != iam::Compare::Null &&
           entry.op->qualifier != iam::Qualifier::ForAllValues;
  });
}

}  // namespace remit::analysis
