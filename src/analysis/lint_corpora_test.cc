// Lint against what AWS itself found, and against parliament's cases. Figures are printed.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <map>
#include <set>
#include <sstream>

#include "analysis/corpus_for_tests.h"
#include "analysis/lint.h"

namespace remit::analysis {
namespace {

using Codes = std::map<std::string, int>;  // "SUGGESTION REDUNDANT_ACTION" and how often

const ServiceData& services_of_aws() {
  static const auto catalogue = aws::Catalogue::embedded();
  static const ServiceData data(*catalogue);
  return data;
}

bool is_ours(FindingType type) {
  return type == FindingType::AgentAccess || type == FindingType::Practice;
}

Codes codes_of(std::string_view document) {
  Codes codes;
  for (const Finding& finding :
       lint(std::string(document), TextForm::Json, iam::PolicyKind::Identity, services_of_aws())) {
    if (is_ours(finding.type)) continue;
    ++codes[std::string(name_of(finding.type)) + " " + std::string(finding.code)];
  }
  return codes;
}

std::vector<json::Document> lines_of(const std::filesystem::path& path) {
  std::vector<json::Document> documents;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    auto document = json::parse(std::move(line));
    if (document) documents.push_back(*std::move(document));
  }
  return documents;
}

TEST(LintCorpora, FindsWhatAccessAnalyzerFoundAndNothingElse) {
  const auto path = corpora() / "validate-policy/mamip-findings.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpora at " << corpora();
  int found = 0;
  int missed = 0;
  int wrong = 0;
  for (const json::Document& line : lines_of(path)) {
    const json::Value policy = line.root();
    Codes want;
    for (const json::Value finding : policy.find("findings")->elements()) {
      ++want[std::string(finding.find("findingType")->string()) + " " +
             std::string(finding.find("issueCode")->string())];
    }
    Codes got = codes_of(policy.find("document")->raw());
    for (const auto& [code, count] : want) {
      found += std::min(count, got[code]);
      missed += std::max(0, count - got[code]);
      EXPECT_GE(got[code], count) << policy.find("policy")->string() << " lacks " << code;
    }
    for (const auto& [code, count] : got) {
      wrong += std::max(0, count - want[code]);
      EXPECT_LE(count, want[code]) << policy.find("policy")->string() << " has a false " << code;
    }
  }
  std::printf("ValidatePolicy's findings: %d found, %d missed, %d false\n", found, missed, wrong);
  EXPECT_EQ(found, 237);
}

// What AWS found on these is not in the corpus. Nothing here may be of a code that could be a
// mistake of ours: each of those that remain can be seen in the document.
TEST(LintCorpora, ReportsOnOtherManagedPoliciesOnlyWhatCanBeSeenInThem) {
  const auto path = corpora() / "managed-policies/managed-policies.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpora at " << corpora();
  std::set<std::string> judged;
  for (const json::Document& line : lines_of(corpora() / "validate-policy/mamip-findings.jsonl")) {
    judged.emplace(line.root().find("policy")->string());
  }
  const std::set<std::string> expected = {
      "ERROR INVALID_SERVICE_PRINCIPAL_FORMAT",  // aws:CalledVia of ops.emr-serverless
      "ERROR MISSING_QUALIFIER",                 // events:detail-type, as in three judged policies
      "WARNING TYPE_MISMATCH",                   // StringEquals on a Boolean
      "ERROR INVALID_ACTION",      // budgets:UpdateBudget, s3:ListBuckets: there are none
      "ERROR MISSING_ARN_REGION",  // arn:aws:logs:::..., in two retired policies
      "SUGGESTION ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
      "SUGGESTION EQUIVALENT_TO_NULL_FALSE",
      "SUGGESTION REDUNDANT_ACTION",
      "SUGGESTION REDUNDANT_RESOURCE",
      "SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE",
      "SECURITY_WARNING STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
      "WARNING POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"};
  Codes all;
  std::set<std::string> policies;
  int read = 0;
  for (const json::Document& line : lines_of(path)) {
    const std::string name(line.root().find("name")->string());
    if (judged.contains(name)) continue;
    ++read;
    for (const auto& [code, count] : codes_of(line.root().find("document")->raw())) {
      all[code] += count;
      policies.insert(name);
      EXPECT_TRUE(expected.contains(code)) << name << ": " << code;
    }
  }
  std::printf("%d other managed policies, findings of AWS's codes on %zu of them:\n", read,
              policies.size());
  for (const auto& [code, count] : all) std::printf("  %4d %s\n", count, code.c_str());
}

TEST(LintCorpora, ReadsAllManagedPoliciesInOnePass) {
  const auto path = corpora() / "managed-policies/managed-policies.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpora at " << corpora();
  const auto lines = lines_of(path);
  std::map<std::string_view, int> ours;
  const std::clock_t start = std::clock();  // processor time: other work may run beside
  for (const json::Document& line : lines) {
    for (const Finding& finding : lint(std::string(line.root().find("document")->raw()),
                                       TextForm::Json, std::nullopt, services_of_aws())) {
      if (is_ours(finding.type)) ++ours[finding.code];
    }
  }
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%zu managed policies in %.0f ms of processor time; our own codes:\n", lines.size(),
              took * 1000);
  for (const auto& [code, count] : ours) {
    std::printf("  %5d %.*s\n", count, static_cast<int>(code.size()), code.data());
  }
}

