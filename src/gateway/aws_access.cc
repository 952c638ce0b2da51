#include "gateway/aws_access.h"

#include <cstdlib>
#include <utility>

#include "remit/sources.h"

namespace remit::gateway {
namespace {

std::string home_directory() {
  const char* const value = std::getenv("HOME");
  return value != nullptr ? value : "";
}

aws::StsOptions sts_options(const rules::Config& config) {
  aws::StsOptions options;
  options.region = config.aws.region;
  options.endpoint = rules::sts_endpoint(config);
  return options;
}

}  // namespace

AwsAccess::AwsAccess(net::Loop& loop, const rules::Config& config, AccessParts parts,
                     std::unique_ptr<net::HttpClient> http)
    : http_(std::move(http)),
      processes_(aws::make_process_runner(loop)),
      base_(aws::Machine{.environment = aws::process_environment(),
                         .home = home_directory(),
                         .loop = &loop,
                         .http = http_.get(),
                         .processes = processes_.get(),
                         .clock = &parts.clock,
                         .random = &parts.random,
                         .log = &parts.log},
            rules::base_options(config)),
      sts_(*http_, parts.clock, parts.random, parts.log, sts_options(config)) {}

Result<std::unique_ptr<AwsAccess>> AwsAccess::open(net::Loop& loop, const rules::Config& config,
                                                   AccessParts parts) {
  net::ClientOptions client;
  client.ca_file = config.aws.ca_bundle;
  REMIT_TRY(auto http, net::make_http_client(loop, client));
  return std::unique_ptr<AwsAccess>(new AwsAccess(loop, config, parts, std::move(http)));
}

}  // namespace remit::gateway
