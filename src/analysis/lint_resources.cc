// Resources: are the ARNs well formed, does one cover another.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "analysis/lint_model.h"
#include "base/encoding.h"
#include "iam/wildcard.h"

namespace remit::analysis {
namespace {

using enum FindingType;

// Wildcards and variables stand for anything.
bool is_open(std::string_view field) {
  return has_wildcard(field) || field.find("${") != field.npos;
}

bool is_region(std::string_view region) {
  return region.empty() || std::ranges::all_of(region, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_account(std::string_view account) {
  return account.empty() || account == "aws" || account == "aws-managed" ||
         (account.size() == 12 &&
          std::ranges::all_of(account, [](char c) { return c >= '0' && c <= '9'; }));
}

// The first five fields; the rest is the sixth. Colons inside ${...} are no separators.
std::vector<std::string_view> arn_fields(std::string_view arn) {
  std::vector<std::string_view> fields;
  std::size_t start = 0;
  std::size_t inside = 0;
  for (std::size_t i = 0; i < arn.size() && fields.size() < 5; ++i) {
    if (arn.substr(i).starts_with("${")) ++inside;
    if (arn[i] == '}' && inside > 0) --inside;
    if (arn[i] != ':' || inside > 0) continue;
    fields.push_back(arn.substr(start, i - start));
    start = i + 1;
  }
  fields.push_back(arn.substr(start));
  return fields;
}

// Regions and accounts where the service's ARNs have none, and none where they have them.
void check_shape(Pass& pass, const StatementView& s, std::string_view element, const Item& item,
                 const std::vector<std::string_view>& fields) {
  const auto shape = pass.data.arn_shape(fields[2]);
  if (!shape) return;
  const auto report = [&](std::string_view code, std::string_view what, std::string_view mend) {
    pass.report(Error, code, item_path(s, element, item), item.offset,
                fmt::format("an ARN of {} {}", fields[2], what), std::string(mend));
  };
  const auto given = [](std::string_view field) { return !field.empty() && !is_open(field); };
  // A bucket or an object, unlike S3's other resources, has neither.
  const bool bucket = fields[2] == "s3" && fields[5].find(':') == fields[5].npos &&
                      (fields[5].find('/') == fields[5].npos || fields[5].ends_with("/*")) &&
                      !fields[5].starts_with("accesspoint") && !fields[5].starts_with("job/") &&
                      !fields[5].starts_with("async-request") && !is_open(fields[5].substr(0, 1)) &&
                      !fields[5].starts_with("storage-lens") &&
                      !fields[5].starts_with("access-grants");
  if (given(fields[3]) && (!shape->some_region || bucket)) {
    report("ARN_REGION_NOT_ALLOWED", "has no region", "leave the region empty");
  }
  if (given(fields[4]) && (!shape->some_account || bucket)) {
    report("ARN_ACCOUNT_NOT_ALLOWED", "has no account", "leave the account empty");
  }
  if (fields[3].empty() && shape->all_region) {
    report("MISSING_ARN_REGION", "has a region", "write a region, or * for all");
  }
}

void check_arn(Pass& pass, const StatementView& s, std::string_view element, const Item& item) {
  if (item.text == "*") return;
  const auto report = [&](std::string_view code, std::string message, std::string mend) {
    pass.report(Error, code, item_path(s, element, item), item.offset, std::move(message),
                std::move(mend));
  };
  const auto fields = arn_fields(item.text);
  if (fields[0] != "arn") {
    if (!fields[0].starts_with('*') && !fields[0].starts_with("${")) {
      report("INVALID_ARN_PREFIX", fmt::format("{} is no ARN: it must begin with arn:", item.text),
             "write an ARN or *");
    }
    return;
  }
  if (fields.size() < 6) {
    if (!item.text.ends_with('*')) {
      report("MISSING_ARN_FIELD", fmt::format("the ARN has {} of 6 fields", fields.size()),
             "write arn:partition:service:region:account:resource");
    }
    return;
  }
  const std::string_view partition = fields[1];
  const std::string_view service = fields[2];
  if (!is_open(partition) && partition != "aws" && !partition.starts_with("aws-")) {
    report("INVALID_PARTITION", fmt::format("there is no partition {}", partition),
           "write aws, aws-cn or aws-us-gov");
  }
  if (!is_open(service) && lower_ascii(service) != service) {
    report("INVALID_ARN_SERVICE_CASE", fmt::format("the service {} has capitals", service),
           fmt::format("write {}", lower_ascii(service)));
  } else if (!is_open(service) && !pass.data.has_arn_service(service)) {
    report("INVALID_SERVICE", fmt::format("there is no service {}", service),
           "write the service's name as its ARNs have it");
  }
  if (!is_open(fields[3]) && !is_region(fields[3])) {
    report("INVALID_ARN_REGION", fmt::format("there is no region {}", fields[3]),
           "write a region's name, or * for all");
  }
  check_shape(pass, s, element, item, fields);
  if (!is_open(fields[4]) && !is_account(fields[4])) {
    report("INVALID_ARN_ACCOUNT",
           fmt::format("{} is no account: it must have 12 digits", fields[4]),
           "write the account's 12 digits, or * for all");
  }
}

void check_redundant_resources(Pass& pass, const StatementView& s, std::string_view element,
                               const std::vector<Item>& items) {
  std::vector<std::size_t> group(items.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  const auto root = [&](std::size_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
  };
  std::map<std::string_view, std::size_t> exact;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto [earlier, fresh] = exact.try_emplace(items[i].text, i);
    if (!fresh) group[root(i)] = root(earlier->second);
    if (!has_wildcard(items[i].text)) continue;
    for (std::size_t j = 0; j < items.size(); ++j) {
      if (i != j && iam::matches(items[i].pattern, items[j].text)) group[root(i)] = root(j);
    }
  }
  std::map<std::size_t, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < items.size(); ++i) groups[root(i)].push_back(i);
  for (const auto& [leader, members] : groups) {
    if (members.size() < 2) continue;
    const auto widest = std::ranges::find_if(members, [&](std::size_t i) {
      return std::ranges::all_of(
          members, [&](std::size_t j) { return iam::matches(items[i].pattern, items[j].text); });
    });
    const std::size_t keep = widest == members.end() ? members.front() : *widest;
    const std::size_t drop = members.front() == keep ? members[1] : members.front();
    pass.report(Suggestion, "REDUNDANT_RESOURCE", item_path(s, element, items[drop]),
                items[drop].offset,
                fmt::format("{} of the resources overlap: {} covers {}", members.size(),
                            items[keep].text, items[drop].text),
                fmt::format("remove {}", items[drop].text));
  }
}

}  // namespace

void check_resources(Pass& pass, const StatementView& s) {
  for (const Item& item : s.resources) check_arn(pass, s, "Resource", item);
  for (const Item& item : s.not_resources) check_arn(pass, s, "NotResource", item);
  check_redundant_resources(pass, s, "Resource", s.resources);
  check_redundant_resources(pass, s, "NotResource", s.not_resources);
}

}  // namespace remit::analysis
