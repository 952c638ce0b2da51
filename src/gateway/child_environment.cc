#include "gateway/child_environment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <system_error>

#include "aws/arn.h"
#include "gateway/java_trust.h"

namespace remit::gateway {
namespace {

using rules::CredentialsFrom;

// Taken from our own environment when set there.
constexpr std::array<std::string_view, 8> kInherited{"PATH", "LANG",    "LC_ALL", "LC_CTYPE",
                                                     "TZ",   "LOGNAME", "USER",   "TERM"};
// What an upstream's configuration may set although Remit sets it too.
constexpr std::array<std::string_view, 11> kYielding{"AWS_REGION",
                                                     "AWS_DEFAULT_REGION",
                                                     "TMPDIR",
                                                     "LANG",
                                                     "LC_ALL",
                                                     "LC_CTYPE",
                                                     "TZ",
                                                     "PATH",
                                                     "TERM",
                                                     "AWS_RETRY_MODE",
                                                     "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH"};

std::string reason_of(int error) { return std::generic_category().message(error); }

// A path as a word of credential_process. Not every SDK reads quotes as a shell does (Go takes a
// pair around the whole line away), so they stand only where the path needs them.
std::string word(std::string_view path) {
  const bool plain = std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,@").contains(c);
  });
  return plain ? std::string(path) : fmt::format("\"{}\"", path);
}

std::string config_text(const EnvironmentPlan& plan, std::string_view endpoint, std::string_view ca,
                        std::string_view credential_file) {
  std::string text = fmt::format("[default]\nregion = {}\nendpoint_url = {}\nca_bundle = {}\n",
                                 plan.region, endpoint, ca);
  if (plan.credentials == CredentialsFrom::Process) {
    text += fmt::format("credential_process = {} credentials --from {}\n", word(plan.program),
                        word(credential_file));
  }
  return text;
}

