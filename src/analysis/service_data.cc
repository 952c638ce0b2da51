#include "analysis/service_data.h"

#include <algorithm>
#include <array>

#include "analysis/unlisted_keys.h"
#include "aws/catalogue_tables.h"
#include "base/encoding.h"
#include "iam/known_keys.h"

namespace remit::analysis {
namespace {

// The order of remit_catalogue/build.py.
constexpr std::array<ConditionKey, 15> kCatalogueTypes{{{KeyType::String, false},
                                                        {KeyType::String, true},
                                                        {KeyType::Arn, false},
                                                        {KeyType::Arn, true},
                                                        {KeyType::Bool, false},
                                                        {KeyType::Bool, true},
                                                        {KeyType::Numeric, false},
                                                        {KeyType::Numeric, true},
                                                        {KeyType::Date, false},
                                                        {KeyType::Date, true},
                                                        {KeyType::IpAddress, false},
                                                        {KeyType::IpAddress, true},
                                                        {KeyType::Binary, false},
                                                        {KeyType::Binary, true},
                                                        {KeyType::Arn, false}}};

KeyType type_of(iam::KeyType type) {
  switch (type) {
    case iam::KeyType::String:
      return KeyType::String;
    case iam::KeyType::Arn:
      return KeyType::Arn;
    case iam::KeyType::Bool:
      return KeyType::Bool;
    case iam::KeyType::Numeric:
      return KeyType::Numeric;
    case iam::KeyType::Date:
      return KeyType::Date;
    case iam::KeyType::IpAddress:
      return KeyType::IpAddress;
  }
  return KeyType::Unknown;
}

// Services and actions in AWS's own managed policies that the Service Authorization Reference does
// not list: retired services, and actions that AWS keeps to itself. ValidatePolicy reports none of
// them (managed-policies and validate-policy corpora, state of 2026-08).
constexpr std::string_view kAcceptedServices[] = {"applicationwizard",
                                                  "aws-mcp",
                                                  "builderid",
                                                  "catalog",
                                                  "catalog-admin",
                                                  "catalog-user",
                                                  "crowd",
                                                  "datazonecontrol",
                                                  "deepcomposer",
                                                  "deeplens",
                                                  "deepracer",
                                                  "ec2-reports",
                                                  "iot1click",
                                                  "iotroborunner",
                                                  "mobilehub",
                                                  "payments",
                                                  "sagemaker-groundtruth-synthetic",
                                                  "securityagent",
                                                  "sumerian",
                                                  "zocalo"};
constexpr std::string_view kAcceptedActions[] = {
    "organizations:createbuilderidownedaccount",
    "route53-recovery-control-config:describeroutingcontrolbyname",
    "sagemaker-unified-studio-mcp:callprivilegedtool",
    "sagemaker-unified-studio-mcp:callreadonlytool",
    "sagemaker-unified-studio-mcp:invokemcp",
    "servicecatalog:accountleveldescriberecord",
    "servicecatalog:accountlevellistrecordhistory",
    "servicecatalog:accountlevelscanprovisionedproducts",
    "servicecatalog:gettagoptionmigrationstatus"};

// Global keys that iam/known_keys.h, which serves decisions, has no use for.
constexpr std::pair<std::string_view, ConditionKey> kMoreGlobalKeys[] = {
    {"aws:ismcpserviceaction", {KeyType::Bool, false}},
    {"aws:principalorgmasteraccountid", {KeyType::String, false}},
    {"aws:sourceowner", {KeyType::String, false}},
    {"aws:ec2instancesourceprivateipv4", {KeyType::IpAddress, false}},
    {"aws:viaawsservice", {KeyType::Bool, false}},
};

// "s3:ExistingObjectTag/<key>", "aws:ResourceTag/${TagKey}" and
// "secretsmanager:ResourceTag/tag-key" end in a name of one's own; the catalogue writes the first
// two with a star.
std::string key_name(std::string_view key) {
  std::string name = lower_ascii(key);
  constexpr std::string_view kTagKey = "/tag-key";
  if (name.ends_with(kTagKey)) name.replace(name.size() - kTagKey.size() + 1, name.npos, "*");
  return name;
}

// "a*b" with one star; exact otherwise.
bool fits(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  return text.size() > before.size() + after.size() && text.starts_with(before) &&
         text.ends_with(after);
}

}  // namespace

ServiceData::ServiceData(const aws::Catalogue& catalogue) : catalogue_(catalogue) {
  read_keys();
  read_actions();
}

void ServiceData::read_keys() {
  const auto add = [this](const std::string& name, ConditionKey key) {
    if (name.find('*') == name.npos) {
      keys_.insert_or_assign(name, key);
    } else {
      below_.emplace_back(name, key);
    }
  };
  const auto& tables = catalogue_.tables();
  for (std::uint32_t i = 0; i < tables.condition_keys.size(); ++i) {
    const aws::ConditionKeyRow row = tables.condition_keys[i];
    const std::string& name = key_names_.emplace_back(key_name(tables.text(row.name)));
    add(name, row.type < kCatalogueTypes.size() ? kCatalogueTypes[row.type] : ConditionKey{});
  }
  for (const iam::KnownKey& known : iam::known_keys()) {
    std::string name = lower_ascii(known.name);
    if (name.ends_with('/') || name.ends_with(':')) name += '*';
    if (keys_.contains(name) && !name.starts_with("aws:")) continue;
    add(name, {type_of(known.type), known.multivalued});
  }
  for (const auto& [name, key] : unlisted_keys()) add(std::string(name), key);
  for (const auto& [name, key] : kMoreGlobalKeys) add(std::string(name), key);
}

void ServiceData::read_actions() {
  const auto& tables = catalogue_.tables();
  lower_names_.reserve(tables.actions.size());  // services_ holds views into it
  for (std::uint32_t i = 0; i < tables.actions.size(); ++i) {
    const aws::ActionRow row = tables.actions[i];
    if ((row.flags & aws::kActionKnown) == 0) continue;
    const std::string_view full = tables.text(row.name);
    const std::string& lower = lower_names_.emplace_back(lower_ascii(full));
    const std::size_t colon = lower.find(':');
    const auto [service, fresh] = services_.try_emplace(std::string_view(lower).substr(0, colon));
    if (fresh) service->second.first = static_cast<std::uint32_t>(actions_.size());
    ++service->second.count;
    ActionFacts facts{std::string_view(lower).substr(colon + 1),
                      full,
                      static_cast<aws::AccessLevel>(row.level),
                      false,
                      false,
                      i};
    facts.resource_tag = supports_key(facts, "aws:resourcetag/*");
    facts.request_tag = supports_key(facts, "aws:requesttag/*");
    actions_.push_back(facts);
  }
  for (std::uint32_t i = 0; i < tables.resource_types.size(); ++i) {
    const std::string_view arn = tables.text(tables.resource_types[i].arn);
    std::size_t first = arn.find(':', arn.find(':') + 1) + 1;
    const auto field = [&] {
      const auto text = arn.substr(std::min(first, arn.size()), arn.find(':', first) - first);
      first += text.size() + 1;
      return text;
    };
    ArnShape& shape = arn_services_[field()];
    const bool region = !field().empty();
    const bool account = !field().empty();
    shape.some_region = shape.some_region || region;
    shape.all_region = shape.all_region && region;
    shape.some_account = shape.some_account || account;
    shape.all_account = shape.all_account && account;
  }
}

bool ServiceData::has_service(std::string_view prefix) const {
  return services_.contains(prefix) || std::ranges::binary_search(kAcceptedServices, prefix);
}

std::span<const ActionFacts> ServiceData::actions(std::string_view prefix) const {
  const auto service = services_.find(prefix);
  if (service == services_.end()) return {};
  return std::span(actions_).subspan(service->second.first, service->second.count);
}

bool ServiceData::is_accepted(std::string_view action) const {
  const std::string_view prefix = action.substr(0, action.find(':'));
  return std::ranges::binary_search(kAcceptedServices, prefix) ||
         std::ranges::binary_search(kAcceptedActions, action);
}

std::optional<ConditionKey> ServiceData::condition_key(std::string_view key) const {
  const std::string name = lower_ascii(key);
  if (const auto found = keys_.find(name); found != keys_.end()) return found->second;
  for (const auto& [pattern, known] : below_) {
    if (fits(pattern, name)) return known;
  }
  return std::nullopt;
}

bool ServiceData::has_arn_service(std::string_view service) const {
  constexpr std::string_view kGone = "elastic-inference";  // ECS still lists its accelerators
  return has_service(service) || (arn_services_.contains(service) && service != kGone);
}

std::optional<ArnShape> ServiceData::arn_shape(std::string_view service) const {
  const auto found = arn_services_.find(service);
  if (found == arn_services_.end()) return std::nullopt;
  return found->second;
}

bool ServiceData::supports_key(const ActionFacts& action, std::string_view lower_key) const {
  const auto& tables = catalogue_.tables();
  const aws::ActionRow row = tables.actions[action.row];
  for (std::uint32_t i = 0; i < row.key_count; ++i) {
    const std::string& name = key_names_[tables.lists[row.key_first + i]];
    if (name == lower_key || fits(name, lower_key)) return true;
  }
  return false;
}

std::vector<std::string_view> ServiceData::resource_formats(const ActionFacts& action) const {
  const auto& tables = catalogue_.tables();
  const aws::ActionRow row = tables.actions[action.row];
  std::vector<std::string_view> formats;
  for (std::uint32_t i = 0; i < row.type_count; ++i) {
    const std::uint32_t use = tables.lists[row.type_first + i];
    formats.push_back(tables.text(tables.resource_types[use >> 1].arn));
  }
  return formats;
}

}  // namespace remit::analysis
