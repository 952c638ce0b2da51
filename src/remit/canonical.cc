#include "remit/canonical.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "json/writer.h"

namespace remit::rules {
namespace {

constexpr std::size_t kArnSegments = 5;  // before the resource part

// The five segments in front of an ARN's resource part; nullopt for what is no full ARN.
std::optional<std::string_view> arn_head(std::string_view text) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < kArnSegments; ++i) {
    at = text.find(':', at);
    if (at == std::string_view::npos) return std::nullopt;
    ++at;
  }
  return text.substr(0, at);
}

bool resource_covers(std::string_view outer, std::string_view inner) {
  if (outer == "*") return inner.find("${") == std::string_view::npos;
  // IAM matches an ARN segment by segment: a star in the head does not reach into the resource.
  const auto head = arn_head(outer);
  if (!head || head != arn_head(inner)) return false;
  return pattern_covers(outer.substr(head->size()), inner.substr(head->size()));
}

bool action_covers(std::string_view outer, std::string_view inner) {
  return pattern_covers(lower_ascii(outer), lower_ascii(inner));
}

template <class Covers>
void reduce(std::vector<std::string>& list, Covers covers) {
  std::ranges::sort(list);
  const auto doubles = std::ranges::unique(list);
  list.erase(doubles.begin(), doubles.end());
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < list.size(); ++i) {
    // Of two that cover each other (they differ in case only) the first stays.
    const auto covered_by = [&](std::size_t j) {
      return j != i && covers(list[j], list[i]) && (j < i || !covers(list[i], list[j]));
    };
    bool covered = false;
    for (std::size_t j = 0; j < list.size() && !covered; ++j) covered = covered_by(j);
    if (!covered) kept.push_back(list[i]);
  }
  list = std::move(kept);
}

void reduce(PlainStatement& statement) {
  reduce(statement.actions, action_covers);
  reduce(statement.resources, resource_covers);
  for (PlainCondition& condition : statement.conditions) {
    std::ranges::sort(condition.values);
    const auto doubles = std::ranges::unique(condition.values);
    condition.values.erase(doubles.begin(), doubles.end());
  }
  std::ranges::sort(statement.conditions);
}

bool alike(const PlainStatement& a, const PlainStatement& b) {
  return a.deny == b.deny && a.not_action == b.not_action && a.not_resource == b.not_resource &&
         a.conditions == b.conditions;
}

// Makes `a` do the work of both and answers true, where one list is all that differs.
bool merge(PlainStatement& a, const PlainStatement& b) {
  if (!alike(a, b)) return false;
  const bool same_actions = a.actions == b.actions;
  const bool same_resources = a.resources == b.resources;
  // Two NotAction lists as one would exclude more, two NotResource lists too.
  const bool by_resource = same_actions && (!a.not_resource || same_resources);
  const bool by_action = same_resources && (!a.not_action || same_actions);
  if (by_resource)
    std::ranges::copy(b.resources, std::back_inserter(a.resources));
  else if (by_action)
    std::ranges::copy(b.actions, std::back_inserter(a.actions));
  else
    return false;
  std::ranges::copy(b.origins, std::back_inserter(a.origins));
  reduce(a);
  return true;
}

bool merge_any(std::vector<PlainStatement>& statements) {
  for (std::size_t i = 0; i < statements.size(); ++i) {
    for (std::size_t j = i + 1; j < statements.size(); ++j) {
      if (!merge(statements[i], statements[j])) continue;
      statements.erase(statements.begin() + static_cast<std::ptrdiff_t>(j));
      return true;
    }
  }
  return false;
}

void write_list(json::Writer& writer, const std::vector<std::string>& list) {
  if (list.size() == 1) {
    writer.string(list.front());
    return;
  }
  writer.begin_array();
  for (const std::string& value : list) writer.string(value);
  writer.end_array();
}

void write_conditions(json::Writer& writer, const std::vector<PlainCondition>& conditions) {
  writer.key("Condition").begin_object();
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const bool first = i == 0 || conditions[i - 1].op != conditions[i].op;
    if (first) writer.key(conditions[i].op).begin_object();
    writer.key(conditions[i].key);
    write_list(writer, conditions[i].values);
    const bool last = i + 1 == conditions.size() || conditions[i + 1].op != conditions[i].op;
    if (last) writer.end_object();
  }
  writer.end_object();
}

// Keys in the order of their bytes.
std::string write_statement(const PlainStatement& statement) {
  json::Writer writer;
  writer.begin_object();
  const auto list = [&](std::string_view key, const std::vector<std::string>& values) {
    writer.key(key);
    write_list(writer, values);
  };
  if (!statement.not_action) list("Action", statement.actions);
  if (!statement.conditions.empty()) write_conditions(writer, statement.conditions);
  writer.key("Effect").string(statement.deny ? "Deny" : "Allow");
  if (statement.not_action) list("NotAction", statement.actions);
  list(statement.not_resource ? "NotResource" : "Resource", statement.resources);
  writer.end_object();
  return std::move(writer).take();
}

}  // namespace

bool pattern_covers(std::string_view outer, std::string_view inner) {
  if (outer.find("${") != std::string_view::npos || inner.find("${") != std::string_view::npos)
    return outer == inner;
  // reached[j]: outer so far covers the first j characters of inner, where a star of inner may be
  // taken by a star only, and a question mark by a star or a question mark.
  std::vector<bool> reached(inner.size() + 1, false);
  reached[0] = true;
  for (const char c : outer) {
    std::vector<bool> next(inner.size() + 1, false);
    bool open = false;
    for (std::size_t j = 0; j <= inner.size(); ++j) {
      open = open || reached[j];
      if (c == '*') {
        next[j] = open;
      } else if (j < inner.size() && reached[j]) {
        next[j + 1] = inner[j] != '*' && (c == '?' || c == inner[j]);
      }
    }
    reached = std::move(next);
  }
  return reached[inner.size()];
}

PolicyText write_canonical(std::vector<PlainStatement> statements) {
  for (PlainStatement& statement : statements) reduce(statement);
  // What merges with what must not depend on the order in which statements were written.
  std::ranges::sort(statements, {}, write_statement);
  while (merge_any(statements)) {
  }
  std::vector<std::pair<std::string, std::vector<StatementOrigin>>> written;
  written.reserve(statements.size());
  for (PlainStatement& statement : statements)
    written.emplace_back(write_statement(statement), std::move(statement.origins));
  std::ranges::sort(written, {}, [](const auto& w) -> const std::string& { return w.first; });
  PolicyText policy;
  json::Writer writer;
  writer.begin_object().key("Statement");
  if (written.size() != 1) writer.begin_array();
  for (auto& [text, origins] : written) {
    writer.raw(text);
    policy.origins.push_back(std::move(origins));
  }
  if (written.size() != 1) writer.end_array();
  writer.key("Version").string("2012-10-17").end_object();
  policy.json = std::move(writer).take();
  return policy;
}

}  // namespace remit::rules
