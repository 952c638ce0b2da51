#pragma once

// From the bytes of an AWS request to what IAM is asked: service, operation, the IAM actions with
// their resources and the condition keys that the request itself determines. The steps are those of
// docs/identify.md, and each of them fails closed: what is unknown, ambiguous in an unsafe way or
// written twice is an Error with a reason for people (ErrorCode::InvalidInput, or LimitExceeded).
//
// Nothing here verifies a signature: the caller has done so, and hands in the scope it verified.

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/catalogue.h"
#include "base/result.h"
#include "net/http.h"

namespace remit::aws {

struct ContextEntry {
  std::string key;  // "s3:prefix", "aws:RequestTag/Team"
  boost::container::small_vector<std::string, 1> values;
  bool multivalued = false;  // a set (aws:TagKeys): for ForAllValues / ForAnyValue
};

// One question to the policy engine. The request is allowed only if every ActionRequest is allowed
// on each of its resources, and, with resource_unknown, on any resource (`*`).
struct ActionRequest {
  std::string action;                  // "s3:GetObject"
  std::vector<std::string> resources;  // ARNs, or "*" for an action without resource types
  bool resource_unknown = false;       // there is a resource that the request does not tell
  // A resource holds what only AWS knows: `?` for the random end of a secret's ARN, no path in the
  // ARN of an IAM role given by name. A deny on the true ARN is AWS's to find.
  bool resource_approximate = false;
  std::vector<ContextEntry> context;           // condition keys known from the request
  std::vector<std::string_view> unknown_keys;  // keys of this action with a value only AWS knows:
                                               // "s3:ExistingObjectTag/*", "aws:ResourceTag/*"
  AccessLevel level = AccessLevel::Unknown;
  bool keys_told = true;  // false: context and unknown_keys are empty, as nobody wanted them
};

// Where a request would have an effect, besides its scope's region and its ARNs.
struct Places {
  std::vector<std::string> regions;   // of the host, and those that the input names
  std::vector<std::string> accounts;  // those that the input names
  bool global = false;                // the service's endpoint is one for all regions (IAM)
};

// Views live as long as the Catalogue.
struct Identified {
  std::string_view service;  // botocore's name: "s3", "cloudwatch"
  std::string_view signing_name;
  std::string_view operation;  // "ListObjectsV2"
  std::string region;          // of the scope; empty with SigV4a
  Protocol protocol = Protocol::RestXml;
  // In endpoint mode, where the request belongs: the host that the service's endpoint rules give
  // for region and partition, with the operation's own prefix
  // ("sync-states.us-east-1.amazonaws.com"). S3 stays in path style, but for directory buckets,
  // whose names stand in the host only: the target loses its first `endpoint_cut` bytes then. Empty
  // in CONNECT mode, and where the rules need more than the request tells: refuse, HTTPS_PROXY
  // works for those.
  std::string endpoint_host;
  std::size_t endpoint_cut = 0;
  // Every operation the bytes may mean, the chosen one first. With more than one, `actions` holds
  // what all of them need together.
  struct Name {
    std::string_view service;
    std::string_view operation;
  };
  boost::container::small_vector<Name, 2> candidates;
  std::vector<ActionRequest> actions;
  bool returns_credentials = false;   // the answer carries AWS keys: refuse or rewrite it
  bool event_stream_request = false;  // each message is signed: refused for now
  bool unsigned_operation = false;    // the model signs it with nothing (cognito, sts SAML ...)
  Places places;                      // empty unless RequestFacts::places asks
};

struct Resolved;

struct RequestFacts {
  const http::RequestHead* head = nullptr;
  std::string_view host;          // of CONNECT, without port; empty in endpoint mode
  std::string_view scope_region;  // of the verified signature; empty with SigV4a
  std::string_view scope_service;
  std::string_view account;    // of the session in force, for ARNs; empty when not known
  std::string_view partition;  // "aws", "aws-cn", "aws-us-gov"
  bool places = false;         // whether Identified::places is wanted
  bool keys = true;            // whether the actions' context and unknown_keys are
};

// Whether identify() must see the body. With Whole, read at most max_bytes and pass all of it; with
// None pass an empty body: the object's data are not looked at. An aws-chunked body is passed
// decoded. A request that cannot be identified needs no body either: identify() will say why.
struct BodyNeed {
  enum class Kind : std::uint8_t { None, Whole } kind = Kind::None;
  std::size_t max_bytes = 0;
};
BodyNeed body_need(const Catalogue& catalogue, const RequestFacts& facts);

Result<Identified> identify(const Catalogue& catalogue, const RequestFacts& facts,
                            std::string_view body);

// The two as one, for who asks both about the same request: its head is then read once. The facts'
// head and host must not change in between; account and partition may.
class Identification {
 public:
  Identification(const Catalogue& catalogue, const RequestFacts& facts);
  ~Identification();
  Identification(const Identification&) = delete;
  Identification& operator=(const Identification&) = delete;

  BodyNeed body_need() const;
  Result<Identified> identify(const RequestFacts& facts, std::string_view body) const;
  // The same into an `into` that is as it was made; what it holds after an error is worth nothing.
  Result<void> identify(const RequestFacts& facts, std::string_view body, Identified& into) const;

 private:
  const Catalogue& catalogue_;
  std::unique_ptr<Resolved> head_;
  Result<void> resolved_;
};

// Whether some operation at this host takes a stream of events, which AWS's clients send over
// HTTP/2 only. `host` in lower case, without port.
bool takes_event_streams(const Catalogue& catalogue, std::string_view host);

// The protocol a refusal should be written in when the request could not be identified: a guess
// from the markers alone, never used to decide.
Protocol guess_protocol(const Catalogue& catalogue, const RequestFacts& facts);

}  // namespace remit::aws
