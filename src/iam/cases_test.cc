// Runs the cases of src/iam/cases/: each names the page of AWS that it was read from.

#include <filesystem>
#include <fstream>
#include <map>

#include "iam/batch.h"
#include "json/json.h"

namespace remit::iam {
namespace {

std::vector<std::filesystem::path> case_files() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(REMIT_SOURCE_DIR) + "/src/iam/cases")) {
    if (entry.path().extension() == ".jsonl") out.push_back(entry.path());
  }
  return out;
}

std::string decision_of(std::string_view answer) {
  const auto parsed = json::parse(std::string(answer));
  if (!parsed) return "no JSON: " + parsed.error().message;
  if (parsed->root().find("error")) return "error";
  const auto decision = parsed->root().find("decision");
  return decision ? std::string(decision->string()) : "neither";
}

TEST(Cases, AnswerAsTheirPagesSay) {
  Batch batch;
  std::size_t count = 0;
  for (const auto& file : case_files()) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line); ++count) {
      const auto parsed = json::parse(line);
      ASSERT_TRUE(parsed) << file << ": " << parsed.error().message;
      const auto root = parsed->root();
      std::string answer;
      batch.answer(line, answer);
      EXPECT_EQ(decision_of(answer), root.find("expect")->string())
          << file.filename() << ": " << root.find("id")->string() << "\n  "
          << root.find("page")->string() << "\n  " << answer;
      EXPECT_TRUE(root.find("page")->string().starts_with("https://docs.aws.amazon.com/"));
    }
  }
  EXPECT_GE(count, 350u);
}

TEST(Cases, HaveAnIdOfTheirOwn) {
  std::map<std::string, int> seen;
  for (const auto& file : case_files()) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const auto parsed = json::parse(line);
      ++seen[file.stem().string() + "/" + std::string(parsed->root().find("id")->string())];
    }
  }
  for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
}

}  // namespace
}  // namespace remit::iam
