#pragma once

// A lane with its process: private directory, environment, placeholder, MCP connection, and the
// call it serves. Started by a LanePool.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/child_environment.h"
#include "gateway/connection.h"
#include "gateway/lane.h"
#include "gateway/metadata_door.h"

namespace remit::gateway {

// Of the call in progress: our token, and the one the agent chose (JSON).
struct Progress {
  std::int64_t token = 0;
  std::string agents_token;
};

struct LaneProcess {
  std::string name;  // "api#3", for logs
  std::shared_ptr<Lane> lane;
  std::shared_ptr<Connection> connection;
  std::unique_ptr<UpstreamEvents> events;
  std::optional<PrivateDirectory> directory;
  std::unique_ptr<MetadataDoor> metadata;  // with `credentials: imds`
  mcp::Initialized facts;
  std::string owner;  // key whose calls it may serve; empty: it has served none
  bool busy = false;
  bool relisting = false;  // its tools are being asked for again
  std::optional<Progress> progress;
  std::chrono::steady_clock::time_point idle_since{};
};

}  // namespace remit::gateway
