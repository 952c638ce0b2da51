#include "aws/identify.h"

#include <algorithm>
#include <array>
#include <utility>

#include "aws/arn.h"
#include "aws/call.h"
#include "aws/places.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::size_t kFormCap = std::size_t{8} << 20;
constexpr std::size_t kBodyCap = std::size_t{32} << 20;
constexpr std::size_t kXmlCap = std::size_t{4} << 20;
constexpr std::size_t kPrefixRoom = 16;  // of an operation's own prefix: most are short or none

bool is_rest(Protocol protocol) {
  return protocol == Protocol::RestJson || protocol == Protocol::RestXml;
}

// Whether IAM is asked anything that only the body of this operation tells.
bool body_matters(const Catalogue::Tables& t, const Candidate& candidate) {
  const OperationRow operation = t.operations[candidate.operation];
  if ((operation.flags & kBlobPayload) != 0) return false;
  if (!is_rest(candidate.protocol)) return true;
  if (operation.method == kGet || operation.method == kHead) return false;
  const std::string_view service = t.text(t.services[operation.service].name);
  const std::string_view name = t.text(operation.name);
  if (service == "s3")
    return name == "DeleteObjects" || name == "CreateBucket" || name == "PutBucketTagging" ||
           name == "PutObjectTagging" || name == "RestoreObject" ||
           (operation.flags & kPassesRole) != 0;
  if (service == "lambda" || (operation.flags & kPassesRole) != 0) return true;
  for (std::uint32_t i = 0; i < operation.member_count; ++i) {
    const auto location = static_cast<Location>(t.members[operation.member_first + i].location);
    if (location == Location::Body || location == Location::Payload) return true;
  }
  return false;
}

Result<Wire> read_body(Protocol protocol, std::string_view body,
                       const std::vector<QueryParameter>& query,
                       const std::vector<QueryParameter>* form) {
  switch (protocol) {
    case Protocol::Json10:
    case Protocol::Json11:
    case Protocol::RestJson:
      return Wire::from_json(body);
    case Protocol::RpcV2Cbor:
      return Wire::from_cbor(body);
    case Protocol::RestXml:
      return Wire::from_xml(body);
    case Protocol::Query:
    case Protocol::Ec2:
      break;
  }
  std::vector<Wire::Pair> pairs;
  for (const auto* list : {&query, form}) {
    if (list == nullptr) continue;
    for (const QueryParameter& p : *list)
      if (p.name != "Action" && p.name != "Version") pairs.push_back({p.name, p.value});
  }
  return Wire::from_form(std::move(pairs));
}

// Content codings that hide the input. aws-chunked is taken off before.
bool compressed(const InputFields& fields) {
  if (fields.content_encoding.empty()) return false;
  const std::string coding = lower_ascii(trim_ascii(fields.content_encoding));
  return !(coding.empty() || coding == "identity" || coding == "aws-chunked");
}

// Whether the content type says that the body's text is in UTF-8, or nothing. In another encoding
// its bytes may say something else than what is read here.
bool is_utf8(std::string_view content_type) {
  for (std::size_t semi = content_type.find(';'); semi != content_type.npos;
       semi = content_type.find(';', semi + 1)) {
    std::string_view parameter = content_type.substr(semi + 1);
    parameter = parameter.substr(0, parameter.find(';'));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    if (!equals_ignoring_ascii_case(trim_ascii(parameter.substr(0, equals)), "charset")) continue;
    std::string_view name = trim_ascii(parameter.substr(std::min(equals + 1, parameter.size())));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"'))
      name = name.substr(1, name.size() - 2);
    if (!equals_ignoring_ascii_case(name, "utf-8") && !equals_ignoring_ascii_case(name, "utf8") &&
        !equals_ignoring_ascii_case(name, "us-ascii"))
      return false;
  }
  return true;
}

// Members of the input that differ by case only: readers that know no case take one of them.
Result<void> check_twins(const Wire& wire) {
  constexpr std::size_t kMostMembers = 500;  // no operation has so many
  const std::vector<Wire::Ref> members = wire.children(wire.root());
  if (members.size() > kMostMembers)
    return fail(ErrorCode::LimitExceeded, "the body has more than 500 members");
  for (std::size_t i = 0; i < members.size(); ++i)
    for (std::size_t j = i + 1; j < members.size(); ++j)
      if (equals_ignoring_ascii_case(wire.name(members[i]), wire.name(members[j])))
        return fail(
            ErrorCode::InvalidInput,
            "the body has the member " + std::string(wire.name(members[i])) + " in two cases");
  return {};
}

