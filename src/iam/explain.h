#pragma once

// The whole reason of a decision: each layer's verdict, the statements that matched, for the others
// the first element that failed, the facts assumed, what would decide an undetermined answer, and
// the smallest grant that would allow the request. Slower than decide() and free to allocate; its
// decision is always the same as decide()'s.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "iam/decide.h"
#include "iam/truth.h"
#include "json/json.h"

namespace remit::iam {

struct StatementReport {
  LayerName layer = LayerName::None;
  const Policy* policy = nullptr;
  std::string policy_name;
  std::size_t index = 0;    // in the document, from 0
  std::string sid;          // may be empty
  json::Position position;  // of the statement in its document
  bool deny = false;
  Truth matched = Truth::No;
  std::string failed;  // the first element that did not match ("Action", "Condition StringEquals
                       // aws:SourceVpc") and why; of a Maybe: what is unknown
};

struct LayerReport {
  LayerName layer = LayerName::None;
  std::size_t level = 0;  // of an SCP or RCP: 0 is the root
  std::string
      verdict;  // "allows", "does not allow", "denies", "none attached", "not known here; AWS
                // decides", "does not apply: ...", "may allow", "may deny", "bypassed: ..."
  std::vector<StatementReport> statements;  // matched and possible ones first
};

struct Suggestion {
  bool possible = false;
  std::string text;  // "add Action s3:GetObject on Resource arn:... to the session policy", or why
                     // no grant can: "an SCP denies it: statement ..."
};

struct Explanation {
  Decision decision;
  std::vector<LayerReport> layers;
  std::vector<std::string> assumed;       // facts taken for granted
  std::vector<std::string> would_decide;  // of an undetermined answer: the facts that are missing
  std::optional<Suggestion> suggestion;   // of any answer but allowed

  // One short sentence a reason, the deciding one first: what `because` of the batch form holds,
  // and what an agent may be told.
  std::vector<std::string> because() const;
};

Explanation explain(const Stack& stack, const Request& request);

// As a person would tell it, several lines.
std::string to_text(const Explanation& explanation, const Request& request);
// The documented form of docs/iam.md.
std::string to_json(const Explanation& explanation, const Request& request);

}  // namespace remit::iam
