// One request for nearly every operation of AWS, as botocore 1.43.67 writes it.
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "aws/catalogue_tables.h"
#include "aws/corpus_for_tests.h"
#include "aws/identify_for_tests.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  struct Close {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  const std::unique_ptr<gzFile_s, Close> file(gzopen(path.c_str(), "rb"));
  std::vector<std::string> lines(1);
  if (!file) return {};
  std::vector<char> buffer(1 << 16);
  for (int got; (got = gzread(file.get(), buffer.data(), 1 << 16)) > 0;) {
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
      if (c == '\n') {
        lines.emplace_back();
      } else {
        lines.back() += c;
      }
    }
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

struct Line {
  std::string service, operation;
  testing::Request with_host, without_host;
};

std::string text(json::Value row, std::string_view key) {
  const auto found = row.find(key);
  return found && found->is(json::Kind::String) ? std::string(found->string()) : std::string();
}

Line read(json::Value row) {
  Line line{text(row, "service"), text(row, "op"), {}, {}};
  testing::Request& r = line.with_host;
  r.method = text(row, "method");
  r.target = text(row, "target");
  r.host = text(row, "host");
  r.body = text(row, "body");
  r.region.clear();
  if (const auto encoded = unbase64(text(row, "body_b64")); encoded && !encoded->empty())
    r.body = *encoded;
  for (const json::Member field : row.find("headers")->members())
    r.fields.push_back({std::string(field.key), std::string(field.value.string())});
  if (const auto scope = row.find("scope"); scope && scope->is(json::Kind::Array)) {
    auto part = scope->elements().begin();
    r.region = (*part).string();
    r.service = (*++part).string();
  }
  line.without_host = r;
  line.without_host.host.clear();
  if (const std::string target = text(row, "loopback_target"); !target.empty())
    line.without_host.target = target;
  return line;
}

// The IAM actions that the catalogue gives an operation.
std::set<std::string> actions_of(std::string_view service_name, std::string_view name) {
  const auto& t = testing::catalogue().tables();
  std::set<std::string> found;
  const auto index = t.service_named(service_name);
  if (!index) return found;
  const auto operation = t.operation_named(t.services[*index], name);
  if (!operation) return found;
  const OperationRow row = t.operations[*operation];
  for (std::uint32_t i = 0; i < row.action_count; ++i)
    found.emplace(t.text(t.actions[t.lists[row.uses + i * 3]].name));
  return found;
}

struct Figures {
  int exact = 0, same_actions = 0, discovery = 0;
  std::vector<std::string> missed;
};

// Without the condition keys everything else is the same.
void expect_same_without_keys(testing::Request request, const Result<Identified>& with_keys) {
  request.keys = false;
  const auto found = request.identify();
  EXPECT_EQ(testing::words(found), testing::words(with_keys));
  if (!found || !with_keys) return;
  for (std::size_t i = 0; i < std::min(found->actions.size(), with_keys->actions.size()); ++i) {
    const ActionRequest& action = found->actions[i];
    EXPECT_EQ(action.level, with_keys->actions[i].level);
    EXPECT_EQ(action.resource_approximate, with_keys->actions[i].resource_approximate);
    EXPECT_TRUE(!action.keys_told && action.context.empty() && action.unknown_keys.empty())
        << action.action;
  }
}

void judge(const Line& line, const testing::Request& request, Figures& figures) {
  const std::string label = line.service + ":" + line.operation;
  const auto found = request.identify();
  expect_same_without_keys(request, found);
  if (!found) {
    figures.missed.push_back(label + ": " + found.error().message);
  } else if (found->service == line.service && found->operation == line.operation) {
    ++figures.exact;
  } else if (found->operation == "DescribeEndpoints" && line.service.starts_with("timestream")) {
    ++figures.discovery;  // what the client really sent
  } else if (actions_of(found->service, found->operation) ==
             actions_of(line.service, line.operation)) {
    ++figures.same_actions;
  } else if (std::ranges::any_of(found->candidates, [&](const auto& candidate) {
               return candidate.service == line.service && candidate.operation == line.operation;
             })) {
    figures.missed.push_back(label + ": one of several candidates, all of which are asked for");
  } else {
    figures.missed.push_back(label + ": taken for " + std::string(found->service) + ":" +
                             std::string(found->operation));
  }
}

TEST(IdentifyCorpus, FindsEveryOperationWithAndWithoutItsHost) {
  const auto path = corpus::root() / "aws-requests" / "botocore-1.43.67-requests.jsonl.gz";
  const std::vector<std::string> lines = read_lines(path);
  if (lines.empty()) GTEST_SKIP() << "no corpus at " << path;
  Figures with_host;
  Figures without_host;
  for (const std::string& raw : lines) {
    const auto document = json::parse(raw);
    ASSERT_TRUE(document.has_value());
    const Line line = read(document->root());
    judge(line, line.with_host, with_host);
    judge(line, line.without_host, without_host);
  }
  for (const auto& [name, figures] :
       {std::pair<std::string_view, const Figures&>("with host", with_host),
        {"without host", without_host}}) {
    std::printf(
        "%s: %d exact, %d with the same IAM actions, %d discovery calls, %zu missed of %zu\n",
        std::string(name).c_str(), figures.exact, figures.same_actions, figures.discovery,
        figures.missed.size(), lines.size());
    for (const std::string& miss : figures.missed) std::printf("  %s\n", miss.c_str());
    EXPECT_LE(figures.missed.size(), lines.size() / 1000) << name;
  }
}

}  // namespace
}  // namespace remit::aws
