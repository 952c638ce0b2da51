#pragma once

// A small configuration to change, for the tests of this room.

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "remit/config.h"

namespace remit::rules {

// The sketch of the design, unchanged.
inline constexpr std::string_view kSketch = R"(aws:
  base: { profile: agents }              # the only real credentials; any source of the default chain
upstreams:
  api: { command: [uvx, "awslabs.aws-api-mcp-server==1.3.47"] }
  aws: { url: "https://aws-mcp.us-east-1.api.aws/mcp" }   # recognised as AWS-managed
remits:
  - name: read-invoices
    tools: [api/call_aws]
    role: arn:aws:iam::111122223333:role/agents/invoices
    session:
      - Effect: Allow                    # IAM's own language; ${arg:…} is a bound argument
        Action: [s3:GetObject, s3:ListBucket]
        Resource: ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]
    tags: { AccessType: AI, Team: billing }
    duration: 15m
    approve: { Action: "s3:Put*" }
    limits: { calls: 120/min, writes: 20/h }
)";

inline LoadedConfig load(std::string_view text) {
  return load_config(text, {.home = "/home/jane"});
}

inline std::string all_problems(const LoadedConfig& loaded) {
  std::string out;
  for (const Problem& problem : loaded.problems) out += to_string(problem, "f") + "\n";
  return out;
}

// One upstream `api` and one remit `r` on api/call_aws with `lines` (each indented by four) and the
// role and session of its own unless `lines` has them.
inline std::string config_with(std::string_view lines) {
  std::string text =
      "aws: { region: eu-west-1 }\nupstreams: { api: { command: [x] } }\nremits:\n"
      "  - name: r\n    tools: [api/call_aws]\n";
  if (lines.find("role:") == std::string_view::npos)
    text += "    role: arn:aws:iam::111122223333:role/r\n";
  if (lines.find("session:") == std::string_view::npos)
    text += "    session: [{Effect: Allow, Action: \"s3:GetObject\", Resource: \"*\"}]\n";
  return text + std::string(lines);
}

}  // namespace remit::rules
