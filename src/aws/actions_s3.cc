// S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html and
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/list_amazons3.html
#include <algorithm>
#include <array>

#include "aws/call.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::size_t kMaxDeletedKeys = 1000;  // what DeleteObjects takes

std::unexpected<Error> unreadable_input(std::string reason) {
  return fail(ErrorCode::InvalidInput, std::move(reason));
}

bool is_bucket_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

// What the request is about: whose actions, and the ARNs of the container and of an object in it.
struct Place {
  std::string_view prefix = "s3";  // of the actions
  std::string container;           // ARN of bucket or access point; empty: none, or not known
  bool access_point = false;
  bool express = false;
  bool unknown = false;

  std::string object(std::string_view key) const {
    const std::string_view between = access_point ? "/object/" : "/";
    std::string arn;
    arn.reserve(container.size() + between.size() + key.size());
    arn.append(container).append(between).append(key);
    return arn;
  }
};

// "arn:aws:s3:us-east-1:111122223333:accesspoint/name" as a bucket.
Place access_point_place(std::string arn) {
  Place place;
  place.access_point = true;
  if (arn.contains(":s3-object-lambda:")) place.prefix = "s3-object-lambda";
  if (arn.contains(":s3-outposts:")) place.prefix = "s3-outposts";
  place.container = std::move(arn);
  return place;
}

// Names that no bucket may have: they stand for an access point, whose name, account and bucket
// they do not tell. AWS decides by the access point's ARN.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html and
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
Place alias_place(std::string_view service) {
  Place place;
  place.prefix = service;
  place.access_point = true;
  place.unknown = true;
  return place;
}

// `express`: the request's own bucket is a directory bucket by the signature's scope.
Place bucket_place(const Call& call, std::string_view bucket, bool express) {
  if (bucket.ends_with("-s3alias")) return alias_place("s3");
  if (bucket.ends_with("--ol-s3")) return alias_place("s3-object-lambda");
  if (bucket.ends_with("--op-s3")) return alias_place("s3-outposts");
  Place place;
  if (bucket.ends_with("--x-s3") || bucket.ends_with("--xa-s3") || express) {
    place.prefix = "s3express";
    place.express = true;
    // An access point of a directory bucket has the bucket's zone in its name.
    const std::string kind = bucket.ends_with("--xa-s3") ? "accesspoint/" : "bucket/";
    place.container = call.regional_arn("s3express", kind + std::string(bucket));
    place.unknown = !call.account_known();
  } else {
    place.container = call.arn("s3", {}, {}, bucket);
  }
  return place;
}

std::string accesspoint_arn(const Call& call, std::string_view service, const S3Host& host,
                            std::string_view resource) {
  const std::string_view region = host.region.empty() ? call.facts.scope_region : host.region;
  return call.arn(service, region, host.account, resource);
}

Result<Place> find_place(const Call& call) {
  const S3Host* host = call.resolved.s3_host.get();
  using Kind = S3Host::Kind;
  if (host != nullptr && !host->name.empty()) {
    if (!is_bucket_name(host->name))
      return unreadable_input("the host names no bucket: " + host->name);
    switch (host->kind) {
      case Kind::AccessPoint:
        return access_point_place(accesspoint_arn(call, "s3", *host, "accesspoint/" + host->name));
      case Kind::ObjectLambda:
        return access_point_place(
            accesspoint_arn(call, "s3-object-lambda", *host, "accesspoint/" + host->name));
      case Kind::Outpost:
        if (host->account.empty()) return alias_place("s3-outposts");
        return access_point_place(accesspoint_arn(
            call, "s3-outposts", *host, "outpost/" + host->outpost + "/accesspoint/" + host->name));
      case Kind::MultiRegion: {
        if (!call.account_known())
          return unreadable_input("the account of a multi-region access point is not known");
        return access_point_place(
            call.arn("s3", {}, call.facts.account, "accesspoint/" + host->name));
      }
      default:
        break;
    }
  }
  const auto bucket = call.label("Bucket");
  if (!bucket) return Place{};
  if (bucket->starts_with("arn:")) {
    if (bucket->contains(":accesspoint/") || bucket->contains(":accesspoint:"))
      return access_point_place(*bucket);
    return unreadable_input("the bucket is an ARN of a kind that no path may hold");
  }
  if (!is_bucket_name(*bucket)) return unreadable_input("not a bucket name: " + *bucket);
  Place place = bucket_place(call, *bucket, call.facts.scope_service == "s3express");
  if (call.facts.scope_service == "s3-object-lambda" || call.facts.scope_service == "s3-outposts") {
    // In endpoint mode the path does not tell the access point's account.
    place.prefix = call.facts.scope_service;
    place.unknown = true;
  }
  return place;
}

