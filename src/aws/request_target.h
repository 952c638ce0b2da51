#pragma once

// The target of a request, taken apart once: raw path segments and decoded query parameters.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace remit::aws {

struct QueryParameter {
  std::string name;   // decoded
  std::string value;  // decoded; empty without '='
};

struct RequestTarget {
  std::string_view path;              // raw, begins with '/'
  std::vector<QueryParameter> query;  // without the X-Amz-* of a presigned request
  bool presigned = false;

  const QueryParameter* find(std::string_view name) const;
};

// Origin form only. Refused: control bytes, a fragment, broken percent-encoding, a parameter name
// that stands twice.
Result<RequestTarget> parse_target(std::string_view target);

// Form bodies: decoded pairs, in order.
Result<std::vector<QueryParameter>> parse_form(std::string_view body);

}  // namespace remit::aws
