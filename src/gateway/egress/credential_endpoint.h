#pragma once

// Where a lane's process fetches its credentials when they do not stand in its environment
// (`credentials: container | imds | process` of an upstream). Internal to src/gateway/egress;
// docs/credential-endpoints.md.
//
//   GET /.remit/credentials     container credentials, at egress; Authorization: the lane's token
//   PUT /latest/api/token, then GET /latest/meta-data/...   at the lane's own door (metadata.h)
//
// What is given is a placeholder: of the call in force, so that a request signed with it can only
// be of that call; without one the lane's own. It says that it ends within a minute, which makes
// SDKs ask again for each request. `.remit` is no name that a bucket may have.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/egress/derived.h"
#include "gateway/lane.h"
#include "json/writer.h"
#include "net/http.h"

namespace remit::gateway {

struct CredentialAnswer {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string body;
  http::Fields more;
  std::string refused;  // why not: for the ledger; empty when something was given
  std::shared_ptr<Lane> lane;
};

// What answers need of the gateway. All must outlive the endpoint.
struct CredentialParts {
  const Clock& clock;
  Random& random;
  const LaneTable& lanes;
  DerivedTable& derived;
};

class CredentialEndpoint {
 public:
  static bool is_target(std::string_view target) { return target.starts_with("/.remit/"); }
  CredentialAnswer answer(const CredentialParts& parts, const http::RequestHead& head);
  // To a process of `lane`, whoever found that out.
  CredentialAnswer metadata(const CredentialParts& parts, const http::RequestHead& head,
                            std::shared_ptr<Lane> lane);
  static CredentialAnswer refusal(int status, std::string reason,
                                  std::shared_ptr<Lane> lane = nullptr);

  static constexpr std::chrono::seconds kSaidLife{60};
  static constexpr std::size_t kMaxTokens = 1024;

 private:
  struct Keys {
    std::string access_key_id;
    std::string secret;
    std::string token;
    TimePoint expires{};
  };
  struct Session {
    std::string lane;
    TimePoint ends{};
  };
  struct OfCall {
    std::weak_ptr<Call> call;
    std::weak_ptr<const Derived> derived;
  };

  CredentialAnswer container(const CredentialParts& parts, const http::RequestHead& head);
  CredentialAnswer start_session(const CredentialParts& parts, const http::RequestHead& head,
                                 const std::shared_ptr<Lane>& lane);
  bool has_session(const CredentialParts& parts, const http::RequestHead& head, const Lane& lane);
  static CredentialAnswer keys_answer(json::Writer body, const Keys& keys,
                                      std::shared_ptr<Lane> lane);
  Result<Keys> keys_of(const CredentialParts& parts, const std::shared_ptr<Lane>& lane);

  std::map<std::string, Session, std::less<>> sessions_;  // of IMDSv2, by their token
  std::map<std::string, OfCall, std::less<>> given_;      // by the lane's access key id
};

}  // namespace remit::gateway
