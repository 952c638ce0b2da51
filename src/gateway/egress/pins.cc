#include "gateway/egress/pins.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "aws/arn.h"
#include "base/encoding.h"
#include "remit/config.h"

namespace remit::gateway {
namespace {

// Region and account of an ARN; both empty for what is none.
struct Owner {
  std::string_view region, account;
};
Owner owner_of(std::string_view arn) {
  if (!arn.starts_with("arn:")) return {};
  Owner owner;
  for (int field = 0; field < 5; ++field) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return {};
    if (field == 3) owner.region = arn.substr(0, colon);
    if (field == 4) owner.account = arn.substr(0, colon);
    arn.remove_prefix(colon + 1);
  }
  return owner;
}

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Refusal refusal(const aws::Identified& identified, std::string_view resource, std::string message) {
  Refusal made;
  if (!identified.actions.empty()) made.action = identified.actions.front().action;
  made.resource = resource;
  made.layer = "pin";
  made.message = std::move(message);
  return made;
}

// Whether the signature of `identified` is for another partition than the session is of: its
// credentials are worth nothing there. A region of no known form says nothing.
bool other_partition(const CallFacts& facts, const aws::Identified& identified) {
  if (facts.account.empty() || identified.region.empty()) return false;
  const std::string_view of_scope = aws::partition_of_region(identified.region);
  return of_scope != facts.partition && (of_scope != "aws" || facts.partition.starts_with("aws-"));
}

struct Check {
  const CallFacts& facts;
  const aws::Identified& identified;
  const rules::Pins& pins;

  std::string name() const {
    return fmt::format("{}:{}", identified.service, identified.operation);
  }
  std::optional<Refusal> region_of(std::string_view region, std::string_view what,
                                   std::string_view resource = {}) const {
    if (pins.admits_region(region)) return std::nullopt;
    const bool global = identified.places.global && region == identified.region;
    if (global && std::ranges::find(pins.regions, rules::kGlobal) != pins.regions.end())
      return std::nullopt;
    const std::string_view hint =
        global
            ? "; its service has one endpoint for all regions, which `global` in `regions` admits"
            : "";
    return refusal(identified, resource,
                   fmt::format("{}: {} {}, and remit \"{}\" is pinned to the regions {}{}", name(),
                               what, region, facts.remit, fmt::join(pins.regions, ", "), hint));
  }
  std::optional<Refusal> account_of(std::string_view account, std::string_view what,
                                    std::string_view resource = {}) const {
    if (pins.admits_account(account)) return std::nullopt;
    return refusal(identified, resource,
                   fmt::format("{}: {} {}, and remit \"{}\" is pinned to the accounts {}", name(),
                               what, account, facts.remit, fmt::join(pins.accounts, ", ")));
  }

  std::optional<Refusal> scope(std::string_view set) const {
    if (!identified.region.empty()) {
      return region_of(identified.region, "the request is signed for region");
    }
    if (set.empty()) return region_of("*", "the request is signed for region");
    while (!set.empty()) {
      const std::size_t comma = std::min(set.find(','), set.size());
      const std::string_view one = trim_ascii(set.substr(0, comma));
      if (auto out = region_of(one, "the request is signed for the region set with")) return out;
      set.remove_prefix(std::min(comma + 1, set.size()));
    }
    return std::nullopt;
  }

  std::optional<Refusal> arns() const {
    for (const aws::ActionRequest& action : identified.actions) {
      for (const std::string& resource : action.resources) {
        const Owner owner = owner_of(resource);
        if (!pins.regions.empty() && !owner.region.empty() && owner.region != identified.region) {
          if (auto out = region_of(owner.region, "it names a resource in region", resource)) {
            return out;
          }
        }
        if (!pins.accounts.empty() && is_account(owner.account)) {
          if (auto out = account_of(owner.account, "it names a resource of account", resource)) {
            return out;
          }
        }
      }
    }
    return std::nullopt;
  }
};

}  // namespace

std::optional<Refusal> leaves_pins(const CallFacts& facts, const aws::Identified& identified,
                                   std::string_view region_set) {
  if (other_partition(facts, identified)) {
    return refusal(
        identified, {},
        fmt::format("{}:{}: the request is for region {} of partition {}, and the "
                    "session of remit \"{}\" is of partition {}",
                    identified.service, identified.operation, identified.region,
                    aws::partition_of_region(identified.region), facts.remit, facts.partition));
  }
  if (!facts.pins) return std::nullopt;
  const Check check{facts, identified, *facts.pins};
  if (!check.pins.regions.empty()) {
    if (auto out = check.scope(region_set)) return out;
    for (const std::string& region : identified.places.regions) {
      if (auto out = check.region_of(region, "it names region")) return out;
    }
  }
  if (!check.pins.accounts.empty()) {
    for (const std::string& account : identified.places.accounts) {
      if (auto out = check.account_of(account, "it names account")) return out;
    }
  }
  return check.arns();
}

}  // namespace remit::gateway
