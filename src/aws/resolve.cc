// From the head of a request to the operations it may mean. docs/identify.md, steps B to F.
#include <algorithm>
#include <array>

#include "aws/arn.h"
#include "aws/call.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

using Tables = Catalogue::Tables;

std::unexpected<Error> unresolved(std::string reason) {
  return fail(ErrorCode::InvalidInput, std::move(reason));
}

bool speaks(const ServiceRow& service, Protocol protocol) {
  return (service.protocols >> static_cast<unsigned>(protocol) & 1U) != 0;
}

// "application/json" of "application/json; charset=utf-8", in lower case.
std::string media_type(std::string_view value) {
  return lower_ascii(trim_ascii(value.substr(0, value.find(';'))));
}

// The same input as header and as parameter of a presigned request, or twice as parameter in
// different case.
Result<void> check_hoisted(const RequestTarget& target, const InputFields& fields, bool s3) {
  for (std::size_t i = 0; i < target.query.size(); ++i) {
    const std::string_view name = target.query[i].name;
    if (!begins_amz(name)) {
      for (std::size_t j = i + 1; j < target.query.size(); ++j)
        // Lists are repeated parameters; only an exact repetition of a value is harmless and
        // repetition of what selects an operation never is.
        if (target.query[j].name == name && (name == "Action" || name == "Version"))
          return unresolved("the parameter " + std::string(name) + " is written twice");
      continue;
    }
    // Where it were taken for the header, it would name another operation than what is here.
    if (equals_ignoring_ascii_case(name, "x-amz-target"))
      return unresolved("X-Amz-Target is a parameter, and only a header may name the operation");
    for (std::size_t j = i + 1; j < target.query.size(); ++j)
      if (equals_ignoring_ascii_case(target.query[j].name, name))
        return unresolved("the parameter " + std::string(name) + " is written twice");
    if (find(fields, name) != nullptr)
      return unresolved(std::string(name) + " is both a header and a parameter");
    // S3 may pass over it there, and take the request for another. (Sign-in has a parameter of such
    // a name that is none.)
    if (s3 && !target.presigned)
      return unresolved("the parameter " + std::string(name) +
                        " stands for a header only in a "
                        "presigned request");
  }
  return {};
}

struct ServiceChoice {
  std::uint32_t index = 0;
  ServiceRow row;
  std::string_view host_prefix;  // labels in front of the service's host
};

class Resolver {
 public:
  Resolver(const Tables& tables, const RequestFacts& facts, const std::vector<QueryParameter>* form,
           Resolved& out)
      : t_(tables), facts_(facts), form_(form), out_(out) {}

  Result<void> run() {
    REMIT_CHECKED(read_fields(facts_.head->fields, out_.fields));
    REMIT_TRY(out_.target, parse_target(facts_.head->target));
    REMIT_CHECKED(check_hoisted(out_.target, out_.fields, facts_.scope_service.starts_with("s3")));
    const auto method = method_number(facts_.head->method);
    if (!method)
      return unresolved("the method " + facts_.head->method + " belongs to no operation");
    method_ = *method;
    REMIT_CHECKED(choose_services());
    REMIT_CHECKED(by_protocol());
    if (out_.form_in_body) return {};
    return finish();
  }

 private:
  // B: where the request is going to.
  Result<void> choose_services() {
    const Tables::Range range = facts_.scope_service.empty()
                                    ? Tables::Range{0, t_.services.size()}
                                    : t_.services_signed_as(facts_.scope_service);
    if (range.count == 0 && !facts_.scope_service.empty())
      return unresolved("no AWS service signs as " + std::string(facts_.scope_service));
    const auto index = [&](std::uint32_t i) {
      return facts_.scope_service.empty() ? i : t_.lists[range.first + i];
    };
    if (facts_.host.empty()) {
      for (std::uint32_t i = 0; i < range.count; ++i)
        services_.push_back({index(i), t_.services[index(i)], {}});
      return {};
    }
    host_ = strip_suffix(t_, facts_.host);
    REMIT_CHECKED(check_partition(host_));
    host_ = usual_host(std::move(host_));
    if (!host_.starts_with('!'))
      if (auto s3 = parse_s3_host(host_)) out_.s3_host = std::make_unique<const S3Host>(*s3);
    for (std::uint32_t i = 0; i < range.count; ++i) REMIT_CHECKED(consider(index(i)));
    if (services_.empty())
      return unresolved("the host " + std::string(facts_.host) +
                        " does not belong to a service that signs as " +
                        std::string(facts_.scope_service));
    return {};
  }