// Context keys that repeat a header of the request.
void add_header_keys(const Call& call, ActionRequest& request) {
  if (!request.keys_told) return;
  std::erase_if(request.unknown_keys, [&](std::string_view key) {
    if (!key.starts_with("s3:x-amz-") || key == "s3:x-amz-content-sha256") return false;
    const std::string_view value = call.header(key.substr(3));
    if (!value.empty()) request.context.push_back({std::string(key), {std::string(value)}, false});
    return true;
  });
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kLock = {
      {{"s3:object-lock-mode", "x-amz-object-lock-mode"},
       {"s3:object-lock-retain-until-date", "x-amz-object-lock-retain-until-date"},
       {"s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold"}}};
  for (const auto& [key, name] : kLock)
    if (const std::string_view value = call.header(name); !value.empty())
      set_context(request, std::string(key), std::string(value));
}

void add_parameter_key(const Call& call, ActionRequest& request, std::string_view key,
                       std::string_view parameter) {
  if (!request.keys_told) return;
  if (const QueryParameter* found = call.query(parameter); found != nullptr) {
    set_context(request, std::string(key), found->value);
  } else {
    set_absent(request, key);
  }
}

// A key that is no longer among the unknown ones.
void add_context(ActionRequest& request, std::string_view key, std::string_view value) {
  ContextEntry& entry = request.context.emplace_back();
  entry.key = key;
  entry.values.emplace_back(value);
}

// Remit re-signs with a header, whatever came in.
void add_signing_keys(ActionRequest& request) {
  if (!request.keys_told) return;
  set_absent(request, {"s3:signatureversion", "s3:authType"});
  add_context(request, "s3:signatureversion", "AWS4-HMAC-SHA256");
  add_context(request, "s3:authType", "REST-HEADER");
}

// Tags of an object in the header x-amz-tagging: k=v&k2=v2.
Result<void> add_object_tags(const Call& call, ActionRequest& request) {
  REMIT_TRY(const auto tags, parse_form(call.header("x-amz-tagging")));
  std::vector<std::string> keys;
  for (const QueryParameter& tag : tags) {
    set_context(request, "s3:RequestObjectTag/" + tag.name, tag.value);
    keys.push_back(tag.name);
  }
  set_absent(request, "s3:RequestObjectTag/*");
  set_absent(request, "s3:RequestObjectTagKeys");
  if (!keys.empty()) set_context(request, "s3:RequestObjectTagKeys", std::move(keys), true);
  return {};
}

class S3 {
 public:
  S3(const Call& call, const Place& place, std::vector<ActionRequest>& out)
      : call_(call), place_(place), key_(call.label("Key")), out_(out) {}

  Result<bool> run() {
    const std::string_view name = call_.name();
    if (place_.express && zonal(name)) {
      session();
      before_source_ = out_.size();
      if (name == "CopyObject" || name == "UploadPartCopy") REMIT_CHECKED(copy_source());
      return true;
    }
    if (name == "DeleteObjects") return delete_objects();
    const ActionRow row = call_.t.actions[call_.t.lists[call_.operation.uses]];
    const bool plain = call_.query("versionId") == nullptr && place_.prefix == "s3";
    if (plain) {
      ActionRequest& request = out_.emplace_back();
      call_.ask(row, request);
      complete(request, key_.has_value());
      REMIT_CHECKED(main_context(request));
    } else {
      REMIT_CHECKED(main_context(add(main_action())));
    }
    before_source_ = out_.size();
    if (name == "CopyObject" || name == "UploadPartCopy") REMIT_CHECKED(copy_source());
    if (name == "PutObject" || name == "CopyObject" || name == "CreateMultipartUpload")
      REMIT_CHECKED(writes());
    if (name == "CreateBucket") REMIT_CHECKED(create_bucket());
    if (name == "GetObjectAttributes")
      add(call_.query("versionId") != nullptr ? "s3:GetObjectVersion" : "s3:GetObject");
    if (bypasses_governance()) add("s3:BypassGovernanceRetention");
    if (name == "RestoreObject") select();
    add_passed_roles(call_, out_);
    return true;
  }

 private:
  // A restore that selects reads the object and writes what it found where the body says.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
  void select() {
    const Wire& body = call_.body;
    bool plain = true;
    for (const std::string_view name : {"Type", "SelectParameters", "OutputLocation"})
      plain &= body.child(body.root(), name) == Wire::kNothing;
    if (plain) return;
    add("s3:GetObject");
    ActionRequest written = call_.ask("s3:PutObject");
    written.resource_unknown = true;
    out_.push_back(std::move(written));
  }