// Whether the bytes of a body that is read have one meaning.
Result<void> check_encoding(Protocol protocol, const InputFields& fields, bool form_in_body,
                            std::string_view body) {
  if (protocol == Protocol::RestXml) return {};  // the document itself says
  if (!is_utf8(fields.content_type))
    return fail(ErrorCode::InvalidInput, "the body's text is not in UTF-8");
  const bool query = protocol == Protocol::Query || protocol == Protocol::Ec2;
  if (query && !form_in_body && !body.empty())
    return fail(ErrorCode::InvalidInput,
                "the Action is in the query, and there is a body that is no form");
  return {};
}

// Clients compress these services' data, which decide nothing; elsewhere the body says what is
// asked for, and to whom a role is passed.
bool may_hide_body(std::string_view service) {
  return service == "cloudwatch" || service == "logs";
}

// The operation's own prefix ("{AccountId}.", "sync-") with its labels filled in; nullopt when one
// cannot be.
std::optional<std::string> host_prefix(const Call& call) {
  std::string filled;
  std::string_view pattern = call.t.text(call.operation.host_prefix);
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    filled.append(pattern.substr(0, open));
    if (open == pattern.size()) break;
    const std::size_t close = pattern.find('}', open);
    if (close == std::string_view::npos) return std::nullopt;
    std::string_view member = pattern.substr(open + 1, close - open - 1);
    std::optional<std::string> value = call.value(member);
    if (!value && call.body.is_scalar(call.body.child(call.body.root(), member)))
      value = call.body.text(call.body.child(call.body.root(), member));
    const bool label =
        value && !value->empty() && value->size() <= 63 && std::ranges::all_of(*value, [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-';
        });
    if (!label) return std::nullopt;
    filled.append(*value);
    pattern.remove_prefix(close + 1);
  }
  return filled;
}

std::string_view partition_of(const Call& call) {
  return call.facts.partition.empty() ? "aws" : call.facts.partition;
}

std::string regional_host(const Call& call, std::string_view name) {
  std::string host(name);
  return host.append(".")
      .append(call.facts.scope_region)
      .append(".")
      .append(dns_suffix(partition_of(call)));
}

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

// Directory buckets: the zone is the last but one part of the name "base--use1-az4--x-s3", and the
// operations on the bucket itself have a host of their own, in path style.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-Regions-and-Zones.html
void express_endpoint(const Call& call, Identified& found) {
  const auto bucket = call.label("Bucket");
  const bool control = std::ranges::any_of(found.actions, [](const ActionRequest& request) {
    return request.action.starts_with("s3express:") && request.action != "s3express:CreateSession";
  });
  if (call.facts.scope_region.empty()) return;
  if (control) {
    found.endpoint_host = regional_host(call, "s3express-control");
    return;
  }
  if (!bucket) return;
  const std::size_t end = bucket->rfind("--");
  const std::size_t begin = end == 0 ? std::string::npos : bucket->rfind("--", end - 1);
  if (end == std::string::npos || begin == std::string::npos || begin + 2 >= end) return;
  const std::string zone = bucket->substr(begin + 2, end - begin - 2);
  const bool plain = std::ranges::all_of(*bucket, is_plain);
  // The name as it is written, for the rest of the target to stay as it is.
  if (!plain || !std::string_view(call.facts.head->target).substr(1).starts_with(*bucket)) return;
  found.endpoint_host = regional_host(call, *bucket + ".s3express-" + zone);
  found.endpoint_cut = bucket->size() + 1;
}

void special_s3_endpoint(const Call& call, Identified& found) {
  const std::string_view scope = call.facts.scope_service;
  if (scope == "s3express") return express_endpoint(call, found);
  if (call.name() == "WriteGetObjectResponse") {
    const std::string route(call.header("x-amz-request-route"));
    const bool plain = !route.empty() && route.size() <= 63 && std::ranges::all_of(route, is_plain);
    if (plain && !call.facts.scope_region.empty())
      found.endpoint_host = regional_host(call, route + ".s3-object-lambda");
    return;
  }
  const bool control = call.t.text(call.service.name) == "s3control";
  if (control && scope == "s3-outposts" && !call.facts.scope_region.empty())
    found.endpoint_host = regional_host(call, "s3-outposts");
}

