#pragma once

// The places that credentials come from, one function each. base_credentials.cc puts them in order.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/base_credentials.h"
#include "aws/profile_file.h"
#include "net/task.h"

namespace remit::aws {

// Credentials, or nothing when the source is not configured, and where they came from.
struct Found {
  std::optional<Credentials> credentials;
  std::string source;
};

Result<Found> from_environment(const Machine& machine);
bool container_configured(const Machine& machine);
net::Task<Result<Found>> from_container(const Machine& machine);
// Nothing when nobody listens at the address; an error when somebody does and it goes wrong.
net::Task<Result<Found>> from_instance(const Machine& machine);
net::Task<Result<Found>> from_web_identity(const Machine& machine, const BaseOptions& options,
                                           std::string token_file, std::string role_arn,
                                           std::string session_name, std::string source);

Result<ProfileFiles> read_profile_files(const Machine& machine);
// Where the two files are looked for: "/home/me/.aws/config and /home/me/.aws/credentials".
std::string profile_file_names(const Machine& machine);

// At most 1 MiB; nullopt when there is no such file.
Result<std::optional<std::string>> read_small_file(const std::string& path);

}  // namespace remit::aws
