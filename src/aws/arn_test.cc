#include "aws/arn.h"

#include "aws/credentials.h"

namespace remit::aws {
namespace {

TEST(Arn, KeepsWhatFollowsTheFifthColon) {
  const auto arn = Arn::parse("arn:aws:logs:us-east-1:111122223333:log-group:a:b");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->service, "logs");
  EXPECT_EQ(arn->resource, "log-group:a:b");
  EXPECT_EQ(arn->text(), "arn:aws:logs:us-east-1:111122223333:log-group:a:b");
}

TEST(Arn, ReadsTheFormsThatAwsUses) {
  for (const char* text : {"arn:aws:s3:::bucket/key", "arn:aws:iam::aws:policy/ReadOnlyAccess",
                           "arn:aws-cn:iam::111122223333:role/a/b",
                           "arn:aws-us-gov:sns:us-gov-west-1:111122223333:t"}) {
    EXPECT_TRUE(Arn::parse(text)) << text;
  }
}

TEST(Arn, RefusesWhatIsMalformed) {
  for (const char* text :
       {"", "arn", "arn:aws:s3::", "ARN:aws:s3:::b", "arn:gcp:s3:::b", "arn:aws:S3:::b",
        "arn:aws::::b", "arn:aws:s3:::", "arn:aws:iam::11112222333:role/x", "arn:aws:iam::*:role/x",
        "arn:aws:s3:us_east:1:b", "arn:aws:s3:::a\nb"}) {
    EXPECT_FALSE(Arn::parse(text)) << text;
  }
}

TEST(AccountId, IsTwelveDigits) {
  EXPECT_TRUE(AccountId::parse("111122223333"));
  for (const char* text : {"", "11112222333", "1111222233334", "11112222333a", " 11112222333"}) {
    EXPECT_FALSE(AccountId::parse(text)) << text;
  }
}

TEST(Region, KnowsItsPartition) {
  const struct {
    const char* region;
    const char* partition;
    const char* suffix;
  } cases[] = {{"us-east-1", "aws", "amazonaws.com"},
               {"cn-north-1", "aws-cn", "amazonaws.com.cn"},
               {"us-gov-west-1", "aws-us-gov", "amazonaws.com"},
               {"us-iso-east-1", "aws-iso", "c2s.ic.gov"},
               {"us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"},
               {"eusc-de-east-1", "aws-eusc", "amazonaws.eu"}};
  for (const auto& [name, partition, suffix] : cases) {
    const auto region = Region::parse(name);
    ASSERT_TRUE(region) << name;
    EXPECT_EQ(region->partition(), partition);
    EXPECT_EQ(dns_suffix(region->partition()), suffix);
  }
}

TEST(Region, RefusesWhatIsNoRegion) {
  for (const char* text : {"", "us", "us-east", "US-EAST-1", "us-east-1.evil.com", "us--1", "1",
                           "us-east-1a", "-1", "us east 1"}) {
    EXPECT_FALSE(Region::parse(text)) << text;
  }
}

TEST(RoleArn, ReadsPathAndName) {
  const auto role = RoleArn::parse("arn:aws:iam::111122223333:role/agents/a/invoices");
  ASSERT_TRUE(role);
  EXPECT_EQ(role->account.text(), "111122223333");
  EXPECT_EQ(role->path, "/agents/a/");
  EXPECT_EQ(role->name, "invoices");
  EXPECT_EQ(RoleArn::parse("arn:aws:iam::111122223333:role/x")->path, "/");
}

TEST(RoleArn, RefusesWhatIsNoRole) {
  for (const char* text :
       {"arn:aws:iam::111122223333:user/x", "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/a*", "arn:aws:iam:us-east-1:111122223333:role/a",
        "arn:aws:iam::aws:role/a", "arn:aws:sts::111122223333:role/a",
        "arn:aws:iam::111122223333:role/a b"}) {
    EXPECT_FALSE(RoleArn::parse(text)) << text;
  }
}

TEST(Times, AreReadInEveryFormOfAws) {
  const TimePoint time = *parse_amz_date("20261121T150405Z");
  EXPECT_EQ(format_amz_date(time), "20261121T150405Z");
  EXPECT_EQ(*parse_iso8601("2026-11-21T15:04:05Z"), time);
  EXPECT_EQ(*parse_iso8601("2026-11-21T15:04:05.123456Z"), time);
  EXPECT_EQ(*parse_iso8601("2026-11-21T15:04:05+00:00"), time);
  EXPECT_EQ(*parse_http_date("Sat, 21 Nov 2026 15:04:05 GMT"), time);
}

TEST(Times, AreRefusedWhenTheyAreNone) {
  for (const char* text :
       {"", "2026-11-21", "2026-02-30T15:04:05Z", "2026-11-21T25:04:05Z", "2026-11-21T15:04:05",
        "2026-11-21T15:04:05+01:00", "2026-11-21T15:04:05.Z"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
  for (const char* text : {"", "20261121T150405", "20261321T150405Z", "20261121 150405Z"}) {
    EXPECT_FALSE(parse_amz_date(text)) << text;
  }
  EXPECT_FALSE(parse_http_date("Saturday, 21-Nov-26 15:04:05 GMT"));
}

}  // namespace
}  // namespace remit::aws
