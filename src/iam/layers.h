#pragma once

// What one layer of policies says to a request.

#include <span>

#include "iam/match.h"

namespace remit::iam {

struct Source {
  const Policy* policy = nullptr;
  std::uint32_t statement = Decision::kNoStatement;
};

struct Verdict {
  Truth deny = Truth::No;
  Truth allow = Truth::No;  // by any principal
  PrincipalMatch granted;   // of a resource policy: by how the caller is named
  Source denied_by;
  Source allowed_by;
};

// A union of policies: an allow or a deny of any of them counts. Of statements that agree one is
// named, for the same layer and request always the same.
Verdict scan(const Layer& layer, const Query& query);

// The verdict of one statement whose action matches.
struct StatementMatch {
  Truth matched = Truth::No;
  PrincipalMatch principal;  // already joined with resource and conditions
};
StatementMatch match_statement(const CompiledPolicy& policy, const Statement& statement,
                               const Query& query, Trace* trace);

}  // namespace remit::iam
