// What careful people avoid though AWS says nothing: the checks that parliament made known
// (https://github.com/duo-labs/parliament), written anew.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/lint_model.h"
#include "iam/wildcard.h"

namespace remit::analysis {
namespace {

using enum FindingType;

// Calls `visit` with each action that the item holds, until it answers false.
template <class Visit>
void each_action(const Pass& pass, const Item& item, Visit visit) {
  const std::string_view service = service_of(item.lower);
  if (service.empty()) return;
  const std::string_view pattern = std::string_view(item.pattern).substr(service.size() + 1);
  for (const ActionFacts& action : pass.data.actions(service)) {
    if (iam::matches(pattern, action.name) && !visit(action)) return;
  }
}

bool has_resources(const Pass& pass, const ActionFacts& action) {
  return !pass.data.resource_formats(action).empty();
}

void check_star(Pass& pass, const StatementView& s) {
  if (!s.allow || !s.has_resource_star()) return;
  for (const Item& item : s.actions) {
    const ActionFacts* narrowable = nullptr;
    each_action(pass, item, [&](const ActionFacts& action) {
      if (has_resources(pass, action)) narrowable = &action;
      return narrowable == nullptr;
    });
    if (narrowable == nullptr) continue;
    pass.report(
        Practice, "RESOURCE_STAR", s.path + ".Resource", s.resource->offset(),
        fmt::format("allows {} on every resource, and it could name some", narrowable->full),
        "name the resources that are meant");
    return;
  }
}

// "arn:*:cloudtrail:*:*:trail/*": names a type and nothing else.
bool is_effectively_star(std::string_view arn) {
  std::size_t at = 0;
  for (int field = 0; field < 5; ++field) {
    const std::size_t colon = arn.find(':', at);
    if (colon == arn.npos) return false;
    const std::string_view text = arn.substr(at, colon - at);
    if (field == 4 && text != "*") return false;
    at = colon + 1;
  }
  const std::string_view rest = arn.substr(at);
  const std::size_t slash = rest.find_first_of("/:");
  return rest == "*" || (slash != rest.npos && rest.substr(slash + 1) == "*");
}

void check_effective_star(Pass& pass, const StatementView& s) {
  if (!s.allow) return;
  for (const Item& item : s.resources) {
    if (!is_effectively_star(item.text)) continue;
    pass.report(Practice, "RESOURCE_EFFECTIVELY_STAR", item_path(s, "Resource", item), item.offset,
                fmt::format("{} names every resource of its type, in every account", item.text),
                "name the account and the resources that are meant");
  }
}

// Whether a resource of the policy and one of AWS's formats could name the same thing: variables of
// the format and wildcards of the policy stand for anything. Walks both patterns at once.
bool may_overlap(std::string_view format, std::string_view resource) {
  if (resource == "*") return true;
  // "arn:${Partition}:s3:::${BucketName}" becomes "arn:*:s3:::*".
  std::string pattern;
  for (std::size_t i = 0; i < format.size();) {
    if (format.substr(i).starts_with("${")) {
      i = std::min(format.find('}', i), format.size() - 1) + 1;
      if (!pattern.ends_with('*')) pattern += '*';
    } else {
      pattern += format[i++];
    }
  }
  std::string other;
  for (std::size_t i = 0; i < resource.size();) {
    if (resource.substr(i).starts_with("${")) {
      i = std::min(resource.find('}', i), resource.size() - 1) + 1;
      other += '*';
    } else {
      other += resource[i++];
    }
  }
  // rows: how much of `pattern` is read; one bit for each prefix of `other`
  std::vector<char> now(other.size() + 1, 0);
  now[0] = 1;
  for (std::size_t j = 0; j < other.size() && other[j] == '*'; ++j) now[j + 1] = 1;
  for (const char p : pattern) {
    std::vector<char> next(other.size() + 1, 0);
    for (std::size_t j = 0; j <= other.size(); ++j) {
      if (p == '*') {
        next[j] = static_cast<char>(now[j] != 0 || (j > 0 && next[j - 1] != 0));
      } else if (j > 0) {
        const char o = other[j - 1];
        const bool step = now[j - 1] != 0 && (o == p || o == '?');
        const bool stay = o == '*' && (now[j] != 0 || next[j - 1] != 0 || now[j - 1] != 0);
        next[j] = static_cast<char>(step || stay);
      }
    }
    now = std::move(next);
  }
  return now.back() != 0;
}

// Bucket names have no slash: "bucket/*" is no bucket.
bool can_name(std::string_view format, std::string_view resource) {
  if (format.ends_with(":s3:::${BucketName}")) {
    const std::size_t name = resource.rfind(':') + 1;
    const std::size_t slash = resource.find('/', name);
    if (slash != resource.npos && resource.substr(name, slash - name).find('*') == resource.npos) {
      return false;
    }
  }
  return may_overlap(format, resource);
}

void check_mismatch(Pass& pass, const StatementView& s) {
  if (!s.allow || s.resources.empty() || s.has_resource_star()) return;
  for (const Item& item : s.actions) {
    const ActionFacts* lost = nullptr;
    each_action(pass, item, [&](const ActionFacts& action) {
      const auto formats = pass.data.resource_formats(action);
      const bool reached = std::ranges::any_of(formats, [&](std::string_view format) {
        return std::ranges::any_of(
            s.resources, [&](const Item& resource) { return can_name(format, resource.text); });
      });
      if (!reached) lost = &action;
      return lost == nullptr;
    });
    if (lost == nullptr) continue;
    pass.report(Practice, "RESOURCE_MISMATCH", item_path(s, "Action", item), item.offset,
                fmt::format("no resource of the statement is one that {} works on: it is not "
                            "allowed here",
                            lost->full),
                pass.data.resource_formats(*lost).empty()
                    ? "allow it in a statement with Resource \"*\""
                    : "name a resource of its type");
  }
}

void check_mfa(Pass& pass, const StatementView& s) {
  if (!s.allow) return;
  for (const ConditionEntry& entry : s.conditions) {
    const bool says_false = !entry.items.empty() && entry.items.front().lower == "false";
    if (entry.lower_key != "aws:multifactorauthpresent" || !entry.op ||
        entry.op->compare != iam::Compare::Bool || !says_false) {
      continue;
    }
    pass.report(Practice, "BAD_PATTERN_FOR_MFA", condition_path(s, entry), entry.offset,
                "allows requests made without MFA only, and none with long-term keys",
                "write \"true\", or deny with BoolIfExists \"false\"");
  }
}

void check_key_fits(Pass& pass, const StatementView& s) {
  for (const ConditionEntry& entry : s.conditions) {
    if (!entry.known || entry.lower_key.starts_with("aws:") || s.not_action) continue;
    for (const Item& item : s.actions) {
      bool any = false;
      bool fits = false;
      each_action(pass, item, [&](const ActionFacts& action) {
        any = true;
        fits = pass.data.supports_key(action, entry.lower_key);
        return !fits;
      });
      if (!any || fits) continue;
      pass.report(Practice, "CONDITION_KEY_NOT_FOR_ACTION", condition_path(s, entry), entry.offset,
                  fmt::format("requests for {} do not carry {}", item.text, entry.key),
                  "move the action to a statement without this condition");
      break;
    }
  }
}

// Whether the policy as a whole lets the action through on something.
bool lets_through(const Pass& pass, std::string_view action) {
  bool allowed = false;
  for (const StatementView& s : pass.statements) {
    if (!acts_on(s, action)) continue;
    if (s.deny && s.conditions.empty() && (s.has_resource_star() || s.not_resource)) return false;
    allowed = allowed || s.allow;
  }
  return allowed;
}

// Who may set a bucket's policy or ACL may grant itself everything on it.
void check_escalation(Pass& pass) {
  constexpr std::string_view kSetting[] = {"s3:putbucketpolicy", "s3:putbucketacl",
                                           "s3:putobjectacl"};
  constexpr std::string_view kRest[] = {"s3:deletebucket", "s3:deleteobject", "s3:putobject",
                                        "s3:getobject"};
  const bool has_rest = std::ranges::all_of(
      kRest, [&](std::string_view action) { return lets_through(pass, action); });
  if (has_rest || !pass.is_identity_like()) return;
  for (const std::string_view action : kSetting) {
    if (!lets_through(pass, action)) continue;
    for (const StatementView& s : pass.statements) {
      if (!s.allow || !acts_on(s, action)) continue;
      pass.report(Practice, "RESOURCE_POLICY_PRIVILEGE_ESCALATION", s.path + ".Action",
                  s.value.offset(),
                  fmt::format("{} lets its holder grant itself the rest of the bucket", action),
                  "remove it, or deny it outside of administration");
      return;
    }
  }
}

}  // namespace

void check_practice(Pass& pass) {
  for (const StatementView& s : pass.statements) {
    check_key_fits(pass, s);
    if (!pass.is_identity_like()) continue;
    check_star(pass, s);
    check_effective_star(pass, s);
    check_mismatch(pass, s);
    check_mfa(pass, s);
  }
  check_escalation(pass);
}

}  // namespace remit::analysis