// The operation's host; empty where it cannot be told. `own` has "{r}" for the region.
std::string endpoint_host(const Call& call, std::string_view own) {
  const std::string_view service = call.t.text(call.service.name);
  if ((service == "s3" || service == "s3control") && call.facts.scope_service != "s3") return {};
  if (own.empty()) return {};
  const std::size_t mark = own.find("{r}");
  const bool regional = mark != std::string_view::npos;
  if (regional && call.facts.scope_region.empty()) return {};
  std::string host;
  host.reserve(own.size() + call.facts.scope_region.size() + kPrefixRoom);
  if (!call.t.text(call.operation.host_prefix).empty()) {
    const auto prefix = host_prefix(call);
    if (!prefix) return {};
    host.append(*prefix);
  }
  host.append(own.substr(0, mark));
  if (regional) host.append(call.facts.scope_region).append(own.substr(mark + 3));
  return host;
}

void add_endpoint(const Call& call, Identified& found) {
  const OwnEndpoint own = own_endpoint(call);
  found.endpoint_host = endpoint_host(call, own.host);
  // A service with one endpoint for all regions signs for a region of its own. With
  // AWS_ENDPOINT_URL clients do not know that, and sign for theirs.
  if (!own.region.empty() && !call.facts.scope_region.empty()) found.region = own.region;
}

// Appends what the candidate needs, without what another candidate already asks in the same words.
void merge(std::vector<ActionRequest>& all, std::vector<ActionRequest> more) {
  for (ActionRequest& request : more) {
    const bool known = std::ranges::any_of(all, [&](const ActionRequest& other) {
      return other.action == request.action && other.resources == request.resources &&
             other.resource_unknown == request.resource_unknown;
    });
    if (!known) all.push_back(std::move(request));
  }
}

// What all the candidates ask of IAM. `form` is the body of a query protocol; null without one.
Result<void> ask_all(const Catalogue::Tables& t, const RequestFacts& facts, std::string_view body,
                     const Resolved& resolved, const std::vector<QueryParameter>* form,
                     Identified& found) {
  found.region = facts.scope_region;
  for (std::size_t i = 0; i < resolved.candidates.size(); ++i) {
    const Candidate& candidate = resolved.candidates[i];
    const OperationRow operation = t.operations[candidate.operation];
    const ServiceRow service = t.services[operation.service];
    if (i == 0) {
      found.service = t.text(service.name);
      found.signing_name = t.text(service.signing_name);
      found.operation = t.text(operation.name);
      found.protocol = candidate.protocol;
    }
    found.candidates.push_back({t.text(service.name), t.text(operation.name)});
    found.returns_credentials |= (operation.flags & kReturnsCredentials) != 0;
    found.event_stream_request |= (operation.flags & kEventStreamIn) != 0;
    found.unsigned_operation |= (operation.flags & kUnsigned) != 0;

    const bool read = body_matters(t, candidate);
    const bool hidden = read && compressed(resolved.fields);
    if (hidden && !may_hide_body(found.service))
      return fail(ErrorCode::InvalidInput, "a compressed body cannot be read");
    Wire wire;
    if (read && !hidden) {
      REMIT_CHECKED(check_encoding(candidate.protocol, resolved.fields, form != nullptr, body));
      REMIT_TRY(wire, read_body(candidate.protocol, body, resolved.target.query, form));
      if (candidate.protocol != Protocol::RestXml) REMIT_CHECKED(check_twins(wire));
    }
    Call call(t, facts, resolved, candidate, wire, body);
    call.body_unknown = hidden;
    if (i == 0 && facts.host.empty()) add_endpoint(call, found);
    if (facts.places) add_places(call, found.places);
    if (found.actions.empty()) {
      REMIT_CHECKED(add_actions(call, found.actions));
    } else {
      std::vector<ActionRequest> actions;
      REMIT_CHECKED(add_actions(call, actions));
      merge(found.actions, std::move(actions));
    }
    if (i == 0 && facts.host.empty() && found.endpoint_host.empty())
      special_s3_endpoint(call, found);
  }
  // What is signed for another region than the client's is asked for there.
  if (found.region != facts.scope_region)
    for (ActionRequest& request : found.actions)
      for (ContextEntry& entry : request.context)
        if (entry.key == "aws:RequestedRegion") entry.values[0] = found.region;
  return {};
}

// A query protocol's operation is named in the body.
Result<void> by_form(const Catalogue::Tables& t, const RequestFacts& facts, std::string_view body,
                     const Resolved& head, Identified& found) {
  if (compressed(head.fields))
    return fail(ErrorCode::InvalidInput, "a compressed form cannot be read");
  REMIT_TRY(const std::vector<QueryParameter> form, parse_form(body));
  Resolved resolved;
  REMIT_CHECKED(resolve(t, facts, &form, resolved));
  return ask_all(t, facts, body, resolved, &form, found);
}

}  // namespace