  // Of a host below one of AWS's domains: the domain must be that of the signature's region.
  Result<void> check_partition(std::string_view host) const {
    if (host.starts_with('!') || facts_.scope_region.empty()) return {};
    const std::string_view of_host = partition_of_suffix(facts_.host.substr(host.size()));
    std::string_view of_scope = partition_of_region(facts_.scope_region);
    if (of_scope == "aws-us-gov") of_scope = "aws";
    if (of_host == of_scope) return {};
    return unresolved("the host is of partition " + std::string(of_host) + ", the signature of " +
                      std::string(of_scope));
  }

  Result<void> check_region(const ServiceRow& service, std::string_view of_host) const {
    for (std::uint32_t i = 0; i < service.region_count; ++i)
      if (t_.text(t_.regions[service.region_first + i]) == facts_.scope_region) return {};
    if (!of_host.empty() && !facts_.scope_region.empty() && of_host != facts_.scope_region)
      return unresolved("the host is of region " + std::string(of_host) + ", the signature of " +
                        std::string(facts_.scope_region));
    return {};
  }

  Result<void> consider(std::uint32_t index) {
    const ServiceRow row = t_.services[index];
    const std::string_view name = t_.text(row.name);
    if (name == "s3" || name == "s3control") {
      if (!out_.s3_host) return {};
      using Kind = S3Host::Kind;
      const Kind kind = out_.s3_host->kind;
      const bool control = kind == Kind::Control || kind == Kind::Express || kind == Kind::Outpost;
      const bool objects = kind != Kind::Control;
      if (name == "s3" ? !objects : !control) return {};
      REMIT_CHECKED(check_region({}, out_.s3_host->region));
      services_.push_back({index, row, {}});
      return {};
    }
    const auto match = match_host(t_, row, host_);
    if (!match) return {};
    REMIT_CHECKED(check_region(row, match->region));
    std::string_view prefix = match->prefix;
    if (name == "events" && facts_.scope_region.empty() && is_global_event_bus(host_)) prefix = {};
    services_.push_back({index, row, prefix});
    return {};
  }

  // "abcde.veo.endpoint.events": a global endpoint of EventBridge, which only SigV4a signs for.
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-global-endpoints.html
  static bool is_global_event_bus(std::string_view host) {
    constexpr std::string_view kEnd = ".endpoint.events";
    return host.ends_with(kEnd) && std::ranges::count(host, '.') == 3;
  }

  // C: markers, in the order of the page.
  Result<void> by_protocol() {
    const std::string_view smithy = out_.fields.smithy_protocol;
    const std::string_view target = out_.fields.amz_target;
    if (!smithy.empty()) {
      if (!target.empty())
        return unresolved("both Smithy-Protocol and X-Amz-Target name an operation");
      return by_smithy(smithy);
    }
    if (!target.empty()) return by_target(target);
    const std::string_view type = out_.fields.content_type;
    const bool form = !type.empty() && media_type(type) == "application/x-www-form-urlencoded";
    if ((form && method_ == kPost) || out_.target.find("Action") != nullptr) {
      const bool any_query = std::ranges::any_of(services_, [](const ServiceChoice& s) {
        return speaks(s.row, Protocol::Query) || speaks(s.row, Protocol::Ec2);
      });
      if (any_query) return by_action(form);
    }
    if (form) add_search();
    if (!out_.candidates.empty()) return {};
    return by_path();
  }

