#include "gateway/egress/endpoints.h"

#include <gtest/gtest.h>

namespace remit::gateway {
namespace {

const aws::Catalogue& catalogue() {
  static const aws::Catalogue opened = *aws::Catalogue::embedded();
  return opened;
}

aws::Identified of(std::string_view service, std::string_view signing, std::string region) {
  aws::Identified identified;
  identified.service = service;
  identified.signing_name = signing;
  identified.region = std::move(region);
  return identified;
}

TEST(AwsHost, IsTheServicesOwn) {
  struct Row {
    std::string_view service, region, partition, host;
  };
  const Row kRows[] = {
      {"s3", "eu-west-1", "aws", "s3.eu-west-1.amazonaws.com"},
      {"sts", "us-east-1", "aws", "sts.us-east-1.amazonaws.com"},
      {"dynamodb", "us-west-2", "aws", "dynamodb.us-west-2.amazonaws.com"},
      {"sqs", "cn-north-1", "aws-cn", "sqs.cn-north-1.amazonaws.com.cn"},
      {"cloudwatch", "us-east-1", "aws", "monitoring.us-east-1.amazonaws.com"},
      {"iam", "us-east-1", "aws", "iam.amazonaws.com"},
      {"secretsmanager", "eu-central-1", "aws", "secretsmanager.eu-central-1.amazonaws.com"},
  };
  for (const auto& [service, region, partition, host] : kRows) {
    EXPECT_EQ(aws_host(catalogue(), of(service, service, std::string(region)), partition), host);
  }
}

TEST(Endpoints, TheMostParticularOneCounts) {
  const auto endpoints = Endpoints::make({{"*", "http://127.0.0.1:1"},
                                          {"dynamodb", "http://127.0.0.1:2"},
                                          {"monitoring", "http://127.0.0.1:3"},
                                          {"sqs.us-east-1.amazonaws.com", "http://127.0.0.1:4"}});
  ASSERT_TRUE(endpoints) << endpoints.error().message;
  const auto port = [&](const aws::Identified& what, const net::Origin* connect) {
    return endpoints->resolve(catalogue(), what, "aws", connect)->origin.port;
  };
  EXPECT_EQ(port(of("s3", "s3", "us-east-1"), nullptr), 1);
  EXPECT_EQ(port(of("dynamodb", "dynamodb", "us-east-1"), nullptr), 2);
  EXPECT_EQ(port(of("cloudwatch", "monitoring", "us-east-1"), nullptr), 3);
  const net::Origin sqs{true, "sqs.us-east-1.amazonaws.com", 443};
  EXPECT_EQ(port(of("sqs", "sqs", "us-east-1"), &sqs), 4);
}

TEST(Endpoints, WithoutACustomOneTheTunnelsHostOrAwssOwnIsTaken) {
  const auto endpoints = Endpoints::make({});
  const net::Origin connect{true, "b.s3.eu-west-1.amazonaws.com", 443};
  const auto there = endpoints->resolve(catalogue(), of("s3", "s3", "eu-west-1"), "aws", &connect);
  EXPECT_EQ(there->origin, connect);
  EXPECT_EQ(there->path_prefix, "");
  const auto real = endpoints->resolve(catalogue(), of("s3", "s3", "eu-west-1"), "aws", nullptr);
  EXPECT_EQ(real->authority, "s3.eu-west-1.amazonaws.com");
  EXPECT_TRUE(real->origin.tls);
}

TEST(Endpoints, APublicHostIsOnlyReplacedByItsOwnEntry) {
  const auto endpoints = Endpoints::make({{"*", "http://127.0.0.1:1"}});
  const net::Origin host{true, "servicereference.us-east-1.amazonaws.com", 443};
  EXPECT_EQ(endpoints->resolve_public(host).origin, host);
}

TEST(Endpoints, AreUrlsOfHostsOnly) {
  EXPECT_FALSE(Endpoints::make({{"s3", "127.0.0.1:1"}}));
  EXPECT_FALSE(Endpoints::make({{"s3", "http://127.0.0.1:1/path"}}));
}

}  // namespace
}  // namespace remit::gateway