TEST(LintCorpora, FindsWhatParliamentFinds) {
  const auto path = corpora() / "parliament/parliament-tests.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpora at " << corpora();
  // Parliament's id and the codes that say the same.
  const std::map<std::string, std::set<std::string_view>> same = {
      {"MALFORMED_JSON", {"JSON_SYNTAX_ERROR"}},
      {"MALFORMED",
       {"UNSUPPORTED_ELEMENT_COMBINATION", "MISSING_ACTION", "MISSING_STATEMENT",
        "MISSING_RESOURCE", "MISSING_EFFECT"}},
      {"INVALID_SID", {"UNSUPPORTED_SID"}},
      {"UNKNOWN_ACTION", {"INVALID_ACTION", "INVALID_SERVICE_IN_ACTION"}},
      {"UNKNOWN_CONDITION_FOR_ACTION",
       {"INVALID_CONDITION_KEY_FORMAT", "INVALID_SERVICE_CONDITION_KEY",
        "INVALID_GLOBAL_CONDITION_KEY", "CONDITION_KEY_NOT_FOR_ACTION"}},
      {"MISMATCHED_TYPE",
       {"TYPE_MISMATCH", "TYPE_MISMATCH_DATE", "TYPE_MISMATCH_NUMBER",
        "INVALID_CONDITION_OPERATOR"}},
      {"MISMATCHED_TYPE_BUT_USABLE", {"STRING_EQUALS_WITH_ARN_CONDITION_KEY"}},
      {"UNKNOWN_OPERATOR", {"INVALID_CONDITION_OPERATOR"}},
      {"DUPLICATE_SID", {"UNIQUE_SIDS_REQUIRED"}},
      {"INVALID_ARN", {"DATA_TYPE_MISMATCH", "INVALID_ARN_PREFIX"}},
      {"RESOURCE_STAR", {"RESOURCE_STAR"}},
      {"RESOURCE_EFFECTIVELY_STAR", {"RESOURCE_EFFECTIVELY_STAR"}},
      {"RESOURCE_MISMATCH", {"RESOURCE_MISMATCH"}},
      {"RESOURCE_POLICY_PRIVILEGE_ESCALATION", {"RESOURCE_POLICY_PRIVILEGE_ESCALATION"}},
      {"BAD_PATTERN_FOR_MFA", {"BAD_PATTERN_FOR_MFA"}},
  };
  const auto document = json::parse(read_file(path));
  ASSERT_TRUE(document);
  int found = 0;
  int clean = 0;
  for (const json::Value test : document->root().find("cases")->elements()) {
    const std::string id(test.find("id")->string());
    const auto findings = lint(std::string(test.find("policyText")->string()), TextForm::Json,
                               std::nullopt, services_of_aws());
    std::set<std::string_view> got;
    std::string shown;
    for (const Finding& finding : findings) {
      got.insert(finding.code);
      shown += " " + std::string(finding.code) + " (" + finding.path + ")";
    }
    for (const json::Value want : test.find("expectedFindingIds")->elements()) {
      const auto codes = same.find(std::string(want.string()));
      ASSERT_NE(codes, same.end()) << want.string();
      bool any = false;
      for (const std::string_view code : codes->second) any = any || got.contains(code);
      EXPECT_TRUE(any) << id << " wants " << want.string() << " and has" << shown;
      found += any ? 1 : 0;
    }
    if (test.find("expectedFindingIds")->size() == 0) {
      clean += findings.empty() ? 1 : 0;
      if (!findings.empty()) std::printf("  %s:%s\n", id.c_str(), shown.c_str());
    }
  }
  std::printf("parliament: %d expected findings found; %d clean cases clean\n", found, clean);
}

}  // namespace
}  // namespace remit::analysis