  // botocore turns this one GET into a form POST, as the service allows: one rule for one
  // operation.
  void add_search() {
    for (const ServiceChoice& service : services_)
      if (t_.text(service.row.name) == "cloudsearchdomain" &&
          out_.target.path == "/2013-01-01/search" && out_.target.query.empty())
        if (const auto operation = t_.operation_named(service.row, "Search"))
          add(service, {*operation, Protocol::RestJson});
  }

  Result<void> by_smithy(std::string_view protocol) {
    if (protocol != "rpc-v2-cbor")
      return unresolved("unknown Smithy-Protocol " + std::string(protocol));
    if (method_ != kPost) return unresolved("rpc-v2-cbor requests are POSTs");
    if (!out_.target.query.empty()) return unresolved("rpc-v2-cbor requests have no query");
    Segments path;
    REMIT_CHECKED(split_path(out_.target.path, path));
    const std::size_t n = path.size();
    if (n < 4 || path[n - 4] != "service" || path[n - 2] != "operation")
      return unresolved("the path does not end in /service/NAME/operation/NAME");
    add_named(Protocol::RpcV2Cbor, path[n - 3], path[n - 1]);
    return {};
  }

  Result<void> by_target(std::string_view target) {
    const std::string type = media_type(out_.fields.content_type);
    const bool json10 = type == "application/x-amz-json-1.0";
    // What the SDKs for Java speak to Kinesis: JSON 1.1 with its body in CBOR.
    const bool cbor = type == "application/x-amz-cbor-1.1";
    if (!json10 && !cbor && type != "application/x-amz-json-1.1")
      return unresolved("X-Amz-Target without the content type of its protocol");
    if (method_ != kPost) return unresolved("requests with X-Amz-Target are POSTs");
    if (out_.target.path != "/") return unresolved("requests with X-Amz-Target have the path /");
    if (out_.target.find("Action") != nullptr)
      return unresolved("both X-Amz-Target and Action name an operation");
    const std::size_t dot = target.rfind('.');
    if (dot == std::string_view::npos) return unresolved("X-Amz-Target has no service");
    add_named(json10 ? Protocol::Json10 : Protocol::Json11, target.substr(0, dot),
              target.substr(dot + 1));
    if (cbor)
      for (Candidate& candidate : out_.candidates) {
        const ServiceRow row = t_.services[t_.operations[candidate.operation].service];
        if (t_.text(row.name) != "kinesis")
          return unresolved("X-Amz-Target without the content type of its protocol");
        candidate.protocol = Protocol::RpcV2Cbor;  // which writes input and errors so
      }
    return {};
  }

  void add_named(Protocol protocol, std::string_view prefix, std::string_view name) {
    for (const ServiceChoice& service : services_) {
      if (!speaks(service.row, protocol) || t_.text(service.row.target_prefix) != prefix) continue;
      if (const auto operation = t_.operation_named(service.row, name))
        add(service, {*operation, protocol});
    }
  }

  bool query_path() const {
    if (out_.target.path == "/") return true;
    // SQS takes the queue's own path: /111122223333/queue
    return std::ranges::any_of(
               services_, [&](const ServiceChoice& s) { return t_.text(s.row.name) == "sqs"; }) &&
           std::ranges::count(out_.target.path, '/') == 2;
  }

