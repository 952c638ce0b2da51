#pragma once

// Which services a host name may belong to, and what an S3 host says of bucket and access point.
// https://docs.aws.amazon.com/general/latest/gr/rande.html and the endpoint rules of the models.

#include <optional>
#include <string>
#include <string_view>

#include "aws/catalogue.h"
#include "aws/catalogue_tables.h"

namespace remit::aws {

// The host in lower case without the DNS suffix of its partition; with none of them the whole host
// and a '!' in front, as the catalogue writes hosts outside the partitions' suffixes.
std::string strip_suffix(const Catalogue::Tables& tables, std::string_view host);

// The partition whose hosts end in `suffix`; "aws" also for aws-us-gov, which shares its names.
std::string_view partition_of_suffix(std::string_view suffix);

// The name that AWS's models know for an older one, and for an interface endpoint's, as below.
// SQS: "queue" → "sqs.us-east-1", "eu-west-1.queue" → "sqs.eu-west-1".
// https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
std::string usual_host(std::string host);

// The public name behind that of an interface endpoint of a VPC, both as strip_suffix gives them:
// "vpce-1a2b-3c4d.sqs.us-east-1.vpce" → "sqs.us-east-1", "b.bucket.vpce-1a2b.s3.us-east-1.vpce" →
// "b.s3.us-east-1". Any other name stays as it is.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html
std::string behind_vpc_endpoint(std::string host);

struct HostMatch {
  std::string_view
      prefix;  // in front of the service's own host, "data." or "sync-" of an operation
  std::string_view region;  // as the host names it; empty for a global host
};
// Whether `host` (as strip_suffix gives it) is one of the service's. The match with the shortest
// prefix counts.
std::optional<HostMatch> match_host(const Catalogue::Tables& tables, const ServiceRow& service,
                                    std::string_view host);

// Whether `prefix` ("data.", "123456789012.") is what the operation's host prefix ("data.",
// "{AccountId}.") asks for.
bool prefix_agrees(std::string_view pattern, std::string_view prefix);

// What an S3 host says (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
struct S3Host {
  enum class Kind {
    Plain,         // path style
    Bucket,        // bucket.s3.region
    AccessPoint,   // name-account.s3-accesspoint.region
    MultiRegion,   // alias.accesspoint.s3-global
    ObjectLambda,  // name-account.s3-object-lambda.region
    Outpost,       // name-account.op-id.s3-outposts.region, or an alias in place of name-account
    Express,       // bucket--zone--x-s3.s3express-zone.region
    Control,       // account.s3-control.region: the service s3control
  } kind = Kind::Plain;
  std::string name;     // bucket, access point or alias
  std::string account;  // of an access point, or of s3control; empty with an alias
  std::string outpost;
  std::string region;  // empty for a global host
};
// `host` without suffix; nullopt when it is not an S3 host.
std::optional<S3Host> parse_s3_host(std::string_view host);

}  // namespace remit::aws
