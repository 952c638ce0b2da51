#include "aws/rest_match.h"

#include <algorithm>

#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::size_t kMaxSegments = 40;
constexpr std::uint32_t kNoLiteral = 0;  // a literal is never empty

bool is_label(std::uint32_t segment) { return (segment & 1023) == 0; }

bool is_dots(std::string_view segment) {
  if (segment.size() > 6) return false;
  if (!segment.contains('%')) return segment == "." || segment == "..";
  const auto decoded = uri_decode(segment);
  return !decoded || *decoded == "." || *decoded == "..";
}

bool literal_matches(std::string_view literal, std::string_view segment, bool escaped) {
  if (literal == segment) return true;
  if (!escaped) return false;
  const auto decoded = uri_decode(segment);
  return decoded && *decoded == literal;
}

// 2 bits a segment, the first one on top: literal 3, label 2, greedy 1.
struct Shape {
  std::uint64_t specificity = 0;
  int shift = 62;
  void add(std::uint64_t kind) {
    if (shift >= 0) specificity |= kind << shift;
    shift -= 2;
  }
};

// Where the segments after a greedy label begin in the request.
std::size_t position(const RouteRow& route, std::size_t index, std::size_t given) {
  return index <= route.greedy ? index : given - (route.segment_count - index);
}

// `escaped`: some segment may have percent-encoded bytes.
bool path_matches(const Catalogue::Tables& t, const RouteRow& route, const Segments& segments,
                  bool escaped, std::uint64_t& specificity) {
  Shape shape;
  for (std::uint32_t i = 0; i < route.segment_count; ++i) {
    const std::uint32_t wanted = t.segments[route.segment_first + i];
    if (i == route.greedy) {
      shape.add(1);
    } else if (is_label(wanted)) {
      shape.add(2);
    } else {
      const std::string_view given = segments[position(route, i, segments.size())];
      if (!literal_matches(t.text(wanted), given, escaped)) return false;
      shape.add(3);
    }
  }
  specificity = shape.specificity;
  return true;
}

bool literals_match(const Catalogue::Tables& t, const RouteRow& route, const RequestTarget& target,
                    int& points) {
  for (std::uint32_t i = 0; i < route.literal_count; ++i) {
    const LiteralRow literal = t.literals[route.literal_first + i];
    const QueryParameter* found = target.find(t.text(literal.name));
    if (found == nullptr) return false;
    if (literal.has_value != 0 && found->value != t.text(literal.value)) return false;
    points += 20;
  }
  return true;
}

// Required query parameters must be there; each required member that is speaks for the operation. A
// required header that is missing only speaks against it: models add some later.
bool required_present(const Catalogue::Tables& t, const OperationRow& operation,
                      const RequestTarget& target, const InputFields& fields, int& points) {
  for (std::uint32_t i = 0; i < operation.member_count; ++i) {
    const MemberRow member = t.members[operation.member_first + i];
    if (member.required == 0) continue;
    const auto location = static_cast<Location>(member.location);
    if (location == Location::Query) {
      if (target.find(t.text(member.wire)) == nullptr) return false;
      points += 10;
    } else if (location == Location::Header) {
      if (input_header(fields, target, t.text(member.wire)) == nullptr) {
        points -= 10;
      } else {
        points += 10;
      }
    }
  }
  return true;
}

