#pragma once

// The running gateway: builds its parts from a configuration, serves one agent over stdio, ends in
// order. One event loop thread; the ledger has a writer of its own.

#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "remit/config.h"

namespace remit::gateway {

struct GatewayOptions {
  std::string version;
  std::string config_file;     // for messages
  std::string catalogue_file;  // empty: the embedded data
};

// Returns when the agent is gone or SIGTERM, SIGINT or SIGHUP came, and every child has ended.
Result<> run_gateway(std::shared_ptr<const rules::Config> config, const GatewayOptions& options,
                     Log& log);

}  // namespace remit::gateway
