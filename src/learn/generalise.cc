#include "learn/generalise.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "remit/canonical.h"

namespace remit::learn {
namespace {

constexpr std::size_t kLeastPrefix = 4;  // characters of a name before its `*`
constexpr std::string_view kSeparators = "-_./:";

// "arn:aws:s3:::bucket/a/b" is the head up to where names of the resource begin, and the rest.
struct Split {
  std::string_view head;
  std::string_view service;
  std::string_view rest;
};

std::optional<Split> split(std::string_view arn) {
  std::size_t at = 0;
  std::string_view service;
  for (int colon = 0; colon < 5; ++colon) {
    const std::size_t next = arn.find(':', at);
    if (next == arn.npos) return std::nullopt;
    if (colon == 2) service = arn.substr(at, next - at);
    at = next + 1;
  }
  return Split{arn.substr(0, at), service, arn.substr(at)};
}

// Where the first name ends, with the separator behind it: below it patterns may begin. In S3 that
// is the bucket; elsewhere a type comes first ("table/Orders/", "log-group:/aws/x:").
std::size_t end_of_name(const Split& arn) {
  const auto next = [&](std::size_t from) {
    const std::size_t at = arn.rest.find_first_of("/:", from);
    return at == arn.rest.npos ? arn.rest.size() : at + 1;
  };
  const bool type_first = arn.service != "s3" && arn.service != "sqs" && arn.service != "sns";
  return type_first ? next(next(0)) : next(0);
}

// Names of keys below one name, cut at `/` and `:`.
struct Node {
  std::map<std::string, Node, std::less<>> children;
  bool seen = false;  // a resource ends here
};

void put(Node& node, std::string_view rest) {
  if (rest.empty()) {
    node.seen = true;
    return;
  }
  const std::size_t end = rest.find_first_of("/:");
  const std::size_t size = end == rest.npos ? rest.size() : end + 1;
  put(node.children[std::string(rest.substr(0, size))], rest.substr(size));
}

void collect(const Node& node, const std::string& so_far, const Wildcards& wildcards,
             std::vector<std::string>& out) {
  if (node.seen) out.push_back(so_far);
  if (node.children.size() >= wildcards.from && wildcards.from > 0) {
    out.push_back(so_far + "*");
    return;
  }
  for (const auto& [name, child] : node.children) collect(child, so_far + name, wildcards, out);
}

// "orders-2026-01", "orders-2026-02", "orders-2026-03" as "orders-2026-*".
std::size_t common_size(std::string_view a, std::string_view b) {
  const auto [x, y] = std::ranges::mismatch(a, b);
  return static_cast<std::size_t>(x - a.begin());
}

std::vector<std::string> by_beginning(const std::set<std::string>& names,
                                      const Wildcards& wildcards, std::size_t fixed) {
  std::map<std::string, std::set<std::string>> groups;
  const std::vector<std::string> sorted(names.begin(), names.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    // The longest beginning that it shares with enough others and that ends at a separator.
    std::string group = sorted[i];
    for (std::size_t j = 0; j + wildcards.from <= sorted.size() && wildcards.from > 1; ++j) {
      if (i < j || i >= j + wildcards.from) continue;
      std::size_t size = common_size(sorted[j], sorted[j + wildcards.from - 1]);
      while (size > 0 && kSeparators.find(sorted[j][size - 1]) == kSeparators.npos) --size;
      if (size < fixed + kLeastPrefix) continue;
      const std::string candidate = sorted[j].substr(0, size) + "*";
      if (!group.ends_with('*') || candidate.size() > group.size()) group = candidate;
    }
    groups[group].insert(sorted[i]);
  }
  std::vector<std::string> out;
  out.reserve(groups.size());
  for (const auto& [pattern, of] : groups) out.push_back(pattern);
  return out;
}

}  // namespace

std::vector<std::string> generalise(std::vector<std::string> arns, const Wildcards& wildcards) {
  std::vector<std::string> out;
  std::map<std::string, Node> below;                                // by the beginning up to a name
  std::map<std::string, std::set<std::string>, std::less<>> names;  // by the head of the ARN
  for (const std::string& arn : arns) {
    const auto parts = split(arn);
    // What holds a pattern already (the random end of a secret's ARN) stays as it is.
    if (!parts || arn.find_first_of("*?") != arn.npos) {
      out.push_back(arn);
      continue;
    }
    const std::size_t end = parts->head.size() + end_of_name(*parts);
    if (end < arn.size()) {
      put(below[arn.substr(0, end)], std::string_view(arn).substr(end));
    } else {
      names[std::string(parts->head)].insert(arn);
    }
  }
  for (const auto& [beginning, node] : below) collect(node, beginning, wildcards, out);
  for (const auto& [head, of] : names) {
    // A type in front ("table/") is no beginning of a name.
    const auto parts = split(*of.begin());
    const bool typed = parts->service != "s3" && parts->service != "sqs" && parts->service != "sns";
    const std::size_t type = typed ? parts->rest.find_first_of("/:") : parts->rest.npos;
    const std::size_t fixed = head.size() + (type == parts->rest.npos ? 0 : type + 1);
    for (std::string& name : by_beginning(of, wildcards, fixed)) out.push_back(std::move(name));
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  // A pattern of one group may cover what another group left: "a/*" and "a/b:c".
  std::vector<std::string> kept;
  for (const std::string& one : out) {
    const bool covered = std::ranges::any_of(out, [&](const std::string& other) {
      return other != one && other != "*" && rules::pattern_covers(other, one);
    });
    if (!covered) kept.push_back(one);
  }
  return kept;
}

}  // namespace remit::learn