std::string credentials_text(const EnvironmentPlan& plan) {
  if (plan.credentials != CredentialsFrom::Environment) return {};
  const Placeholder& placeholder = *plan.placeholder;
  return fmt::format("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                     placeholder.access_key_id, placeholder.secret_access_key.expose());
}

// What tells the process where its credentials are.
void add_credentials(const EnvironmentPlan& plan, std::string_view endpoint,
                     std::map<std::string, std::string>& set) {
  const Placeholder& placeholder = *plan.placeholder;
  const std::string token(placeholder.credential_token.expose());
  switch (plan.credentials) {
    case CredentialsFrom::Environment:
      set["AWS_ACCESS_KEY_ID"] = placeholder.access_key_id;
      set["AWS_SECRET_ACCESS_KEY"] = std::string(placeholder.secret_access_key.expose());
      break;
    case CredentialsFrom::Container:
      set["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = fmt::format("{}/.remit/credentials", endpoint);
      set["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token;
      break;
    case CredentialsFrom::Imds:
      set["AWS_EC2_METADATA_DISABLED"] = "false";
      set["AWS_EC2_METADATA_V1_DISABLED"] = "true";
      // awscli appends to it without a slash of its own.
      set["AWS_EC2_METADATA_SERVICE_ENDPOINT"] =
          fmt::format("http://127.0.0.1:{}/", plan.metadata_port);
      break;
    case CredentialsFrom::Process:
      break;  // the configuration file says it
  }
}

bool yields(std::string_view name) {
  for (const auto one : kYielding) {
    if (one == name) return true;
  }
  return false;
}

}  // namespace

Result<PrivateDirectory> PrivateDirectory::make(const std::filesystem::path& below,
                                                std::string_view prefix) {
  std::string path = (below / fmt::format("{}-XXXXXX", prefix)).string();
  if (mkdtemp(path.data()) == nullptr) {
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot make a directory in {}: {}", below.string(), reason_of(errno)));
  }
  return PrivateDirectory(path);
}

PrivateDirectory::~PrivateDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<> write_private_file(const std::filesystem::path& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot write {}: {}", path.string(), reason_of(errno)));
  }
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  const int error = errno;
  close(fd);
  if (text.empty()) return {};
  return fail(ErrorCode::Unavailable,
              fmt::format("cannot write {}: {}", path.string(), reason_of(error)));
}

std::string own_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

Result<std::vector<std::string>> prepare_environment(const EnvironmentPlan& plan,
                                                     const std::filesystem::path& directory,
                                                     const Lookup& inherited) {
  const auto& placeholder = *plan.placeholder;
  const std::string endpoint = fmt::format("http://127.0.0.1:{}", plan.egress_port);
  const std::string proxy = fmt::format("http://{}:{}@127.0.0.1:{}", placeholder.access_key_id,
                                        placeholder.proxy_token.expose(), plan.egress_port);
  const std::string config = (directory / "aws-config").string();
  const std::string credentials = (directory / "aws-credentials").string();
  const std::string ca = (directory / "ca.pem").string();
  const std::string java_store = (directory / "ca.jks").string();
  const std::string temporary = (directory / "tmp").string();
  std::error_code error;
  std::filesystem::create_directory(temporary, error);
  if (error) return fail(ErrorCode::Unavailable, "cannot make " + temporary);
  REMIT_CHECKED(write_private_file(ca, plan.ca_pem));
  REMIT_TRY(const std::string java_trust, java_trust_store(plan.ca_pem));
  REMIT_CHECKED(write_private_file(java_store, java_trust));
  const std::string source = (directory / "credential-endpoint").string();
  REMIT_CHECKED(write_private_file(config, config_text(plan, endpoint, ca, source)));
  REMIT_CHECKED(write_private_file(credentials, credentials_text(plan)));
  if (plan.credentials == CredentialsFrom::Process) {
    REMIT_CHECKED(write_private_file(source, fmt::format("{}/.remit/credentials\n{}\n", endpoint,
                                                         placeholder.credential_token.expose())));
  }

  std::map<std::string, std::string> all;
  for (const auto name : kInherited) {
    if (auto value = inherited(name)) all.emplace(name, *std::move(value));
  }
  std::map<std::string, std::string> set{
      {"HOME", directory.string()},
      {"TMPDIR", temporary},
      {"AWS_CONFIG_FILE", config},
      {"AWS_SHARED_CREDENTIALS_FILE", credentials},
      {"AWS_ENDPOINT_URL", endpoint},
      // The account stands in front of this host: no loopback address can have that.
      {"AWS_ENDPOINT_URL_S3_CONTROL",
       fmt::format("https://s3-control.{}.{}", plan.region,
                   aws::dns_suffix(aws::partition_of_region(plan.region)))},
      {"AWS_REGION", plan.region},
      {"AWS_DEFAULT_REGION", plan.region},
      {"AWS_EC2_METADATA_DISABLED", "true"},
      {"AWS_DISABLE_HOST_PREFIX_INJECTION", "true"},
      {"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true"},
      {"AWS_SDK_LOAD_CONFIG", "1"},
      {"AWS_PAGER", ""},
      {"AWS_CLI_AUTO_PROMPT", "off"},
      {"HTTPS_PROXY", proxy},
      {"https_proxy", proxy},
      {"HTTP_PROXY", proxy},
      {"http_proxy", proxy},
      {"NO_PROXY", "127.0.0.1,localhost"},
      {"no_proxy", "127.0.0.1,localhost"},
      {"AWS_CA_BUNDLE", ca},
      {"NODE_EXTRA_CA_CERTS", ca},
      {"SSL_CERT_FILE", ca},
      {"REQUESTS_CA_BUNDLE", ca},
      {"CURL_CA_BUNDLE", ca},
      {"NODE_USE_ENV_PROXY", "1"},
      {"JAVA_TOOL_OPTIONS",
       fmt::format("-Djavax.net.ssl.trustStore={} -Djavax.net.ssl.trustStorePassword={}",
                   java_store, kJavaTrustPassword)},
  };
  add_credentials(plan, endpoint, set);
  for (const auto& [name, value] : set) all[name] = value;
  for (const auto& [name, value] : plan.extra) {
    if (!set.contains(name) || yields(name)) all[name] = value;
    if (name == "JAVA_TOOL_OPTIONS") all[name] = value + " " + all[name];  // ours come last
  }
  std::vector<std::string> environment;
  environment.reserve(all.size());
  for (const auto& [name, value] : all) environment.push_back(name + "=" + value);
  return environment;
}

}  // namespace remit::gateway
