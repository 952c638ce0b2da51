// DynamoDB:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html and
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html (PartiQL)
#include <algorithm>
#include <array>
#include <map>

#include "aws/call.h"
#include "aws/partiql.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

constexpr std::string_view kLeadingKeys = "dynamodb:LeadingKeys";

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

// nullopt when neither a table name nor a table's ARN.
std::optional<std::string> table_arn(const Call& call, std::string_view table,
                                     std::string_view index) {
  std::string arn;
  if (table.starts_with("arn:")) {
    if (!table.contains(":dynamodb:") || !table.contains(":table/")) return std::nullopt;
    arn = table;
  } else {
    if (!is_name(table) || !call.account_known()) return std::nullopt;
    arn = call.regional_arn("dynamodb", "table/" + std::string(table));
  }
  if (index.empty()) return arn;
  if (!is_name(index)) return std::nullopt;
  return arn + "/index/" + std::string(index);
}

void add_table(const Call& call, ActionRequest& request, std::string_view table,
               std::string_view index = {}) {
  if (auto arn = table_arn(call, table, index)) {
    if (std::ranges::find(request.resources, *arn) == request.resources.end())
      request.resources.push_back(*std::move(arn));
  } else {
    request.resource_unknown = true;
  }
}

// The partition key's value, where the key has one attribute only: with two, the schema alone tells
// which is which.
std::optional<std::string> leading_key(const Wire& body, Wire::Ref key) {
  const auto attributes = body.children(key);
  if (attributes.size() != 1) return std::nullopt;
  const auto typed = body.children(attributes[0]);
  if (typed.size() != 1 || !body.is_scalar(typed[0])) return std::nullopt;
  const std::string_view type = body.name(typed[0]);
  if (type != "S" && type != "N") return std::nullopt;
  return std::string(body.text(typed[0]));
}

void add_leading_keys(const Wire& body, const std::vector<Wire::Ref>& keys,
                      ActionRequest& request) {
  std::vector<std::string> values;
  for (const Wire::Ref key : keys) {
    auto value = leading_key(body, key);
    if (!value) return;
    values.push_back(*std::move(value));
  }
  if (!values.empty()) set_context(request, std::string(kLeadingKeys), std::move(values), true);
}

void add_read_keys(const Call& call, ActionRequest& request) {
  set_text_key(call, request, "dynamodb:ReturnConsumedCapacity", "ReturnConsumedCapacity");
  set_text_key(call, request, "dynamodb:ReturnValues", "ReturnValues");
  set_text_key(call, request, "dynamodb:Select", "Select");
}

void single(const Call& call, std::vector<ActionRequest>& out) {
  ActionRequest request = call.ask("dynamodb:" + std::string(call.name()));
  const Wire& body = call.body;
  // Only these two read an index; DynamoDB passes the member over elsewhere.
  const bool indexed = call.name() == "Query" || call.name() == "Scan";
  add_table(call, request, body_text(call, "TableName"),
            indexed ? body_text(call, "IndexName") : std::string_view{});
  add_read_keys(call, request);
  set_absent(request, "dynamodb:EnclosingOperation");
  if (const Wire::Ref key = body.child(body.root(), "Key"); key != Wire::kNothing)
    add_leading_keys(body, {key}, request);
  out.push_back(std::move(request));
}

void batch(const Call& call, std::vector<ActionRequest>& out) {
  const Wire& body = call.body;
  ActionRequest request = call.ask("dynamodb:" + std::string(call.name()));
  std::vector<Wire::Ref> keys;
  bool all_keys = true;
  for (const Wire::Ref table : body.children(body.child(body.root(), "RequestItems"))) {
    add_table(call, request, body.name(table));
    if (call.name() == "BatchGetItem") {
      for (const Wire::Ref key : body.items(table, "Keys")) keys.push_back(key);
    } else {
      for (const Wire::Ref write : body.children(table)) {
        if (body.children(write).size() != 1) all_keys = false;
        const Wire::Ref removed = body.child(body.child(write, "DeleteRequest"), "Key");
        if (removed == Wire::kNothing) {
          all_keys = false;
        } else {
          keys.push_back(removed);
        }
      }
    }
  }
  if (request.resources.empty()) request.resource_unknown = true;
  if (all_keys) add_leading_keys(body, keys, request);
  add_read_keys(call, request);
  set_absent(request, "dynamodb:EnclosingOperation");
  out.push_back(std::move(request));
}

