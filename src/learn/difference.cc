#include "learn/difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/encoding.h"
#include "iam/policy.h"
#include "remit/template.h"

namespace remit::learn {
namespace {

// The statement with a star where an argument stands: what any call could have been bound to.
std::optional<iam::Policy> alone(const rules::TemplateStatement& statement) {
  rules::PlainStatement plain;
  plain.not_action = statement.not_action;
  plain.actions = statement.actions;
  plain.not_resource = statement.not_resource;
  const auto text = [](const rules::TemplateText& from) {
    std::string out;
    for (const rules::TextPart& part : from.parts) out += part.argument ? "*" : part.text;
    return out;
  };
  for (const rules::TemplateText& resource : statement.resources) {
    plain.resources.push_back(text(resource));
  }
  auto compiled = iam::compile(rules::write_canonical({plain}).json, iam::PolicyKind::Session,
                               "a statement of the remit");
  if (!compiled) return std::nullopt;
  return *std::move(compiled);
}

std::string name_of_statement(const rules::TemplateStatement& statement, std::size_t index) {
  const std::string line = fmt::format("line {}", statement.origin.position.line);
  if (statement.origin.sid.empty()) return fmt::format("statement {} ({})", index + 1, line);
  return fmt::format("statement {} ({}, {})", index + 1, statement.origin.sid, line);
}

bool has(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::any_of(
      list, [&](const std::string& one) { return equals_ignoring_ascii_case(one, text); });
}

// With a star where an argument stands, as `alone` has it.
std::string with_stars(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = text.substr(i).starts_with("${arg:") ? text.find('}', i) : text.npos;
    if (end != text.npos) {
      out += '*';
      i = end;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool stands_in(const std::vector<const Learnt*>& learnt, std::string_view argument) {
  const std::string text = "${arg:" + std::string(argument) + "}";
  return std::ranges::any_of(
      learnt, [&](const Learnt* of_tool) { return of_tool->policy.json.contains(text); });
}

// What every learnt statement allows on the same resources as this one does.
bool same_resources(const std::vector<const Learnt*>& learnt, const std::string& action,
                    const std::vector<std::string>& resources) {
  for (const Learnt* of_tool : learnt) {
    for (const rules::PlainStatement& statement : of_tool->statements) {
      if (!has(statement.actions, action)) continue;
      for (const std::string& resource : statement.resources) {
        if (!has(resources, with_stars(resource))) return false;
      }
    }
  }
  return true;
}

}  // namespace

char sign_of(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::Unused:
      return '-';
    case Change::Kind::Narrower:
      return '~';
    case Change::Kind::Added:
      return '+';
    case Change::Kind::Same:
      return '=';
    case Change::Kind::Kept:
      return '!';
  }
  return ' ';
}

std::string_view name_of(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::Unused:
      return "unused";
    case Change::Kind::Narrower:
      return "narrower";
    case Change::Kind::Added:
      return "added";
    case Change::Kind::Same:
      return "same";
    case Change::Kind::Kept:
      return "kept";
  }
  return "";
}

std::vector<Change> difference(const rules::Remit& remit, const std::vector<const ToolUse*>& uses,
                               const std::vector<const Learnt*>& learnt) {
  std::vector<Change> changes;
  const auto add = [&](Change::Kind kind, std::string text) {
    changes.push_back({kind, std::move(text)});
  };
  const auto& statements = remit.session->statements();
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const rules::TemplateStatement& statement = statements[i];
    const std::string name = name_of_statement(statement, i);
    if (statement.deny) {
      add(Change::Kind::Kept, name + " denies: keep it, the learnt policy has no denials");
      continue;
    }
    const auto policy = alone(statement);
    std::set<std::string> used;
    std::vector<std::string> resources;
    for (const rules::TemplateText& resource : statement.resources) {
      std::string text;
      for (const rules::TextPart& part : resource.parts) text += part.argument ? "*" : part.text;
      resources.push_back(std::move(text));
    }
    for (const ToolUse* use : uses) {
      for (const Observed& one : use->observed) {
        if (!one.refused && policy && allows(*policy, *use, one.asked))
          used.insert(one.asked.action);
      }
    }
    if (used.empty()) {
      add(Change::Kind::Unused, name + " was never used");
      continue;
    }
    const bool all_used = !statement.not_action &&
                          std::ranges::all_of(statement.actions, [&](const std::string& action) {
                            return std::ranges::any_of(used, [&](const std::string& one) {
                              return equals_ignoring_ascii_case(one, action);
                            });
                          });
    const bool as_wide = std::ranges::all_of(
        used, [&](const std::string& action) { return same_resources(learnt, action, resources); });
    if (all_used && as_wide && !statement.not_resource) {
      add(Change::Kind::Same, name + " stays as it is");
    } else if (all_used) {
      add(Change::Kind::Narrower, name + ": its actions were all used, on fewer resources");
    } else {
      add(Change::Kind::Narrower,
          fmt::format("{}: of {} only {} {} used", name, fmt::join(statement.actions, ", "),
                      fmt::join(used, ", "), used.size() == 1 ? "was" : "were"));
    }
  }
  for (const ToolUse* use : uses) {
    for (const Observed& one : use->observed) {
      if (!one.refused) continue;
      const bool learnt_from = std::ranges::any_of(learnt, [&](const Learnt* of_tool) {
        return of_tool->left_out.empty() && !of_tool->statements.empty();
      });
      std::vector<std::string> resources;
      resources.reserve(one.asked.resources.size());
      for (const std::string& resource : one.asked.resources) {
        resources.push_back(use->arguments.restore(resource));
      }
      const std::string what =
          fmt::format("{} on {} ({} {})", one.asked.action,
                      resources.empty() ? "a resource that the request did not tell"
                                        : fmt::format("{}", fmt::join(resources, ", ")),
                      one.times, one.times == 1 ? "time" : "times");
      if (learnt_from) {
        add(Change::Kind::Added, what + " was refused and is allowed now");
      } else {
        add(Change::Kind::Kept, what + " was refused and stays so (--include-refused)");
      }
    }
  }
  std::vector<std::string> lost;
  for (const auto& argument : remit.session->arguments()) {
    if (!stands_in(learnt, argument)) lost.emplace_back(argument);
  }
  if (!lost.empty()) {
    add(Change::Kind::Kept,
        fmt::format("the remit binds ${{arg:{}}}: what was learnt has the values that were seen; "
                    "put the arguments back where they belong",
                    fmt::join(lost, "}, ${arg:")));
  }
  return changes;
}

}  // namespace remit::learn
