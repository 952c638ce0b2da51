// remit catalogue show s3:PutObject, remit catalogue service dynamodb: what Remit knows of AWS.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "aws/catalogue_view.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "json/writer.h"

namespace remit::cli {
namespace {

struct CatalogueFlags {
  std::string catalogue, action, service;
  bool json = false;
};

void print_action(const aws::ActionView& view) {
  std::printf("%s  (%s%s%s)\n", std::string(view.name).c_str(),
              std::string(aws::name_of(view.level)).c_str(),
              view.permission_only ? ", permission only" : "",
              view.known ? "" : ", by name only: the IAM data do not have it");
  for (const aws::ResourceTypeView& type : view.resource_types)
    std::printf("  resource   %s%s  %s\n", std::string(type.name).c_str(),
                type.required ? " (required)" : "", std::string(type.arn).c_str());
  if (view.resource_types.empty()) std::printf("  resource   * only\n");
  for (const std::string_view key : view.condition_keys)
    std::printf("  condition  %s\n", std::string(key).c_str());
  for (const std::string& operation : view.operations)
    std::printf("  needed by  %s\n", operation.c_str());
}

std::string action_json(const aws::ActionView& view) {
  json::Writer writer;
  writer.begin_object();
  writer.key("action").string(view.name);
  writer.key("level").string(aws::name_of(view.level));
  writer.key("known").boolean(view.known);
  writer.key("permission_only").boolean(view.permission_only);
  writer.key("resource_types").begin_array();
  for (const aws::ResourceTypeView& type : view.resource_types) {
    writer.begin_object();
    writer.key("name").string(type.name);
    writer.key("arn").string(type.arn);
    writer.key("required").boolean(type.required);
    writer.end_object();
  }
  writer.end_array();
  writer.key("condition_keys").begin_array();
  for (const std::string_view key : view.condition_keys) writer.string(key);
  writer.end_array();
  writer.key("operations").begin_array();
  for (const std::string& operation : view.operations) writer.string(operation);
  writer.end_array();
  writer.end_object();
  return std::move(writer).take();
}

void print_service(const aws::ServiceView& view) {
  std::printf("%s  (%s)\n  signs as   %s\n  IAM prefix %s\n  version    %s\n",
              std::string(view.name).c_str(), std::string(view.id).c_str(),
              std::string(view.signing_name).c_str(), std::string(view.iam_prefix).c_str(),
              std::string(view.api_version).c_str());
  for (const aws::Protocol protocol : view.protocols)
    std::printf("  protocol   %s\n", std::string(aws::name_of(protocol)).c_str());
  for (const std::string_view host : view.hosts)
    std::printf("  host       %s\n", std::string(host).c_str());
  for (const aws::EndpointView& endpoint : view.endpoints)
    std::printf("  endpoint   %-10s %s%s%s\n", std::string(endpoint.partition).c_str(),
                std::string(endpoint.host).c_str(), endpoint.region.empty() ? "" : "  signed for ",
                std::string(endpoint.region).c_str());
  for (const aws::OperationView& operation : view.operations) {
    std::printf("  %-40s", std::string(operation.name).c_str());
    if (!operation.request.empty()) std::printf(" %s", operation.request.c_str());
    std::printf(" ->");
    for (const std::string_view action : operation.actions)
      std::printf(" %s", std::string(action).c_str());
    std::printf("%s%s\n", operation.returns_credentials ? "  returns credentials" : "",
                operation.passes_role ? "  may pass a role" : "");
  }
}

std::string service_json(const aws::ServiceView& view) {
  json::Writer writer;
  writer.begin_object();
  writer.key("service").string(view.name);
  writer.key("id").string(view.id);
  writer.key("signing_name").string(view.signing_name);
  writer.key("iam_prefix").string(view.iam_prefix);
  writer.key("version").string(view.api_version);
  writer.key("protocols").begin_array();
  for (const aws::Protocol protocol : view.protocols) writer.string(aws::name_of(protocol));
  writer.end_array();
  writer.key("hosts").begin_array();
  for (const std::string_view host : view.hosts) writer.string(host);
  writer.end_array();
  writer.key("endpoints").begin_array();
  for (const aws::EndpointView& endpoint : view.endpoints) {
    writer.begin_object();
    writer.key("partition").string(endpoint.partition);
    writer.key("host").string(endpoint.host);
    if (!endpoint.region.empty()) writer.key("signed_for").string(endpoint.region);
    writer.end_object();
  }
  writer.end_array();
  writer.key("operations").begin_array();
  for (const aws::OperationView& operation : view.operations) {
    writer.begin_object();
    writer.key("name").string(operation.name);
    if (!operation.request.empty()) writer.key("request").string(operation.request);
    writer.key("actions").begin_array();
    for (const std::string_view action : operation.actions) writer.string(action);
    writer.end_array();
    writer.key("returns_credentials").boolean(operation.returns_credentials);
    writer.key("passes_role").boolean(operation.passes_role);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return std::move(writer).take();
}

Exit run(const CatalogueFlags& flags) {
  const auto catalogue = aws::Catalogue::open(flags.catalogue);
  if (!catalogue) {
    std::fprintf(stderr, "remit catalogue: %s\n", catalogue.error().message.c_str());
    return Exit::Misuse;
  }
  if (!flags.action.empty()) {
    const auto view = aws::view_action(*catalogue, flags.action);
    if (!view) {
      std::fprintf(stderr, "remit catalogue: no action %s\n", flags.action.c_str());
      return Exit::Misuse;
    }
    if (flags.json) {
      std::printf("%s\n", action_json(*view).c_str());
    } else {
      print_action(*view);
    }
    return Exit::Done;
  }
  const auto view = aws::view_service(*catalogue, flags.service);
  if (!view) {
    std::fprintf(stderr, "remit catalogue: no service %s\n", flags.service.c_str());
    return Exit::Misuse;
  }
  if (flags.json) {
    std::printf("%s\n", service_json(*view).c_str());
  } else {
    print_service(*view);
  }
  return Exit::Done;
}

}  // namespace

std::string catalogue_line() {
  const auto catalogue = aws::Catalogue::embedded();
  if (!catalogue) return "\ncatalogue: " + catalogue.error().message;
  return "\ncatalogue " + std::string(catalogue->date()) + " sha256 " + catalogue->sha256() + "\n" +
         std::string(catalogue->sources());
}

void add_catalogue(CLI::App& app, Exit& exit) {
  auto flags = std::make_shared<CatalogueFlags>();
  CLI::App* verb = app.add_subcommand("catalogue", "tell what Remit knows of AWS");
  verb->require_subcommand(1);
  const auto common = [flags, &exit](CLI::App* sub) {
    sub->add_flag("--json", flags->json, "print JSON");
    sub->add_option("--catalogue", flags->catalogue, "a catalogue file instead of the built-in one")
        ->type_name("FILE")
        ->envname("REMIT_CATALOGUE");
    sub->callback([flags, &exit] { exit = run(*flags); });
  };
  CLI::App* show = verb->add_subcommand("show", "one IAM action: resources, keys, operations");
  show->add_option("ACTION", flags->action, "as IAM writes it: s3:PutObject")
      ->type_name("")
      ->required();
  common(show);
  CLI::App* service = verb->add_subcommand("service", "one service: protocols, hosts, operations");
  service->add_option("SERVICE", flags->service, "as botocore names it: dynamodb")
      ->type_name("")
      ->required();
  common(service);
}

}  // namespace remit::cli
