#include "iam/random_policies_for_tests.h"

#include "json/writer.h"

namespace remit::iam::reference {
namespace {

const std::vector<std::string> kActions{
    "s3:GetObject",    "s3:PutObject",     "S3:get*",  "s3:*",       "*",  "sqs:*",
    "sqs:SendMessage", "ec2:RunInstances", "ec2:R?n*", "s3:*Object", "*:*"};
const std::vector<std::string> kAsked{"s3:GetObject", "S3:PUTobject", "sqs:SendMessage",
                                      "ec2:RunInstances", "s3:GetBucketPolicy"};
const std::vector<std::string> kResources{"*",
                                          "arn:aws:s3:::b/*",
                                          "arn:aws:s3:::b/k",
                                          "arn:aws:s3:::*",
                                          "arn:aws:s3:::b/${aws:username}",
                                          "arn:aws:s3:::b/${aws:PrincipalTag/t}*",
                                          "arn:aws:s3:::b/${aws:PrincipalTag/t, 'k'}",
                                          "arn:aws:sqs:*:*:q",
                                          "arn:aws:sqs:us-east-1:111122223333:*",
                                          "arn:aws:s3:::?/?",
                                          "arn:aws:s3:::b/${*}",
                                          "arn:aws:ec2:*:*:instance/*",
                                          "arn:aws:s3:::b/*a*e*"};
const std::vector<std::string> kAskedResources{"arn:aws:s3:::b/k",
                                               "arn:aws:s3:::b/alice",
                                               "arn:aws:s3:::b",
                                               "arn:aws:s3:::b/*",
                                               "arn:aws:sqs:us-east-1:111122223333:q",
                                               "arn:aws:sqs:us-east-1:444455556666:q",
                                               "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
                                               "*"};
const std::vector<std::string> kPrincipals{
    "\"*\"",
    R"({"AWS":"*"})",
    R"({"AWS":"111122223333"})",
    R"({"AWS":"arn:aws:iam::111122223333:root"})",
    R"({"AWS":"arn:aws:iam::111122223333:user/alice"})",
    R"({"AWS":["arn:aws:iam::111122223333:role/App","444455556666"]})",
    R"({"AWS":"arn:aws:sts::111122223333:assumed-role/App/s1"})",
    R"({"Service":"lambda.amazonaws.com"})",
    R"({"AWS":"arn:aws:sts::111122223333:federated-user/fred","Service":["sns.amazonaws.com"]})"};
const std::vector<std::string> kCallers{"arn:aws:iam::111122223333:user/alice",
                                        "arn:aws:sts::111122223333:assumed-role/App/s1",
                                        "arn:aws:sts::111122223333:assumed-role/App/s2",
                                        "arn:aws:iam::111122223333:role/App",
                                        "arn:aws:sts::111122223333:federated-user/fred",
                                        "arn:aws:iam::111122223333:root",
                                        "arn:aws:iam::444455556666:user/bob",
                                        "lambda.amazonaws.com",
                                        "*"};
const std::vector<std::string> kTextOperators{
    "StringEquals",  "StringNotEquals",        "StringLike",
    "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"};
const std::vector<std::string> kTextKeys{"aws:PrincipalTag/t", "AWS:sourcevpc", "aws:TagKeys",
                                         "aws:username", "aws:PrincipalAccount"};
const std::vector<std::string> kTextValues{
    "k",    "K",  "a*",          "alice", "", "*", "${aws:username}", "${aws:PrincipalTag/t}",
    "${*}", "a?", "111122223333"};
const std::vector<std::string> kContextValues{"k", "K", "alice", "*", "ab", ""};
const std::vector<std::string> kNumericOperators{"NumericEquals", "NumericNotEquals",
                                                 "NumericLessThan", "NumericGreaterThanEquals"};
const std::vector<std::string> kNumbers{"1", "2.5", "-3", "10", "x", "2.50"};
const std::vector<std::string> kArns{"arn:aws:sns:*:111122223333:*", "arn:aws:sns:us-?ast-1:*:t",
                                     "arn:aws:sns:us-east-1:111122223333:${aws:username}"};
const std::vector<std::string> kAskedArns{"arn:aws:sns:us-east-1:111122223333:t",
                                          "arn:aws:sns:us-east-1:111122223333:alice", "topic"};

std::string list(Dice& dice, const std::vector<std::string>& from) {
  if (dice.one_in(2)) return "\"" + dice.pick(from) + "\"";
  if (dice.one_in(40)) return "[]";
  std::string out = "[";
  const auto n = 1 + dice.below(3);
  for (std::size_t i = 0; i < n; ++i) out += (i > 0 ? ",\"" : "\"") + dice.pick(from) + "\"";
  return out + "]";
}

std::string operator_with(Dice& dice, const std::string& base) {
  std::string out = base;
  if (dice.one_in(4)) out = (dice.one_in(2) ? "ForAllValues:" : "ForAnyValue:") + out;
  if (dice.one_in(4)) out += "IfExists";
  return out;
}

std::string random_condition(Dice& dice) {
  switch (dice.below(6)) {
    case 0:
      return "\"" + operator_with(dice, dice.pick(kNumericOperators)) +
             "\":{\"s3:max-keys\":" + list(dice, kNumbers) + "}";
    case 1:
      return "\"" + operator_with(dice, "Bool") + R"(":{"aws:SecureTransport":")" +
             (dice.one_in(2) ? "true" : "False") + "\"}";
    case 2:
      return R"("Null":{")" + dice.pick(kTextKeys) + R"(":")" +
             (dice.one_in(2) ? "true" : "false") + "\"}";
    case 3:
      return "\"" + operator_with(dice, dice.one_in(2) ? "ArnLike" : "ArnNotEquals") +
             R"(":{"aws:SourceArn":)" + list(dice, kArns) + "}";
    default:
      return "\"" + operator_with(dice, dice.pick(kTextOperators)) + "\":{\"" +
             dice.pick(kTextKeys) + "\":" + list(dice, kTextValues) + "}";
  }
}

}  // namespace

