#pragma once

// Where an identified request goes: a custom endpoint of the configuration, the host of CONNECT, or
// AWS's own host for the service and region.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/identify.h"
#include "base/result.h"
#include "net/client.h"

namespace remit::gateway {

struct Destination {
  net::Origin origin;
  std::string authority;     // of the Host field
  std::string path_prefix;   // to be put before the target: a bucket that was in the host
  std::size_t path_cut = 0;  // bytes of the target to be left out: a bucket that the host has now
};

class Endpoints {
 public:
  // InvalidInput when an endpoint is not http(s)://host[:port].
  static Result<Endpoints> make(const std::vector<std::pair<std::string, std::string>>& custom);

  // `connect` is the host and port of CONNECT (or of a proxied http:// request), null in endpoint
  // mode. InvalidInput when no host can be told, with what would help.
  Result<Destination> resolve(const aws::Identified& identified, const net::Origin* connect) const;

  // Of an unsigned read: only an endpoint for that very host stands in for it.
  Destination resolve_public(const net::Origin& connect) const;

 private:
  const net::Url* find(std::string_view key) const;
  std::vector<std::pair<std::string, net::Url>> custom_;
};

}  // namespace remit::gateway
