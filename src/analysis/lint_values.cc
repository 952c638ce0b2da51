// Values of conditions, and variables wherever they may stand.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/lint_model.h"
#include "base/encoding.h"
#include "iam/scalar.h"

namespace remit::analysis {
namespace {

using enum FindingType;
using iam::Compare;

class Values {
 public:
  Values(Pass& pass, const StatementView& statement, const ConditionEntry& entry)
      : pass_(pass), statement_(statement), entry_(entry) {}

  void check(const Item& item) {
    const Compare compare = entry_.op->compare;
    const bool variable = pass_.variables && item.text.find("${") != item.text.npos;
    if (variable && !takes_variables(compare)) {
      report(item, Error, "INVALID_VARIABLE_FOR_OPERATOR",
             fmt::format("{} takes no policy variable", entry_.op_name),
             "use a variable with String and ARN operators only");
      return;
    }
    if (compare == Compare::Null || compare == Compare::Bool) {
      if (!variable && !iam::read_bool(item.text)) {
        report(item, Warning, "TYPE_MISMATCH_BOOLEAN",
               fmt::format("{} is not true or false", item.text), "write true or false");
      }
    } else if (compare >= Compare::NumericEquals && compare <= Compare::NumericGreaterEquals) {
      if (!variable && !iam::read_decimal(item.text)) {
        report(item, Warning, "TYPE_MISMATCH_NUMBER", fmt::format("{} is no number", item.text),
               "write a number");
      }
    } else if (compare >= Compare::DateEquals && compare <= Compare::DateGreaterEquals) {
      if (!variable && !iam::read_instant(item.text)) {
        report(item, Warning, "TYPE_MISMATCH_DATE", fmt::format("{} is no date", item.text),
               "write a date as 2026-11-21T00:00:00Z");
      } else if (!variable && item.text.size() > 4 && is_digits(item.text)) {
        report(item, Warning, "INVALID_DATE_VALUE",
               fmt::format("{} is read as seconds since 1970, leap seconds aside", item.text),
               "write a date as 2026-11-21T00:00:00Z");
      }
    } else if (compare == Compare::Ip) {
      if (!variable) address(item);
    } else if (compare == Compare::Binary) {
      if (!unbase64(item.text)) {
        report(item, Warning, "TYPE_MISMATCH_STRING", fmt::format("{} is not base-64", item.text),
               "write the bytes in base-64");
      }
    } else {
      text(item);
    }
  }

  // aws:SourceIp holds public addresses only.
  void private_addresses() {
    if (entry_.op->compare != Compare::Ip || entry_.lower_key != "aws:sourceip") return;
    const auto is_private = [](const Item& item) {
      const auto network = iam::read_network(item.text);
      if (!network || network->address.v6) return false;
      const auto& b = network->address.bytes;
      return b[0] == 10 || (b[0] == 172 && (b[1] & 0xF0U) == 16) || (b[0] == 192 && b[1] == 168);
    };
    const auto first = std::ranges::find_if(entry_.items, is_private);
    if (first == entry_.items.end()) return;
    const bool negated = entry_.op->negated;
    const std::string_view mend = "use aws:VpcSourceIp for addresses inside a VPC";
    if (std::ranges::all_of(entry_.items, is_private)) {
      report(*first, Error, negated ? "PRIVATE_NOT_IP_ADDRESS" : "PRIVATE_IP_ADDRESS",
             fmt::format("{} is private: aws:SourceIp holds public addresses only, so that the "
                         "condition {} holds",
                         first->text, negated ? "always" : "never"),
             std::string(mend));
    } else {
      report(*first, Suggestion,
             negated ? "PRIVATE_NOT_IP_ADDRESS_SUBSET" : "PRIVATE_IP_ADDRESS_SUBSET",
             fmt::format("{} is private and has no effect: aws:SourceIp holds public addresses",
                         first->text),
             std::string(mend));
    }
  }

 private:
  static bool is_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  }
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
  static bool takes_variables(Compare compare) {
    return compare == Compare::StringEquals || compare == Compare::StringEqualsIgnoreCase ||
           compare == Compare::StringLike || compare == Compare::Arn;
  }

  void report(const Item& item, FindingType type, std::string_view code, std::string message,
              std::string mend) {
    std::string path = condition_path(statement_, entry_);
    if (item.index >= 0) path += fmt::format("[{}]", item.index);
    pass_.report(type, code, std::move(path), item.offset, std::move(message), std::move(mend));
  }

  void address(const Item& item) {
    const auto network = iam::read_network(item.text);
    if (!network) {
      report(item, Warning, "TYPE_MISMATCH_IP_RANGE",
             fmt::format("{} is no IP address or range", item.text),
             "write an address or a range such as 203.0.113.0/24");
      return;
    }
    if (network->address.v6) return;
    const auto& b = network->address.bytes;
    const std::uint32_t address = static_cast<std::uint32_t>(b[0]) << 24U |
                                  static_cast<std::uint32_t>(b[1]) << 16U |
                                  static_cast<std::uint32_t>(b[2]) << 8U | b[3];
    const std::uint32_t host_bits =
        network->bits == 0 ? 0xFFFFFFFFU
                           : (network->bits >= 32 ? 0U : (1U << (32U - network->bits)) - 1U);
    if ((address & host_bits) != 0) {
      report(item, Suggestion, "IMPROVE_IP_RANGE",
             fmt::format("the range {} has bits set behind its prefix", item.text),
             "write the range's first address");
    }
  }