// The first route in [low, high) whose rank is not below `sought`. Routes are sorted by method,
// then by segment count, those with a greedy label last.
std::uint32_t first_ranked(const Catalogue::Tables& t, std::uint32_t low, std::uint32_t high,
                           std::uint32_t sought) {
  const RouteSummary* const routes = t.route_summaries.data();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (routes[middle].rank < sought) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

const std::string* input_header(const InputFields& fields, const RequestTarget& target,
                                std::string_view name) {
  if (const http::Field* field = find(fields, name); field != nullptr) return &field->value;
  if (target.query.empty() || !begins_amz(name)) return nullptr;
  for (const QueryParameter& parameter : target.query)
    if (equals_ignoring_ascii_case(parameter.name, name)) return &parameter.value;
  return nullptr;
}

Result<void> split_path(std::string_view path, Segments& segments) {
  segments.clear();
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  // Some readers end a segment there. Every SDK encodes them.
  if (path.find_first_of(";\\") != std::string_view::npos)
    return fail(ErrorCode::InvalidInput, "the path holds a byte that must be percent-encoded");
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    if (segment.empty() || is_dots(segment))
      return fail(ErrorCode::InvalidInput, "the path has an empty or a dot segment");
    if (segments.size() == kMaxSegments)
      return fail(ErrorCode::LimitExceeded, "the path has more than 40 segments");
    segments.push_back(segment);
    path.remove_prefix(end);
    if (!path.empty()) {
      path.remove_prefix(1);
      if (path.empty())
        return fail(ErrorCode::InvalidInput, "the path has an empty or a dot segment");
    }
  }
  return {};
}

void match_routes(const Catalogue::Tables& tables, const ServiceRow& service, std::uint8_t method,
                  const Segments& segments, const RequestTarget& target, const InputFields& fields,
                  RouteMatches& out) {
  const bool escaped =
      std::ranges::any_of(segments, [](std::string_view segment) { return segment.contains('%'); });
  // The routes of a service begin with few literals: the one that did not match last is not
  // compared again.
  std::uint32_t other = kNoLiteral;
  const auto begins_otherwise = [&](const RouteRow& route) {
    if (route.segment_count == 0) return false;
    const std::uint32_t first = tables.segments[route.segment_first];
    if (is_label(first)) return false;
    if (first == other) return true;
    if (literal_matches(tables.text(first), segments.front(), escaped)) return false;
    other = first;
    return true;
  };
  const auto consider = [&](std::uint32_t index, const RouteSummary& summary) {
    const RouteRow route = tables.routes[index];
    if (route.segment_count > segments.size() || begins_otherwise(route)) return;
    RouteMatch match{.operation = route.operation, .route = index};
    if (!path_matches(tables, route, segments, escaped, match.specificity) ||
        !literals_match(tables, route, target, match.points))
      return;
    const OperationRow operation = tables.operations[route.operation];
    if (summary.wants_input && !required_present(tables, operation, target, fields, match.points))
      return;
    match.deprecated = (operation.flags & kDeprecated) != 0;
    out.push_back(match);
  };
  const RouteSummary* const summaries = tables.route_summaries.data();
  const std::uint32_t end = service.route_first + service.route_count;
  const bool query = !target.query.empty();
  const auto consider_all = [&](std::uint32_t i, std::uint32_t rank) {
    for (; i < end && summaries[i].rank == rank; ++i)
      // What most routes of S3 want is in the query, and most requests have none.
      if (query || !summaries[i].wants_query) consider(i, summaries[i]);
    return i;
  };
  // Those of as many segments, then those with a greedy label of as many or fewer.
  const std::uint32_t of_method = std::uint32_t{method} << 8;
  const auto exact = static_cast<std::uint32_t>(of_method | segments.size());
  const std::uint32_t greedy = of_method | kNone;
  const std::uint32_t rest =
      consider_all(first_ranked(tables, service.route_first, end, exact), exact);
  consider_all(first_ranked(tables, rest, end, greedy), greedy);
}

Labels bind_labels(const Catalogue::Tables& tables, std::uint32_t route_index,
                   const Segments& segments) {
  const RouteRow route = tables.routes[route_index];
  Labels labels;
  for (std::uint32_t i = 0; i < route.segment_count; ++i) {
    const std::uint32_t segment = tables.segments[route.segment_first + i];
    if (!is_label(segment)) continue;
    const auto member = static_cast<std::uint8_t>((segment >> 10) & ~kGreedyMark);
    const std::string_view first = segments[position(route, i, segments.size())];
    if (i != route.greedy) {
      labels.push_back({member, first});
      continue;
    }
    const std::string_view last = segments[position(route, i + 1, segments.size()) - 1];
    labels.push_back(
        {member,
         {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())}});
  }
  return labels;
}

}  // namespace remit::aws
