#pragma once

// What a lane's process gets to see of the world: a private directory, Remit's own AWS files, a
// placeholder, and nothing of the gateway's environment that is not on a short list.
//
// Which variables which SDK honours: knowledge of 2026-11 with awscli 2.9, boto3 1.43, JavaScript
// v3, Go v2, Java v2, Rust (docs/gateway.md has the table).

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "gateway/lane.h"
#include "remit/config.h"

namespace remit::gateway {

// A directory (0700) that goes with its owner.
class PrivateDirectory {
 public:
  static Result<PrivateDirectory> make(const std::filesystem::path& below, std::string_view prefix);
  PrivateDirectory(PrivateDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateDirectory& operator=(PrivateDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~PrivateDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

struct EnvironmentPlan {
  const Placeholder* placeholder = nullptr;
  std::uint16_t egress_port = 0;
  rules::CredentialsFrom credentials = rules::CredentialsFrom::Environment;
  std::uint16_t metadata_port = 0;  // of the lane's own, for Imds
  std::string program = {};         // ours, for credential_process
  std::string region;
  std::string ca_pem;                                      // the private authority of CONNECT
  std::vector<std::pair<std::string, std::string>> extra;  // of the upstream's configuration
};

// The path of this very program; empty when the system does not tell.
std::string own_program();

using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

// Writes the lane's files into `directory` and answers the whole environment, "NAME=value", sorted.
// What Remit sets cannot be set by `extra`, except the region and the temporary directory.
Result<std::vector<std::string>> prepare_environment(const EnvironmentPlan& plan,
                                                     const std::filesystem::path& directory,
                                                     const Lookup& inherited);

// Writes a new file, 0600.
Result<> write_private_file(const std::filesystem::path& path, std::string_view text);

}  // namespace remit::gateway
