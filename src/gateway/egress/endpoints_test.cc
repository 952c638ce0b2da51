#include "gateway/egress/endpoints.h"

#include <gtest/gtest.h>

namespace remit::gateway {
namespace {

aws::Identified of(std::string_view service, std::string_view signing, std::string region) {
  aws::Identified identified;
  identified.service = service;
  identified.signing_name = signing;
  identified.region = std::move(region);
  return identified;
}

TEST(Endpoints, TheMostParticularOneCounts) {
  const auto endpoints = Endpoints::make({{"*", "http://127.0.0.1:1"},
                                          {"dynamodb", "http://127.0.0.1:2"},
                                          {"monitoring", "http://127.0.0.1:3"},
                                          {"sqs.us-east-1.amazonaws.com", "http://127.0.0.1:4"}});
  ASSERT_TRUE(endpoints) << endpoints.error().message;
  const auto port = [&](const aws::Identified& what, const net::Origin* connect) {
    return endpoints->resolve(what, connect)->origin.port;
  };
  EXPECT_EQ(port(of("s3", "s3", "us-east-1"), nullptr), 1);
  EXPECT_EQ(port(of("dynamodb", "dynamodb", "us-east-1"), nullptr), 2);
  EXPECT_EQ(port(of("cloudwatch", "monitoring", "us-east-1"), nullptr), 3);
  const net::Origin sqs{true, "sqs.us-east-1.amazonaws.com", 443};
  EXPECT_EQ(port(of("sqs", "sqs", "us-east-1"), &sqs), 4);
}

// A proxied http:// URL: what is signed for AWS never goes there in the clear.
TEST(Endpoints, AwsIsNotAskedWithoutTls) {
  const net::Origin plain{false, "s3.us-east-1.amazonaws.com", 80};
  EXPECT_FALSE(Endpoints::make({})->resolve(of("s3", "s3", "us-east-1"), &plain));
  const auto custom = Endpoints::make({{"s3", "http://127.0.0.1:1"}});
  EXPECT_TRUE(custom->resolve(of("s3", "s3", "us-east-1"), &plain));
}

TEST(Endpoints, WithoutACustomOneTheTunnelsHostOrAwssOwnIsTaken) {
  const auto endpoints = Endpoints::make({});
  const net::Origin connect{true, "b.s3.eu-west-1.amazonaws.com", 443};
  const auto there = endpoints->resolve(of("s3", "s3", "eu-west-1"), &connect);
  EXPECT_EQ(there->origin, connect);
  EXPECT_EQ(there->path_prefix, "");
  auto in_endpoint_mode = of("s3", "s3", "eu-west-1");
  in_endpoint_mode.endpoint_host = "s3.eu-west-1.amazonaws.com";
  const auto real = endpoints->resolve(in_endpoint_mode, nullptr);
  EXPECT_EQ(real->authority, "s3.eu-west-1.amazonaws.com");
  EXPECT_TRUE(real->origin.tls);
  EXPECT_FALSE(endpoints->resolve(of("s3", "s3express", "eu-west-1"), nullptr));
}

TEST(Endpoints, ABucketInTheHostIsWholeWhateverItsName) {
  const auto endpoints = Endpoints::make({{"s3", "http://127.0.0.1:1"}});
  const auto prefix = [&](const std::string& host) {
    const net::Origin connect{true, host, 443};
    return endpoints->resolve(of("s3", "s3", "eu-west-1"), &connect)->path_prefix;
  };
  EXPECT_EQ(prefix("secret.s3.x-data.s3.eu-west-1.amazonaws.com"), "/secret.s3.x-data");
  EXPECT_EQ(prefix("secret.s3-data.s3.eu-west-1.amazonaws.com"), "/secret.s3-data");
  EXPECT_EQ(prefix("b.s3-eu-west-1.amazonaws.com"), "/b");
  EXPECT_EQ(prefix("b.s3.dualstack.eu-west-1.amazonaws.com"), "/b");
  EXPECT_EQ(prefix("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com"),
            "/b--use1-az4--x-s3");
  EXPECT_EQ(prefix("s3.eu-west-1.amazonaws.com"), "");
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
