#include "iam/batch.h"

#include "json/json.h"

namespace remit::iam {
namespace {

std::string answer(std::string_view line) {
  Batch batch;
  std::string out;
  batch.answer(line, out);
  return out;
}

std::string error_of(const std::string& answered) {
  const auto parsed = json::parse(answered);
  const auto error = parsed ? parsed->root().find("error") : std::nullopt;
  return error ? std::string(error->string()) : "no error: " + answered;
}

constexpr std::string_view kHead =
    R"({"id":"a","principal":"arn:aws:iam::111122223333:user/u","action":"s3:GetObject",)"
    R"("resource":{"arn":"arn:aws:s3:::b/k","account":"111122223333"},"policies":{"identity":[)";

TEST(Batch, SaysWhereInTheLineAFaultStands) {
  const std::string good = R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}},)";
  const std::string line = std::string(kHead) + good + R"({"Statement":{"Efect":"Allow"}}]}})";
  const auto column = line.find("\"Efect\"") + 1;
  EXPECT_TRUE(
      error_of(answer(line))
          .starts_with("policies.identity[1]: 1:" + std::to_string(column) + ": Statement.Efect: "))
      << answer(line);
}

TEST(Batch, SaysWhereInATextAFaultStands) {
  const std::string line =
      std::string(kHead) + R"("{\n \"Statement\": {\n  \"Efect\": \"Allow\"}}"]}})";
  EXPECT_TRUE(
      error_of(answer(line)).starts_with("policies.identity[0]: 3:3: Statement.Efect: unknown"))
      << answer(line);
}

TEST(Batch, KeepsTheIdOfALineThatIsTooLong) {
  Batch batch({.max_line_bytes = std::size_t{1} << 20});
  std::string out;
  batch.refuse_too_long(R"({"x":[{"id":"inner"}],"id":"out\"er","padding":"xxx)", out);
  EXPECT_EQ(out, R"({"id":"out\"er","error":"line: is longer than 1 MiB"})");
  out.clear();
  batch.refuse_too_long(R"({"padding":"xxx)", out);
  EXPECT_EQ(out, R"({"id":null,"error":"line: is longer than 1 MiB"})");
}

TEST(Batch, AnswersALineOfThousandsOfDocuments) {
  std::string line(kHead);
  for (int i = 0; i < 20'000; ++i) {
    line += R"({"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}},)";
  }
  line += R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}]}})";
  EXPECT_TRUE(answer(line).starts_with(R"({"id":"a","decision":"allowed")"));
}

}  // namespace
}  // namespace remit::iam
