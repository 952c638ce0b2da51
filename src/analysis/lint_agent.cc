// The traps of agents' access to AWS: what looks like a guardrail and is none. docs/lint.md tells
// each with its source.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/lint_model.h"
#include "iam/scalar.h"

namespace remit::analysis {
namespace {

using enum FindingType;
using iam::Compare;
using iam::Qualifier;

bool is_true(const ConditionEntry& entry) {
  return std::ranges::any_of(entry.items, [](const Item& i) { return i.lower == "true"; });
}

bool is_false(const ConditionEntry& entry) {
  return !entry.items.empty() &&
         std::ranges::all_of(entry.items, [](const Item& i) { return i.lower == "false"; });
}

bool is_bool(const ConditionEntry& entry) { return entry.op && entry.op->compare == Compare::Bool; }

void check_called_via(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  if (entry.lower_key != "aws:calledviaawsmcp" || !entry.op || entry.op->compare == Compare::Null) {
    return;
  }
  for (const Item& item : entry.items) {
    if (item.lower != "true" && item.lower != "false") continue;
    pass.report(AgentAccess, "MCP_CALLED_VIA_IS_NOT_BOOLEAN", condition_path(s, entry), item.offset,
                fmt::format("{} holds the server's name, never {}: the condition does not do what "
                            "it says",
                            entry.key, item.text),
                "compare with aws-mcp.amazonaws.com, or write Bool aws:ViaAWSMCPService");
    return;
  }
}

// A Deny that asks for "false" and is meant for all other requests must also take those that do not
// carry the key at all.
void check_absent_key(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  const bool may_be_absent =
      entry.lower_key == "aws:viaawsmcpservice" || entry.lower_key == "aws:multifactorauthpresent";
  if (!s.deny || !may_be_absent || !is_bool(entry) || entry.op->if_exists || !is_false(entry)) {
    return;
  }
  pass.report(
      AgentAccess, "DENY_WITHOUT_IF_EXISTS", condition_path(s, entry), entry.offset,
      fmt::format("the Deny does not reach requests that do not carry {} at all", entry.key),
      "write BoolIfExists");
}

void check_for_all_values(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  if (!s.allow || !entry.op || entry.op->qualifier != Qualifier::ForAllValues ||
      entry.op->negated || entry.op->compare == Compare::Null) {
    return;
  }
  const bool null_checked = std::ranges::any_of(s.conditions, [&](const ConditionEntry& other) {
    return other.lower_key == entry.lower_key && other.op && other.op->compare == Compare::Null &&
           is_false(other);
  });
  // A request that must carry a certain tag carries tag keys.
  const bool tags_required =
      entry.lower_key == "aws:tagkeys" &&
      std::ranges::any_of(s.conditions, [&](const ConditionEntry& other) {
        return other.lower_key.starts_with("aws:requesttag/") && requires_key(s, other.lower_key);
      });
  if (null_checked || tags_required) return;
  pass.report(
      AgentAccess, "FOR_ALL_VALUES_WITHOUT_NULL", condition_path(s, entry), entry.offset,
      fmt::format("ForAllValues is true when {} is absent: the statement then allows", entry.key),
      fmt::format("add \"Null\": {{\"{}\": \"false\"}}", entry.key));
}

bool exempts_services(const StatementView& s) {
  return std::ranges::any_of(s.conditions, [](const ConditionEntry& entry) {
    return entry.lower_key == "aws:viaawsmcpservice" || entry.lower_key == "aws:viaawsservice" ||
           entry.lower_key == "aws:calledviaawsmcp";
  });
}

void check_source_ip(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  if (entry.lower_key != "aws:sourceip" || !entry.op || entry.op->compare != Compare::Ip) return;
  const bool allow_list = (s.allow && !entry.op->negated) || (s.deny && entry.op->negated);
  if (!allow_list || pass.has_principals() || exempts_services(s)) return;
  pass.report(AgentAccess, "SOURCE_IP_BEHIND_MANAGED_MCP", condition_path(s, entry), entry.offset,
              "requests through an AWS-managed MCP server come from AWS's addresses: this list "
              "refuses them whoever asks",
              "add a Bool condition on aws:ViaAWSMCPService for the agents' path");
}

void check_dead_actions(Pass& pass, const StatementView& s) {
  for (const auto* list : {&s.actions, &s.not_actions}) {
    const auto item =
        std::ranges::find_if(*list, [](const Item& i) { return i.lower.starts_with("aws-mcp:"); });
    if (item == list->end()) continue;
    const std::string_view element = list == &s.actions ? "Action" : "NotAction";
    pass.report(AgentAccess, "DEAD_AWS_MCP_ACTION", item_path(s, element, *item), item->offset,
                fmt::format("{} has had no effect since the server's general availability: it {} "
                            "nothing here",
                            item->text,
                            list != &s.actions ? "spares"
                            : s.deny           ? "denies"
                                               : "allows"),
                "write a condition on aws:ViaAWSMCPService or aws:CalledViaAWSMCP");
  }
}

// Tags that one may put on a resource or a session oneself prove nothing about it.

bool guards_tags(const StatementView& s) {
  return std::ranges::any_of(s.conditions, [](const ConditionEntry& entry) {
    return entry.lower_key.starts_with("aws:requesttag/") || entry.lower_key == "aws:tagkeys" ||
           entry.lower_key.starts_with("aws:resourcetag/");
  });
}

// An action of `service` with which this policy may set tags freely; nullptr when there is none.
const ActionFacts* free_tagging(const Pass& pass, std::string_view service) {
  for (const ActionFacts& action : pass.data.actions(service)) {
    const bool sets = action.level == aws::AccessLevel::Tagging &&
                      (action.name.starts_with("tag") || action.name.starts_with("create") ||
                       action.name.starts_with("add") || action.name.starts_with("put"));
    if (!sets) continue;
    const std::string full = std::string(service) + ":" + std::string(action.name);
    bool allowed = false;
    for (const StatementView& s : pass.statements) {
      if (!acts_on(s, full)) continue;
      if (s.deny) return nullptr;
      if (s.allow && !guards_tags(s)) allowed = true;
    }
    if (allowed) return &action;
  }
  return nullptr;
}

void check_free_tags(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  if (!s.allow || !entry.op || entry.op->negated) return;
  const bool of_resource = entry.lower_key.starts_with("aws:resourcetag/");
  const bool of_principal = entry.lower_key.starts_with("aws:principaltag/");
  if (!of_resource && !of_principal) return;
  std::vector<std::string_view> services;
  if (of_principal) {
    services = {"iam", "sts"};
  } else {
    for (const Item& item : s.actions) {
      const std::string_view service = service_of(item.lower);
      if (!service.empty() && std::ranges::find(services, service) == services.end()) {
        services.push_back(service);
      }
    }
  }
  for (const std::string_view service : services) {
    const ActionFacts* action = free_tagging(pass, service);
    if (action == nullptr) continue;
    pass.report(AgentAccess, "TAG_CONDITION_ANYONE_MAY_SET", condition_path(s, entry), entry.offset,
                fmt::format("whoever has this policy may set the tag by {}, so that the condition "
                            "keeps nobody out",
                            action->full),
                fmt::format("allow {} only with conditions on aws:RequestTag and aws:TagKeys",
                            action->full));
    return;
  }
}

// Session tags come with sts:TagSession: who may choose them escapes a Deny that looks at them.
void check_session_tags(Pass& pass) {
  const bool controlled = std::ranges::any_of(pass.statements, [](const StatementView& s) {
    return s.deny && acts_on(s, "sts:tagsession");
  });
  if (controlled) return;
  for (const StatementView& s : pass.statements) {
    for (const ConditionEntry& entry : s.conditions) {
      if (!s.deny || !entry.op || !entry.lower_key.starts_with("aws:principaltag/")) continue;
      pass.report(AgentAccess, "DENY_BY_TAG_WITHOUT_TAG_SESSION_CONTROL", condition_path(s, entry),
                  entry.offset,
                  fmt::format("the Deny depends on {}, and nothing here keeps sts:TagSession from "
                              "setting or omitting it",
                              entry.key),
                  "deny sts:TagSession unless aws:RequestTag has the value, for all but the "
                  "gateway's own role");
      return;
    }
  }
}

// Grants to a session's own ARN pass by its session policy and permission boundary.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
void check_bypass(Pass& pass, const StatementView& s) {
  if (!s.allow || !s.principal || pass.kind != iam::PolicyKind::Resource) return;
  const auto report = [&](std::size_t offset, std::string what) {
    pass.report(AgentAccess, "RESOURCE_POLICY_BYPASSES_SESSION_POLICY", s.path + ".Principal",
                offset, std::move(what), "name the role's ARN, which session policies do limit");
  };
  const auto names_session = [](std::string_view text) {
    return text.find(":assumed-role/") != text.npos || text.find(":federated-user/") != text.npos;
  };
  if (const auto aws = s.principal->find("AWS")) {
    if (const auto text = aws->as_string(); text && names_session(*text)) {
      report(aws->offset(), "a grant to a session's ARN holds whatever its session policy says");
    } else if (aws->is(json::Kind::Array)) {
      for (const json::Value element : aws->elements()) {
        const auto one = element.as_string();
        if (!one || !names_session(*one)) continue;
        report(element.offset(),
               "a grant to a session's ARN holds whatever its session policy says");
      }
    }
  }
  const auto aws = s.principal->find("AWS");
  const bool everyone = s.principal->as_string() == "*" || (aws && aws->as_string() == "*");
  if (everyone && requires_key(s, "aws:principalarn")) {
    report(s.principal->offset(),
           "a grant to * with a condition on aws:PrincipalArn holds whatever the session policy or "
           "the permission boundary says");
  }
}

void check_true_is_trust(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  if (!s.allow || entry.lower_key != "aws:viaawsmcpservice" || !is_bool(entry) ||
      !entry.op->if_exists || !is_true(entry)) {
    return;
  }
  pass.report(
      AgentAccess, "ALLOW_WITH_IF_EXISTS", condition_path(s, entry), entry.offset,
      "BoolIfExists is true when the key is absent: the statement also allows requests that "
      "came by no MCP server",
      "write Bool");
}

}  // namespace

void check_agent_access(Pass& pass) {
  for (const StatementView& s : pass.statements) {
    check_dead_actions(pass, s);
    check_bypass(pass, s);
    for (const ConditionEntry& entry : s.conditions) {
      check_called_via(pass, s, entry);
      check_absent_key(pass, s, entry);
      check_true_is_trust(pass, s, entry);
      check_for_all_values(pass, s, entry);
      check_source_ip(pass, s, entry);
      check_free_tags(pass, s, entry);
    }
  }
  check_session_tags(pass);
}

}  // namespace remit::analysis