  // What runs within a session of a directory bucket; all else has actions of its own.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-security-iam.html
  static bool zonal(std::string_view name) {
    constexpr std::array<std::string_view, 18> kZonal = {"AbortMultipartUpload",
                                                         "CompleteMultipartUpload",
                                                         "CopyObject",
                                                         "CreateMultipartUpload",
                                                         "CreateSession",
                                                         "DeleteObject",
                                                         "DeleteObjects",
                                                         "GetObject",
                                                         "GetObjectAttributes",
                                                         "HeadBucket",
                                                         "HeadObject",
                                                         "ListMultipartUploads",
                                                         "ListObjectsV2",
                                                         "ListParts",
                                                         "PutObject",
                                                         "RenameObject",
                                                         "UploadPart",
                                                         "UploadPartCopy"};
    return std::ranges::find(kZonal, name) != kZonal.end();
  }

  void session() {
    ActionRequest& request = add("s3express:CreateSession", false);
    if (call_.name() == "CreateSession") {
      const std::string_view mode = call_.header("x-amz-create-session-mode");
      set_context(request, "s3express:SessionMode", mode.empty() ? "ReadWrite" : std::string(mode));
    }
  }

  ActionRequest& add(std::string_view action) { return add(action, key_.has_value()); }

  ActionRequest& add(std::string_view action, bool object) {
    ActionRequest& request = out_.emplace_back();
    std::string own;  // Outposts and Object Lambda have actions of the same names
    if (place_.prefix != "s3" && action.starts_with("s3:")) {
      own.append(place_.prefix).append(action.substr(2));
      action = own;
    }
    call_.ask(action, request);
    complete(request, object);
    return request;
  }

  // Resource and common keys of one question.
  void complete(ActionRequest& request, bool object) const {
    if (place_.unknown) {
      request.resource_unknown = true;
    } else if (place_.container.empty()) {
      request.resources.emplace_back("*");
    } else if (object && key_) {
      request.resources.push_back(place_.object(*key_));
    } else {
      request.resources.push_back(place_.container);
    }
    if (!request.keys_told) return;
    add_header_keys(call_, request);
    if (place_.access_point && !place_.unknown) {
      set_context(request, "s3:DataAccessPointArn", place_.container);
    } else if (!place_.access_point) {
      set_absent(request, {"s3:DataAccessPointArn", "s3:DataAccessPointAccount",
                           "s3:AccessPointNetworkOrigin"});
    }
    add_signing_keys(request);
  }

  // The catalogue's action, under the prefix of the place, for a version where one is named.
  std::string main_action() const {
    const std::uint32_t use = call_.operation.uses;
    std::string action(call_.t.text(call_.t.actions[call_.t.lists[use]].name));
    if (call_.query("versionId") != nullptr) action = version_action(action);
    if (place_.prefix != "s3" && action.starts_with("s3:")) action.replace(0, 2, place_.prefix);
    return action;
  }

