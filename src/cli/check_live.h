#pragma once

// `remit check --live`: one real AssumeRole call for each remit and role, exactly as a tool call
// would ask it (arguments with sample values). Where it is denied, the same is asked with less, so
// that the answer can say which permission is missing. The sessions are thrown away.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/writer.h"
#include "remit/config.h"

namespace remit::cli {

struct LiveResult {
  std::string remit;
  std::string role;
  bool ok = false;
  std::string message;                // what STS said
  std::string mend;                   // of a failure: what to change
  std::optional<int> packed_percent;  // of STS's packed limit, as STS reports it
  std::string session_arn;
};

// An error when there are no base credentials to ask with.
Result<std::vector<LiveResult>> check_live(const rules::Config& config);

std::string to_text(const LiveResult& result);
void write_json(json::Writer& writer, const LiveResult& result);

}  // namespace remit::cli
