#pragma once

// A second evaluator for the tests: slow, obvious, and written from the rules, not from the engine.
// It walks the JSON of the policies for every request, shares no code with the compiled form, and
// has no index.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "iam/decide.h"

namespace remit::iam::reference {

struct Request {
  std::string principal;  // an ARN, a service or "*"
  std::string action;
  std::optional<std::string> resource;
  std::optional<std::string> account;
  std::map<std::string, std::vector<std::string>> context;  // lower-case keys
  std::vector<std::string> unknown;                         // lower-case keys
};

// Documents as JSON text.
struct Policies {
  std::vector<std::string> identity, boundary, session, resource, endpoint;
  std::vector<std::vector<std::string>> scp, rcp;
};

Outcome decide(const Policies& policies, const Request& request);

}  // namespace remit::iam::reference
