// remit credentials: what a client's `credential_process` prints, fetched from the gateway that
// started the client's process. The file (0600) is the lane's: two lines, URL and token.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "cli/verbs.h"
#include "json/json.h"
#include "json/writer.h"
#include "net/client.h"
#include "net/task.h"

namespace remit::cli {
namespace {

constexpr std::chrono::seconds kPatience{10};

struct Source {
  std::string url;
  std::string token;
};

Result<Source> read_source(const std::string& path) {
  std::ifstream in(path);
  Source source;
  if (!in || !std::getline(in, source.url) || !std::getline(in, source.token)) {
    return fail(ErrorCode::InvalidInput,
                path + ": is not readable, or not what the gateway writes for a lane");
  }
  REMIT_TRY(const net::Url url, net::parse_url(source.url));
  if (url.origin.host != "127.0.0.1" && url.origin.host != "::1") {
    return fail(ErrorCode::InvalidInput, path + ": names a host that is not this machine");
  }
  return source;
}

net::Task<> fetch(net::Loop& loop, net::HttpClient& client, const Source& source,
                  Result<std::string>& into) {
  http::Fields fields = {{"Authorization", source.token}};
  auto response = co_await client.request(source.url, "GET", std::move(fields), {}, kPatience);
  if (!response) {
    into = wrap("the gateway does not answer", std::move(response).error());
  } else if (response->head.status != 200) {
    into = fail(ErrorCode::Denied, "the gateway gives no credentials: " + response->body);
  } else {
    into = std::move(response->body);
  }
  loop.stop();  // the client would keep its connection a while
}

Result<std::string> printed(std::string body) {
  auto read = json::parse(std::move(body));
  if (!read) return fail(ErrorCode::Unavailable, "the gateway's answer is not JSON");
  const auto text = [&](std::string_view name) -> std::string_view {
    const auto value = read->root().find(name);
    return value ? value->as_string().value_or("") : "";
  };
  json::Writer out;
  out.begin_object();
  out.key("Version").integer(1);
  out.key("AccessKeyId").string(text("AccessKeyId"));
  out.key("SecretAccessKey").string(text("SecretAccessKey"));
  out.key("SessionToken").string(text("Token"));
  out.key("Expiration").string(text("Expiration"));
  out.end_object();
  if (text("AccessKeyId").empty() || text("SecretAccessKey").empty()) {
    return fail(ErrorCode::Unavailable, "the gateway's answer holds no credentials");
  }
  return std::move(out).take();
}

Result<std::string> credentials(const std::string& path) {
  REMIT_TRY(const Source source, read_source(path));
  net::Loop loop(net::kOneThread);
  REMIT_TRY(const auto client, net::make_http_client(loop, {}));
  Result<std::string> body = fail(ErrorCode::Unavailable, "the gateway was not asked");
  net::spawn(loop, fetch(loop, *client, source, body));
  loop.run_for(kPatience);
  if (!body) return std::unexpected(std::move(body).error());
  return printed(*std::move(body));
}

}  // namespace

void add_credentials(CLI::App& app, Exit& exit) {
  auto* verb = app.add_subcommand(
      "credentials", "print the lane's placeholder, as a credential_process of the AWS tools does");
  auto path = std::make_shared<std::string>();
  verb->add_option("--from", *path, "the file that the gateway wrote for the process")
      ->type_name("FILE")
      ->required();
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "what is printed is JSON in any case");
  verb->callback([path, json, &exit] {
    const auto text = credentials(*path);
    if (!text) {
      std::fprintf(stderr, "remit credentials: %s\n", text.error().message.c_str());
      exit = text.error().code == ErrorCode::InvalidInput ? Exit::Misuse : Exit::Findings;
      return;
    }
    fmt::print("{}\n", *text);
  });
}

}  // namespace remit::cli
