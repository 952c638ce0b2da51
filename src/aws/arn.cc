#include "aws/arn.h"

#include <algorithm>
#include <array>
#include <utility>

namespace remit::aws {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

struct Partition {
  std::string_view prefix;  // of its region names
  std::string_view name;
  std::string_view suffix;
};

// https://github.com/boto/botocore, data/partitions.json (2026-08). The first prefix that fits
// wins.
constexpr std::array<Partition, 9> kPartitionDomains = {{
    {"cn-", "aws-cn", "amazonaws.com.cn"},
    {"us-gov-", "aws-us-gov", "amazonaws.com"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
    {"us-iso-", "aws-iso", "c2s.ic.gov"},
    {"eusc-", "aws-eusc", "amazonaws.eu"},
    {"aws-cn-global", "aws-cn", "amazonaws.com.cn"},
    {"aws-us-gov-global", "aws-us-gov", "amazonaws.com"},
}};

Result<> check_part(std::string_view what, std::string_view text, auto&& allowed) {
  if (std::ranges::all_of(text, allowed)) return {};
  return fail(ErrorCode::InvalidInput,
              "the " + std::string(what) + " of an ARN may not be \"" + std::string(text) + "\"");
}

}  // namespace

Result<AccountId> AccountId::parse(std::string_view text) {
  if (text.size() != 12 || !std::ranges::all_of(text, is_digit)) {
    return fail(ErrorCode::InvalidInput,
                "an account id is twelve digits, not \"" + std::string(text) + "\"");
  }
  return AccountId(std::string(text));
}

Result<Region> Region::parse(std::string_view text) {
  bool good = text.size() >= 4 && text.size() <= 32 && is_lower(text.front()) &&
              is_digit(text.back()) && text.find("--") == text.npos;
  const auto last = text.rfind('-');
  good = good && last != text.npos && std::ranges::all_of(text.substr(last + 1), is_digit) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
  if (!good) {
    return fail(ErrorCode::InvalidInput,
                "a region looks like \"us-east-1\", not \"" + std::string(text) + "\"");
  }
  return Region(std::string(text));
}

std::string_view Region::partition() const { return partition_of_region(text_); }

std::string_view partition_of_region(std::string_view region) {
  for (const Partition& partition : kPartitionDomains) {
    if (region.starts_with(partition.prefix)) return partition.name;
  }
  return "aws";
}

std::string_view dns_suffix(std::string_view partition) {
  for (const Partition& known : kPartitionDomains) {
    if (known.name == partition) return known.suffix;
  }
  return "amazonaws.com";
}

Result<Arn> Arn::parse(std::string_view text) {
  if (text.size() > 2048) return fail(ErrorCode::InvalidInput, "an ARN has at most 2,048 bytes");
  std::array<std::string_view, 6> parts;
  std::string_view rest = text;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto colon = rest.find(':');
    if (colon == rest.npos) {
      return fail(ErrorCode::InvalidInput,
                  "an ARN looks like \"arn:partition:service:region:account:resource\", not \"" +
                      std::string(text) + "\"");
    }
    parts[i] = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  parts[5] = rest;
  if (parts[0] != "arn") {
    return fail(ErrorCode::InvalidInput,
                "an ARN starts with \"arn:\", not \"" + std::string(parts[0]) + ":\"");
  }
  const auto word = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
  REMIT_CHECKED(check_part("partition", parts[1], word));
  REMIT_CHECKED(check_part("service", parts[2], word));
  REMIT_CHECKED(check_part("region", parts[3], word));
  if (parts[1] != "aws" && !parts[1].starts_with("aws-")) {
    return fail(ErrorCode::InvalidInput,
                "the partition of an ARN is \"aws\" or starts with \"aws-\"");
  }
  if (parts[2].empty()) return fail(ErrorCode::InvalidInput, "an ARN names a service");
  // "aws" stands for AWS's own account, as in arn:aws:iam::aws:policy/ReadOnlyAccess.
  if (!parts[4].empty() && parts[4] != "aws" && !AccountId::parse(parts[4])) {
    return fail(ErrorCode::InvalidInput,
                "the account of an ARN is twelve digits, not \"" + std::string(parts[4]) + "\"");
  }
  const bool printable = std::ranges::all_of(
      parts[5], [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
  if (parts[5].empty() || !printable) {
    return fail(ErrorCode::InvalidInput, "an ARN names a resource, without control characters");
  }
  return Arn{std::string(parts[1]), std::string(parts[2]), std::string(parts[3]),
             std::string(parts[4]), std::string(parts[5])};
}

std::string Arn::text() const {
  return "arn:" + partition + ":" + service + ":" + region + ":" + account + ":" + resource;
}

Result<RoleArn> RoleArn::parse(std::string_view text) {
  const auto refuse = [text] {
    return fail(ErrorCode::InvalidInput,
                "a role's ARN looks like \"arn:aws:iam::111122223333:role/name\", not \"" +
                    std::string(text) + "\"");
  };
  auto arn = Arn::parse(text);
  if (!arn) return refuse();
  auto account = AccountId::parse(arn->account);
  if (!account || arn->service != "iam" || !arn->region.empty()) return refuse();
  std::string_view rest = arn->resource;
  if (!rest.starts_with("role/")) return refuse();
  rest.remove_prefix(4);
  const auto slash = rest.rfind('/');
  const std::string_view path = rest.substr(0, slash + 1);
  const std::string_view name = rest.substr(slash + 1);
  const auto name_character = [](char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') ||
           std::string_view("_+=,.@-").find(c) != std::string_view::npos;
  };
  const auto path_character = [](char c) { return c >= 0x21 && c <= 0x7E && c != '*' && c != '?'; };
  if (name.empty() || name.size() > 64 || !std::ranges::all_of(name, name_character))
    return refuse();
  if (path.size() > 512 || !std::ranges::all_of(path, path_character)) return refuse();
  return RoleArn{arn->partition, *std::move(account), std::string(path), std::string(name)};
}

}  // namespace remit::aws
