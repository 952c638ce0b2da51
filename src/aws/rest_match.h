#pragma once

// Matching method and path against the REST routes of a service.
// docs/identify.md, section "REST"; https://smithy.io/2.0/spec/http-bindings.html

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/catalogue_tables.h"
#include "aws/input_fields.h"
#include "aws/request_target.h"

namespace remit::aws {

struct Label {
  std::uint8_t member = kNone;
  std::string_view raw;  // as it stands in the path
};

// One operation that the request's line and headers may mean.
struct RouteMatch {
  std::uint32_t operation = 0;
  std::uint32_t route = 0;
  // Greater is better: literals before labels before greedy labels, segment by segment ...
  std::uint64_t specificity = 0;
  int points = 0;  // ... then fixed and required parameters that are there
  bool deprecated = false;
};
using RouteMatches = boost::container::small_vector<RouteMatch, 8>;

// The labels of one path: few, so that reading one allocates nothing.
using Labels = boost::container::small_vector<Label, 4>;

// Path segments as the service sees them. Of S3: the bucket, then the whole key as one segment.
using Segments = boost::container::small_vector<std::string_view, 8>;

// A header of the operation's input. S3 and presigned requests may carry an x-amz- header as a
// query parameter instead; nullptr when it is in neither place.
const std::string* input_header(const InputFields& fields, const RequestTarget& target,
                                std::string_view name);

// Splits a path into `segments`, which are cleared before: one trailing slash is dropped; empty and
// dot segments are refused.
Result<void> split_path(std::string_view path, Segments& segments);

// Appends all matching routes of `service` to `out`.
void match_routes(const Catalogue::Tables& tables, const ServiceRow& service, std::uint8_t method,
                  const Segments& segments, const RequestTarget& target, const InputFields& fields,
                  RouteMatches& out);

// The labels of a matching route.
Labels bind_labels(const Catalogue::Tables& tables, std::uint32_t route, const Segments& segments);

}  // namespace remit::aws
