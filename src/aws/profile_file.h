#pragma once

// ~/.aws/config and ~/.aws/credentials, read strictly: what AWS's tools would pass over in silence
// is an error with its file and line.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace remit::aws {

struct Setting {
  std::string_view value;  // into the file's bytes
  std::string where;       // "/home/me/.aws/config:12"
};

// Bytes of one file with its sections; the bytes are wiped with it. Values are valid as long.
class ProfileFile {
 public:
  using Section = std::map<std::string, Setting, std::less<>>;  // by lower-case key

  // `name` is for messages. Sections and keys that come twice, keys outside a section, lines that
  // are neither, and bytes that are not text are errors. Indented lines belong to the setting above
  // and are passed over (`s3 =` has such).
  static Result<ProfileFile> parse(std::string_view text, std::string_view name);

  // By the words in the brackets: "default", "profile agents", "agents". Null when there is none.
  const Section* find(std::string_view section) const;
  const std::string& name() const { return name_; }
  std::vector<std::string> sections() const;

 private:
  std::string name_;
  Secret bytes_;
  std::map<std::string, Section, std::less<>> sections_;
};

// A profile as the two files together say; the credentials file wins.
struct Profile {
  std::string name;
  std::map<std::string, Setting, std::less<>> settings;

  const Setting* find(std::string_view key) const;
};

struct ProfileFiles {
  std::optional<ProfileFile> config;
  std::optional<ProfileFile> credentials;

  // nullopt when neither file has it.
  std::optional<Profile> profile(std::string_view name) const;
  std::string names() const;  // of all profiles, for messages
};

// Splits a credential_process command into words as a POSIX shell would, quotes and backslashes
// included, with nothing expanded. InvalidInput for a quote that is not closed, or no word at all.
Result<std::vector<std::string>> split_command(std::string_view command);

}  // namespace remit::aws