  static std::string version_action(const std::string& action) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kVersions = {
        {{"s3:GetObject", "s3:GetObjectVersion"},
         {"s3:DeleteObject", "s3:DeleteObjectVersion"},
         {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
         {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"},
         {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
         {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
         {"s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"},
         {"s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"}}};
    for (const auto& [plain, version] : kVersions)
      if (action == plain) return std::string(version);
    return action;
  }

  Result<void> main_context(ActionRequest& request) {
    const std::string_view name = call_.name();
    if (name.starts_with("ListObject") || name == "ListMultipartUploads") {
      add_parameter_key(call_, request, "s3:prefix", "prefix");
      add_parameter_key(call_, request, "s3:delimiter", "delimiter");
      add_parameter_key(call_, request, "s3:max-keys",
                        name == "ListMultipartUploads" ? "max-uploads" : "max-keys");
    } else if (name == "HeadBucket") {
      for (const std::string_view key : {"s3:prefix", "s3:delimiter", "s3:max-keys"})
        set_absent(request, key);
    }
    if (request.keys_told) {
      set_absent(request, {"s3:VersionId", "s3:versionid"});
      if (const QueryParameter* version = call_.query("versionId"); version != nullptr)
        add_context(request, "s3:VersionId", version->value);
    }
    if (name == "PutObject" || name == "CopyObject" || name == "CreateMultipartUpload")
      return add_object_tags(call_, request);
    return {};
  }

  bool bypasses_governance() const { return says_yes("x-amz-bypass-governance-retention"); }

  // Any value but a plain no.
  bool says_yes(std::string_view header) const {
    const std::string_view value = call_.header(header);
    return !value.empty() && !equals_ignoring_ascii_case(value, "false");
  }

  bool any_header(std::initializer_list<std::string_view> names) const {
    return std::ranges::any_of(names, [&](auto name) { return !call_.header(name).empty(); });
  }

  bool sets_acl() const {
    return any_header({"x-amz-acl", "x-amz-grant-full-control", "x-amz-grant-read",
                       "x-amz-grant-write", "x-amz-grant-read-acp", "x-amz-grant-write-acp"});
  }

  Result<void> writes() {
    if (sets_acl()) add("s3:PutObjectAcl");
    if (any_header({"x-amz-tagging"}))
      REMIT_CHECKED(add_object_tags(call_, add("s3:PutObjectTagging")));
    if (any_header({"x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"}))
      add("s3:PutObjectRetention");
    if (any_header({"x-amz-object-lock-legal-hold"})) add("s3:PutObjectLegalHold");
    return {};
  }

  // x-amz-copy-source: bucket/key, /bucket/key or an access point's ARN with /object/key, with
  // ?versionId=, percent-encoded.
  Result<void> copy_source() {
    std::string_view source = call_.header("x-amz-copy-source");
    const std::size_t mark = std::min(source.find('?'), source.size());
    const std::string_view version = source.substr(mark);
    if (!version.empty() && (!version.starts_with("?versionId=") || version.contains('&')))
      return unreadable_input("the copy source's query is not a versionId");
    source = source.substr(0, mark);
    // Readers differ on '+', and on when they decode: all readings must be allowed.
    const auto plain = uri_decode(source);
    const auto form = form_decode(source);
    if (!plain || !form) return unreadable_input("the copy source's percent-encoding is broken");
    for (const std::string_view reading : {std::string_view(*plain), std::string_view(*form)}) {
      REMIT_CHECKED(read_source(reading, !version.empty()));
      if (const std::size_t late = reading.find("?versionId="); late != reading.npos)
        REMIT_CHECKED(read_source(reading.substr(0, late), true));
    }
    return {};
  }

  // What reading the source needs; one question for each action.
  Result<void> read_source(std::string_view source, bool version) {
    REMIT_TRY(const Place from, source_place(source));
    std::string action(from.prefix);
    action += version ? ":GetObjectVersion" : ":GetObject";
    // Directory buckets authorise a session, whatever is done in it.
    if (from.express) action = "s3express:CreateSession";
    const bool told = !from.unknown && !from.container.empty();
    auto known = std::find_if(out_.begin() + static_cast<std::ptrdiff_t>(before_source_),
                              out_.end(), [&](const auto& r) { return r.action == action; });
    if (known == out_.end()) {
      ActionRequest request = call_.ask(action);
      add_signing_keys(request);
      out_.push_back(std::move(request));
      known = std::prev(out_.end());
    }
    if (!told) {
      known->resource_unknown = true;
      return {};
    }
    std::string arn = from.container;
    if (!from.express && !arn.contains("/object/"))
      arn = from.object(source.substr(source.find('/', source.starts_with('/') ? 1 : 0) + 1));
    if (std::ranges::find(known->resources, arn) == known->resources.end())
      known->resources.push_back(std::move(arn));
    return {};
  }

  // An empty place when it names no bucket and key; an access point's object as the container.
  Result<Place> source_place(std::string_view source) const {
    if (source.starts_with("arn:")) {
      const bool point = source.contains(":accesspoint/") || source.contains("/accesspoint/");
      const bool s3 = source.contains(":s3:") || source.contains(":s3-outposts:");
      if (!point || !s3 || !source.contains("/object/"))
        return unreadable_input("the copy source is an ARN of no access point's object");
      return access_point_place(std::string(source));
    }
    if (source.starts_with('/')) source.remove_prefix(1);
    const std::size_t slash = source.find('/');
    if (slash == std::string_view::npos || slash + 1 == source.size()) return Place{};
    if (!is_bucket_name(source.substr(0, slash)))
      return unreadable_input("the copy source names no bucket");
    return bucket_place(call_, source.substr(0, slash), false);
  }

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
  Result<void> create_bucket() {
    const Wire& body = call_.body;
    if (const auto region = body.text_at(body.root(), "LocationConstraint"))
      set_context(out_.back(), "s3:locationconstraint", std::string(*region));
    else
      set_absent(out_.back(), "s3:locationconstraint");
    if (sets_acl()) add("s3:PutBucketAcl");
    if (any_header({"x-amz-object-ownership"})) add("s3:PutBucketOwnershipControls");
    if (says_yes("x-amz-bucket-object-lock-enabled")) {
      add("s3:PutBucketObjectLockConfiguration");
      add("s3:PutBucketVersioning");
    }
    if (body.child(body.root(), "Tags") != Wire::kNothing) add("s3:TagResource");
    return {};
  }

  Result<bool> delete_objects() {
    const Wire& body = call_.body;
    ActionRequest plain = call_.ask(std::string(place_.prefix) + ":DeleteObject");
    ActionRequest version = call_.ask(std::string(place_.prefix) + ":DeleteObjectVersion");
    if (call_.body_unknown || body.root() == Wire::kNothing || body.name(0) != "Delete")
      return unreadable_input("DeleteObjects without a readable list of keys");
    for (const Wire::Ref child : body.children(body.root())) {
      if (body.name(child) == "Quiet") continue;
      if (body.name(child) != "Object")
        return unreadable_input("DeleteObjects with an unknown element");
      REMIT_CHECKED(delete_one(child, plain, version));
    }
    if (plain.resources.size() + version.resources.size() > kMaxDeletedKeys)
      return fail(ErrorCode::LimitExceeded, "DeleteObjects names more than 1000 keys");
    if (plain.resources.empty() && version.resources.empty())
      return unreadable_input("DeleteObjects names no key");
    for (ActionRequest* request : {&plain, &version}) {
      if (request->resources.empty()) continue;
      request->resource_unknown = place_.unknown;
      if (place_.container.empty()) request->resources.clear();  // keys of an alias, without an ARN
      add_header_keys(call_, *request);
      add_signing_keys(*request);
      if (bypasses_governance()) {
        ActionRequest bypass = call_.ask("s3:BypassGovernanceRetention");
        bypass.resources = request->resources;
        bypass.resource_unknown = request->resource_unknown;
        out_.push_back(std::move(bypass));
      }
      out_.push_back(std::move(*request));
    }
    return true;
  }

  Result<void> delete_one(Wire::Ref object, ActionRequest& plain, ActionRequest& version) const {
    const Wire& body = call_.body;
    std::string_view key;
    bool has_version = false;
    for (const Wire::Ref field : body.children(object)) {
      const std::string_view name = body.name(field);
      if (name == "Key") {
        if (!key.empty()) return unreadable_input("DeleteObjects has an object with two keys");
        key = body.is_scalar(field) ? body.text(field) : std::string_view{};
      } else if (name == "VersionId") {
        if (!body.is_scalar(field) || body.text(field).empty())
          return unreadable_input("DeleteObjects has an object with an empty VersionId");
        has_version = true;
      } else if (name != "ETag" && name != "LastModifiedTime" && name != "Size") {
        return unreadable_input("DeleteObjects has an object with an unknown element");
      }
    }
    if (key.empty()) return unreadable_input("DeleteObjects has an object without a key");
    (has_version ? version : plain).resources.push_back(place_.object(key));
    return {};
  }

  const Call& call_;
  const Place& place_;
  std::optional<std::string> key_;
  std::vector<ActionRequest>& out_;
  std::size_t before_source_ = 0;  // questions that are not about the source of a copy
};

}  // namespace

// S3 Control of Outposts and of directory buckets: other actions, other resources. Those of
// Outposts come as ARNs; what does not is unknown.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3onoutposts.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3express.html
Result<bool> add_s3control_actions(const Call& call, std::vector<ActionRequest>& out) {
  const std::string_view scope = call.facts.scope_service;
  if (scope != "s3-outposts" && scope != "s3express") return false;
  for (std::uint32_t i = 0; i < call.operation.action_count; ++i) {
    const ActionRow row = call.t.actions[call.t.lists[call.operation.uses + i * 3]];
    std::string action(call.t.text(row.name));
    if (action.starts_with("s3:")) action.replace(0, 2, scope);
    ActionRequest request = call.ask(action);
    request.level = static_cast<AccessLevel>(row.level);
    for (const std::string_view member : {"Bucket", "Name"}) {
      const auto given = call.value(member);
      if (given && given->starts_with("arn:") && given->contains(":s3-outposts:") &&
          given->contains(":outpost/"))
        request.resources.push_back(*given);
    }
    request.resource_unknown = request.resources.empty();
    out.push_back(std::move(request));
  }
  return true;
}

Result<bool> add_s3_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.name() == "WriteGetObjectResponse") return false;
  REMIT_TRY(const Place place, find_place(call));
  return S3(call, place, out).run();
}

}  // namespace remit::aws
