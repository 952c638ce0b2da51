#include "aws/catalogue.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "aws/catalogue_tables.h"
#include "base/digest.h"
#include "base/encoding.h"

#if defined(__APPLE__)
#define REMIT_RODATA ".section __TEXT,__const\n"
#define REMIT_SYMBOL(name) "_" name
#else
#define REMIT_RODATA ".section .rodata\n"
#define REMIT_SYMBOL(name) name
#endif

// The generated file, as it is: no parsing, no relocation, shared between processes.
__asm__(REMIT_RODATA
        ".balign 16\n"
        ".globl " REMIT_SYMBOL("remit_catalogue_begin") "\n"
        ".globl " REMIT_SYMBOL("remit_catalogue_end") "\n"
        REMIT_SYMBOL("remit_catalogue_begin") ":\n"
        ".incbin \"" REMIT_CATALOGUE_FILE "\"\n"
        REMIT_SYMBOL("remit_catalogue_end") ":\n"
        ".byte 0\n"
        ".text\n");

extern "C" {
extern const char remit_catalogue_begin[];
extern const char remit_catalogue_end[];
}

namespace remit::aws {
namespace {

constexpr std::string_view kMagic = "REMITCAT";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kSections = 19;
constexpr std::size_t kHashAt = 16;
constexpr std::size_t kDirectoryAt = 48;
constexpr std::size_t kHeaderSize = kDirectoryAt + kSections * 12;
constexpr std::array<std::string_view, 7> kMethods = {"GET",    "HEAD",  "POST",   "PUT",
                                                      "DELETE", "PATCH", "OPTIONS"};

std::uint32_t u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint32_t fnv1a(char mark, std::string_view key) {
  std::uint32_t value = (0x811C9DC5U ^ static_cast<unsigned char>(mark)) * 0x01000193U;
  for (const char c : key) value = (value ^ static_cast<unsigned char>(c)) * 0x01000193U;
  return value;
}

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(ErrorCode::InvalidInput, "the catalogue is corrupt: " + std::string(what));
}

// Reads the directory; each section must lie within the file with whole records.
class Sections {
 public:
  explicit Sections(std::string_view bytes) : bytes_(bytes) {}

  template <class Row>
  Table<Row> next() {
    const std::string_view data = next_bytes(sizeof(Row));
    return {data.data(), static_cast<std::uint32_t>(data.size() / sizeof(Row))};
  }
  std::string_view next_bytes(std::size_t record) {
    const std::size_t at = kDirectoryAt + index_++ * 12;
    const std::uint64_t offset = u32(bytes_, at);
    const std::uint64_t count = u32(bytes_, at + 4);
    const std::uint64_t size = u32(bytes_, at + 8);
    if (offset < kHeaderSize || offset + size > bytes_.size() || count * record != size) {
      good_ = false;
      return {};
    }
    return bytes_.substr(offset, size);
  }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  std::size_t index_ = 0;
  bool good_ = true;
};

// Whether every reference in every table leads into the table it is meant for.
class Validator {
 public:
  explicit Validator(const Catalogue::Tables& tables) : t_(tables) {}

  bool run() {
    return all(t_.services, [&](const auto& r) { return service(r); }) &&
           all(t_.operations, [&](const auto& r) { return operation(r); }) &&
           all(t_.members, [&](const auto& r) { return text(r.name) && text(r.wire); }) &&
           all(t_.routes, [&](const auto& r) { return route(r); }) &&
           all(t_.literals, [&](const auto& r) { return text(r.name) && text(r.value); }) &&
           all(t_.actions, [&](const auto& r) { return action(r); }) &&
           all(t_.resource_types, [&](const auto& r) { return resource_type(r); }) &&
           all(t_.condition_keys, [&](const auto& r) { return text(r.name); }) &&
           all(t_.recipes, [&](const auto& r) { return recipe(r); }) &&
           all(t_.hosts, [&](std::uint32_t r) { return text(r); }) &&
           all(t_.regions, [&](std::uint32_t r) { return text(r); }) &&
           all(t_.partitions, [&](const auto& r) { return partition(r); }) &&
           t_.partitions.size() > 0 &&
           all(t_.endpoints, [&](const auto& r) { return text(r.host) && text(r.region); }) &&
           all(t_.meta, [&](std::uint32_t r) { return text(r); }) && t_.meta.size() >= 2 &&
           std::has_single_bit(t_.slots.size()) && slots();
  }

