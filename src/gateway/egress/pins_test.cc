#include "gateway/egress/pins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "remit/config.h"

namespace remit::gateway {
namespace {

using testing::HasSubstr;

struct Asked {
  std::string_view region;  // of the scope
  std::string_view set;     // of SigV4a
  aws::Places places;
  std::vector<std::string> resources;
};

std::string ask(const Asked& asked, const rules::Pins& pins, std::string partition = "aws") {
  CallFacts facts;
  facts.remit = "r";
  facts.account = "111122223333";
  facts.partition = std::move(partition);
  facts.pins = std::make_shared<rules::Pins>(pins);
  aws::Identified identified;
  identified.service = "sqs";
  identified.operation = "SendMessage";
  identified.region = asked.region;
  identified.places = asked.places;
  identified.actions.emplace_back();
  identified.actions.back().action = "sqs:SendMessage";
  identified.actions.back().resources = asked.resources;
  const auto refused = leaves_pins(facts, identified, asked.set);
  if (!refused) return "passes";
  EXPECT_EQ(refused->layer, "pin");
  EXPECT_EQ(refused->action, "sqs:SendMessage");
  return refused->message;
}

aws::Places place(std::string region, bool global = false) {
  aws::Places places;
  if (!region.empty()) places.regions.push_back(std::move(region));
  places.global = global;
  return places;
}
aws::Places account_place(std::string account) {
  aws::Places places;
  places.accounts.push_back(std::move(account));
  return places;
}

const rules::Pins kEurope{.regions = {"eu-central-1", "eu-west-*"}, .accounts = {}};
const rules::Pins kGlobalToo{.regions = {"eu-central-1", "global"}, .accounts = {}};
const rules::Pins kTwoAccounts{.regions = {}, .accounts = {"111122223333", "444455556666"}};

TEST(Pins, HoldForTheSignatureTheHostTheInputAndEachArn) {
  struct Row {
    Asked asked;
    const rules::Pins& pins;
    std::string_view wanted;  // part of the message
  };
  const std::string queue = "arn:aws:sqs:eu-central-1:111122223333:q";
  const Row kRows[] = {
      {{"eu-central-1", "", {}, {queue}}, kEurope, "passes"},
      {{"eu-west-3", "", {}, {}}, kEurope, "passes"},
      {{"us-east-1", "", {}, {}},
       kEurope,
       "sqs:SendMessage: the request is signed for region us-east-1, and remit \"r\" is pinned to "
       "the regions eu-central-1, eu-west-*"},
      {{"aws-global", "", {}, {}}, kEurope, "signed for region aws-global"},
      {{"eu-central-2", "", {}, {}}, kEurope, "signed for region eu-central-2"},
      {{"eu-west", "", {}, {}}, kEurope, "signed for region eu-west,"},
      // A service with one endpoint for all regions signs for us-east-1.
      {{"us-east-1", "", place("", true), {}}, kEurope, "`global` in `regions` admits"},
      {{"us-east-1", "", place("", true), {}}, kGlobalToo, "passes"},
      {{"us-east-1", "", {}, {}}, kGlobalToo, "signed for region us-east-1"},
      {{"us-east-1", "", place("us-west-2", true), {}}, kGlobalToo, "names region us-west-2"},
      // Region sets.
      {{"", "eu-central-1", {}, {}}, kEurope, "passes"},
      {{"", "eu-central-1,eu-west-1", {}, {}}, kEurope, "passes"},
      {{"", "eu-west-*", {}, {}}, kEurope, "passes"},
      {{"", "eu-*", {}, {}}, kEurope, "the region set with eu-*,"},
      {{"", "eu-central-1, us-east-1", {}, {}}, kEurope, "the region set with us-east-1,"},
      {{"", "*", {}, {}}, kEurope, "the region set with *,"},
      {{"", "", {}, {}}, kEurope, "signed for region *"},
      {{"", "eu-west-1", place("us-west-2"), {}}, kEurope, "names region us-west-2"},
      // Input and ARNs.
      {{"eu-west-1", "", place("us-west-2"), {}}, kEurope, "it names region us-west-2"},
      {{"eu-west-1", "", {}, {"arn:aws:sqs:us-east-1:111122223333:q"}},
       kEurope,
       "it names a resource in region us-east-1"},
      {{"eu-west-1", "", {}, {queue, "*", "arn:aws:s3:::b/k:1:2"}}, kEurope, "passes"},
      {{"us-east-1", "", {}, {queue}}, kTwoAccounts, "passes"},
      {{"us-east-1", "", {}, {"arn:aws:sqs:us-east-1:444455556666:q"}}, kTwoAccounts, "passes"},
      {{"us-east-1", "", {}, {queue, "arn:aws:iam::999988887777:role/x"}},
       kTwoAccounts,
       "names a resource of account 999988887777, and remit \"r\" is pinned to the accounts "
       "111122223333, 444455556666"},
      {{"us-east-1", "", {}, {"arn:aws:iam::aws:policy/ReadOnlyAccess"}}, kTwoAccounts, "passes"},
      {{"us-east-1", "", account_place("999988887777"), {}},
       kTwoAccounts,
       "names account 999988887777"},
  };
  for (const Row& row : kRows) {
    EXPECT_THAT(ask(row.asked, row.pins), HasSubstr(row.wanted)) << row.asked.region;
  }
}

TEST(Pins, OfNothingStillKeepThePartitionOfTheSession) {
  const rules::Pins none;
  struct Row {
    std::string_view region;
    std::string partition;
    bool passes;
  };
  const Row kRows[] = {
      {"us-east-1", "aws", true},
      {"default", "aws", true},  // of a store that is not AWS's
      {"cn-north-1", "aws-cn", true},
      {"us-gov-west-1", "aws-us-gov", true},
      {"us-iso-east-1", "aws-iso", true},
      {"us-isob-east-1", "aws-iso-b", true},
      {"us-isof-south-1", "aws-iso-f", true},
      {"eu-isoe-west-1", "aws-iso-e", true},
      {"eusc-de-east-1", "aws-eusc", true},
      {"cn-north-1", "aws", false},
      {"eusc-de-east-1", "aws", false},
      {"us-gov-west-1", "aws", false},
      {"us-iso-east-1", "aws-iso-b", false},
      {"us-east-1", "aws-cn", false},
      {"us-east-1", "aws-us-gov", false},
  };
  for (const Row& row : kRows) {
    const std::string said = ask({row.region, "", {}, {}}, none, row.partition);
    EXPECT_EQ(said == "passes", row.passes) << row.region << " " << row.partition << ": " << said;
  }
}

}  // namespace
}  // namespace remit::gateway
