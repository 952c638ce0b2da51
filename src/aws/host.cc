#include "aws/host.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/encoding.h"

namespace remit::aws {
namespace {

bool is_region_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

bool is_region(std::string_view label) {
  return label.size() >= 4 && label.contains('-') && std::ranges::all_of(label, is_region_char);
}

std::string_view last_label(std::string_view host) {
  return host.substr(host.rfind('.') + 1);  // npos + 1 == 0
}

void drop_last_label(std::string_view& host) {
  const std::size_t dot = host.rfind('.');
  host = dot == std::string_view::npos ? std::string_view{} : host.substr(0, dot);
}

// One label against one of a template, where {*} stands for one or more characters.
bool label_matches(std::string_view pattern, std::string_view label) {
  const std::size_t star = pattern.find("{*}");
  if (star == std::string_view::npos) return pattern == label;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 3);
  if (!label.starts_with(head)) return false;
  label.remove_prefix(head.size());
  if (tail.empty()) return !label.empty();
  for (std::size_t i = 1; i <= label.size(); ++i)
    if (label_matches(tail, label.substr(i))) return true;
  return false;
}

std::optional<HostMatch> match_template(std::string_view pattern, std::string_view host) {
  if (pattern.starts_with('!') != host.starts_with('!')) return std::nullopt;
  if (host.starts_with('!')) {
    pattern.remove_prefix(1);
    host.remove_prefix(1);
  }
  const std::string_view whole = host;
  HostMatch match;
  while (!pattern.empty()) {
    // An operation's prefix without a dot grows onto the first label: sync-states.us-west-2.
    if (const std::string_view label = last_label(host);
        !pattern.contains('.') && label.size() == host.size() && label.size() > pattern.size() &&
        label.ends_with("-" + std::string(pattern))) {
      match.prefix = host.substr(0, host.size() - pattern.size());
      return match;
    }
    if (host.empty()) return std::nullopt;
    const std::string_view part = last_label(pattern);
    const std::string_view label = last_label(host);
    if (part == "{r}") {
      if (!is_region(label)) return std::nullopt;
      match.region = label;
    } else if (!label_matches(part, label)) {
      return std::nullopt;
    }
    drop_last_label(pattern);
    drop_last_label(host);
  }
  if (!host.empty()) match.prefix = whole.substr(0, host.size() + 1);
  return match;
}

bool is_account_label(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "name-123456789012" into both.
bool split_account(std::string_view label, S3Host& host) {
  const std::size_t dash = label.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || !is_account_label(label.substr(dash + 1)))
    return false;
  host.name = label.substr(0, dash);
  host.account = label.substr(dash + 1);
  return true;
}

bool is_any(std::string_view label, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, label) != names.end();
}

// The host left of its region, ending in the label that names the S3 flavour.
std::optional<S3Host> parse_flavour(std::string_view rest, S3Host host) {
  const std::string_view flavour = last_label(rest);
  drop_last_label(rest);
  if (is_any(flavour, {"s3", "s3-fips", "s3-accelerate"})) {
    host.kind = rest.empty() ? S3Host::Kind::Plain : S3Host::Kind::Bucket;
    host.name = rest;
    return host;
  }
  if (is_any(flavour, {"s3-accesspoint", "s3-accesspoint-fips"})) {
    host.kind = S3Host::Kind::AccessPoint;
    return split_account(rest, host) ? std::optional(host) : std::nullopt;
  }
  if (is_any(flavour, {"s3-object-lambda", "s3-object-lambda-fips"})) {
    host.kind = S3Host::Kind::ObjectLambda;
    if (rest.empty() || split_account(rest, host)) return host;
    host.name = rest;  // the route of WriteGetObjectResponse
    return host;
  }
  if (is_any(flavour,
             {"s3-control", "s3-control-fips", "s3express-control", "s3express-control-fips"})) {
    host.kind = S3Host::Kind::Control;
    host.account = rest;
    if (flavour.starts_with("s3express")) {
      host.kind = S3Host::Kind::Express;
      host.name = rest;
    }
    return rest.empty() || is_account_label(rest) || host.kind == S3Host::Kind::Express
               ? std::optional(host)
               : std::nullopt;
  }
  if (is_any(flavour, {"s3-outposts", "s3-outposts-fips"})) {
    host.kind = S3Host::Kind::Outpost;
    if (rest.empty()) return host;
    host.outpost = last_label(rest);
    drop_last_label(rest);
    if (split_account(rest, host)) return host;
    host.name = rest;  // an alias, which stands for name and account
    return rest.ends_with("--op-s3") ? std::optional(host) : std::nullopt;
  }
  if (flavour.starts_with("s3express-")) {
    host.kind = S3Host::Kind::Express;
    host.name = rest;
    return host;
  }
  return std::nullopt;
}

}  // namespace

