#include "aws/catalogue_view.h"

#include "aws/catalogue_tables.h"

namespace remit::aws {
namespace {

using Tables = Catalogue::Tables;

std::string route_text(const Tables& t, const RouteRow& route) {
  std::string text(method_name(route.method));
  text += ' ';
  if (route.segment_count == 0) text += '/';
  const OperationRow operation = t.operations[route.operation];
  for (std::uint32_t i = 0; i < route.segment_count; ++i) {
    const std::uint32_t segment = t.segments[route.segment_first + i];
    text += '/';
    if ((segment & 1023) != 0) {
      text += t.text(segment);
      continue;
    }
    const std::uint32_t member = (segment >> 10) & ~kGreedyMark;
    text.append("{").append(t.text(t.members[operation.member_first + member].wire));
    text += i == route.greedy ? "+}" : "}";
  }
  for (std::uint32_t i = 0; i < route.literal_count; ++i) {
    const LiteralRow literal = t.literals[route.literal_first + i];
    text += i == 0 ? '?' : '&';
    text += t.text(literal.name);
    if (literal.has_value != 0) text.append("=").append(t.text(literal.value));
  }
  return text;
}

}  // namespace

std::optional<ActionView> view_action(const Catalogue& catalogue, std::string_view name) {
  const Tables& t = catalogue.tables();
  const auto index = t.action_named(name);
  if (!index) return std::nullopt;
  const ActionRow row = t.actions[*index];
  ActionView view;
  view.name = t.text(row.name);
  view.level = static_cast<AccessLevel>(row.level);
  view.known = (row.flags & kActionKnown) != 0;
  view.permission_only = (row.flags & kActionPermissionOnly) != 0;
  for (std::uint32_t i = 0; i < row.type_count; ++i) {
    const std::uint32_t use = t.lists[row.type_first + i];
    const ResourceTypeRow type = t.resource_types[use >> 1];
    view.resource_types.push_back({t.text(type.name), t.text(type.arn), (use & 1) != 0});
  }
  for (std::uint32_t i = 0; i < row.key_count; ++i)
    view.condition_keys.push_back(t.text(t.condition_keys[t.lists[row.key_first + i]].name));
  for (std::uint32_t i = 0; i < t.operations.size(); ++i) {
    const OperationRow operation = t.operations[i];
    for (std::uint32_t j = 0; j < operation.action_count; ++j)
      if (t.lists[operation.uses + j * 3] == *index)
        view.operations.push_back(std::string(t.text(t.services[operation.service].name)) + ":" +
                                  std::string(t.text(operation.name)));
  }
  return view;
}

std::optional<ServiceView> view_service(const Catalogue& catalogue, std::string_view name) {
  const Tables& t = catalogue.tables();
  const auto index = t.service_named(name);
  if (!index) return std::nullopt;
  const ServiceRow row = t.services[*index];
  ServiceView view{t.text(row.name),
                   t.text(row.id),
                   t.text(row.signing_name),
                   t.text(row.iam_prefix),
                   t.text(row.api_version),
                   {},
                   {},
                   {},
                   {}};
  for (unsigned i = 0; i < 7; ++i)
    if ((row.protocols >> i & 1U) != 0) view.protocols.push_back(static_cast<Protocol>(i));
  for (std::uint32_t i = 0; i < row.host_count; ++i)
    view.hosts.push_back(t.text(t.hosts[row.host_first + i]));
  for (std::uint32_t i = 0; i < row.endpoint_count; ++i) {
    const EndpointRow endpoint = t.endpoints[row.endpoint_first + i];
    if (t.text(endpoint.host).empty()) continue;
    view.endpoints.push_back({t.text(t.partitions[i % t.partitions.size()].id),
                              t.text(endpoint.host), t.text(endpoint.region)});
  }
  for (std::uint32_t i = 0; i < row.operation_count; ++i) {
    const std::uint32_t at = row.operation_first + i;
    const OperationRow operation = t.operations[at];
    OperationView one{t.text(operation.name),
                      {},
                      {},
                      (operation.flags & kReturnsCredentials) != 0,
                      (operation.flags & kPassesRole) != 0};
    for (std::uint32_t j = 0; j < row.route_count; ++j)
      if (const RouteRow route = t.routes[row.route_first + j]; route.operation == at)
        one.request = route_text(t, route);
    for (std::uint32_t j = 0; j < operation.action_count; ++j)
      one.actions.push_back(t.text(t.actions[t.lists[operation.uses + j * 3]].name));
    view.operations.push_back(std::move(one));
  }
  return view;
}

}  // namespace remit::aws
