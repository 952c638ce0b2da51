// remit identify --batch FILE: what each request of a JSON Lines file would ask of IAM.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "aws/arn.h"
#include "aws/catalogue.h"
#include "aws/identify.h"
#include "cli/request_line.h"
#include "cli/verbs.h"
#include "json/writer.h"

namespace remit::cli {
namespace {

struct IdentifyFlags {
  std::string batch, catalogue;
  std::string account, partition;
  bool no_host = false;
  bool json = false;
};

void write_action(json::Writer& writer, const aws::ActionRequest& request) {
  writer.begin_object();
  writer.key("action").string(request.action);
  writer.key("resources").begin_array();
  for (const std::string& resource : request.resources) writer.string(resource);
  writer.end_array();
  if (request.resource_unknown) writer.key("resource_unknown").boolean(true);
  if (request.resource_approximate) writer.key("resource_approximate").boolean(true);
  writer.key("context").begin_object();
  for (const aws::ContextEntry& entry : request.context) {
    writer.key(entry.key);
    if (!entry.multivalued && entry.values.size() == 1) {
      writer.string(entry.values[0]);
      continue;
    }
    writer.begin_array();
    for (const std::string& value : entry.values) writer.string(value);
    writer.end_array();
  }
  writer.end_object();
  writer.key("unknown").begin_array();
  for (const std::string_view key : request.unknown_keys) writer.string(key);
  writer.end_array();
  writer.end_object();
}

void write_found(json::Writer& writer, const aws::Identified& found) {
  writer.key("service").string(found.service);
  writer.key("operation").string(found.operation);
  writer.key("protocol").string(aws::name_of(found.protocol));
  if (!found.endpoint_host.empty()) writer.key("host").string(found.endpoint_host);
  if (!found.region.empty()) writer.key("region").string(found.region);
  writer.key("candidates").begin_array();
  for (const auto& [service, operation] : found.candidates) {
    writer.string(fmt::format("{}:{}", service, operation));
  }
  writer.end_array();
  writer.key("actions").begin_array();
  for (const aws::ActionRequest& request : found.actions) write_action(writer, request);
  writer.end_array();
  if (found.returns_credentials) writer.key("returns_credentials").boolean(true);
  if (found.event_stream_request) writer.key("event_stream_request").boolean(true);
  if (found.unsigned_operation) writer.key("unsigned").boolean(true);
}

Result<aws::Identified> identify_line(const aws::Catalogue& catalogue, const RequestLine& line,
                                      const IdentifyFlags& flags) {
  aws::RequestFacts facts;
  facts.head = &line.head;
  facts.host = line.host;
  facts.scope_region = line.region;
  facts.scope_service = line.service;
  facts.account = flags.account;
  facts.partition = flags.partition.empty() ? aws::partition_of_region(line.region)
                                            : std::string_view(flags.partition);
  const aws::BodyNeed need = aws::body_need(catalogue, facts);
  if (need.kind == aws::BodyNeed::Kind::None) return aws::identify(catalogue, facts, {});
  if (line.body.size() > need.max_bytes)
    return fail(ErrorCode::LimitExceeded, "the body is larger than this operation's may be");
  return aws::identify(catalogue, facts, line.body);
}

std::string answer(const std::string& id, const Result<aws::Identified>& found) {
  json::Writer writer;
  writer.begin_object();
  if (!id.empty()) writer.key("id").raw(id);
  if (found) {
    write_found(writer, *found);
  } else {
    writer.key("error").string(found.error().message);
  }
  writer.end_object();
  return std::move(writer).take();
}

Exit run(const IdentifyFlags& flags) {
  const auto catalogue = aws::Catalogue::open(flags.catalogue);
  if (!catalogue) {
    std::fprintf(stderr, "remit identify: %s\n", catalogue.error().message.c_str());
    return Exit::Misuse;
  }
  std::ifstream file;
  if (flags.batch != "-") {
    file.open(flags.batch, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "remit identify: %s cannot be opened\n", flags.batch.c_str());
      return Exit::Misuse;
    }
  }
  std::istream& in = flags.batch == "-" ? std::cin : file;
  RequestLines lines(flags.no_host);
  std::string text, id;
  bool good = true;
  while (std::getline(in, text)) {
    const auto line = lines.read(text, id);
    if (line && !*line) continue;
    good &= line.has_value();
    const auto found = line ? identify_line(*catalogue, **line, flags)
                            : Result<aws::Identified>(std::unexpected(line.error()));
    const std::string out = answer(id, found) + '\n';
    std::fwrite(out.data(), 1, out.size(), stdout);
  }
  for (const std::string& name : lines.passed_over()) {
    std::fprintf(stderr, "remit identify: the field `%s` means nothing here and was passed over\n",
                 name.c_str());
  }
  return good ? Exit::Done : Exit::Misuse;
}

}  // namespace

void add_identify(CLI::App& app, Exit& exit) {
  auto flags = std::make_shared<IdentifyFlags>();
  CLI::App* verb = app.add_subcommand(
      "identify", "tell what a request is: operation, IAM actions, resources, condition keys");
  verb->add_option("--batch", flags->batch,
                   "JSON Lines file of requests (docs/identify.md), - for standard input")
      ->type_name("FILE")
      ->required();
  verb->add_option("--account", flags->account, "the account of ARNs that a request leaves open")
      ->type_name("ACCOUNT");
  verb->add_option("--partition", flags->partition,
                   "the partition of ARNs, instead of that of each region")
      ->type_name("PARTITION");
  verb->add_flag("--no-host", flags->no_host, "as if every request came to the loopback endpoint");
  verb->add_flag("--json", flags->json, "the output is always JSON Lines");
  verb->add_option("--catalogue", flags->catalogue, "a catalogue file instead of the built-in one")
      ->type_name("FILE")
      ->envname("REMIT_CATALOGUE");
  verb->callback([flags, &exit] { exit = run(*flags); });
}

}  // namespace remit::cli