std::string random_statement(Dice& dice, bool principal) {
  std::string out = R"({"Effect":")";
  out += dice.one_in(4) ? "Deny\"" : "Allow\"";
  out += dice.one_in(8) ? ",\"NotAction\":" : ",\"Action\":";
  out += list(dice, kActions);
  out += dice.one_in(8) ? ",\"NotResource\":" : ",\"Resource\":";
  out += list(dice, kResources);
  if (principal) out += ",\"Principal\":" + dice.pick(kPrincipals);
  if (dice.one_in(2)) {
    out += ",\"Condition\":{" + random_condition(dice);
    const auto second = random_condition(dice);
    // No operator twice.
    if (out.find(second.substr(0, second.find(':', second.find('"', 1)))) == std::string::npos) {
      out += "," + second;
    }
    out += "}";
  }
  return out + "}";
}

std::string random_document(Dice& dice, bool principal) {
  std::string out = "{";
  if (!dice.one_in(6)) out += R"("Version":"2012-10-17",)";
  out += "\"Statement\":[";
  const auto n = 1 + dice.below(3);
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) out += ",";
    out += random_statement(dice, principal);
  }
  return out + "]}";
}

Policies random_policies(Dice& dice) {
  Policies out;
  const auto some = [&](std::size_t most, bool principal) {
    std::vector<std::string> all(dice.below(most + 1));
    for (auto& text : all) text = random_document(dice, principal);
    return all;
  };
  const std::string everything =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})";
  out.identity = some(3, false);
  if (dice.one_in(3)) out.identity.push_back(everything);
  if (dice.one_in(4)) out.boundary = {random_document(dice, false)};
  if (dice.one_in(4)) out.session = some(2, false);
  if (dice.one_in(2)) out.resource = {random_document(dice, true)};
  if (dice.one_in(8)) out.endpoint = {random_document(dice, true)};
  if (dice.one_in(4)) {
    out.scp.resize(1 + dice.below(2));
    for (auto& level : out.scp) {
      level = some(2, false);
      if (dice.one_in(2)) level.push_back(everything);
    }
  }
  if (dice.one_in(8)) {
    out.rcp = {{R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*",)"
                R"("Action":"s3:Put*","Resource":"*"}})"}};
  }
  return out;
}

Request random_request(Dice& dice) {
  Request out;
  out.principal = dice.pick(kCallers);
  out.action = dice.pick(kAsked);
  if (!dice.one_in(10)) out.resource = dice.pick(kAskedResources);
  if (!dice.one_in(3)) out.account = dice.one_in(3) ? "444455556666" : "111122223333";
  const auto maybe = [&](const std::string& key, const std::vector<std::string>& from,
                         std::size_t most) {
    if (dice.one_in(2)) return;
    std::vector<std::string> values(dice.below(most) + 1);
    for (auto& v : values) v = dice.pick(from);
    out.context[key] = values;
  };
  maybe("aws:principaltag/t", kContextValues, 1);
  maybe("aws:sourcevpc", kContextValues, 1);
  maybe("aws:tagkeys", kContextValues, 3);
  maybe("s3:max-keys", kNumbers, 1);
  maybe("aws:securetransport", {"true", "false"}, 1);
  maybe("aws:sourcearn", kAskedArns, 2);
  for (const auto& key : {"aws:principaltag/t", "aws:sourcevpc", "aws:tagkeys", "s3:max-keys"}) {
    if (dice.one_in(8)) out.unknown.emplace_back(key);
  }
  return out;
}

std::string batch_line(const Policies& p, const Request& r) {
  json::Writer w;
  const auto documents = [&w](const std::vector<std::string>& all) {
    w.begin_array();
    for (const auto& text : all) w.raw(text);
    w.end_array();
  };
  w.begin_object();
  w.key("id").integer(1);
  w.key("principal").string(r.principal);
  w.key("action").string(r.action);
  w.key("resource").begin_object();
  if (r.resource) w.key("arn").string(*r.resource);
  if (r.account) w.key("account").string(*r.account);
  w.end_object();
  w.key("context").begin_object();
  for (const auto& [key, values] : r.context) {
    w.key(key).begin_array();
    for (const auto& v : values) w.string(v);
    w.end_array();
  }
  w.end_object();
  w.key("unknown").begin_array();
  for (const auto& key : r.unknown) w.string(key);
  w.end_array();
  w.key("policies").begin_object();
  for (const auto& [name, all] : {std::pair{"identity", &p.identity},
                                  {"boundary", &p.boundary},
                                  {"session", &p.session},
                                  {"resource", &p.resource},
                                  {"endpoint", &p.endpoint}}) {
    w.key(name);
    documents(*all);
  }
  for (const auto& [name, levels] : {std::pair{"scp", &p.scp}, {"rcp", &p.rcp}}) {
    w.key(name).begin_array();
    for (const auto& level : *levels) documents(level);
    w.end_array();
  }
  w.end_object().end_object();
  return std::move(w).take();
}

}  // namespace remit::iam::reference
