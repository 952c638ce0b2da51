#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "base/encoding.h"
#include "cli/verbs.h"
#include "json/writer.h"
#include "ledger/ledger.h"
#include "ledger/reader.h"
#include "ledger/story.h"
#include "ledger/text.h"

namespace remit::cli {
namespace {

struct LedgerFlags {
  std::string path = ledger::default_path().string();
  bool json = false;
  std::string call;
  std::int64_t count = 20;
  std::int64_t from = 1;
  std::string against;
};

Exit misused(const Error& error) {
  std::fprintf(stderr, "remit ledger: %s\n", error.message.c_str());
  return Exit::Misuse;
}

// False when nobody reads any more: then there is no reason to go on.
bool print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fputc('\n', stdout) != EOF;
}

bool print_entry(const ledger::Entry& entry, bool json) {
  if (json) return print(to_json(entry));
  std::string line = "#" + std::to_string(entry.sequence);
  line += " " + ledger::iso8601(entry.time);
  if (!entry.call.empty()) line += " [" + ledger::printable(entry.call) + "]";
  return print(line + " " + sentence(entry));
}

Result<Exit> show(const LedgerFlags& flags) {
  REMIT_TRY(ledger::Reader reader, ledger::Reader::open(flags.path));
  REMIT_TRY(const std::vector<ledger::Entry> entries, reader.of_call(flags.call));
  if (entries.empty()) {
    return fail(ErrorCode::InvalidInput,
                "no record of call " + ledger::printable(flags.call) + " in " + flags.path);
  }
  if (!flags.json) {
    std::fputs(story(entries).c_str(), stdout);
    return Exit::Done;
  }
  json::Writer w;
  w.begin_object().key("call").string(flags.call).key("records").begin_array();
  for (const ledger::Entry& entry : entries) w.raw(to_json(entry));
  w.end_array().end_object();
  print(std::move(w).take());
  return Exit::Done;
}

Result<Exit> list(const LedgerFlags& flags) {
  REMIT_TRY(ledger::Reader reader, ledger::Reader::open(flags.path));
  REMIT_TRY(const std::int64_t last, reader.last_sequence());
  REMIT_CHECKED(reader.each(last - flags.count + 1, [&](const ledger::Entry& entry) {
    return print_entry(entry, flags.json);
  }));
  return Exit::Done;
}

// Goes on until it is interrupted or its output is closed.
Result<Exit> follow(const LedgerFlags& flags) {
  constexpr std::chrono::milliseconds kPause{200};
  REMIT_TRY(ledger::Reader reader, ledger::Reader::open(flags.path));
  REMIT_TRY(const std::int64_t last, reader.last_sequence());
  std::int64_t next = last - flags.count + 1;
  bool open = true;
  while (open) {
    REMIT_CHECKED(reader.each(next, [&](const ledger::Entry& entry) {
      next = entry.sequence + 1;
      open = print_entry(entry, flags.json);
      return open;
    }));
    open = open && std::fflush(stdout) == 0;
    if (open) std::this_thread::sleep_for(kPause);
  }
  return Exit::Done;
}

std::string verification_json(const ledger::Verification& result) {
  json::Writer w;
  w.begin_object();
  w.key("intact").boolean(!result.fault);
  w.key("records").integer(result.records);
  w.key("last").begin_object();
  w.key("seq").integer(result.last.sequence);
  w.key("hash").string(hex(result.last.hash));
  w.end_object();
  if (result.fault) {
    w.key("fault").begin_object();
    w.key("seq").integer(result.fault->sequence);
    w.key("damage").string(name_of(result.fault->damage));
    w.key("message").string(result.fault->message);
    w.end_object();
  }
  w.end_object();
  return std::move(w).take();
}

Result<Exit> verify(const LedgerFlags& flags) {
  std::optional<ledger::Anchor> anchor;
  if (!flags.against.empty()) {
    anchor = ledger::parse_anchor(flags.against);
    if (!anchor) {
      return fail(ErrorCode::InvalidInput,
                  "--against wants SEQ:HASH as verify prints it, not " + flags.against);
    }
  }
  REMIT_TRY(ledger::Reader reader, ledger::Reader::open(flags.path));
  REMIT_TRY(const ledger::Verification result, reader.verify(anchor));
  if (flags.json) {
    print(verification_json(result));
  } else if (result.fault) {
    print("broken at record " + std::to_string(result.fault->sequence) + ": " +
          result.fault->message);
    print(std::to_string(result.records) + " records before it are as they were written");
  } else {
    print("intact: " + std::to_string(result.records) + " records; keep this anchor elsewhere: " +
          std::to_string(result.last.sequence) + ":" + hex(result.last.hash));
  }
  return result.fault ? Exit::Findings : Exit::Done;
}

Result<Exit> export_lines(const LedgerFlags& flags) {
  REMIT_TRY(ledger::Reader reader, ledger::Reader::open(flags.path));
  REMIT_CHECKED(
      reader.each(flags.from, [](const ledger::Entry& entry) { return print(to_json(entry)); }));
  return Exit::Done;
}

using Job = Result<Exit> (*)(const LedgerFlags&);

CLI::App* add_job(CLI::App& verb, const std::shared_ptr<LedgerFlags>& flags, Exit& exit,
                  const char* name, const char* text, Job job) {
  CLI::App* sub = verb.add_subcommand(name, text);
  sub->add_option("--ledger", flags->path, "the ledger's file")
      ->type_name("FILE")
      ->capture_default_str();
  sub->add_flag("--json", flags->json, "print JSON");
  sub->callback([flags, &exit, job] {
    const auto done = job(*flags);
    exit = done ? *done : misused(done.error());
  });
  return sub;
}

}  // namespace

void add_ledger(CLI::App& app, Exit& exit) {
  const auto flags = std::make_shared<LedgerFlags>();
  CLI::App* verb = app.add_subcommand("ledger", "tell what was decided and done");
  verb->require_subcommand(1);
  add_job(*verb, flags, exit, "show", "the whole story of one call", show)
      ->add_option("CALL", flags->call, "the call's id, as the receipt in its result gives it")
      ->required();
  add_job(*verb, flags, exit, "list", "the latest records", list)
      ->add_option("-n,--count", flags->count, "how many")
      ->type_name("COUNT")
      ->capture_default_str();
  add_job(*verb, flags, exit, "follow", "the latest records and each new one", follow)
      ->add_option("-n,--count", flags->count, "how many to begin with")
      ->type_name("COUNT")
      ->capture_default_str();
  add_job(*verb, flags, exit, "verify", "is every record as it was written", verify)
      ->add_option("--against", flags->against, "what an earlier verify printed")
      ->type_name("SEQ:HASH");
  add_job(*verb, flags, exit, "export", "all records as JSON Lines", export_lines)
      ->add_option("--from", flags->from, "the first record")
      ->type_name("SEQ")
      ->capture_default_str();
}

}  // namespace remit::cli
