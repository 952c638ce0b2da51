#pragma once

// Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines.

#include <span>
#include <string>
#include <vector>

#include "analysis/finding.h"

namespace remit::analysis {

struct FileFindings {
  std::string file;
  std::vector<Finding> findings;
};

std::string to_sarif(std::span<const FileFindings> files, std::string_view version);

// One list: [{"findingType","issueCode","file","line","column","path","message","mend"}, ...].
std::string to_json(std::span<const FileFindings> files);

// "policy.json:3:9: ERROR INVALID_ACTION: ..." and what to write instead, a paragraph a finding.
std::string to_text(std::span<const FileFindings> files);

}  // namespace remit::analysis
