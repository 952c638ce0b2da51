#include "gateway/egress/records.h"

#include <algorithm>
#include <map>
#include <utility>

#include "gateway/journal.h"
#include "json/writer.h"

namespace remit::gateway {
namespace {

// Members come in the order of their names: that is the canonical form.
class Members {
 public:
  Members() {
    std::string buffer;
    buffer.reserve(512);
    writer_ = json::Writer(std::move(buffer));
    writer_.begin_object();
  }
  Members& text(std::string_view name, std::string_view value) {
    if (!value.empty()) writer_.key(name).string(value);
    return *this;
  }
  Members& number(std::string_view name, std::int64_t value) {
    writer_.key(name).integer(value);
    return *this;
  }
  json::Writer& key(std::string_view name) { return writer_.key(name); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(writer_.size()); }
  std::string take() {
    writer_.end_object();
    return std::move(writer_).take();
  }

 private:
  json::Writer writer_;
};

// A query string may hold tokens and data: the path says enough.
std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

void write_actions(Members& members, const aws::Identified& identified) {
  auto& list = members.key("actions").begin_array();
  for (const aws::ActionRequest& action : identified.actions) list.string(action.action);
  list.end_array();
}

// DeleteObjects may name a thousand: the first few tell what it was about.
constexpr std::size_t kMaxResources = 32;

void write_resources(Members& members, const aws::Identified& identified) {
  auto& list = members.key("resources").begin_array();
  std::size_t written = 0;
  for (const aws::ActionRequest& action : identified.actions) {
    for (const std::string& resource : action.resources) {
      if (written++ < kMaxResources) list.string(resource);
    }
  }
  list.end_array();
  if (written > kMaxResources) {
    members.number("resources_total", static_cast<std::int64_t>(written));
  }
}

// Which action was asked for on which resource, where the two lists do not tell.
void write_asked(Members& members, const Decided& decided) {
  const auto& actions = decided.identified->actions;
  const bool plain = actions.size() == 1 && !actions.front().resource_unknown;
  if (plain && !decided.observe) return;
  auto& list = members.key("asked").begin_array();
  std::size_t written = 0;
  for (const aws::ActionRequest& action : actions) {
    list.begin_object().key("action").string(action.action);
    if (decided.observe) {
      // Names in their order, the last word on each.
      std::map<std::string_view, const aws::ContextEntry*> context;
      for (const aws::ContextEntry& entry : action.context) context[entry.key] = &entry;
      list.key("context").begin_object();
      for (const auto& [key, entry] : context) {
        list.key(key).begin_array();
        for (const std::string& value : entry->values) list.string(value);
        list.end_array();
      }
      list.end_object();
    }
    if (action.resource_unknown) list.key("resource_unknown").boolean(true);
    list.key("resources").begin_array();
    for (const std::string& resource : action.resources) {
      if (written++ < kMaxResources) list.string(resource);
    }
    list.end_array().end_object();
  }
  list.end_array();
}

}  // namespace

DecidedBody decided_body(const Decided& decided) {
  const aws::Identified& identified = *decided.identified;
  DecidedBody body;
  Members members;
  write_actions(members, identified);
  write_asked(members, decided);
  body.parts.own = members.size();
  members.text("catalogue", decided.catalogue.substr(0, 16));
  members.text("decision", decided.refusal == nullptr ? "allowed" : "denied");
  body.parts.common = members.size();
  members.text("host", decided.host);
  if (decided.refusal != nullptr) members.text("layer", decided.refusal->layer);
  members.text("operation", identified.operation);
  if (decided.refusal != nullptr) {
    members.text("reason", decided.refusal->message);
  } else if (decided.unsafe) {
    members.text("reason", "UNSAFE: Remit's own check is switched off for a test");
  }
  members.text("region", identified.region);
  write_resources(members, identified);
  members.text("service", identified.service);
  body.parts.own_too = members.size();
  members.text("session_name", decided.session_name);
  if (decided.refusal != nullptr) members.text("statement", decided.refusal->statement);
  members.text("upstream", decided.upstream);
  const bool shares = decided.refusal == nullptr && members.size() > body.parts.own_too;
  if (!shares) body.parts = {};
  body.json = members.take();
  return body;
}

DoneBody::DoneBody() {
  std::string buffer;
  buffer.reserve(1024);  // some eight answers
  writer_ = json::Writer(std::move(buffer));
  writer_.begin_object().key("answers").begin_array();
}

void DoneBody::add(const Done& done) {
  writer_.begin_object();
  writer_.key("bytes_received").integer(static_cast<std::int64_t>(done.bytes_received));
  writer_.key("bytes_sent").integer(static_cast<std::int64_t>(done.bytes_sent));
  writer_.key("decided").integer(done.decided);
  writer_.key("duration_ms").integer(done.took.count());
  if (!done.error.empty()) writer_.key("error_code").string(done.error);
  if (done.request >= 0) writer_.key("request").integer(done.request);
  if (!done.request_id.empty()) writer_.key("request_id").string(done.request_id);
  writer_.key("status").integer(done.status);
  writer_.end_object();
}

std::string DoneBody::take() && {
  writer_.end_array().end_object();
  return std::move(writer_).take();
}

std::string derived_body(const DerivedRecord& record) {
  const CallFacts& facts = *record.facts;
  Members members;
  members.text("access_key_id", record.real_access_key_id)
      .text("asked_session_name", record.asked_session_name)
      .text("bucket", record.bucket)
      .text("derived", record.operation)
      .text("expires", iso8601(record.expires));
  members.key("narrowed").boolean(record.narrowed);
  members.number("packed_policy_size", record.packed_policy_percent)
      .text("placeholder", record.access_key_id)
      .text("remit", facts.remit);
  members.key("reused").boolean(false);
  members.text("role", facts.role_arn)
      .text("session_name", facts.session_name)
      .text("source_identity", facts.source_identity);
  auto& tags = members.key("tags").begin_object();
  for (const auto& [key, value] : facts.tags) tags.key(key).string(value);
  tags.end_object();
  return members.take();
}

std::string public_read_body(std::string_view upstream, std::string_view host,
                             const http::RequestHead& head) {
  Members members;
  members.text("decision", "allowed")
      .text("host", host)
      .text("layer", "public host")
      .text("method", head.method)
      .text("path", path_of(head.target))
      .text("upstream", upstream);
  return members.take();
}

std::string refused_body(std::string_view upstream, std::string_view host,
                         const http::RequestHead& head, const Refusal& refusal) {
  Members members;
  members.text("action", refusal.action)
      .text("decision", "denied")
      .text("host", host)
      .text("layer", refusal.layer)
      .text("method", head.method)
      .text("path", path_of(head.target))
      .text("reason", refusal.message)
      .text("resource", refusal.resource)
      .text("upstream", upstream);
  return members.take();
}

}  // namespace remit::gateway