// One question for each action, over all items of the transaction that need it.
class Questions {
 public:
  explicit Questions(const Call& call) : call_(call) {}
  ActionRequest& of(const std::string& action) {
    const auto found = requests_.find(action);
    if (found != requests_.end()) return found->second;
    return requests_.emplace(action, call_.ask("dynamodb:" + action)).first->second;
  }
  bool empty() const { return requests_.empty(); }
  void finish(std::string_view enclosing, std::vector<ActionRequest>& out) {
    for (auto& [action, request] : requests_) {
      add_read_keys(call_, request);
      if (enclosing.empty()) {
        set_absent(request, "dynamodb:EnclosingOperation");
      } else {
        set_context(request, "dynamodb:EnclosingOperation", std::string(enclosing));
      }
      out.push_back(std::move(request));
    }
  }

 private:
  const Call& call_;
  std::map<std::string, ActionRequest> requests_;
};

Result<bool> transact(const Call& call, std::vector<ActionRequest>& out) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kKinds = {
      {{"Get", "GetItem"},
       {"Put", "PutItem"},
       {"Update", "UpdateItem"},
       {"Delete", "DeleteItem"},
       {"ConditionCheck", "ConditionCheckItem"}}};
  const Wire& body = call.body;
  Questions questions(call);
  for (const Wire::Ref item : body.items(body.root(), "TransactItems")) {
    for (const Wire::Ref part : body.children(item)) {
      const auto kind = std::ranges::find(kKinds, body.name(part),
                                          &std::pair<std::string_view, std::string_view>::first);
      if (kind == kKinds.end())
        return fail(ErrorCode::InvalidInput,
                    "a transaction holds an unknown kind of item: " + std::string(body.name(part)));
      add_table(call, questions.of(std::string(kind->second)),
                body.text_at(part, "TableName").value_or(""));
    }
  }
  if (questions.empty()) return false;
  questions.finish(call.name(), out);
  return true;
}

void ask_statement(const Call& call, std::string_view text, Questions& questions) {
  const PartiqlStatement statement = read_partiql(text);
  constexpr std::array<std::string_view, 4> kAll = {"PartiQLSelect", "PartiQLInsert",
                                                    "PartiQLUpdate", "PartiQLDelete"};
  if (statement.verb == PartiqlVerb::Unknown) {
    for (const std::string_view action : kAll)
      questions.of(std::string(action)).resource_unknown = true;
    return;
  }
  ActionRequest& request =
      questions.of(std::string(kAll[static_cast<std::size_t>(statement.verb) - 1]));
  if (statement.table.empty()) {
    request.resource_unknown = true;
  } else {
    add_table(call, request, statement.table, statement.index);
  }
}

Result<void> statements(const Call& call, std::vector<ActionRequest>& out) {
  const Wire& body = call.body;
  Questions questions(call);
  if (const auto text = body.text_at(body.root(), "Statement"))
    ask_statement(call, *text, questions);
  for (const std::string_view list : {"Statements", "TransactStatements"})
    for (const Wire::Ref item : body.items(body.root(), list))
      ask_statement(call, body.text_at(item, "Statement").value_or(""), questions);
  if (questions.empty()) return fail(ErrorCode::InvalidInput, "no statement to run");
  questions.finish(call.name() == "ExecuteTransaction" ? call.name() : "", out);
  return {};
}

}  // namespace

Result<bool> add_dynamodb_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  const std::string_view name = call.name();
  constexpr std::array<std::string_view, 6> kSingle = {"GetItem",    "PutItem", "UpdateItem",
                                                       "DeleteItem", "Query",   "Scan"};
  if (std::ranges::find(kSingle, name) != kSingle.end()) {
    single(call, out);
  } else if (name == "BatchGetItem" || name == "BatchWriteItem") {
    batch(call, out);
  } else if (name == "TransactGetItems" || name == "TransactWriteItems") {
    return transact(call, out);
  } else if (name == "ExecuteStatement" || name == "BatchExecuteStatement" ||
             name == "ExecuteTransaction") {
    REMIT_CHECKED(statements(call, out));
  } else {
    return false;
  }
  return true;
}

}  // namespace remit::aws