OwnEndpoint own_endpoint(const Call& call) {
  const std::string_view partition = partition_of(call);
  const std::uint32_t partitions = call.t.partitions.size();
  std::uint32_t at = 0;
  while (at < partitions && call.t.text(call.t.partitions[at].id) != partition) ++at;
  if (at == partitions) return {};
  const EndpointRow row =
      call.t.endpoints[call.service.endpoint_first + call.operation.variant * partitions + at];
  OwnEndpoint own{call.t.text(row.host), call.t.text(row.region)};
  const std::size_t others = own.host.find('|');
  if (others == std::string_view::npos) return own;
  std::string_view rest = own.host.substr(others);
  own.host = own.host.substr(0, others);
  while (!rest.empty()) {  // "|us-east-1=sdb.amazonaws.com"
    rest.remove_prefix(1);
    const std::string_view one = rest.substr(0, rest.find('|'));
    rest.remove_prefix(one.size());
    const std::size_t equals = one.find('=');
    if (equals != std::string_view::npos && one.substr(0, equals) == call.facts.scope_region) {
      return {one.substr(equals + 1), {}};
    }
  }
  return own;
}

Identification::Identification(const Catalogue& catalogue, const RequestFacts& facts)
    : catalogue_(catalogue),
      head_(std::make_unique<Resolved>()),
      resolved_(resolve(catalogue.tables(), facts, nullptr, *head_)) {}
Identification::~Identification() = default;

BodyNeed Identification::body_need() const {
  if (!resolved_) return {};
  if (head_->form_in_body) return {BodyNeed::Kind::Whole, kFormCap};
  for (const Candidate& candidate : head_->candidates)
    if (body_matters(catalogue_.tables(), candidate))
      return {BodyNeed::Kind::Whole, candidate.protocol == Protocol::RestXml ? kXmlCap : kBodyCap};
  return {};
}

BodyNeed body_need(const Catalogue& catalogue, const RequestFacts& facts) {
  return Identification(catalogue, facts).body_need();
}

Result<Identified> identify(const Catalogue& catalogue, const RequestFacts& facts,
                            std::string_view body) {
  return Identification(catalogue, facts).identify(facts, body);
}

Result<Identified> Identification::identify(const RequestFacts& facts,
                                            std::string_view body) const {
  Result<Identified> found;
  if (auto done = identify(facts, body, *found); !done)
    found = std::unexpected(std::move(done).error());
  return found;
}

Result<void> Identification::identify(const RequestFacts& facts, std::string_view body,
                                      Identified& found) const {
  if (!resolved_) return std::unexpected(resolved_.error());
  if (!head_->form_in_body)
    return ask_all(catalogue_.tables(), facts, body, *head_, nullptr, found);
  return by_form(catalogue_.tables(), facts, body, *head_, found);
}

Protocol guess_protocol(const Catalogue& catalogue, const RequestFacts& facts) {
  const http::Fields& fields = facts.head->fields;
  if (http::find(fields, "smithy-protocol") != nullptr) return Protocol::RpcV2Cbor;
  const http::Field* type = http::find(fields, "content-type");
  const std::string media = type == nullptr ? "" : lower_ascii(type->value);
  if (http::find(fields, "x-amz-target") != nullptr && media.contains("cbor"))
    return Protocol::RpcV2Cbor;
  if (http::find(fields, "x-amz-target") != nullptr)
    return media.starts_with("application/x-amz-json-1.0") ? Protocol::Json10 : Protocol::Json11;
  const Catalogue::Tables& t = catalogue.tables();
  const auto range = t.services_signed_as(facts.scope_service);
  unsigned protocols = 0;
  for (std::uint32_t i = 0; i < range.count; ++i)
    protocols |= t.services[t.lists[range.first + i]].protocols;
  const auto speaks = [&](Protocol p) { return (protocols >> static_cast<unsigned>(p) & 1U) != 0; };
  const bool form = media.starts_with("application/x-www-form-urlencoded") ||
                    facts.head->target.contains("Action=");
  if (form && speaks(Protocol::Ec2)) return Protocol::Ec2;
  if (form && (speaks(Protocol::Query) || protocols == 0)) return Protocol::Query;
  for (const Protocol p :
       {Protocol::RestXml, Protocol::RestJson, Protocol::Json11, Protocol::Query, Protocol::Ec2})
    if (speaks(p)) return p;
  return Protocol::RestXml;
}

}  // namespace remit::aws
