#pragma once

// The sections of remit.yaml, each read into its part of the Config. Internal to the room.

#include <string>
#include <string_view>
#include <vector>

#include "remit/config.h"
#include "remit/reader.h"

namespace remit::rules {

void read_agent(Reader& reader, const Item& item, AgentConfig& agent);
void read_aws(Reader& reader, const Item& item, const LoadOptions& options, AwsConfig& aws);
void read_egress(Reader& reader, const Item& item, Config& config);
void read_ledger(Reader& reader, const Item& item, const LoadOptions& options, Config& config);

void read_upstreams(Reader& reader, const Item& item, const LoadOptions& options, Config& config);
void read_remits(Reader& reader, const Item& item, Config& config);

// The `startup` remit of an upstream.
std::shared_ptr<const Remit> read_startup(Reader& reader, const Item& item, const Config& config,
                                          std::string_view upstream);

// Letters, digits, `_` and `-`: what goes into session names, file names and paths.
bool is_plain_name(std::string_view text, std::size_t longest);
// 2 to 64 characters of [\w+=,.@-], as STS wants a source identity and a session name.
bool is_sts_name(std::string_view text);
// A DNS host name or an IP address, lower case, no port.
bool is_host(std::string_view text);
bool is_loopback(std::string_view host);

struct UrlParts {
  bool tls = false;
  std::string host;
};
// http(s)://host[:port] with an optional path; InvalidInput with what would be right.
Result<UrlParts> parse_url(std::string_view url, bool path_allowed);

}  // namespace remit::rules
