#include "aws/catalogue.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "aws/arn.h"
#include "aws/catalogue_tables.h"
#include "aws/catalogue_view.h"
#include "aws/host.h"
#include "aws/identify_for_tests.h"
#include "base/digest.h"

namespace remit::aws {
namespace {

std::string file_bytes() { return std::string(testing::catalogue().tables().bytes); }

// Writes the right digest over changed bytes: only the checks of references stand in the way.
std::string sealed(std::string bytes) {
  const Digest digest = sha256(std::string_view(bytes).substr(48));
  std::memcpy(bytes.data() + 16, digest.data(), digest.size());
  return bytes;
}

TEST(Catalogue, SaysWhereItComesFrom) {
  const Catalogue& catalogue = testing::catalogue();
  EXPECT_EQ(catalogue.date().size(), 10U);
  EXPECT_NE(catalogue.sources().find("botocore"), std::string_view::npos);
  EXPECT_EQ(catalogue.sha256(), sha256_hex(file_bytes().substr(48)));
}

TEST(Catalogue, KnowsTheMergedModels) {
  const Catalogue::Tables& t = testing::catalogue().tables();
  EXPECT_GT(t.operations.size(), 19'800U);
  EXPECT_TRUE(t.service_named("finspace"));    // only the older models have it
  EXPECT_TRUE(t.service_named("lambda-web"));  // only the newer ones
  EXPECT_FALSE(t.service_named("no-such-service"));
}

TEST(Catalogue, RefusesWhatIsNotWhole) {
  const std::string good = file_bytes();
  EXPECT_FALSE(Catalogue::from_bytes("").has_value());
  EXPECT_FALSE(Catalogue::from_bytes("REMITCAT").has_value());
  EXPECT_FALSE(
      Catalogue::from_bytes(std::string_view(good).substr(0, good.size() - 4)).has_value());
  std::string flipped = good;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  EXPECT_FALSE(Catalogue::from_bytes(flipped).has_value());
  std::string other = good;
  other[8] = 9;
  EXPECT_NE(Catalogue::from_bytes(other).error().message.find("version"), std::string::npos);
  EXPECT_FALSE(Catalogue::from_file("/no/such/file").has_value());
}

TEST(Catalogue, RefusesReferencesThatLeadOutside) {
  const std::string good = file_bytes();
  ASSERT_TRUE(Catalogue::from_bytes(sealed(good)).has_value());
  const std::size_t sections = 18;
  for (std::size_t section = 1; section < sections; ++section) {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::memcpy(&offset, good.data() + 48 + section * 12, 4);
    std::memcpy(&size, good.data() + 48 + section * 12 + 8, 4);
    std::string bad = good;
    bad.replace(48 + section * 12, 4, "\xFF\xFF\xFF\x7F", 4);
    if (size > 0)
      EXPECT_FALSE(Catalogue::from_bytes(sealed(bad)).has_value()) << "directory of " << section;
  }
}

TEST(Catalogue, OpensTheSameBytesFromAFile) {
  const auto path = std::filesystem::temp_directory_path() / "remit-catalogue-test.bin";
  std::ofstream(path, std::ios::binary) << file_bytes();
  const auto opened = Catalogue::open(path.string());
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->sha256(), testing::catalogue().sha256());
  std::filesystem::remove(path);
}

TEST(CatalogueView, ShowsAnAction) {
  const auto view = view_action(testing::catalogue(), "S3:putobject");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->name, "s3:PutObject");
  EXPECT_EQ(view->level, AccessLevel::Write);
  EXPECT_FALSE(view->resource_types.empty());
  EXPECT_NE(std::ranges::find(view->operations, "s3:UploadPart"), view->operations.end());
  EXPECT_FALSE(view_action(testing::catalogue(), "s3:NoSuchAction").has_value());
}

TEST(CatalogueView, ShowsAService) {
  const auto view = view_service(testing::catalogue(), "lambda");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->iam_prefix, "lambda");
  const auto invoke = std::ranges::find(view->operations, "Invoke", &OperationView::name);
  ASSERT_NE(invoke, view->operations.end());
  EXPECT_EQ(invoke->request, "POST /2015-03-31/functions/{FunctionName}/invocations");
  EXPECT_EQ(invoke->actions, std::vector<std::string_view>{"lambda:InvokeFunction"});
}

// What is written down in arn.cc and host.cc is what botocore's partitions.json says.
TEST(Catalogue, ItsPartitionsAreThoseThatNamesAreReadBy) {
  const Catalogue::Tables& t = testing::catalogue().tables();
  ASSERT_GE(t.partitions.size(), 8u);
  for (std::uint32_t i = 0; i < t.partitions.size(); ++i) {
    const PartitionRow row = t.partitions[i];
    const std::string_view id = t.text(row.id);
    EXPECT_EQ(dns_suffix(id), t.text(row.suffix));
    EXPECT_EQ(partition_of_region(t.text(row.global_region)), id);
    EXPECT_EQ(partition_of_region(std::string(t.text(row.prefix)) + "xx-west-9"), id);
    const std::string_view by_host = id == "aws-us-gov" ? "aws" : id;
    EXPECT_EQ(partition_of_suffix("." + std::string(t.text(row.suffix))), by_host);
    EXPECT_EQ(partition_of_suffix("." + std::string(t.text(row.dual_stack_suffix))), by_host);
  }
}

}  // namespace
}  // namespace remit::aws
