#pragma once

// What lint asks about AWS: names of services, actions and condition keys, and what they support.
// A view of the catalogue, indexed once (about 5 ms); immutable, may be shared between threads.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aws/catalogue.h"

namespace remit::analysis {

enum class KeyType : std::uint8_t { String, Arn, Bool, Numeric, Date, IpAddress, Binary, Unknown };

struct ConditionKey {
  KeyType type = KeyType::Unknown;
  bool multivalued = false;
};

struct ActionFacts {
  std::string_view name;  // lower case, without the service: "getobject"
  std::string_view full;  // as AWS writes it: "s3:GetObject"
  aws::AccessLevel level = aws::AccessLevel::Unknown;
  bool resource_tag = false;  // some of its resources can be told by aws:ResourceTag
  bool request_tag = false;
  std::uint32_t row = 0;  // in the catalogue
};

// What the ARNs of a service hold, over all its resource types.
struct ArnShape {
  bool some_region = false, all_region = true;
  bool some_account = false, all_account = true;
};

class ServiceData {
 public:
  explicit ServiceData(const aws::Catalogue& catalogue);  // must outlive this

  bool has_service(std::string_view prefix) const;       // lower case
  bool has_arn_service(std::string_view service) const;  // of an ARN's third field
  // Of an ARN's third field; nullopt: no resource type has such ARNs.
  std::optional<ArnShape> arn_shape(std::string_view service) const;
  // The actions of a service, sorted by name; empty for a service that AWS accepts but does not
  // list.
  std::span<const ActionFacts> actions(std::string_view prefix) const;
  // Real, or accepted by AWS's validator although the reference does not list it. Lower case.
  bool is_accepted(std::string_view action) const;

  // Of a service's or a global key, in any case. nullopt: AWS has no such key.
  std::optional<ConditionKey> condition_key(std::string_view key) const;
  // Whether the action or one of its resource types lists the key.
  bool supports_key(const ActionFacts& action, std::string_view lower_key) const;
  // Formats of the ARNs of the action's resource types: "arn:${Partition}:s3:::${BucketName}".
  std::vector<std::string_view> resource_formats(const ActionFacts& action) const;

 private:
  struct Service {
    std::uint32_t first = 0, count = 0;
  };
  void read_keys();
  void read_actions();

  const aws::Catalogue& catalogue_;
  std::vector<std::string> key_names_;    // of the catalogue's rows, lower case
  std::vector<std::string> lower_names_;  // of actions_
  std::vector<ActionFacts> actions_;
  std::unordered_map<std::string_view, Service> services_;
  std::unordered_map<std::string_view, ArnShape> arn_services_;
  std::unordered_map<std::string, ConditionKey> keys_;  // whole names
  std::vector<std::pair<std::string, ConditionKey>>
      below_;  // names that end in a name of one's own
};

}  // namespace remit::analysis
