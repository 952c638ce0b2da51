#include "aws/places.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "aws/arn.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

void add(std::vector<std::string>& list, std::string_view value) {
  if (std::ranges::find(list, value) == list.end()) list.emplace_back(value);
}

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "Regions.member.3" of a form without its numbers, in lower case: "regions".
std::string plain_name(std::string_view name) {
  while (true) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) break;
    const std::string_view last = name.substr(dot + 1);
    if (!all_digits(last) && last != "member" && last != "entry") {
      name.remove_prefix(dot + 1);
      break;
    }
    name = name.substr(0, dot);
  }
  return lower_ascii(name);
}

bool names_region(std::string_view name) {
  constexpr std::array<std::string_view, 6> kEnds = {
      "region", "regions", "regionname", "regionnames", "locationconstraint", "regioncode"};
  return std::ranges::any_of(kEnds, [&](auto end) { return name.ends_with(end); });
}

bool names_account(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"catalogid", "registryid", "registryids",
                                                      "userid", "userids"};
  return name.contains("account") || name.contains("owner") ||
         std::ranges::find(kNames, name) != kNames.end();
}

void consider(Places& places, const std::string& name, std::string_view value) {
  if (names_region(name)) {
    // S3's first regions: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    if (value == "EU") {
      add(places.regions, "eu-west-1");
    } else if (Region::parse(value)) {
      add(places.regions, value);
    }
  }
  if (value.size() == 12 && all_digits(value) && names_account(name)) add(places.accounts, value);
}

// The elements of a list have no name of their own, or "member": that of the list counts.
void walk(const Wire& body, Wire::Ref node, const std::string& inherited, Places& places) {
  const std::string_view own = body.name(node);
  std::string name = plain_name(own);
  if (name.empty() || name == "member" || name == "item" || all_digits(name)) name = inherited;
  if (body.is_scalar(node)) {
    consider(places, name, body.text(node));
    return;
  }
  for (const Wire::Ref child : body.children(node)) walk(body, child, name, places);
}

void add_host(const Call& call, Places& places) {
  const std::string_view own = own_endpoint(call).host;
  const bool global = !own.empty() && !own.contains("{r}");
  if (call.facts.host.empty()) {
    places.global = global;
    return;
  }
  if (const S3Host* s3 = call.resolved.s3_host.get()) {
    if (!s3->region.empty()) add(places.regions, s3->region);
    return;
  }
  const std::string host = usual_host(strip_suffix(call.t, call.facts.host));
  const auto match = match_host(call.t, call.service, host);
  if (!match) return;
  if (!match->region.empty()) add(places.regions, match->region);
  places.global = global && match->region.empty();
}

}  // namespace

void add_places(const Call& call, Places& places) {
  add_host(call, places);
  for (std::uint8_t i = 0; i < call.operation.member_count; ++i) {
    const MemberRow member = call.t.members[call.operation.member_first + i];
    const auto location = static_cast<Location>(member.location);
    if (location == Location::Body || location == Location::Payload) continue;
    const std::string name = lower_ascii(call.t.text(member.name));
    if (!names_region(name) && !names_account(name)) continue;
    for (const std::string& value : call.values_of(i)) consider(places, name, value);
  }
  // Of those too that no model knows.
  for (const QueryParameter& p : call.resolved.target.query)
    consider(places, plain_name(p.name), p.value);
  if (call.body.root() != Wire::kNothing) walk(call.body, call.body.root(), {}, places);
}

}  // namespace remit::aws
