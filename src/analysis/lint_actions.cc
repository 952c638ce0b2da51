// Actions: do they exist, are they said twice, do they pass roles too widely, do tags fit them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "analysis/lint_model.h"
#include "iam/wildcard.h"

namespace remit::analysis {
namespace {

using enum FindingType;

void check_exists(Pass& pass, const StatementView& s, std::string_view element, const Item& item) {
  if (item.text == "*") return;
  const std::string path = item_path(s, element, item);
  const std::string_view service = service_of(item.lower);
  if (service.empty() || item.lower.size() == service.size() + 1) {
    pass.report(Error, "INVALID_ACTION", path, item.offset,
                fmt::format("{} is no action: it has the form service:Name", item.text),
                "write it as the Service Authorization Reference does, or *");
    return;
  }
  if (has_wildcard(service)) {
    pass.report(
        Suggestion, "WILDCARD_IN_SERVICE_NAME", path, item.offset,
        "a wildcard stands in the service's name: other services of similar names are meant too",
        "name the service");
    return;
  }
  if (!pass.data.has_service(service)) {
    pass.report(Error, "INVALID_SERVICE_IN_ACTION", path, item.offset,
                fmt::format("there is no service {}", service), "write the service's prefix");
    return;
  }
  if (pass.data.is_accepted(item.lower)) return;
  const std::string name_pattern(item.pattern.substr(service.size() + 1));
  const auto actions = pass.data.actions(service);
  const std::string_view name = std::string_view(item.lower).substr(service.size() + 1);
  const bool exists =
      has_wildcard(name)
          ? std::ranges::any_of(
                actions, [&](const ActionFacts& a) { return iam::matches(name_pattern, a.name); })
          : std::ranges::binary_search(actions, name, {}, &ActionFacts::name);
  if (exists) return;
  pass.report(Error, "INVALID_ACTION", path, item.offset,
              fmt::format("there is no action {}", item.text),
              fmt::format("see the actions of {} in the Service Authorization Reference", service));
}

// Groups of actions of which one covers the others, directly or through another: one finding each.
void check_redundant(Pass& pass, const StatementView& s, std::string_view element,
                     const std::vector<Item>& items) {
  std::map<std::string_view, std::vector<std::size_t>> by_service;
  for (std::size_t i = 0; i < items.size(); ++i)
    by_service[service_of(items[i].lower)].push_back(i);
  std::vector<std::size_t> group(items.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  const auto root = [&](std::size_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
  };
  const auto join = [&](const std::vector<std::size_t>& with, std::size_t i) {
    for (const std::size_t j : with) {
      if (i != j && covers(items[i], items[j].lower)) group[root(i)] = root(j);
    }
  };
  std::map<std::string_view, std::size_t> exact;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto [earlier, fresh] = exact.try_emplace(items[i].lower, i);
    if (!fresh) group[root(i)] = root(earlier->second);
    if (items[i].text == "*") {
      for (const auto& [service, members] : by_service) join(members, i);
    } else if (has_wildcard(items[i].lower)) {
      join(by_service[service_of(items[i].lower)], i);
    }
  }
  std::map<std::size_t, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < items.size(); ++i) groups[root(i)].push_back(i);
  for (const auto& [leader, members] : groups) {
    if (members.size() < 2) continue;
    const auto widest = std::ranges::find_if(members, [&](std::size_t i) {
      return std::ranges::all_of(members,
                                 [&](std::size_t j) { return covers(items[i], items[j].lower); });
    });
    const std::size_t keep = widest == members.end() ? members.front() : *widest;
    const std::size_t drop = members.front() == keep ? members[1] : members.front();
    pass.report(Suggestion, "REDUNDANT_ACTION", item_path(s, element, items[drop]),
                items[drop].offset,
                fmt::format("{} of the actions say the same: {} covers {}", members.size(),
                            items[keep].text, items[drop].text),
                fmt::format("remove {}", items[drop].text));
  }
}

struct Passing {
  std::string_view action;   // lower case
  std::string_view limiter;  // the condition key that narrows it
  FindingType type;
  // in this order: named action; wildcard action; NotAction, each with Resource "*", then with
  // NotResource
  std::string_view codes[6];
  std::string_view what, mend;
};

constexpr Passing kPassings[] = {
    {"iam:passrole",
     "iam:passedtoservice",
     SecurityWarning,
     {"PASS_ROLE_WITH_STAR_IN_RESOURCE", "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE",
      "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", "PASS_ROLE_WITH_NOT_RESOURCE",
      "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
      "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE"},
     "allows iam:PassRole for many roles: whoever may pass a role to a service can do what it may",
     "name the roles, or add a condition on iam:PassedToService"},
    {"iam:createservicelinkedrole",
     "iam:awsservicename",
     Warning,
     {"CREATE_SLR_WITH_STAR_IN_RESOURCE", "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
      "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", "CREATE_SLR_WITH_NOT_RESOURCE",
      "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
      "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE"},
     "allows iam:CreateServiceLinkedRole for any service",
     "name the service-linked roles, or add a condition on iam:AWSServiceName"},
};

bool is_limited(const StatementView& s, const Passing& passing) {
  // Roles that may be passed for one resource only are few.
  if (passing.type == SecurityWarning && requires_key(s, "iam:associatedresourcearn")) return true;
  const ConditionEntry* entry = s.condition_on(passing.limiter);
  if (entry == nullptr || !entry->op || entry->op->if_exists) return false;
  // A name of a service with a wildcard names none for a service-linked role.
  return passing.type != Warning ||
         std::ranges::none_of(entry->items, [](const Item& i) { return has_wildcard(i.text); });
}

void check_passing(Pass& pass, const StatementView& s, const Passing& passing) {
  if (!s.allow || !acts_on(s, passing.action)) return;
  const bool not_resource = s.not_resource.has_value();
  if ((!s.has_resource_star() && !not_resource) || is_limited(s, passing)) return;
  const auto named = std::ranges::find(s.actions, passing.action, &Item::lower);
  const std::size_t form = s.not_action ? 2 : named != s.actions.end() ? 0 : 1;
  const std::size_t at = s.not_action               ? s.not_action->offset()
                         : named != s.actions.end() ? named->offset
                                                    : s.action->offset();
  pass.report(passing.type, passing.codes[form + (not_resource ? 3U : 0U)],
              s.path + (s.not_action ? ".NotAction" : ".Action"), at, std::string(passing.what),
              std::string(passing.mend));
}

bool positive_tag_condition(const ConditionEntry& entry) {
  return entry.lower_key.starts_with("aws:resourcetag/") && entry.op && !entry.op->if_exists &&
         !entry.op->negated && entry.op->compare != iam::Compare::Null;
}

// Actions that can never meet a condition on aws:ResourceTag, because no resource of theirs has
// tags in the request: such a statement does not allow (or deny) them.
void check_tag_support(Pass& pass, const StatementView& s) {
  const auto tagged = std::ranges::find_if(s.conditions, positive_tag_condition);
  if (tagged == s.conditions.end()) return;
  if (s.not_action) {
    // Everything else is meant, and much of it knows no tags.
    pass.report(s.allow ? Suggestion : SecurityWarning,
                s.allow ? "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
                        : "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
                condition_path(s, *tagged), tagged->offset,
                fmt::format("NotAction means many actions that do not know {}: the statement never "
                            "{} them",
                            tagged->key, s.allow ? "allows" : "denies"),
                "name the actions that know it in Action");
    return;
  }
  std::map<std::string_view, bool> services;
  const Item* first = nullptr;
  for (const Item& item : s.actions) {
    const std::string_view service = service_of(item.lower);
    const std::string name_pattern(service.empty() ? item.pattern
                                                   : item.pattern.substr(service.size() + 1));
    for (const ActionFacts& action : pass.data.actions(service)) {
      if (action.resource_tag || action.request_tag) continue;
      if (!iam::matches(name_pattern, action.name)) continue;
      services[service] = true;
      if (first == nullptr) first = &item;
    }
  }
  if (first == nullptr) return;
  std::string names;
  for (const auto& [name, ignored] : services) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  for (const ConditionEntry& entry : s.conditions) {
    if (!positive_tag_condition(entry)) continue;
    pass.report(s.allow ? Suggestion : SecurityWarning,
                s.allow ? "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
                        : "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
                condition_path(s, entry), entry.offset,
                fmt::format("some actions of {} do not know {}, {} first: the statement never "
                            "{} them",
                            names, entry.key, first->text, s.allow ? "allows" : "denies"),
                "move those actions to a statement without this condition");
  }
}

}  // namespace

void check_actions(Pass& pass, const StatementView& s) {
  for (const Item& item : s.actions) check_exists(pass, s, "Action", item);
  for (const Item& item : s.not_actions) check_exists(pass, s, "NotAction", item);
  check_redundant(pass, s, "Action", s.actions);
  check_redundant(pass, s, "NotAction", s.not_actions);
  if (pass.kind == iam::PolicyKind::Identity || pass.kind == iam::PolicyKind::Session) {
    for (const Passing& passing : kPassings) check_passing(pass, s, passing);
  }
  check_tag_support(pass, s);
}

}  // namespace remit::analysis
