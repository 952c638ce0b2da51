#include "iam/known_keys.h"

#include <set>

#include "base/encoding.h"

namespace remit::iam {
namespace {

TEST(KnownKeys, AreFoundWhateverTheirCase) {
  struct Case {
    std::string_view name;
    KeyType type;
    bool multivalued;
  };
  for (const auto& c : std::vector<Case>{{"aws:TagKeys", KeyType::String, true},
                                         {"AWS:tagkeys", KeyType::String, true},
                                         {"aws:SourceIp", KeyType::IpAddress, false},
                                         {"aws:ViaAWSMCPService", KeyType::Bool, false},
                                         {"aws:CalledViaAWSMCP", KeyType::String, false},
                                         {"aws:CalledVia", KeyType::String, true},
                                         {"aws:PrincipalTag/Team", KeyType::String, false},
                                         {"aws:PrincipalOrgPaths", KeyType::String, true},
                                         {"aws:SignInSessionArn", KeyType::Arn, false},
                                         {"signin:OAuthClientId", KeyType::String, false},
                                         {"signin:OAuthRedirectUri", KeyType::String, false},
                                         {"aws:SourceArn", KeyType::Arn, false}}) {
    const auto* key = find_known_key(c.name);
    ASSERT_NE(key, nullptr) << c.name;
    EXPECT_EQ(key->type, c.type) << c.name;
    EXPECT_EQ(key->multivalued, c.multivalued) << c.name;
  }
  EXPECT_EQ(find_known_key("aws:Nothing"), nullptr);
  EXPECT_EQ(find_known_key("aws:PrincipalTag/"), nullptr);
}

TEST(KnownKeys, StandOnce) {
  std::set<std::string> seen;
  for (const auto& key : known_keys()) {
    EXPECT_TRUE(seen.insert(lower_ascii(key.name)).second) << key.name;
  }
}

TEST(KnownKeys, SomeFollowFromTheRequest) {
  EXPECT_EQ(derived_key("aws:PrincipalIsAWSService"), Derived::PrincipalIsAwsService);
  EXPECT_EQ(derived_key("AWS:USERID"), Derived::UserId);
  EXPECT_EQ(derived_key("aws:SourceIp"), Derived::None);
}

}  // namespace
}  // namespace remit::iam
