#pragma once

// The catalogue's file as tools/catalogue/remit_catalogue/layout.py and build.py write it: flat
// tables of little-endian records that refer to each other by index. docs/catalogue.md says what
// each field means. Only the code that reads the catalogue includes this.

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/catalogue.h"

namespace remit::aws {

static_assert(std::endian::native == std::endian::little, "the catalogue is little-endian");

inline constexpr std::uint8_t kNone = 0xFF;           // no member, no greedy label
inline constexpr std::uint8_t kAny = 0xFE;            // of a binding: what AWS chooses, or all
inline constexpr std::uint32_t kGreedyMark = 0x8000;  // of a route's segment
inline constexpr std::uint32_t kEmptySlot = 0xFFFFFFFF;

enum OperationFlag : std::uint16_t {
  kUnsigned = 1,
  kBlobPayload = 2,
  kEventStreamIn = 4,
  kReturnsCredentials = 8,
  kDeprecated = 16,
  kPassesRole = 32,  // writes, and takes a role somewhere in its input
};

// How a member carries the tags of aws:RequestTag and aws:TagKeys.
enum class TagForm : std::uint8_t { None, Map, List, Keys, Specifications };

struct ServiceRow {
  std::uint32_t name, id, signing_name, iam_prefix, endpoint_prefix, api_version, target_prefix;
  std::uint32_t passed_to;  // the service principal of iam:PassedToService; empty: unknown
  std::uint32_t operation_first, operation_count, route_first, route_count, host_first, host_count;
  std::uint32_t region_first, region_count;  // signed for whatever region the host is of
  // One for each partition, for each variant of the service's operations.
  std::uint32_t endpoint_first, endpoint_count;
  std::uint16_t protocols;  // bits by Protocol
  std::uint16_t verbs;      // the IAM action is the HTTP method
};
struct OperationRow {
  std::uint32_t name, host_prefix, member_first;
  std::uint32_t uses;  // in lists: action, first recipe, recipe count, for each action
  std::uint16_t service, flags;
  std::uint8_t member_count, action_count, method;
  std::uint8_t variant;  // which of the service's endpoints
};
struct MemberRow {
  std::uint32_t name, wire;
  std::uint8_t location, kind, required, tags;
};
struct RouteRow {
  std::uint32_t operation, segment_first, literal_first;
  std::uint8_t segment_count, greedy, method, literal_count;
};
// Worked out of a RouteRow. Within a service, ranks only grow.
struct RouteSummary {
  // The method above, the number of segments below: kNone for one with a greedy label.
  std::uint16_t rank = 0;
  bool wants_query = false;  // it has literals
  bool wants_input = false;  // a query parameter or header of its operation is required
};
struct LiteralRow {
  std::uint32_t name, value, has_value;
};
struct ActionRow {
  std::uint32_t name, type_first, key_first;
  std::uint8_t type_count, key_count, level, flags;
};
struct ResourceTypeRow {
  std::uint32_t name, arn, key_first, key_count;
};
struct ConditionKeyRow {
  std::uint32_t name, type;
};
struct RecipeRow {
  std::uint32_t type, binding_first;
  std::uint8_t binding_count, arn_member, required;
  std::uint8_t one_of;  // the action's required types are alternatives
};
struct PartitionRow {
  std::uint32_t id, suffix, dual_stack_suffix, global_region;
  std::uint32_t prefix;  // of its region names; empty: of no other partition
};
struct EndpointRow {
  std::uint32_t
      host;  // "{r}" for the region; "|REGION=HOST" for each that differs; empty: not told
  std::uint32_t region;  // to sign for; empty: the client's own
};
struct SlotRow {
  std::uint32_t key, first, count;
};

inline constexpr std::uint8_t kActionKnown = 1;
inline constexpr std::uint8_t kActionPermissionOnly = 2;

// One table: rows are copied out, so that nothing depends on alignment.
template <class Row>
class Table {
 public:
  Table() = default;
  Table(const char* bytes, std::uint32_t count) : bytes_(bytes), count_(count) {}
  Row operator[](std::size_t index) const {
    Row row;
    std::memcpy(&row, bytes_ + index * sizeof(Row), sizeof(Row));
    return row;
  }
  std::uint32_t size() const { return count_; }
  // Whether [first, first + count) lies in the table.
  bool holds(std::uint64_t first, std::uint64_t count) const { return first + count <= count_; }

 private:
  const char* bytes_ = nullptr;
  std::uint32_t count_ = 0;
};

enum Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kPatch, kOptions };
std::optional<std::uint8_t> method_number(std::string_view method);
std::string_view method_name(std::uint8_t method);

struct Catalogue::Tables {
  std::string owned;  // the file's bytes when they were read from a file
  std::string_view bytes;
  std::string sha256;

  std::string_view pool;
  Table<ServiceRow> services;
  Table<OperationRow> operations;
  Table<MemberRow> members;
  Table<RouteRow> routes;
  Table<std::uint32_t> segments;
  Table<LiteralRow> literals;
  Table<ActionRow> actions;
  Table<ResourceTypeRow> resource_types;
  Table<ConditionKeyRow> condition_keys;
  Table<RecipeRow> recipes;
  Table<std::uint8_t> bindings;
  Table<std::uint32_t> lists;
  Table<std::uint32_t> hosts;
  Table<std::uint32_t> regions;
  Table<PartitionRow> partitions;
  Table<EndpointRow> endpoints;
  Table<SlotRow> slots;
  Table<std::uint32_t> meta;  // date, sources, then the DNS suffixes of all partitions

  // Worked out when the file is read. By service: the literal (of `segments`) that every route of
  // it begins with; 0 where there is no such.
  std::vector<std::uint32_t> first_literals;
  // What a search among routes looks at, by route.
  std::vector<RouteSummary> route_summaries;

  // Of a reference in a table: that it lies in the pool was checked when the file was read.
  std::string_view text(std::uint32_t ref) const { return {pool.data() + (ref >> 10), ref & 1023}; }

  struct Range {
    std::uint32_t first = 0, count = 0;
  };
  Range services_signed_as(std::string_view signing_name) const;  // into lists
  Range services_of_target(std::string_view prefix) const;
  std::optional<std::uint32_t> service_named(std::string_view name) const;
  // Within one service; names are compared exactly.
  std::optional<std::uint32_t> operation_named(const ServiceRow& service,
                                               std::string_view name) const;
  // "s3:GetObject", in any case.
  std::optional<std::uint32_t> action_named(std::string_view name) const;

 private:
  Range slot(char mark, std::string_view key) const;
};

}  // namespace remit::aws
