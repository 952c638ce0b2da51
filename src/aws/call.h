#pragma once

// One request, read once: what the steps of identification share. Internal to src/aws.

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/catalogue_tables.h"
#include "aws/host.h"
#include "aws/identify.h"
#include "aws/input_fields.h"
#include "aws/request_target.h"
#include "aws/rest_match.h"
#include "aws/wire.h"

namespace remit::aws {

// An operation that the head of the request may mean.
struct Candidate {
  std::uint32_t operation = 0;
  Protocol protocol = Protocol::RestXml;
  std::uint32_t route = 0xFFFFFFFF;  // of REST protocols
};

// What the head alone tells.
struct Resolved {
  InputFields fields;
  RequestTarget target;
  Segments segments;
  std::unique_ptr<const S3Host> s3_host;  // of an S3 host in CONNECT mode
  boost::container::small_vector<Candidate, 4> candidates;
  bool based = false;         // the path's first segment belongs to the endpoint
  bool form_in_body = false;  // query protocols: candidates are found with the body only
};

Result<void> resolve(const Catalogue::Tables& tables, const RequestFacts& facts,
                     const std::vector<QueryParameter>* form, Resolved& into);

// One candidate with its input, for the code that turns it into IAM actions.
class Call {
 public:
  Call(const Catalogue::Tables& tables, const RequestFacts& facts, const Resolved& resolved,
       const Candidate& candidate, const Wire& body, std::string_view raw_body);

  const Catalogue::Tables& t;
  const RequestFacts& facts;
  const Resolved& resolved;
  const Wire& body;
  std::string_view raw_body;
  OperationRow operation;
  ServiceRow service;
  Protocol protocol;
  // The body could not be read (it is compressed): what it holds is unknown.
  bool body_unknown = false;

  std::string_view name() const { return t.text(operation.name); }

  // Values of the operation's input by the model's member name, wherever the protocol puts them
  // (label, query, header, body). nullopt when absent.
  std::optional<std::string> value(std::string_view member) const;
  std::vector<std::string> values(std::string_view member) const;
  std::vector<std::string> values_of(std::uint8_t member_index) const;
  // Of the request line, decoded; by wire name.
  std::optional<std::string> label(std::string_view member) const;
  const QueryParameter* query(std::string_view name) const { return resolved.target.find(name); }
  std::string_view header(std::string_view name) const;  // empty when absent

  // "arn:aws:sqs:us-east-1:111122223333:" ; the account is empty where the caller knows none.
  std::string arn(std::string_view service_name, std::string_view region, std::string_view account,
                  std::string_view resource) const;
  std::string regional_arn(std::string_view service_name, std::string_view resource) const;
  // No account is known, so an ARN that needs it cannot be told.
  bool account_known() const { return !facts.account.empty(); }

  // The question for one action, with what every action gets: region, tags, the keys that AWS alone
  // knows. `name` is "s3:GetObject".
  ActionRequest ask(std::string_view name) const;
  ActionRequest ask(const ActionRow& action) const;
  void ask(std::string_view name, ActionRequest& into) const;
  void ask(const ActionRow& action, ActionRequest& into) const;

 private:
  void add_common(ActionRequest& request, unsigned listed) const;

  Labels labels_;
};

// The IAM actions of one candidate. Appends to `out`.
Result<void> add_actions(const Call& call, std::vector<ActionRequest>& out);

// The generic way: the catalogue's actions, recipes, tags and roles.
void add_generic_actions(const Call& call, std::vector<ActionRequest>& out);
// The same for one action of the catalogue, by its position among the operation's actions.
ActionRequest generic_action(const Call& call, std::uint32_t index);
// Whether the input names a resource of that action which could not be told.
bool mentions_untold(const Call& call, std::uint32_t index);
// iam:PassRole for each role that the input names; appends nothing without one.
void add_passed_roles(const Call& call, std::vector<ActionRequest>& out);
// aws:RequestTag and aws:TagKeys from the operation's tag members.
void add_tag_context(const Call& call, ActionRequest& request);

// What the service's endpoint rules say for the operation, the session's partition and the region
// that the client signed for.
struct OwnEndpoint {
  std::string_view host;    // "{r}" for the region; empty where they give none
  std::string_view region;  // to sign for, whatever the client's own is; empty: that one
};
OwnEndpoint own_endpoint(const Call& call);

// These do nothing where the keys are not wanted (ActionRequest::keys_told).
void set_context(ActionRequest& request, std::string key, std::string value);
void set_context(ActionRequest& request, std::string key, std::vector<std::string> values,
                 bool multivalued);
// The key is known to be absent: no longer unknown.
void set_absent(ActionRequest& request, std::string_view key);
void set_absent(ActionRequest& request, std::initializer_list<std::string_view> keys);

// A scalar at the top of the body; empty when it is absent.
std::string_view body_text(const Call& call, std::string_view member);
// The key with that scalar's text; without one, `otherwise` (the default that AWS documents);
// without that either, the key is known to be absent.
void set_text_key(const Call& call, ActionRequest& request, std::string_view key,
                  std::string_view member, std::string_view otherwise = {});

// The resource of a question to KMS: the ARN that a key's id or ARN gives. An alias does not tell
// its key: unknown, and kms:RequestAlias.
void add_kms_key(const Call& call, ActionRequest& request, std::string_view given);
// What the service will ask of KMS in the caller's name, where the request names the key: after the
// operation's own actions.
void add_forward_access(const Call& call, std::vector<ActionRequest>& out);

// Services with rules of their own; false: not this operation, take the generic way.
Result<bool> add_s3_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_s3control_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_dynamodb_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_messaging_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_lambda_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_kms_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_iam_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_ec2_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_other_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_named_actions(const Call& call, std::vector<ActionRequest>& out);
Result<bool> add_path_actions(const Call& call, std::vector<ActionRequest>& out);

}  // namespace remit::aws
