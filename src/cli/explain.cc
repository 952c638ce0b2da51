// `remit explain`: would this call be allowed, as whom, decided by what, under which assumptions.
// docs/explain.md documents both forms of the answer; --batch is explain_batch.cc.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/arn.h"
#include "base/encoding.h"
#include "cli/configured.h"
#include "cli/explain_batch.h"
#include "cli/verbs.h"
#include "iam/decide.h"
#include "iam/explain.h"
#include "json/json.h"
#include "json/writer.h"
#include "remit/authorise.h"
#include "remit/facts.h"
#include "remit/session.h"

namespace remit::cli {
namespace {

struct ExplainFlags {
  std::string config = "remit.yaml";
  std::string batch;
  std::string tool;
  std::string arguments;
  std::string action;
  std::string resource;
  std::string resource_account;
  std::vector<std::string> context;
  bool json = false;
};

// All that is told, for both forms.
struct Answer {
  std::string tool;
  std::string decision;  // "allowed", "denied", "undetermined"
  std::string reason;    // of a call that is refused before it has a session
  const rules::Remit* remit = nullptr;
  std::optional<rules::SessionPlan> plan;
  std::optional<iam::Explanation> explanation;
  std::string action;
  std::string resource;
  std::string explanation_json;
  bool needs_approval = false;
  bool pinned_elsewhere = false;
};

Error misuse(std::string message) { return Error{ErrorCode::InvalidInput, std::move(message)}; }

// "key=value"; a key that is given several times has several values.
struct GivenContext {
  std::vector<std::pair<std::string, std::vector<std::string_view>>> keys;
};

Result<GivenContext> parse_context(const std::vector<std::string>& given) {
  GivenContext context;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return std::unexpected(misuse(fmt::format("--context {}: write key=value", text)));
    const std::string key = text.substr(0, equals);
    auto found = std::ranges::find_if(context.keys, [&](const auto& k) { return k.first == key; });
    if (found == context.keys.end()) found = context.keys.insert(found, {key, {}});
    found->second.push_back(std::string_view(text).substr(equals + 1));
  }
  return context;
}

// What the pins of the remit say to the region and the account that are given or stand in the ARN.
std::string leaves_pins(const ExplainFlags& flags, const GivenContext& given,
                        const rules::Remit& remit) {
  if (!remit.pins) return {};
  std::vector<std::string> regions;
  std::vector<std::string> accounts;
  if (const auto arn = aws::Arn::parse(flags.resource)) {
    if (!arn->region.empty()) regions.push_back(arn->region);
    if (!arn->account.empty() && arn->account != "aws") accounts.push_back(arn->account);
  }
  if (!flags.resource_account.empty()) accounts.push_back(flags.resource_account);
  for (const auto& [key, values] : given.keys) {
    if (!equals_ignoring_ascii_case(key, "aws:RequestedRegion")) continue;
    regions.insert(regions.end(), values.begin(), values.end());
  }
  for (const std::string& region : regions)
    if (!remit.pins->admits_region(region))
      return fmt::format("remit {} is pinned to the regions {}, and this is for {}", remit.name,
                         fmt::join(remit.pins->regions, ", "), region);
  for (const std::string& account : accounts)
    if (!remit.pins->admits_account(account))
      return fmt::format("remit {} is pinned to the accounts {}, and this is for {}", remit.name,
                         fmt::join(remit.pins->accounts, ", "), account);
  return {};
}

void ask(const ExplainFlags& flags, const GivenContext& given, Answer& answer) {
  const rules::SessionFacts facts(*answer.plan);
  iam::Context context;
  facts.fill(context);
  for (const auto& [key, values] : given.keys) context.set(key, values);
  iam::Request request{.principal = &facts.principal(),
                       .action = flags.action,
                       .resource = std::nullopt,
                       .resource_account = std::nullopt,
                       .context = &context,
                       .facts = {}};
  if (!flags.resource.empty()) request.resource = flags.resource;
  if (!flags.resource_account.empty()) request.resource_account = flags.resource_account;
  const iam::Policy* const session[] = {answer.plan->compiled.get()};
  const iam::Stack stack = iam::Stack::session_only(session);
  answer.explanation = iam::explain(stack, request);
  answer.explanation_json = iam::to_json(*answer.explanation, request);
  const iam::Outcome outcome = answer.explanation->decision.outcome;
  answer.decision = outcome == iam::Outcome::Allowed        ? "allowed"
                    : outcome == iam::Outcome::Undetermined ? "undetermined"
                                                            : "denied";
  if (outcome != iam::Outcome::Allowed) return;
  if (std::string reason = leaves_pins(flags, given, *answer.remit); !reason.empty()) {
    answer.pinned_elsewhere = true;
    answer.decision = "denied";
    answer.reason = std::move(reason);
    return;
  }
  if (!answer.remit->approve || outcome != iam::Outcome::Allowed) return;
  const iam::Policy* const approve[] = {answer.remit->approve.get()};
  const auto human = iam::decide(iam::Stack::session_only(approve), request).outcome;
  if (human != iam::Outcome::ExplicitDeny && human != iam::Outcome::Undetermined) return;
  answer.needs_approval = true;
  answer.decision = "denied";
  answer.reason = "the request needs a human's approval, and this gateway has no way to ask yet";
}

Result<Answer> explain_call(const ExplainFlags& flags, const rules::Config& config) {
  Answer answer;
  answer.tool = flags.tool;
  answer.decision = "denied";
  answer.action = flags.action;
  answer.resource = flags.resource;
  REMIT_TRY(const GivenContext given, parse_context(flags.context));
  REMIT_TRY(const rules::ToolPattern tool, rules::parse_tool_pattern(flags.tool));
  std::optional<json::Document> arguments;
  if (!flags.arguments.empty()) {
    auto parsed = json::parse(flags.arguments);
    if (!parsed) return std::unexpected(parsed.error().to_error("--arguments"));
    arguments = *std::move(parsed);
  }
  if (config.find_upstream(tool.upstream) == nullptr)
    return std::unexpected(misuse(fmt::format("no upstream is called '{}'", tool.upstream)));
  answer.remit = rules::find_remit(config, tool.upstream, tool.tool);
  if (answer.remit == nullptr) {
    answer.reason = rules::authorise(config, tool.upstream, tool.tool).error().message;
    return answer;
  }
  auto bound = rules::bind_arguments(*answer.remit,
                                     arguments ? std::optional(arguments->root()) : std::nullopt);
  if (!bound) {
    answer.reason = bound.error().message;
    return answer;
  }
  auto plan = rules::plan_session(config, *answer.remit, *std::move(bound));
  if (!plan) {
    answer.reason = plan.error().message;
    return answer;
  }
  answer.plan = *std::move(plan);
  answer.decision = "allowed";
  if (!flags.action.empty()) ask(flags, given, answer);
  return answer;
}

std::string tags_text(const rules::SessionPlan& plan) {
  std::vector<std::string> tags;
  for (const rules::Tag& tag : plan.tags) {
    const bool stays = std::ranges::find(plan.transitive, tag.key) != plan.transitive.end();
    tags.push_back(fmt::format("{}={}{}", tag.key, tag.value, stays ? " (transitive)" : ""));
  }
  return fmt::to_string(fmt::join(tags, ", "));
}

// Where the statements of the canonical policy stand in the configuration.
std::string place_of(const rules::SessionPlan& plan, std::size_t index, const std::string& file) {
  if (index >= plan.origins.size()) return "";
  std::vector<std::string> places;
  for (const rules::StatementOrigin& origin : plan.origins[index])
    places.push_back(fmt::format("{}{}{}:{}", origin.sid, origin.sid.empty() ? "" : " at ", file,
                                 origin.position.line));
  return fmt::to_string(fmt::join(places, " and "));
}

void print_session(const ExplainFlags& flags, const Answer& answer) {
  const rules::SessionPlan& plan = *answer.plan;
  fmt::print("remit            {} ({}:{})\n", plan.remit, flags.config,
             answer.remit->position.line);
  fmt::print("role             {}\n", plan.role);
  fmt::print("session name     {}\n", plan.session_name);
  fmt::print("source identity  {}\n", plan.source_identity.value_or("none"));
  fmt::print("session tags     {}\n", tags_text(plan));
  if (plan.external_id) fmt::print("external id      {}\n", *plan.external_id);
  fmt::print("duration         {} min\n", plan.duration.count() / 60);
  for (const rules::BoundArgument& argument : plan.bound)
    fmt::print("bound            {} = {}\n", argument.name, argument.value);
  for (const std::string& arn : plan.policy_arns) fmt::print("managed policy   {}\n", arn);
  if (plan.offloaded)
    fmt::print(
        "offloaded        too long for STS: the managed policies go there, Remit decides by the "
        "session policy\n");
  if (const auto& pins = answer.remit->pins) {
    if (!pins->regions.empty())
      fmt::print("pinned to        regions {}\n", fmt::join(pins->regions, ", "));
    if (!pins->accounts.empty())
      fmt::print("pinned to        accounts {}\n", fmt::join(pins->accounts, ", "));
  }
  fmt::print("session policy   {}\n", plan.policy);
  fmt::print("size             {} of {} characters, about {} % packed\n",
             rules::plan_characters(plan), rules::kMaxPolicyCharacters,
             plan.packed_percent_estimate);
}

void print_decision(const ExplainFlags& flags, const Answer& answer) {
  const iam::Explanation& explanation = *answer.explanation;
  fmt::print("\n{} on {}: {}\n", answer.action,
             answer.resource.empty() ? "a resource that is not named" : answer.resource,
             answer.decision);
  if (answer.needs_approval || answer.pinned_elsewhere) fmt::print("  {}\n", answer.reason);
  // The statements below tell an allow or a deny with their places in the file.
  const iam::Outcome outcome = explanation.decision.outcome;
  const bool by_statement =
      outcome == iam::Outcome::Allowed || outcome == iam::Outcome::ExplicitDeny;
  if (!by_statement)
    for (const std::string& reason : explanation.because())
      if (!reason.starts_with("assumed: ")) fmt::print("  {}\n", reason);
  for (const iam::LayerReport& layer : explanation.layers) {
    for (const iam::StatementReport& statement : layer.statements) {
      if (statement.matched == iam::Truth::No && !statement.failed.empty())
        fmt::print("  statement {} ({}) does not match: {}\n", statement.index + 1,
                   place_of(*answer.plan, statement.index, flags.config), statement.failed);
      else if (statement.matched != iam::Truth::No)
        fmt::print("  statement {} ({}) {} it\n", statement.index + 1,
                   place_of(*answer.plan, statement.index, flags.config),
                   statement.matched == iam::Truth::Maybe ? "may match"
                   : statement.deny                       ? "denies"
                                                          : "allows");
    }
  }
  for (const std::string& fact : explanation.would_decide) fmt::print("  would decide: {}\n", fact);
  if (explanation.suggestion && !answer.needs_approval && !answer.pinned_elsewhere)
    fmt::print("  to allow it: {}\n", explanation.suggestion->text);
}

constexpr std::string_view kAssumption =
    "the role's own policies, its boundary and the organisation's policies are not known here; AWS "
    "decides them, and they can only take away";

void print_text(const ExplainFlags& flags, const Answer& answer) {
  fmt::print("{}: {}\n", answer.tool, answer.decision);
  if (!answer.plan) {
    fmt::print("  {}\n", answer.reason);
    return;
  }
  print_session(flags, answer);
  if (answer.explanation) print_decision(flags, answer);
  fmt::print("\nassumed: {}\n", kAssumption);
}

void write_session(json::Writer& writer, const Answer& answer) {
  const rules::SessionPlan& plan = *answer.plan;
  const auto optional = [&](std::string_view key, const std::optional<std::string>& value) {
    writer.key(key);
    if (value)
      writer.string(*value);
    else
      writer.null();
  };
  writer.key("session").begin_object();
  writer.key("role").string(plan.role);
  writer.key("sessionName").string(plan.session_name);
  optional("sourceIdentity", plan.source_identity);
  optional("externalId", plan.external_id);
  writer.key("tags").begin_object();
  for (const rules::Tag& tag : plan.tags) writer.key(tag.key).string(tag.value);
  writer.end_object().key("transitive").begin_array();
  for (const std::string& key : plan.transitive) writer.string(key);
  writer.end_array().key("durationSeconds").integer(plan.duration.count());
  writer.key("bound").begin_object();
  for (const rules::BoundArgument& argument : plan.bound)
    writer.key(argument.name).string(argument.value);
  writer.end_object().key("policyArns").begin_array();
  for (const std::string& arn : plan.policy_arns) writer.string(arn);
  writer.end_array().key("policy").raw(plan.policy);
  writer.key("policyCharacters").integer(static_cast<std::int64_t>(rules::plan_characters(plan)));
  writer.key("packedPercentEstimate").integer(plan.packed_percent_estimate);
  writer.key("key").string(plan.key).end_object();
}

// By the statement's index in the session policy.
void write_places(json::Writer& writer, const rules::SessionPlan& plan) {
  writer.key("statements").begin_array();
  for (const auto& origins : plan.origins) {
    writer.begin_array();
    for (const rules::StatementOrigin& origin : origins) {
      writer.begin_object().key("sid").string(origin.sid);
      writer.key("line").integer(static_cast<std::int64_t>(origin.position.line)).end_object();
    }
    writer.end_array();
  }
  writer.end_array();
}

void print_json(const ExplainFlags& flags, const Answer& answer) {
  json::Writer writer;
  writer.begin_object();
  writer.key("version").integer(1);
  writer.key("tool").string(answer.tool);
  writer.key("decision").string(answer.decision);
  if (!answer.reason.empty()) writer.key("reason").string(answer.reason);
  if (answer.remit != nullptr) {
    writer.key("remit").begin_object().key("name").string(answer.remit->name);
    writer.key("file").string(flags.config);
    writer.key("line").integer(static_cast<std::int64_t>(answer.remit->position.line));
    writer.end_object();
  }
  if (answer.plan) {
    write_session(writer, answer);
    write_places(writer, *answer.plan);
    writer.key("assumed").begin_array().string(kAssumption).end_array();
  }
  if (answer.explanation) {
    writer.key("needsApproval").boolean(answer.needs_approval);
    writer.key("request").raw(answer.explanation_json);
  }
  writer.end_object();
  fmt::print("{}\n", std::move(writer).take());
}

Exit complain(const Error& error) {
  fmt::print(stderr, "remit explain: {}\n", error.message);
  return Exit::Misuse;
}

Exit run(const ExplainFlags& flags) {
  if (!flags.batch.empty()) return explain_batch(flags.batch, std::cout, std::cerr);
  if (flags.tool.empty()) return complain(misuse("name a --tool, such as api/call_aws"));
  if (flags.action.empty() && !(flags.resource.empty() && flags.context.empty()))
    return complain(misuse("--resource and --context belong to an --action"));
  const auto loaded = load_configuration(flags.config);
  if (!loaded) return complain(loaded.error());
  if (!loaded->config) {
    for (const rules::Problem& problem : loaded->problems)
      if (problem.severity == rules::Problem::Severity::Error)
        fmt::print(stderr, "{}\n", to_string(problem, flags.config));
    return Exit::Misuse;
  }
  const auto answer = explain_call(flags, *loaded->config);
  if (!answer) return complain(answer.error());
  if (flags.json)
    print_json(flags, *answer);
  else
    print_text(flags, *answer);
  return answer->decision == "allowed" ? Exit::Done : Exit::Findings;
}

}  // namespace

void add_explain(CLI::App& app, Exit& exit) {
  auto flags = std::make_shared<ExplainFlags>();
  CLI::App* verb = app.add_subcommand(
      "explain", "tell whether a call would be allowed, as whom, decided by which statement");
  verb->add_option("--config", flags->config, "the configuration")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--tool", flags->tool, "the tool that is called")->type_name("UPSTREAM/TOOL");
  verb->add_option("--arguments", flags->arguments, "the call's arguments, a JSON object")
      ->type_name("JSON");
  verb->add_option("--action", flags->action, "an IAM action that the call would need")
      ->type_name("ACTION");
  verb->add_option("--resource", flags->resource, "what the action would be asked on")
      ->type_name("ARN");
  verb->add_option("--resource-account", flags->resource_account, "who owns the resource")
      ->type_name("ACCOUNT");
  verb->add_option("--context", flags->context, "a condition key; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--batch", flags->batch,
                   "judge the cases of a JSON Lines file, - for standard input (docs/iam.md)")
      ->type_name("FILE");
  verb->add_flag("--json", flags->json, "one JSON object (docs/explain.md)");
  verb->callback([flags, &exit] { exit = run(*flags); });
}

}  // namespace remit::cli
