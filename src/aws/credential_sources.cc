#include "aws/credential_sources.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "aws/credential_answer.h"
#include "aws/sts.h"
#include "base/encoding.h"
#include "base/scrub.h"

namespace remit::aws {

namespace {

constexpr std::chrono::milliseconds kLocalTimeout{2'000};
constexpr int kLocalAttempts = 3;
constexpr std::size_t kMaxFile = 1 << 20;

std::string variable(const Machine& machine, std::string_view name) {
  return machine.environment(name).value_or("");
}

std::string in_home(const Machine& machine, std::string path) {
  if (path == "~" || path.starts_with("~/")) return machine.home + path.substr(1);
  return path;
}

std::string file_path(const Machine& machine, std::string_view name, std::string_view file) {
  const std::string named = variable(machine, name);
  if (!named.empty()) return in_home(machine, named);
  return machine.home.empty() ? "" : machine.home + "/.aws/" + std::string(file);
}

Result<std::optional<ProfileFile>> read_profile_file(const std::string& path) {
  if (path.empty()) return std::nullopt;
  REMIT_TRY(auto text, read_small_file(path));
  if (!text) return std::nullopt;
  auto file = ProfileFile::parse(*text, path);
  wipe(text->data(), text->size());
  if (!file) return std::unexpected(std::move(file).error());
  return std::optional(*std::move(file));
}

class ScrubFields {
 public:
  explicit ScrubFields(http::Fields& fields) : fields_(fields) {}
  ScrubFields(const ScrubFields&) = delete;
  ScrubFields& operator=(const ScrubFields&) = delete;
  ~ScrubFields() {
    for (http::Field& field : fields_) scrub(field.value);
  }

 private:
  http::Fields& fields_;
};

// One small exchange with a service on this machine, tried again when it fails.
net::Task<Result<net::Response>> ask(const Machine& machine, std::string url, std::string method,
                                     http::Fields fields) {
  const ScrubFields scrub_fields(fields);  // a token may be among them
  Result<net::Response> last = fail(ErrorCode::Unavailable, "not asked");
  for (int attempt = 0; attempt < kLocalAttempts; ++attempt) {
    last = co_await machine.http->request(url, method, fields, "", kLocalTimeout);
    if (last ? last->head.status < 500 : last.error().code != ErrorCode::Unavailable) break;
  }
  co_return last;
}

std::unexpected<Error> refuse(const std::string& source, std::string reason) {
  return fail(ErrorCode::InvalidInput, source + ": " + std::move(reason));
}

std::unexpected<Error> bad_status(const std::string& source, int status) {
  const ErrorCode code = status >= 500 ? ErrorCode::Unavailable : ErrorCode::Denied;
  return fail(code, source + ": answered with status " + std::to_string(status));
}

// Credentials in clear go to this machine and to the agents of ECS and EKS only, or to a named host
// over TLS.
bool may_be_asked(const net::Url& url) {
  const std::string& host = url.origin.host;
  if (url.origin.tls || host == "localhost" || host == "169.254.170.2" ||
      host == "169.254.170.23") {
    return true;
  }
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  in6_addr agent{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  ::inet_pton(AF_INET6, "fd00:ec2::23", &agent);
  return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_ARE_ADDR_EQUAL(&v6, &agent);
}

Result<std::string> container_token(const Machine& machine, const std::string& source) {
  const std::string file = variable(machine, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = variable(machine, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!file.empty()) {
    REMIT_TRY(auto text, read_small_file(file));
    if (!text) return refuse(source, "there is no token file " + file);
    const ScrubAtEnd scrub_text(*text);
    token = trim_ascii(*text);
  }
  const bool clean = std::ranges::all_of(token, [](char c) { return c >= 0x20 && c < 0x7F; });
  if (!clean)
    return refuse(source, "the authorization token has a line break or control character");
  return token;
}

Result<std::string> container_url(const Machine& machine, const std::string& source) {
  const std::string relative = variable(machine, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) {
    if (!relative.starts_with('/')) {
      return refuse(source, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not start with '/'");
    }
    return "http://169.254.170.2" + relative;
  }
  const std::string full = variable(machine, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const auto url = net::parse_url(full);
  if (!url) return refuse(source, "AWS_CONTAINER_CREDENTIALS_FULL_URI: " + url.error().message);
  if (!may_be_asked(*url)) {
    return refuse(source, "AWS_CONTAINER_CREDENTIALS_FULL_URI is http and its host \"" +
                              url->origin.host +
                              "\" is neither this machine nor the ECS or EKS agent's address");
  }
  return full;
}

bool says_true(const std::string& text) { return equals_ignoring_ascii_case(text, "true"); }

Result<std::string> instance_endpoint(const Machine& machine, const std::string& source) {
  std::string endpoint = variable(machine, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (endpoint.empty()) {
    const std::string mode = variable(machine, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    const bool v6 = equals_ignoring_ascii_case(mode, "ipv6");
    if (!mode.empty() && !v6 && !equals_ignoring_ascii_case(mode, "ipv4")) {
      return refuse(source, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is neither IPv4 nor IPv6");
    }
    endpoint = v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  }
  if (!net::parse_url(endpoint)) {
    return refuse(source, "AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL");
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

}  // namespace

Result<std::optional<std::string>> read_small_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
  if (error) return fail(ErrorCode::InvalidInput, path + ": " + error.message());
  if (status.type() == std::filesystem::file_type::directory) {
    return fail(ErrorCode::InvalidInput, path + ": is a directory");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::InvalidInput, path + ": cannot be read");
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return fail(ErrorCode::InvalidInput, path + ": cannot be read");
  if (text.size() > kMaxFile) return fail(ErrorCode::LimitExceeded, path + ": larger than 1 MiB");
  return text;
}

Result<ProfileFiles> read_profile_files(const Machine& machine) {
  ProfileFiles files;
  REMIT_TRY(files.config, read_profile_file(file_path(machine, "AWS_CONFIG_FILE", "config")));
  REMIT_TRY(files.credentials,
            read_profile_file(file_path(machine, "AWS_SHARED_CREDENTIALS_FILE", "credentials")));
  return files;
}

std::string profile_file_names(const Machine& machine) {
  const std::string config = file_path(machine, "AWS_CONFIG_FILE", "config");
  const std::string credentials = file_path(machine, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  if (config.empty() && credentials.empty()) return "no profile files, as there is no home folder";
  return config + " and " + credentials;
}

Result<Found> from_environment(const Machine& machine) {
  const std::string source = "the environment";
  const std::string id = variable(machine, "AWS_ACCESS_KEY_ID");
  std::string secret = variable(machine, "AWS_SECRET_ACCESS_KEY");
  const ScrubAtEnd scrub_secret(secret);
  if (id.empty() && secret.empty()) return Found{};
  if (id.empty() || secret.empty()) {
    return refuse(source, std::string(id.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY") +
                              " is not set, but " +
                              (id.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID") + " is");
  }
  Credentials credentials;
  credentials.access_key_id = id;
  credentials.secret_access_key = Secret(secret);
  std::string token = variable(machine, "AWS_SESSION_TOKEN");
  const ScrubAtEnd scrub_token(token);
  credentials.session_token = Secret(token);
  credentials.account_id = variable(machine, "AWS_ACCOUNT_ID");
  const std::string expiration = variable(machine, "AWS_CREDENTIAL_EXPIRATION");
  if (!expiration.empty()) {
    auto time = parse_iso8601(expiration);
    if (!time) return refuse(source, "AWS_CREDENTIAL_EXPIRATION: " + time.error().message);
    credentials.expiration = *time;
  }
  return Found{std::move(credentials), source};
}

bool container_configured(const Machine& machine) {
  return !variable(machine, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
         !variable(machine, "AWS_CONTAINER_CREDENTIALS_FULL_URI").empty();
}

net::Task<Result<Found>> from_container(const Machine& machine) {
  const std::string source = "the container credentials endpoint";
  REMIT_CO_TRY(std::string url, container_url(machine, source));
  REMIT_CO_TRY(std::string token, container_token(machine, source));
  http::Fields fields;
  fields.push_back({"Accept", "application/json"});
  if (!token.empty()) fields.push_back({"Authorization", std::move(token)});
  auto response = co_await ask(machine, url, "GET", std::move(fields));
  if (!response) co_return wrap(source + " " + url, std::move(response).error());
  if (response->head.status != 200) co_return bad_status(source + " " + url, response->head.status);
  auto credentials = read_container_answer(std::move(response->body));
  if (!credentials) co_return wrap(source + " " + url, std::move(credentials).error());
  Found found{std::move(*credentials), source + " " + url};
  co_return std::move(found);
}

net::Task<Result<Found>> from_instance(const Machine& machine) {
  const std::string source = "the instance metadata service";
  if (says_true(variable(machine, "AWS_EC2_METADATA_DISABLED"))) co_return Found{};
  REMIT_CO_TRY(const std::string endpoint, instance_endpoint(machine, source));
  http::Fields ttl;
  ttl.push_back({"x-aws-ec2-metadata-token-ttl-seconds", "21600"});
  auto token = co_await ask(machine, endpoint + "/latest/api/token", "PUT", std::move(ttl));
  if (!token) co_return Found{};
  if (token->head.status != 200) {
    co_return refuse(source, "gives no version 2 token (status " +
                                 std::to_string(token->head.status) +
                                 "), and version 1 is never used");
  }
  http::Fields with_token{{"x-aws-ec2-metadata-token", std::move(token->body)}};
  const ScrubFields scrub_fields(with_token);
  const std::string path = endpoint + "/latest/meta-data/iam/security-credentials/";
  auto roles = co_await ask(machine, path, "GET", with_token);
  if (!roles) co_return wrap(source, std::move(roles).error());
  if (roles->head.status == 404) co_return refuse(source, "the instance has no role");
  if (roles->head.status != 200) co_return bad_status(source, roles->head.status);
  const std::string role(trim_ascii(roles->body.substr(0, roles->body.find('\n'))));
  const bool plain = !role.empty() && role.size() <= 64 && std::ranges::all_of(role, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_+=,.@-").find(c) != std::string_view::npos;
  });
  if (!plain) co_return refuse(source, "names a role that is no role's name");
  auto answer = co_await ask(machine, path + role, "GET", with_token);
  if (!answer) co_return wrap(source, std::move(answer).error());
  if (answer->head.status != 200) co_return bad_status(source, answer->head.status);
  auto credentials = read_instance_answer(std::move(answer->body));
  if (!credentials) co_return wrap(source, std::move(credentials).error());
  Found found{std::move(*credentials), "role " + role + " of " + source};
  co_return std::move(found);
}

net::Task<Result<Found>> from_web_identity(const Machine& machine, const BaseOptions& options,
                                           std::string token_file, std::string role_arn,
                                           std::string session_name, std::string source) {
  auto text = read_small_file(in_home(machine, token_file));
  if (!text) co_return wrap(source, std::move(text).error());
  if (!*text) co_return refuse(source, "there is no token file " + token_file);
  Secret token(trim_ascii(**text));
  scrub(**text);
  StsOptions sts_options;
  sts_options.region = options.region;
  sts_options.endpoint = options.sts_endpoint;
  StsClient sts(*machine.http, *machine.clock, *machine.random, *machine.log, sts_options);
  if (session_name.empty()) session_name = "remit-base";
  auto role = co_await sts.assume_role_with_web_identity(role_arn, session_name, std::move(token),
                                                         std::chrono::seconds(0));
  if (!role) co_return wrap(source, std::move(role).error());
  Found found{std::move(role->credentials), source};
  co_return std::move(found);
}

std::function<std::optional<std::string>(std::string_view)> process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

}  // namespace remit::aws
