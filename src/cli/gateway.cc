#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cli/verbs.h"
#include "gateway/gateway.h"
#include "gateway/supervisor.h"
#include "json/writer.h"
#include "remit/config.h"

namespace remit::cli {
namespace {

struct GatewayFlags {
  std::string config = "remit.yaml";
  std::string catalogue;
  std::string log_level = "info";
  bool json = false;
  std::vector<std::string> command;  // of supervise-lane
};

Log::Level level_of(const std::string& name) {
  if (name == "debug") return Log::Level::Debug;
  if (name == "warning") return Log::Level::Warning;
  if (name == "error") return Log::Level::Error;
  return Log::Level::Info;
}

Exit complain(const std::string& message, bool json) {
  if (!json) {
    std::fprintf(stderr, "remit gateway: %s\n", message.c_str());
    return Exit::Misuse;
  }
  json::Writer w;
  w.begin_object().key("error").string(message).end_object();
  std::fprintf(stderr, "%s\n", std::move(w).take().c_str());
  return Exit::Misuse;
}

Exit run(const GatewayFlags& flags) {
  const auto text = rules::read_config_file(flags.config);
  if (!text) return complain(text.error().message, flags.json);
  const char* const home = std::getenv("HOME");
  const rules::LoadOptions load{.home = home != nullptr ? home : ""};
  const auto loaded = rules::load_config(*text, load);
  for (const auto& problem : loaded.problems) {
    complain(rules::to_string(problem, flags.config), flags.json);
  }
  if (!loaded.config) return Exit::Misuse;

  gateway::GatewayOptions options;
  options.version = REMIT_VERSION;
  options.config_file = flags.config;
  options.catalogue_file = flags.catalogue;
  StderrLog log(level_of(flags.log_level));
  const auto ended = gateway::run_gateway(loaded.config, options, log);
  return ended ? Exit::Done : complain(ended.error().message, flags.json);
}

Exit supervise(std::vector<std::string> command) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (auto& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int code = gateway::supervise(static_cast<int>(command.size()), argv.data());
  return code == 0 ? Exit::Done : Exit::Misuse;
}

}  // namespace

void add_gateway(CLI::App& app, Exit& exit) {
  auto flags = std::make_shared<GatewayFlags>();
  auto* verb = app.add_subcommand(
      "gateway", "serve MCP over standard input and output, and AWS egress to its upstreams");
  verb->add_option("-c,--config", flags->config, "the configuration")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--catalogue", flags->catalogue, "a catalogue file instead of the built-in one")
      ->type_name("FILE")
      ->envname("REMIT_CATALOGUE");
  verb->add_option("--log-level", flags->log_level, "the least grave lines that the log has")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  verb->add_flag("--json", flags->json, "errors of the start as JSON; the log always is");
  verb->callback([flags, &exit] { exit = run(*flags); });

  // Started by the gateway itself where the small program cannot be (gateway/supervisor_program.h).
  auto* lane = app.add_subcommand(gateway::kSupervisorVerb)->group("");
  lane->prefix_command();
  lane->callback([lane, &exit] { exit = supervise(lane->remaining()); });
}

}  // namespace remit::cli
