#pragma once

// Lint: what is wrong with a policy document, found in one pass over its tree. The checks of IAM
// Access Analyzer's ValidatePolicy have AWS's types and codes; docs/lint.md lists all.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/finding.h"
#include "analysis/policy_text.h"
#include "analysis/service_data.h"
#include "iam/policy.h"

namespace remit::analysis {

// What the document seems to be attached to: a document with principals is a trust policy when its
// actions are all AssumeRole's kin and it names no resource, a resource policy otherwise; one
// without is an identity policy.
iam::PolicyKind guess_kind(json::Value document);

// Findings in the order of the text. `kind`: nullopt guesses.
std::vector<Finding> lint(const PolicyText& policy, std::optional<iam::PolicyKind> kind,
                          const ServiceData& data);
// The same from a file's text; what cannot be read is the one finding JSON_SYNTAX_ERROR.
std::vector<Finding> lint(std::string text, TextForm form, std::optional<iam::PolicyKind> kind,
                          const ServiceData& data);

}  // namespace remit::analysis