  Result<void> by_action(bool form_body) {
    if (form_body) add_search();
    if (!out_.candidates.empty()) return {};
    if (!query_path()) return by_path();
    if (method_ != kPost && method_ != kGet)
      return unresolved("a query request is a GET or a POST");
    if (form_body && form_ == nullptr) {
      out_.form_in_body = true;
      return {};
    }
    const QueryParameter* action = nullptr;
    const QueryParameter* version = nullptr;
    const auto take = [&](const std::vector<QueryParameter>& parameters) -> Result<void> {
      for (const QueryParameter& p : parameters) {
        auto& slot = p.name == "Action" ? action : version;
        if (p.name != "Action" && p.name != "Version") continue;
        if (slot != nullptr) return unresolved("the parameter " + p.name + " is written twice");
        slot = &p;
      }
      return {};
    };
    REMIT_CHECKED(take(out_.target.query));
    if (form_ != nullptr) REMIT_CHECKED(take(*form_));
    if (action == nullptr) return by_path();
    if (version == nullptr) return unresolved("the request names an Action but no Version");
    for (const ServiceChoice& service : services_) {
      const bool ec2 = speaks(service.row, Protocol::Ec2);
      if (!ec2 && !speaks(service.row, Protocol::Query)) continue;
      if (t_.text(service.row.api_version) != version->value) continue;
      if (const auto operation = t_.operation_named(service.row, action->value))
        add(service, {*operation, ec2 ? Protocol::Ec2 : Protocol::Query});
    }
    return {};
  }

  // E and F: method and path.
  Result<void> by_path() {
    RouteMatches matches;
    boost::container::small_vector<const ServiceChoice*, 8> owners;
    std::optional<Error> bad_path;
    Segments& segments = out_.segments;
    const ServiceChoice* split_for = nullptr;  // whose way of splitting the path `segments` holds
    for (const ServiceChoice& service : services_) {
      if (!speaks(service.row, Protocol::RestJson) && !speaks(service.row, Protocol::RestXml))
        continue;
      if (!matches.empty() && begins_otherwise(service)) continue;
      split_for = nullptr;
      if (auto split = split_path_for(service.row, segments); !split) {
        bad_path = std::move(split).error();
        continue;
      }
      split_for = &service;
      match_routes(t_, service.row, method_, segments, out_.target, out_.fields, matches);
      // The endpoint rules of geo-maps put the paths of older models below /v2.
      if (matches.empty() && t_.text(service.row.name) == "geo-maps" && !segments.empty() &&
          segments.front() == "v2") {
        split_for = nullptr;
        segments.erase(segments.begin());
        match_routes(t_, service.row, method_, segments, out_.target, out_.fields, matches);
        out_.based = !matches.empty();
      }
      owners.resize(matches.size(), &service);
    }
    if (matches.empty() && bad_path) return std::unexpected(*std::move(bad_path));
    const auto key = [](const RouteMatch& m) { return std::pair(m.specificity, m.points); };
    std::pair<std::uint64_t, int> best{0, -1000};
    for (std::size_t i = 0; i < matches.size(); ++i)
      if (prefix_fits(*owners[i], matches[i].operation)) best = std::max(best, key(matches[i]));
    for (std::size_t i = 0; i < matches.size(); ++i) {
      if (key(matches[i]) != best || !prefix_fits(*owners[i], matches[i].operation)) continue;
      if (matches[i].deprecated && replaced(matches, i, best)) continue;
      if (other_buckets(matches[i].operation)) continue;
      const Protocol protocol =
          speaks(owners[i]->row, Protocol::RestXml) ? Protocol::RestXml : Protocol::RestJson;
      out_.candidates.push_back({matches[i].operation, protocol, matches[i].route});
    }
    if (!out_.candidates.empty()) {
      // Candidates that tie have routes of one form, so one split of the path serves them all.
      const ServiceRow row = t_.services[t_.operations[out_.candidates.front().operation].service];
      if (split_for == nullptr || split_for->row.name != row.name) {
        REMIT_CHECKED(split_path_for(row, segments));
        if (out_.based) segments.erase(segments.begin());
      }
      REMIT_CHECKED(check_parameters());
    }
    return {};
  }

  // GET / lists buckets, or directory buckets: the scope says which.
  bool other_buckets(std::uint32_t index) const {
    const OperationRow operation = t_.operations[index];
    const std::string_view name = t_.text(operation.name);
    if (t_.text(t_.services[operation.service].name) != "s3") return false;
    return facts_.scope_service == "s3express" ? name == "ListBuckets"
                                               : name == "ListDirectoryBuckets";
  }