 private:
  template <class Row, class Check>
  static bool all(const Table<Row>& table, Check check) {
    for (std::uint32_t i = 0; i < table.size(); ++i)
      if (!check(table[i])) return false;
    return true;
  }
  bool text(std::uint32_t ref) const { return (ref >> 10) + (ref & 1023) <= t_.pool.size(); }

  bool service(const ServiceRow& r) const {
    return text(r.name) && text(r.id) && text(r.signing_name) && text(r.iam_prefix) &&
           text(r.endpoint_prefix) && text(r.api_version) && text(r.target_prefix) &&
           text(r.passed_to) && t_.regions.holds(r.region_first, r.region_count) &&
           t_.operations.holds(r.operation_first, r.operation_count) &&
           t_.routes.holds(r.route_first, r.route_count) &&
           t_.hosts.holds(r.host_first, r.host_count) &&
           t_.endpoints.holds(r.endpoint_first, r.endpoint_count);
  }
  bool partition(const PartitionRow& r) const {
    return text(r.id) && text(r.suffix) && text(r.dual_stack_suffix) && text(r.global_region) &&
           text(r.prefix);
  }
  bool operation(const OperationRow& r) const {
    if (!text(r.name) || !text(r.host_prefix) || r.service >= t_.services.size() ||
        !t_.members.holds(r.member_first, r.member_count) || r.method >= kMethods.size() ||
        !t_.lists.holds(r.uses, std::uint64_t{r.action_count} * 3) ||
        (r.variant + 1U) * t_.partitions.size() > t_.services[r.service].endpoint_count)
      return false;
    for (std::uint32_t i = 0; i < r.action_count; ++i) {
      const std::uint32_t first = t_.lists[r.uses + i * 3 + 1];
      const std::uint32_t count = t_.lists[r.uses + i * 3 + 2];
      if (t_.lists[r.uses + i * 3] >= t_.actions.size() || !t_.recipes.holds(first, count))
        return false;
      for (std::uint32_t j = 0; j < count; ++j)
        if (!binds_members(t_.recipes[first + j], r.member_count)) return false;
    }
    return true;
  }
  bool binds_members(const RecipeRow& r, std::uint8_t members) const {
    const auto good = [&](std::uint8_t m) { return m == kNone || m < members; };
    const auto binds = [&](std::uint8_t m) { return m == kAny || good(m); };
    if (!good(r.arn_member) || !recipe(r)) return false;
    for (std::uint32_t i = 0; i < r.binding_count; ++i)
      if (!binds(t_.bindings[r.binding_first + i])) return false;
    return true;
  }
  bool recipe(const RecipeRow& r) const {
    return r.type < t_.resource_types.size() && t_.bindings.holds(r.binding_first, r.binding_count);
  }
  bool route(const RouteRow& r) const {
    if (r.operation >= t_.operations.size() ||
        !t_.segments.holds(r.segment_first, r.segment_count) ||
        !t_.literals.holds(r.literal_first, r.literal_count) ||
        (r.greedy != kNone && r.greedy >= r.segment_count) || r.method >= kMethods.size())
      return false;
    const std::uint8_t members = t_.operations[r.operation].member_count;
    for (std::uint32_t i = 0; i < r.segment_count; ++i) {
      const std::uint32_t segment = t_.segments[r.segment_first + i];
      const bool label = (segment & 1023) == 0;
      if (label ? ((segment >> 10) & ~kGreedyMark) >= members : !text(segment)) return false;
    }
    return true;
  }
  bool action(const ActionRow& r) const {
    return text(r.name) && list_below(r.type_first, r.type_count, t_.resource_types.size(), 1) &&
           list_below(r.key_first, r.key_count, t_.condition_keys.size(), 0) && r.level <= 5;
  }
  bool resource_type(const ResourceTypeRow& r) const {
    return text(r.name) && text(r.arn) &&
           list_below(r.key_first, r.key_count, t_.condition_keys.size(), 0);
  }
  bool list_below(std::uint32_t first, std::uint32_t count, std::uint32_t bound, int shift) const {
    if (!t_.lists.holds(first, count)) return false;
    for (std::uint32_t i = 0; i < count; ++i)
      if ((t_.lists[first + i] >> shift) >= bound) return false;
    return true;
  }
  bool slots() const {
    bool free = false;  // a search ends at a free slot: there must be one
    for (std::uint32_t i = 0; i < t_.slots.size(); ++i) {
      const SlotRow r = t_.slots[i];
      if (r.key == kEmptySlot) {
        free = true;
      } else if (!text(r.key) || !list_below(r.first, r.count, t_.services.size(), 0)) {
        return false;
      }
    }
    return free;
  }

