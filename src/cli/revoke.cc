// remit revoke: ends sessions at once, in every gateway that runs on the ledger.

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "cli/configured.h"
#include "cli/verbs.h"
#include "gateway/revocation.h"
#include "json/json.h"
#include "json/writer.h"
#include "ledger/reader.h"

namespace remit::cli {
namespace {

constexpr std::chrono::milliseconds kLook{50};

struct RevokeFlags {
  std::string config = "remit.yaml";
  std::string ledger;
  std::string call, remit, role, session;
  bool all = false;
  bool json = false;
  int hold = 0;  // seconds
  int wait = 5;  // seconds
};

// What gateways answered, in their ledger.
struct Answered {
  int gateways = 0;
  std::int64_t sessions = 0;
  std::int64_t calls = 0;
};

Result<std::string> ledger_of(const RevokeFlags& flags) {
  if (!flags.ledger.empty()) return flags.ledger;
  REMIT_TRY(const rules::LoadedConfig loaded, load_configuration(flags.config));
  if (!loaded.config) {
    return fail(ErrorCode::InvalidInput, flags.config + ": has faults; name the ledger instead");
  }
  return loaded.config->ledger_path;
}

std::string user() {
  const passwd* about = getpwuid(getuid());
  return about != nullptr ? about->pw_name : std::to_string(getuid());
}

std::int64_t number(json::Value body, std::string_view key) {
  const auto value = body.find(key);
  return value ? value->as_int64().value_or(0) : 0;
}

// Several gateways may answer; after the first one there is a moment for the others.
Result<Answered> wait_for(const std::string& ledger, std::int64_t from, const std::string& id,
                          std::chrono::seconds patience) {
  Answered answered;
  auto until = std::chrono::steady_clock::now() + patience;
  std::int64_t next = from;
  while (std::chrono::steady_clock::now() < until) {
    REMIT_TRY(ledger::Reader reader, ledger::Reader::open(ledger));
    REMIT_CHECKED(reader.each(next, [&](const ledger::Entry& entry) {
      next = entry.sequence + 1;
      if (ledger::kind_of(entry.kind) != ledger::Kind::Revoked) return true;
      const auto body = json::parse(entry.body);
      if (!body) return true;
      const auto its = body->root().find("id");
      if (!its || its->as_string() != id) return true;
      if (++answered.gateways == 1) {
        until = std::min(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(600));
      }
      answered.sessions += number(body->root(), "sessions");
      answered.calls += number(body->root(), "calls");
      return true;
    }));
    std::this_thread::sleep_for(kLook);
  }
  return answered;
}

Result<Answered> revoke(const RevokeFlags& flags) {
  const bool names =
      !flags.call.empty() || !flags.remit.empty() || !flags.role.empty() || !flags.session.empty();
  if (names == flags.all) {
    return fail(ErrorCode::InvalidInput,
                "say what: --call, --remit, --role, --session, or --all and none of these");
  }
  if (!flags.call.empty() && flags.hold > 0) {
    return fail(ErrorCode::InvalidInput, "--hold is for what comes again: a call does not");
  }
  REMIT_TRY(const std::string path, ledger_of(flags));
  REMIT_TRY(ledger::Reader reader, ledger::Reader::open(path));
  REMIT_TRY(const std::int64_t last, reader.last_sequence());
  gateway::Revocation order;
  SystemRandom random;
  order.id = random.base32(16);
  order.call = flags.call;
  order.remit = flags.remit;
  order.role = flags.role;
  order.session_name = flags.session;
  order.hold = std::chrono::seconds(flags.hold);
  order.time = SystemClock().now();
  order.by = user();
  REMIT_CHECKED(gateway::order(gateway::revocation_file(path), order));
  return wait_for(path, last + 1, order.id, std::chrono::seconds(flags.wait));
}

}  // namespace

void add_revoke(CLI::App& app, Exit& exit) {
  auto* verb = app.add_subcommand("revoke", "end sessions at once, and the calls that act as them");
  auto flags = std::make_shared<RevokeFlags>();
  verb->add_option("--config", flags->config, "the configuration")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--ledger", flags->ledger, "the ledger (default: the configuration's)")
      ->type_name("FILE");
  verb->add_option("--call", flags->call, "the call with this id")->type_name("ID");
  verb->add_option("--remit", flags->remit, "all sessions of this remit")->type_name("NAME");
  verb->add_option("--role", flags->role, "all sessions of this role")->type_name("ARN");
  verb->add_option("--session", flags->session, "the session with this name")->type_name("NAME");
  verb->add_flag("--all", flags->all, "every session");
  verb->add_option("--hold", flags->hold, "seconds in which nothing that fits is minted again")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 86'400));
  verb->add_option("--wait", flags->wait, "seconds to wait for the gateways' word")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 60))
      ->capture_default_str();
  verb->add_flag("--json", flags->json, "print JSON");
  verb->callback([flags, &exit] {
    const auto answered = revoke(*flags);
    if (!answered) {
      std::fprintf(stderr, "remit revoke: %s\n", answered.error().message.c_str());
      exit = Exit::Misuse;
      return;
    }
    if (answered->gateways == 0) exit = Exit::Findings;
    if (flags->json) {
      json::Writer out;
      out.begin_object().key("version").integer(1);
      out.key("gateways").integer(answered->gateways);
      out.key("sessions").integer(answered->sessions);
      out.key("calls").integer(answered->calls);
      out.end_object();
      fmt::print("{}\n", std::move(out).take());
    } else if (answered->gateways == 0) {
      fmt::print("the order is given, but no gateway has said yet that it carried it out\n");
    } else {
      fmt::print("{} sessions dropped and {} calls ended, by {} gateways\n", answered->sessions,
                 answered->calls, answered->gateways);
    }
  });
}

}  // namespace remit::cli
