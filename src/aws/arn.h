#pragma once

// Names of AWS: account ids, regions, partitions, ARNs. Parsed strictly: what does not have the
// documented form is refused, never cleaned.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace remit::aws {

// Exactly twelve digits.
class AccountId {
 public:
  static Result<AccountId> parse(std::string_view text);
  const std::string& text() const { return text_; }
  bool operator==(const AccountId&) const = default;

 private:
  explicit AccountId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A region name: lower-case words and a number joined by hyphens (us-east-1, us-gov-west-1,
// ap-southeast-4, us-iso-east-1, eusc-de-east-1). Whether AWS has it is not checked.
class Region {
 public:
  static Result<Region> parse(std::string_view text);
  const std::string& text() const { return text_; }
  std::string_view partition() const;  // "aws", "aws-cn", "aws-us-gov", "aws-iso", ...
  bool operator==(const Region&) const = default;

 private:
  explicit Region(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The partition that a region name belongs to; "aws" when its prefix is not known.
std::string_view partition_of_region(std::string_view region);
// "amazonaws.com", "amazonaws.com.cn", ... of a partition; "amazonaws.com" for an unknown one.
std::string_view dns_suffix(std::string_view partition);

// arn:partition:service:region:account:resource. Region and account may be empty; the resource
// keeps everything after the fifth colon. No wildcards: patterns belong to src/iam.
struct Arn {
  std::string partition;
  std::string service;
  std::string region;
  std::string account;
  std::string resource;

  static Result<Arn> parse(std::string_view text);
  std::string text() const;
  bool operator==(const Arn&) const = default;
};

// arn:aws:iam::111122223333:role/path/name, with all that IAM demands of it (path of at most 512
// characters, name of at most 64 of [\w+=,.@-]).
struct RoleArn {
  std::string partition;
  AccountId account;
  std::string path;  // "/" or "/a/b/"
  std::string name;

  static Result<RoleArn> parse(std::string_view text);
};

}  // namespace remit::aws
