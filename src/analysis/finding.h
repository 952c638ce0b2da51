#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace remit::analysis {

// The first four are AWS's own (IAM Access Analyzer's ValidatePolicy); their codes are AWS's too.
enum class FindingType : std::uint8_t {
  Error,            // the policy is broken
  SecurityWarning,  // it allows more than it seems to
  Warning,          // it may not do what it says
  Suggestion,       // it says it in a roundabout way
  AgentAccess,      // ours: a trap of agents' access to AWS
  Practice,         // ours: what careful people avoid, such as `*` where a resource could be named
};
std::string_view name_of(FindingType type);  // "ERROR", "SECURITY_WARNING", ..., "AGENT_ACCESS"

struct Finding {
  FindingType type = FindingType::Error;
  std::string_view code;    // "INVALID_ACTION": a literal
  std::string path;         // "Statement[2].Condition.StringLike.aws:SourceArn"
  std::size_t offset = 0;   // in the text that was read (of YAML: see PolicyText)
  json::Position position;  // in the file
  std::string message;      // what is wrong, lower case, no final stop
  std::string mend;         // what to write instead
};

}  // namespace remit::analysis