std::string strip_suffix(const Catalogue::Tables& tables, std::string_view host) {
  std::string lower = lower_ascii(host);
  if (lower.ends_with('.')) lower.pop_back();
  for (std::uint32_t i = 2; i < tables.meta.size(); ++i) {
    const std::string_view suffix = tables.text(tables.meta[i]);
    if (lower.size() > suffix.size() + 1 && lower.ends_with(suffix) &&
        lower[lower.size() - suffix.size() - 1] == '.') {
      lower.resize(lower.size() - suffix.size() - 1);
      return lower;
    }
  }
  return "!" + lower;
}

std::string_view partition_of_suffix(std::string_view suffix) {
  struct Known {
    std::string_view end;
    std::string_view partition;
  };
  constexpr std::array<Known, 8> kKnown = {{{".cn", "aws-cn"},
                                            {"amazonaws.eu", "aws-eusc"},
                                            {"amazonwebservices.eu", "aws-eusc"},
                                            {"hci.ic.gov", "aws-iso-f"},
                                            {"ic.gov", "aws-iso"},
                                            {"sgov.gov", "aws-iso-b"},
                                            {"aws.scloud", "aws-iso-b"},
                                            {"adc-e.uk", "aws-iso-e"}}};
  for (const Known& known : kKnown)
    if (suffix.ends_with(known.end)) return known.partition;
  return "aws";
}

std::string behind_vpc_endpoint(std::string host) {
  if (!host.ends_with(".vpce")) return host;
  const std::size_t mark = host.starts_with("vpce-") ? 0 : host.find(".vpce-");
  if (mark == std::string::npos) return host;
  const std::size_t name = host.find('.', mark + 1);
  if (name == std::string::npos || name + 1 >= host.size() - 5) return host;
  const std::string rest = host.substr(name + 1, host.size() - 5 - name - 1);
  if (mark == 0) return rest;
  // Only S3 writes something in front: what it is, and before that a bucket or an access point.
  const std::string_view front = std::string_view(host).substr(0, mark);
  const std::string_view kind = last_label(front);
  std::string_view owner = front;
  drop_last_label(owner);
  if (!rest.starts_with("s3.")) return host;
  const std::string region = rest.substr(2);
  std::string plain(owner);
  if (!plain.empty()) plain += '.';
  if (kind == "bucket") return plain + "s3" + region;
  if (kind == "accesspoint") return plain + "s3-accesspoint" + region;
  if (kind == "control") return plain + "s3-control" + region;
  return host;
}

std::string usual_host(std::string host) {
  constexpr std::string_view kQueue = "queue";
  if (host == kQueue) return "sqs.us-east-1";
  if (host.ends_with(".queue")) {
    const std::string region = host.substr(0, host.size() - kQueue.size() - 1);
    return is_region(region) ? "sqs." + region : host;
  }
  return behind_vpc_endpoint(std::move(host));
}

std::optional<HostMatch> match_host(const Catalogue::Tables& tables, const ServiceRow& service,
                                    std::string_view host) {
  std::optional<HostMatch> best;
  for (std::uint32_t i = 0; i < service.host_count; ++i) {
    const std::string_view pattern = tables.text(tables.hosts[service.host_first + i]);
    const auto match = match_template(pattern, host);
    if (match && (!best || match->prefix.size() < best->prefix.size())) best = match;
  }
  return best;
}

bool prefix_agrees(std::string_view pattern, std::string_view prefix) {
  while (!pattern.empty() && !prefix.empty()) {
    if (pattern[0] == '{') {
      const std::size_t end = pattern.find('}');
      if (end == std::string_view::npos) return false;
      pattern.remove_prefix(end + 1);
      const std::size_t stop = pattern.empty() ? prefix.size() : prefix.find(pattern[0]);
      if (stop == 0 || stop == std::string_view::npos) return false;
      prefix.remove_prefix(stop);
    } else if (pattern[0] == prefix[0]) {
      pattern.remove_prefix(1);
      prefix.remove_prefix(1);
    } else {
      return false;
    }
  }
  return pattern.empty() && prefix.empty();
}

std::optional<S3Host> parse_s3_host(std::string_view host) {
  S3Host parsed;
  if (host.ends_with(".accesspoint.s3-global")) {
    parsed.kind = S3Host::Kind::MultiRegion;
    parsed.name = host.substr(0, host.size() - std::string_view(".accesspoint.s3-global").size());
    return parsed;
  }
  std::string_view rest = host;
  // A region, then perhaps "dualstack", stand right of the flavour; or neither (us-east-1, global).
  if (const auto direct = parse_flavour(rest, parsed);
      direct && direct->kind != S3Host::Kind::Express)
    return direct;
  const std::string_view region = last_label(rest);
  if (region.starts_with("s3-") && is_region(region.substr(3))) {  // legacy s3-us-west-2
    drop_last_label(rest);
    parsed.region = region.substr(3);
    parsed.kind = rest.empty() ? S3Host::Kind::Plain : S3Host::Kind::Bucket;
    parsed.name = rest;
    return parsed;
  }
  if (is_region(region)) {
    parsed.region = region;
    drop_last_label(rest);
  }
  if (last_label(rest) == "dualstack") drop_last_label(rest);
  return parse_flavour(rest, parsed);
}

}  // namespace remit::aws
