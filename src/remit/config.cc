#include "remit/config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file_handle.h"
#include "remit/contains.h"
#include "remit/keys.h"
#include "remit/reader.h"
#include "remit/sections.h"
#include "remit/yaml.h"

namespace remit::rules {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::string_view kDefaultLedger = "/.local/state/remit/ledger.db";

void read_sections(Reader& reader, const MapItem& top, const LoadOptions& options, Config& config) {
  if (const auto item = top.find("agent")) read_agent(reader, *item, config.agent);
  if (const auto item = top.find("aws")) read_aws(reader, *item, options, config.aws);
  if (const auto item = top.find("egress")) read_egress(reader, *item, config);
  if (const auto item = top.find("ledger")) read_ledger(reader, *item, options, config);
  if (const auto item = top.find("upstreams"))
    read_upstreams(reader, *item, options, config);
  else
    reader.error(top.position(), "upstreams", "is missing: name the MCP servers behind Remit");
  if (const auto item = top.find("remits"))
    read_remits(reader, *item, config);
  else
    reader.error(top.position(), "remits", "is missing: without a remit no tool may be called");
  const auto ledger = top.find("ledger");
  if (ledger && ledger->node->find("path") != nullptr) return;
  if (options.home.empty())
    reader.error(top.position(), "ledger.path",
                 "is missing, and there is no home directory for the default (HOME is not set)");
  config.ledger_path = options.home + std::string(kDefaultLedger);
}

void warn_of_unused(Reader& reader, const Config& config) {
  if (!config.aws.region_stated)
    reader.warn({}, "aws.region", "is not set: us-east-1 is used for STS and for the upstreams");
  for (const Upstream& upstream : config.upstreams) {
    const auto used = [&](const Remit& remit) {
      return contains(remit.tools, upstream.name, &ToolPattern::upstream);
    };
    if (std::ranges::none_of(config.remits, used))
      reader.warn(upstream.position, "upstreams." + upstream.name,
                  "no remit covers any of its tools: none can be called");
  }
}

}  // namespace

std::string to_string(const Problem& problem, std::string_view file) {
  return fmt::format("{}:{}:{}: {}: {}{}{}", file, problem.position.line, problem.position.column,
                     problem.severity == Problem::Severity::Error ? "error" : "warning",
                     problem.path, problem.path.empty() ? "" : ": ", problem.message);
}

std::string_view name_of(CredentialsFrom from) {
  switch (from) {
    case CredentialsFrom::Environment:
      return "environment";
    case CredentialsFrom::Container:
      return "container";
    case CredentialsFrom::Imds:
      return "imds";
    case CredentialsFrom::Process:
      return "process";
  }
  return "";
}

std::string_view name_of(Isolate isolate) {
  switch (isolate) {
    case Isolate::Agent:
      return "agent";
    case Isolate::Session:
      return "session";
    case Isolate::Call:
      return "call";
  }
  return "";
}

std::string_view name_of(Durability durability) {
  return durability == Durability::Disk ? "disk" : "process";
}

const Upstream* Config::find_upstream(std::string_view name) const {
  const auto found = std::ranges::find(upstreams, name, &Upstream::name);
  return found == upstreams.end() ? nullptr : &*found;
}

LoadedConfig load_config(std::string_view text, const LoadOptions& options) {
  Reader reader;
  const yaml::Tree tree = yaml::read(text);
  for (const yaml::Fault& fault : tree.faults) reader.error(fault.position, "", fault.message);
  auto config = std::make_shared<Config>();
  config->digest = sha256(text);
  if (!tree.cut_short) {
    const Item root{&tree.root, ""};
    if (const auto top = reader.map(root, keys::kTop)) {
      read_sections(reader, *top, options, *config);
      if (!reader.failed()) warn_of_unused(reader, *config);
    }
  }
  LoadedConfig loaded;
  if (!reader.failed()) loaded.config = std::move(config);
  loaded.problems = reader.take_problems();
  return loaded;
}

Result<std::string> read_config_file(const std::string& path) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0)
    return fail(ErrorCode::InvalidInput,
                fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return fail(ErrorCode::InvalidInput, fmt::format("{}: is no regular file", path));
  std::string text(kMaxFile + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(ErrorCode::InvalidInput,
                  fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxFile)
    return fail(ErrorCode::LimitExceeded, fmt::format("{}: longer than {} bytes", path, kMaxFile));
  text.resize(size);
  return text;
}

std::vector<Problem> not_served(const Config& config) {
  std::vector<Problem> problems;
  for (const Upstream& upstream : config.upstreams) {
    if (upstream.url.empty()) continue;
    problems.push_back({Problem::Severity::Error, upstream.position,
                        fmt::format("upstreams.{}.url", upstream.name),
                        fmt::format("{} is an HTTP upstream, and this version of Remit serves "
                                    "upstreams that it starts itself only; write `command`, or "
                                    "remove {}",
                                    upstream.url, upstream.name)});
  }
  return problems;
}

}  // namespace remit::rules