  // Whether the same service has a successor of a deprecated operation that matches as well.
  bool replaced(const RouteMatches& matches, std::size_t index,
                const std::pair<std::uint64_t, int>& best) const {
    const auto service = t_.operations[matches[index].operation].service;
    return std::ranges::any_of(matches, [&](const RouteMatch& other) {
      return !other.deprecated && std::pair(other.specificity, other.points) == best &&
             t_.operations[other.operation].service == service;
    });
  }

  // Whether the path cannot be one of the service's: all of them begin with another literal.
  bool begins_otherwise(const ServiceChoice& service) const {
    const std::uint32_t literal = t_.first_literals[service.index];
    if (literal == 0 || t_.text(service.row.name) == "s3")
      return false;  // whose bucket may be in the host
    const std::string_view path = out_.target.path.substr(1);
    return !path.starts_with(t_.text(literal)) && !path.contains('%');
  }

  Result<void> split_path_for(const ServiceRow& service, Segments& segments) const {
    if (t_.text(service.name) == "s3") return split_s3_path(segments);
    return split_path(out_.target.path, segments);
  }

  // Bucket and key. A key may hold empty and dot segments: S3 does not normalise.
  Result<void> split_s3_path(Segments& segments) const {
    segments.clear();
    std::string_view rest = out_.target.path.substr(1);
    // The host of WriteGetObjectResponse begins with a route, not with an access point.
    const bool routed = out_.s3_host && out_.s3_host->kind == S3Host::Kind::ObjectLambda &&
                        out_.s3_host->account.empty();
    if (out_.s3_host && !out_.s3_host->name.empty() && !routed) {
      segments.push_back(out_.s3_host->name);
      if (!rest.empty()) segments.push_back(rest);
      return {};
    }
    if (rest.empty()) return {};
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (end == 0) return unresolved("the path names no bucket");
    segments.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!rest.empty()) segments.push_back(rest);
    return {};
  }

  // Of S3, a parameter that selects another operation is never ignored, nor one that may do so in
  // another reading, or in an operation newer than the models; x-id must agree.
  Result<void> check_parameters() const {
    if (out_.target.query.empty()) return {};
    for (const Candidate& candidate : out_.candidates) {
      const OperationRow operation = t_.operations[candidate.operation];
      const QueryParameter* hint = out_.target.find("x-id");
      if (hint != nullptr && hint->value != t_.text(operation.name))
        return unresolved("x-id says " + hint->value + ", but the request is " +
                          std::string(t_.text(operation.name)));
      if (t_.text(t_.services[operation.service].name) != "s3") {
        REMIT_CHECKED(check_repeated(candidate));
        continue;
      }
      REMIT_CHECKED(check_s3_names());
      for (std::size_t i = 0; i < out_.target.query.size(); ++i) {
        const std::string& name = out_.target.query[i].name;
        for (std::size_t j = i + 1; j < out_.target.query.size(); ++j)
          if (out_.target.query[j].name == name)
            return unresolved("the parameter " + name + " is written twice");
        if (takes(candidate, name, Case::Exact)) continue;
        if (known_to_s3(operation.service, name))
          return unresolved("the parameter " + name + " does not belong to " +
                            std::string(t_.text(operation.name)));
        // S3 passes over names that begin so: they are for its logs.
        const bool own = equals_ignoring_ascii_case(name.substr(0, 2), "x-");
        if (out_.target.query[i].value.empty() && !own)
          return unresolved("the parameter " + name + " may select an operation that is not known");
      }
    }
    return {};
  }

  // One value written twice: readers may take the first or the last.
  Result<void> check_repeated(const Candidate& candidate) const {
    const std::vector<QueryParameter>& query = out_.target.query;
    const OperationRow operation = t_.operations[candidate.operation];
    for (std::uint32_t i = 0; i < operation.member_count; ++i) {
      const MemberRow member = t_.members[operation.member_first + i];
      constexpr std::uint8_t kList = 4;
      if (static_cast<Location>(member.location) != Location::Query || member.kind >= kList)
        continue;
      const std::string_view name = t_.text(member.wire);
      if (std::ranges::count(query, name, &QueryParameter::name) > 1)
        return unresolved("the parameter " + std::string(name) + " is written twice");
    }
    return {};
  }

  // Names of S3 need no encoding: with one, readers may know them or not.
  Result<void> check_s3_names() const {
    std::string_view rest = facts_.head->target;
    rest.remove_prefix(std::min(out_.target.path.size() + 1, rest.size()));
    while (!rest.empty()) {
      const std::string_view item = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(item.size() + 1, rest.size()));
      const std::string_view name = item.substr(0, item.find('='));
      if (name.find_first_of("%+;") != std::string_view::npos)
        return unresolved("the parameter's name " + std::string(name) + " is encoded");
    }
    return {};
  }

  enum class Case : std::uint8_t { Exact, Any };

  bool takes(const Candidate& candidate, std::string_view name, Case how) const {
    const auto same = [&](std::string_view known) {
      return how == Case::Exact ? known == name : equals_ignoring_ascii_case(known, name);
    };
    const RouteRow route = t_.routes[candidate.route];
    for (std::uint32_t i = 0; i < route.literal_count; ++i)
      if (same(t_.text(t_.literals[route.literal_first + i].name))) return true;
    const OperationRow operation = t_.operations[candidate.operation];
    for (std::uint32_t i = 0; i < operation.member_count; ++i) {
      const MemberRow member = t_.members[operation.member_first + i];
      if (static_cast<Location>(member.location) == Location::Query && same(t_.text(member.wire)))
        return true;
    }
    return false;
  }

  bool known_to_s3(std::uint32_t service_index, std::string_view name) const {
    const ServiceRow service = t_.services[service_index];
    for (std::uint32_t i = 0; i < service.route_count; ++i) {
      const RouteRow route = t_.routes[service.route_first + i];
      const Candidate other{route.operation, Protocol::RestXml, service.route_first + i};
      if (takes(other, name, Case::Any)) return true;
    }
    // Sub-resources that S3 knows and the models do not write as such.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
    constexpr std::array<std::string_view, 3> kOthers = {"torrent", "notification", "lifecycle"};
    return std::ranges::find(kOthers, lower_ascii(name)) != kOthers.end();
  }

  bool prefix_fits(const ServiceChoice& service, std::uint32_t operation) const {
    return service.host_prefix.empty() ||
           prefix_agrees(t_.text(t_.operations[operation].host_prefix), service.host_prefix);
  }

  void add(const ServiceChoice& service, Candidate candidate) {
    if (prefix_fits(service, candidate.operation)) out_.candidates.push_back(candidate);
  }

  Result<void> finish() const {
    if (out_.candidates.empty())
      return unresolved(
          "no operation of " +
          (facts_.scope_service.empty() ? std::string("AWS") : std::string(facts_.scope_service)) +
          " has this form: " + facts_.head->method + " " + std::string(out_.target.path));
    return {};
  }

  const Tables& t_;
  const RequestFacts& facts_;
  const std::vector<QueryParameter>* form_;
  std::uint8_t method_ = 0;
  std::string host_;  // without the suffix of its partition
  boost::container::small_vector<ServiceChoice, 4> services_;
  Resolved& out_;
};

}  // namespace

Result<void> resolve(const Catalogue::Tables& tables, const RequestFacts& facts,
                     const std::vector<QueryParameter>* form, Resolved& into) {
  return Resolver(tables, facts, form, into).run();
}

bool takes_event_streams(const Catalogue& catalogue, std::string_view host) {
  const Tables& t = catalogue.tables();
  const std::string name = usual_host(strip_suffix(t, host));
  for (std::uint32_t i = 0; i < t.services.size(); ++i) {
    const ServiceRow service = t.services[i];
    if (!match_host(t, service, name)) continue;
    for (std::uint32_t j = 0; j < service.operation_count; ++j) {
      if ((t.operations[service.operation_first + j].flags & kEventStreamIn) != 0) return true;
    }
  }
  return false;
}

}  // namespace remit::aws