  const Catalogue::Tables& t_;
};

std::uint32_t first_literal(const Catalogue::Tables& t, const ServiceRow& service) {
  std::uint32_t common = 0;
  for (std::uint32_t i = 0; i < service.route_count; ++i) {
    const RouteRow route = t.routes[service.route_first + i];
    const std::uint32_t first = route.segment_count == 0 ? 0 : t.segments[route.segment_first];
    const bool literal = (first & 1023) != 0;
    if (!literal || (i != 0 && first != common)) return 0;
    common = first;
  }
  return common;
}

bool wants_input(const Catalogue::Tables& t, const OperationRow& operation) {
  for (std::uint32_t i = 0; i < operation.member_count; ++i) {
    const MemberRow member = t.members[operation.member_first + i];
    const auto location = static_cast<Location>(member.location);
    if (member.required != 0 && (location == Location::Query || location == Location::Header))
      return true;
  }
  return false;
}

RouteSummary summary(const Catalogue::Tables& t, const RouteRow& route) {
  const std::uint8_t count = route.greedy == kNone ? route.segment_count : kNone;
  return {static_cast<std::uint16_t>(route.method << 8 | count), route.literal_count != 0,
          wants_input(t, t.operations[route.operation])};
}

Result<std::unique_ptr<const Catalogue::Tables>> read(std::string owned, std::string_view outside) {
  auto tables = std::make_unique<Catalogue::Tables>();
  Catalogue::Tables& t = *tables;
  t.owned = std::move(owned);
  t.bytes = t.owned.empty() ? outside : std::string_view(t.owned);
  if (t.bytes.size() < kHeaderSize || !t.bytes.starts_with(kMagic))
    return fail(ErrorCode::InvalidInput, "not a catalogue of Remit");
  if (u32(t.bytes, 8) != kVersion)
    return fail(ErrorCode::InvalidInput, "a catalogue of another version of Remit: version " +
                                             std::to_string(u32(t.bytes, 8)) + ", this is " +
                                             std::to_string(kVersion));
  if (u32(t.bytes, 12) != t.bytes.size()) return corrupt("its size is not the one it states");
  const Digest digest = sha256(t.bytes.substr(kDirectoryAt));
  if (std::memcmp(digest.data(), t.bytes.data() + kHashAt, digest.size()) != 0)
    return corrupt("its digest is not the one it states");

  Sections sections(t.bytes);
  t.pool = sections.next_bytes(1);
  t.services = sections.next<ServiceRow>();
  t.operations = sections.next<OperationRow>();
  t.members = sections.next<MemberRow>();
  t.routes = sections.next<RouteRow>();
  t.segments = sections.next<std::uint32_t>();
  t.literals = sections.next<LiteralRow>();
  t.actions = sections.next<ActionRow>();
  t.resource_types = sections.next<ResourceTypeRow>();
  t.condition_keys = sections.next<ConditionKeyRow>();
  t.recipes = sections.next<RecipeRow>();
  t.bindings = sections.next<std::uint8_t>();
  t.lists = sections.next<std::uint32_t>();
  t.hosts = sections.next<std::uint32_t>();
  t.regions = sections.next<std::uint32_t>();
  t.partitions = sections.next<PartitionRow>();
  t.endpoints = sections.next<EndpointRow>();
  t.slots = sections.next<SlotRow>();
  t.meta = sections.next<std::uint32_t>();
  if (!sections.good()) return corrupt("a table lies outside the file");
  if (!Validator(t).run()) return corrupt("a reference leads out of its table");
  t.sha256 = hex(digest);
  t.first_literals.reserve(t.services.size());
  for (std::uint32_t i = 0; i < t.services.size(); ++i)
    t.first_literals.push_back(first_literal(t, t.services[i]));
  t.route_summaries.reserve(t.routes.size());
  for (std::uint32_t i = 0; i < t.routes.size(); ++i)
    t.route_summaries.push_back(summary(t, t.routes[i]));
  return std::unique_ptr<const Catalogue::Tables>(std::move(tables));
}

int compare_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  };
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i)
    if (const int order = lower(a[i]) - lower(b[i]); order != 0) return order;
  return a.size() < b.size() ? -1 : static_cast<int>(a.size() > b.size());
}

}  // namespace

