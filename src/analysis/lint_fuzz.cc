// Properties: whatever the text, lint ends, and every finding stands inside of the file and says
// what is wrong; the same text gives the same findings.
#include <cstdint>
#include <string>

#include "analysis/lint.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace remit;
  static const auto catalogue = aws::Catalogue::embedded();
  static const analysis::ServiceData service_data(*catalogue);
  constexpr std::size_t kMost = 20'000;
  if (size == 0 || size > kMost) return 0;
  // The first byte chooses the form and the kind.
  const auto form = (data[0] & 1U) != 0 ? analysis::TextForm::Yaml : analysis::TextForm::Json;
  const auto kind = static_cast<iam::PolicyKind>((data[0] >> 1U) % 8U);
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto once = analysis::lint(text, form, kind, service_data);
  const auto twice = analysis::lint(text, form, kind, service_data);
  REMIT_CHECK(once.size() == twice.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    REMIT_CHECK(once[i].code == twice[i].code && once[i].path == twice[i].path);
    REMIT_CHECK(!once[i].message.empty() && !once[i].code.empty() && !once[i].mend.empty());
    REMIT_CHECK(once[i].position.line >= 1 && once[i].position.line <= size + 1);
  }
  return 0;
}
