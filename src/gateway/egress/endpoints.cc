#include "gateway/egress/endpoints.h"

#include <fmt/format.h>

#include <optional>

#include "aws/arn.h"
#include "aws/catalogue_tables.h"
#include "base/encoding.h"

namespace remit::gateway {
namespace {

// A host that a template of the catalogue stands for: "{r}" is the region; one with "{*}" (a
// bucket, an account) cannot be filled in here.
std::optional<std::string> fill(std::string_view pattern, std::string_view region) {
  if (pattern.contains("{*}")) return std::nullopt;
  std::string host(pattern);
  const std::size_t at = host.find("{r}");
  if (at == std::string::npos) return host;
  if (region.empty()) return std::nullopt;
  return host.replace(at, 3, region);
}

// "my-bucket" of my-bucket.s3.eu-west-1.amazonaws.com; empty for S3's own hosts.
std::string_view bucket_in_host(std::string_view host) {
  for (const std::string_view mark : {".s3.", ".s3-"}) {
    if (const std::size_t at = host.find(mark); at != host.npos) return host.substr(0, at);
  }
  return {};
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

std::string aws_host(const aws::Catalogue& catalogue, const aws::Identified& identified,
                     std::string_view partition) {
  const auto& tables = catalogue.tables();
  const auto index = tables.service_named(identified.service);
  if (!index) return {};
  const auto service = tables.services[*index];
  const std::string regional = fmt::format("{}.{{r}}", tables.text(service.endpoint_prefix));
  std::optional<std::string> chosen;
  for (std::uint32_t i = 0; i < service.host_count; ++i) {
    const std::string_view pattern = tables.text(tables.hosts[service.host_first + i]);
    auto host = fill(pattern, identified.region);
    if (!host) continue;
    if (pattern == regional) {
      chosen = std::move(host);
      break;
    }
    if (!chosen) chosen = std::move(host);
  }
  if (!chosen) return {};
  return fmt::format("{}.{}", *chosen, aws::dns_suffix(partition));
}

Result<Destination> Endpoints::resolve(const aws::Catalogue& catalogue,
                                       const aws::Identified& identified,
                                       std::string_view partition,
                                       const net::Origin* connect) const {
  const net::Url* custom = connect != nullptr ? find(connect->host) : nullptr;
  if (custom == nullptr) custom = find(identified.service);
  if (custom == nullptr) custom = find(identified.signing_name);
  if (custom == nullptr) custom = find("*");
  if (custom != nullptr) {
    Destination destination{custom->origin, custom->authority, {}};
    // A bucket that the client named in the host must be named in the path of another host.
    if (connect != nullptr && identified.service == "s3") {
      const std::string_view bucket = bucket_in_host(connect->host);
      if (!bucket.empty()) destination.path_prefix = fmt::format("/{}", bucket);
    }
    return destination;
  }
  if (connect != nullptr) return Destination{*connect, net::authority_of(*connect), {}};
  const std::string host = aws_host(catalogue, identified, partition);
  if (host.empty()) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("the host of {} in region \"{}\" is not known; use HTTPS_PROXY instead "
                            "of AWS_ENDPOINT_URL, or configure aws.endpoints",
                            identified.service, identified.region));
  }
  return Destination{net::Origin{true, host, 443}, host, {}};
}

Destination Endpoints::resolve_public(const net::Origin& connect) const {
  if (const net::Url* custom = find(connect.host)) {
    return Destination{custom->origin, custom->authority, {}};
  }
  return Destination{connect, net::authority_of(connect), {}};
}

}  // namespace remit::gateway