std::string_view name_of(Protocol protocol) {
  constexpr std::array<std::string_view, 7> kNames = {
      "query", "ec2", "json-1.0", "json-1.1", "rest-json", "rest-xml", "rpc-v2-cbor"};
  return kNames[static_cast<std::size_t>(protocol)];
}

std::string_view name_of(AccessLevel level) {
  constexpr std::array<std::string_view, 6> kNames = {
      "Unknown", "List", "Read", "Write", "Tagging", "Permissions management"};
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<std::uint8_t> method_number(std::string_view method) {
  const auto found = std::ranges::find(kMethods, method);
  if (found == kMethods.end()) return std::nullopt;
  return static_cast<std::uint8_t>(found - kMethods.begin());
}

std::string_view method_name(std::uint8_t method) { return kMethods[method]; }

Catalogue::Tables::Range Catalogue::Tables::slot(char mark, std::string_view key) const {
  const std::uint32_t mask = slots.size() - 1;
  for (std::uint32_t at = fnv1a(mark, key) & mask;; at = (at + 1) & mask) {
    const SlotRow row = slots[at];
    if (row.key == kEmptySlot) return {};
    const std::string_view found = text(row.key);
    if (found.size() == key.size() + 1 && found[0] == mark && found.substr(1) == key)
      return {row.first, row.count};
  }
}

Catalogue::Tables::Range Catalogue::Tables::services_signed_as(std::string_view name) const {
  return slot('s', name);
}

Catalogue::Tables::Range Catalogue::Tables::services_of_target(std::string_view prefix) const {
  return slot('t', prefix);
}

std::optional<std::uint32_t> Catalogue::Tables::service_named(std::string_view name) const {
  const Range range = slot('n', name);
  if (range.count != 1) return std::nullopt;
  return lists[range.first];
}

std::optional<std::uint32_t> Catalogue::Tables::operation_named(const ServiceRow& service,
                                                                std::string_view name) const {
  std::uint32_t low = service.operation_first;
  std::uint32_t high = low + service.operation_count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const int order = text(operations[middle].name).compare(name);
    if (order == 0) return middle;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Catalogue::Tables::action_named(std::string_view name) const {
  std::uint32_t low = 0;
  std::uint32_t high = actions.size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const int order = compare_ignoring_case(text(actions[middle].name), name);
    if (order == 0) return middle;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::nullopt;
}

Catalogue::Catalogue(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Catalogue::Catalogue(Catalogue&&) noexcept = default;
Catalogue& Catalogue::operator=(Catalogue&&) noexcept = default;
Catalogue::~Catalogue() = default;

Result<Catalogue> Catalogue::embedded() {
  return from_bytes({remit_catalogue_begin,
                     static_cast<std::size_t>(remit_catalogue_end - remit_catalogue_begin)});
}

Result<Catalogue> Catalogue::from_bytes(std::string_view bytes) {
  REMIT_TRY(auto tables, read({}, bytes));
  return Catalogue(std::move(tables));
}

Result<Catalogue> Catalogue::from_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::InvalidInput, path + ": cannot be opened");
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  auto tables = read(std::move(bytes), {});
  if (!tables) return wrap(path, std::move(tables).error());
  return Catalogue(*std::move(tables));
}

Result<Catalogue> Catalogue::open(const std::string& path) {
  return path.empty() ? embedded() : from_file(path);
}

std::string_view Catalogue::date() const { return tables_->text(tables_->meta[0]); }
std::string_view Catalogue::sources() const { return tables_->text(tables_->meta[1]); }
const std::string& Catalogue::sha256() const { return tables_->sha256; }

}  // namespace remit::aws
