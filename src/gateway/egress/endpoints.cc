#include "gateway/egress/endpoints.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace remit::gateway {
namespace {

// "my-bucket" of my-bucket.s3.eu-west-1.amazonaws.com, "alias.mrap" of a multi-region access point;
// empty for S3's own hosts.
std::string_view bucket_in_host(std::string_view host) {
  if (const auto at = host.find(".accesspoint.s3-global."); at != host.npos) {
    return host.substr(0, at);
  }
  // The last of them: a bucket's name may hold such marks too ("logs.s3-data").
  std::size_t end = 0;
  for (const std::string_view mark : {".s3.", ".s3-", ".s3express-"}) {
    if (const std::size_t at = host.rfind(mark); at != host.npos) end = std::max(end, at);
  }
  return host.substr(0, end);
}

}  // namespace

Result<Endpoints> Endpoints::make(const std::vector<std::pair<std::string, std::string>>& custom) {
  Endpoints endpoints;
  for (const auto& [key, text] : custom) {
    auto url = net::parse_url(text);
    if (!url) return wrap(fmt::format("endpoint \"{}\"", key), std::move(url).error());
    if (url->target != "/") {
      return fail(ErrorCode::InvalidInput,
                  fmt::format("endpoint \"{}\" has a path; only host and port are possible", key));
    }
    endpoints.custom_.emplace_back(key, *std::move(url));
  }
  return endpoints;
}

const net::Url* Endpoints::find(std::string_view key) const {
  for (const auto& [name, url] : custom_) {
    if (equals_ignoring_ascii_case(name, key)) return &url;
  }
  return nullptr;
}

Result<Destination> Endpoints::resolve(const aws::Identified& identified,
                                       const net::Origin* connect) const {
  const net::Url* custom =
      find(connect != nullptr ? std::string_view(connect->host) : identified.endpoint_host);
  if (custom == nullptr) custom = find(identified.service);
  if (custom == nullptr) custom = find(identified.signing_name);
  if (custom == nullptr) custom = find("*");
  if (custom != nullptr) {
    Destination destination{custom->origin, custom->authority, {}, 0};
    // A bucket that the client named in the host must be named in the path of another host.
    if (connect != nullptr && identified.service == "s3") {
      const std::string_view bucket = bucket_in_host(connect->host);
      if (!bucket.empty()) destination.path_prefix = fmt::format("/{}", bucket);
    }
    return destination;
  }
  if (connect != nullptr && !connect->tls) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("{} would be asked without TLS: use https, or name it in aws.endpoints",
                            connect->host));
  }
  if (connect != nullptr) return Destination{*connect, net::authority_of(*connect), {}, 0};
  const std::string& host = identified.endpoint_host;
  if (host.empty()) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("the host of {}:{} cannot be told from the request; use HTTPS_PROXY "
                            "instead of AWS_ENDPOINT_URL, or configure aws.endpoints",
                            identified.service, identified.operation));
  }
  return Destination{net::Origin{true, host, 443}, host, {}, identified.endpoint_cut};
}

Destination Endpoints::resolve_public(const net::Origin& connect) const {
  if (const net::Url* custom = find(connect.host)) {
    return Destination{custom->origin, custom->authority, {}, 0};
  }
  return Destination{connect, net::authority_of(connect), {}, 0};
}

}  // namespace remit::gateway