  void text(const Item& item) {
    const bool equals = entry_.op->compare == Compare::StringEquals ||
                        entry_.op->compare == Compare::StringEqualsIgnoreCase;
    if (!equals) return;
    if (has_wildcard(item.text) && item.text.find("${") == item.text.npos) {
      report(item, Warning, "WILDCARD_WITHOUT_LIKE_OPERATOR",
             fmt::format("{} compares the wildcard in {} as a plain character", entry_.op_name,
                         item.text),
             entry_.op->negated ? "write StringNotLike" : "write StringLike");
      return;
    }
    if (item.text.find("${") != item.text.npos) return;
    if (entry_.lower_key == "aws:requestedregion" && !is_region(item.text)) {
      report(item, Error, "INVALID_REGION", fmt::format("there is no region {}", item.text),
             "write a region such as eu-west-1");
    } else if (entry_.lower_key == "aws:sourcevpc" && !item.text.starts_with("vpc-")) {
      report(item, Error, "INVALID_VPC_FORMAT", fmt::format("{} is no VPC", item.text),
             "write vpc- and its identifier");
    } else if (entry_.lower_key == "aws:sourcevpce" && !item.text.starts_with("vpce-")) {
      report(item, Error, "INVALID_VPCE_FORMAT", fmt::format("{} is no VPC endpoint", item.text),
             "write vpce- and its identifier");
    } else if (entry_.lower_key.starts_with("aws:calledvia") &&
               entry_.lower_key != "aws:calledviaawsmcp" && !is_caller(item.text)) {
      report(item, Error, "INVALID_SERVICE_PRINCIPAL_FORMAT",
             fmt::format("{} is no service that calls others", item.text),
             "write service.amazonaws.com in small letters");
    }
  }

  // "eu-west-1", "us-gov-east-1", "aws-global".
  static bool is_region(std::string_view name) {
    const bool plain = std::ranges::all_of(
        name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
    const bool numbered = !name.empty() && name.back() >= '0' && name.back() <= '9';
    return plain && std::ranges::count(name, '-') >= 1 &&
           (name.ends_with("-global") || (numbered && std::ranges::count(name, '-') >= 2));
  }

  // service.amazonaws.com: calls of one service for another carry no longer names.
  static bool is_caller(std::string_view name) {
    const std::size_t dot = name.find('.');
    const std::string_view suffix = name.substr(std::min(dot, name.size()));
    const bool good = std::ranges::all_of(name.substr(0, dot), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    return dot != 0 && good &&
           (suffix == ".amazonaws.com" || suffix == ".amazonaws.com.cn" || suffix == ".amazon.com");
  }

  Pass& pass_;
  const StatementView& statement_;
  const ConditionEntry& entry_;
};

// Each ${...} of a text: is it closed, does it name something, may it stand here.
void check_variables_in(Pass& pass, const Item& item, const std::string& path, bool allowed) {
  const auto report = [&](std::string_view code, std::string message, std::string mend) {
    pass.report(Error, code, path, item.offset, std::move(message), std::move(mend));
  };
  for (std::size_t at = item.text.find("${"); at != item.text.npos;
       at = item.text.find("${", at + 2)) {
    if (!allowed) {
      report("VARIABLE_UNSUPPORTED_IN_ELEMENT", "a variable cannot stand in this element",
             "write the value itself");
      return;
    }
    const std::size_t end = item.text.find('}', at);
    if (end == item.text.npos) {
      report("MISSING_BRACE_IN_VARIABLE", "the variable has no closing brace", "close it with }");
      return;
    }
    std::string_view name = item.text.substr(at + 2, end - at - 2);
    const std::size_t comma = name.find(',');
    if (comma != name.npos && (name.find('\'') == name.npos || !name.ends_with('\''))) {
      report("MISSING_QUOTE_IN_VARIABLE", "the default of a variable stands in single quotes",
             "write ${key, 'default'}");
    }
    name = name.substr(0, comma);
    if (name == "*" || name == "?" || name == "$") continue;
    if (name.empty()) {
      report("EMPTY_VARIABLE", "the variable is empty", "name a condition key");
    } else if (name.find(' ') != name.npos) {
      report("UNSUPPORTED_SPACE_IN_VARIABLE", fmt::format("the variable {} has blanks", name),
             "remove them");
    } else if (!pass.variables) {
      report("VARIABLE_UNSUPPORTED_IN_VERSION",
             fmt::format("${{{}}} is plain text in this Version", name),
             "add \"Version\": \"2012-10-17\"");
    }
  }
}

}  // namespace

void check_values(Pass& pass, const StatementView& s, const ConditionEntry& entry) {
  Values values(pass, s, entry);
  for (const Item& item : entry.items) values.check(item);
  values.private_addresses();
  if (entry.op->compare == Compare::Bool && entry.items.size() > 1) {
    pass.report(Error, "INVALID_CONDITION_MULTIPLE_BOOLEAN", condition_path(s, entry), entry.offset,
                "a key is compared with several booleans: one of them is enough",
                "write true or false");
  }
}

void check_variables(Pass& pass, const StatementView& s) {
  for (const Item& item : s.actions) {
    check_variables_in(pass, item, item_path(s, "Action", item), false);
  }
  for (const Item& item : s.resources) {
    check_variables_in(pass, item, item_path(s, "Resource", item), true);
  }
  for (const Item& item : s.not_resources) {
    check_variables_in(pass, item, item_path(s, "NotResource", item), true);
  }
  for (const ConditionEntry& entry : s.conditions) {
    for (const Item& item : entry.items) {
      check_variables_in(pass, item, condition_path(s, entry), true);
    }
  }
}

}  // namespace remit::analysis
