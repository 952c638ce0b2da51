// remit learn: the least session policy for what tools really asked of AWS. docs/learn.md.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "cli/configured.h"
#include "cli/verbs.h"
#include "json/writer.h"
#include "learn/difference.h"
#include "learn/learn.h"
#include "learn/observe.h"
#include "learn/print.h"
#include "ledger/reader.h"
#include "remit/session.h"
#include "remit/template.h"

namespace remit::cli {
namespace {

struct LearnFlags {
  std::string config = "remit.yaml";
  std::string ledger;
  std::string tool;
  std::string since;
  bool include_refused = false;
  std::size_t wildcard_from = 3;
  bool json = false;
};

// A tool with what was learnt of it, and the remit of the configuration that covers it now.
struct Learned {
  learn::ToolUse use;
  learn::Learnt learnt;
  const rules::Remit* remit = nullptr;
};

std::string iso8601(TimePoint time) {
  return fmt::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(time));
}

const rules::Remit* remit_of(const rules::Config& config, const learn::ToolUse& use) {
  if (use.tool.empty()) {
    const rules::Upstream* upstream = config.find_upstream(use.upstream);
    return upstream == nullptr ? nullptr : upstream->startup.get();
  }
  const auto found = std::ranges::find(config.remits, use.remit, &rules::Remit::name);
  return found == config.remits.end() ? nullptr : &*found;
}

// A session that is chosen by an argument has no one role: any will do to decide with.
std::string role_of(const rules::Remit& remit) {
  if (const auto* role = std::get_if<std::string>(&remit.role)) return *role;
  const auto& choice = std::get<rules::RoleByArgument>(remit.role);
  return choice.map.empty() ? std::string() : choice.map.front().second;
}

std::string name_of(const learn::ToolUse& use) {
  return use.tool.empty() ? "startup of " + use.upstream : use.upstream + "/" + use.tool;
}

Result<learn::Filter> filter_of(const LearnFlags& flags) {
  learn::Filter filter;
  if (!flags.tool.empty()) {
    const std::size_t slash = flags.tool.find('/');
    if (slash == std::string::npos) {
      return fail(ErrorCode::InvalidInput, "--tool: write upstream/tool");
    }
    filter.upstream = flags.tool.substr(0, slash);
    filter.tool = flags.tool.substr(slash + 1);
  }
  if (!flags.since.empty()) {
    REMIT_TRY(filter.since, aws::parse_iso8601(flags.since));
  }
  return filter;
}

Result<std::vector<Learned>> learn_all(const LearnFlags& flags, const rules::Config& config) {
  REMIT_TRY(learn::Filter filter, filter_of(flags));
  for (const rules::Remit& remit : config.remits) {
    const auto& names = remit.session->arguments();
    filter.arguments[remit.name] = {names.begin(), names.end()};
  }
  const std::string path = flags.ledger.empty() ? config.ledger_path : flags.ledger;
  REMIT_TRY(ledger::Reader reader, ledger::Reader::open(path));
  REMIT_TRY(std::vector<learn::ToolUse> uses, learn::observe(reader, std::move(filter)));
  learn::Options options;
  options.include_refused = flags.include_refused;
  options.wildcards.from = flags.wildcard_from;
  std::vector<Learned> all;
  for (learn::ToolUse& use : uses) {
    Learned one;
    one.remit = remit_of(config, use);
    if (use.role.empty() && one.remit != nullptr) use.role = role_of(*one.remit);
    if (use.role.empty()) continue;  // it never had a session
    REMIT_TRY(one.learnt, learn::learn(use, options));
    one.use = std::move(use);
    all.push_back(std::move(one));
  }
  return all;
}

// Tools that one remit covers, beside each other: its session is split among them.
std::vector<const Learned*> of_remit(const std::vector<Learned>& all, const rules::Remit* remit) {
  std::vector<const Learned*> of;
  for (const Learned& one : all) {
    if (remit != nullptr && one.remit == remit) of.push_back(&one);
  }
  return of;
}

std::vector<learn::Change> changes_of(const std::vector<const Learned*>& of) {
  if (of.empty()) return {};
  std::vector<const learn::ToolUse*> uses;
  std::vector<const learn::Learnt*> learnt;
  for (const Learned* one : of) {
    uses.push_back(&one->use);
    learnt.push_back(&one->learnt);
  }
  return learn::difference(*of.front()->remit, uses, learnt);
}

// YAML throughout: what is no policy is a comment, so that the whole can be piped into a file.
void print_text(const std::vector<Learned>& all, const LearnFlags& flags) {
  std::vector<const rules::Remit*> told;
  for (const Learned& one : all) {
    fmt::print("# {}: {} requests in {} calls, {} to {}\n", name_of(one.use), one.use.requests,
               one.use.calls, iso8601(one.use.first), iso8601(one.use.last));
    for (const std::string& note : one.learnt.notes) fmt::print("# note: {}\n", note);
    const auto of = of_remit(all, one.remit);
    if (one.remit == nullptr) {
      fmt::print("# no remit of {} covers it any more\n", flags.config);
    } else if (std::ranges::find(told, one.remit) == told.end()) {
      told.push_back(one.remit);
      fmt::print(
          "# remit {} ({}:{}){}\n", one.remit->name, flags.config, one.remit->position.line,
          of.size() > 1 ? ", which covers several tools: a remit for each would be less" : "");
      for (const learn::Change& change : changes_of(of)) {
        fmt::print("#   {} {}\n", learn::sign_of(change.kind), change.text);
      }
    }
    if (one.learnt.statements.empty()) {
      fmt::print("# nothing was allowed, so there is nothing to learn\n\n");
      continue;
    }
    fmt::print("# {} of {} characters, about {} % packed\n", one.learnt.policy.json.size(),
               rules::kMaxPolicyCharacters, one.learnt.packed_percent);
    fmt::print("{}\n", learn::to_yaml(one.learnt.statements, 0));
  }
}

void write_observed(json::Writer& writer, const std::vector<learn::Observed>& list,
                    const learn::Arguments& arguments) {
  writer.begin_array();
  for (const learn::Observed& one : list) {
    writer.begin_object().key("action").string(one.asked.action);
    writer.key("resources").begin_array();
    for (const std::string& resource : one.asked.resources)
      writer.string(arguments.restore(resource));
    writer.end_array();
    writer.key("times").integer(static_cast<std::int64_t>(one.times));
    writer.key("refused").boolean(one.refused);
    if (!one.reason.empty()) writer.key("reason").string(one.reason);
    writer.end_object();
  }
  writer.end_array();
}

void print_json(const std::vector<Learned>& all) {
  json::Writer writer;
  writer.begin_object().key("version").integer(1).key("tools").begin_array();
  for (const Learned& one : all) {
    writer.begin_object();
    writer.key("upstream").string(one.use.upstream);
    writer.key("tool").string(one.use.tool);
    writer.key("remit").string(one.remit == nullptr ? std::string_view() : one.remit->name);
    writer.key("role").string(one.use.role);
    writer.key("calls").integer(static_cast<std::int64_t>(one.use.calls));
    writer.key("requests").integer(static_cast<std::int64_t>(one.use.requests));
    writer.key("first").string(iso8601(one.use.first));
    writer.key("last").string(iso8601(one.use.last));
    learn::write_json(writer.key("session"), one.learnt.statements);
    writer.key("policy").string(one.learnt.policy.json);
    writer.key("packed_percent_estimate").integer(one.learnt.packed_percent);
    writer.key("notes").begin_array();
    for (const std::string& note : one.learnt.notes) writer.string(note);
    writer.end_array();
    writer.key("changes").begin_array();
    for (const learn::Change& change : changes_of(of_remit(all, one.remit))) {
      writer.begin_object();
      writer.key("kind").string(learn::name_of(change.kind));
      writer.key("text").string(change.text);
      writer.end_object();
    }
    writer.end_array();
    write_observed(writer.key("observed"), one.use.observed, one.use.arguments);
    write_observed(writer.key("left_out"), one.learnt.left_out, one.use.arguments);
    writer.end_object();
  }
  writer.end_array().end_object();
  fmt::print("{}\n", std::move(writer).take());
}

Exit run(const LearnFlags& flags) {
  const auto loaded = load_configuration(flags.config);
  if (!loaded || !loaded->config) {
    if (!loaded) {
      std::fprintf(stderr, "remit learn: %s\n", loaded.error().message.c_str());
    } else {
      for (const rules::Problem& problem : loaded->problems) {
        std::fprintf(stderr, "%s\n", rules::to_string(problem, flags.config).c_str());
      }
    }
    return Exit::Misuse;
  }
  const auto all = learn_all(flags, *loaded->config);
  if (!all) {
    std::fprintf(stderr, "remit learn: %s\n", all.error().message.c_str());
    return Exit::Misuse;
  }
  if (flags.json) {
    print_json(*all);
  } else {
    print_text(*all, flags);
  }
  if (!all->empty()) return Exit::Done;
  std::fprintf(stderr, "remit learn: no AWS request of a tool is in the ledger%s\n",
               flags.tool.empty() && flags.since.empty() ? "" : " that fits --tool and --since");
  return Exit::Findings;
}

}  // namespace

void add_learn(CLI::App& app, Exit& exit) {
  auto* verb = app.add_subcommand(
      "learn", "propose the least session policy for each tool, from what the ledger saw it do");
  auto flags = std::make_shared<LearnFlags>();
  verb->add_option("--config", flags->config, "the configuration")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--ledger", flags->ledger, "the ledger (default: the configuration's)")
      ->type_name("FILE");
  verb->add_option("--tool", flags->tool, "only this one")->type_name("UPSTREAM/TOOL");
  verb->add_option("--since", flags->since, "only records from this time on (ISO 8601)")
      ->type_name("TIME");
  verb->add_flag("--include-refused", flags->include_refused,
                 "learn from refused requests too: what the tool wanted, not what it may");
  verb->add_option("--wildcard-from", flags->wildcard_from,
                   "so many neighbours become one pattern; 0: none do")
      ->type_name("COUNT")
      ->capture_default_str();
  verb->add_flag("--json", flags->json, "print JSON");
  verb->callback([flags, &exit] { exit = run(*flags); });
}

}  // namespace remit::cli
