#include "aws/error_form.h"

#include <array>
#include <utility>

#include "base/xml.h"
#include "json/writer.h"

namespace remit::aws {
namespace {

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  append_xml_escaped(out, text);
  out.append("</").append(name).append(">");
}

constexpr std::string_view kXml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string query_body(const ErrorFacts& facts) {
  std::string out = "<ErrorResponse><Error><Type>Sender</Type>";
  append_element(out, "Code", facts.code);
  append_element(out, "Message", facts.message);
  out += "</Error>";
  append_element(out, "RequestId", facts.request_id);
  return out + "</ErrorResponse>";
}

std::string ec2_body(const ErrorFacts& facts) {
  std::string out(kXml);
  out += "<Response><Errors><Error>";
  append_element(out, "Code", facts.code);
  append_element(out, "Message", facts.message);
  out += "</Error></Errors>";
  append_element(out, "RequestID", facts.request_id);
  return out + "</Response>";
}

std::string s3_body(const ErrorFacts& facts) {
  std::string out(kXml);
  out += "<Error>";
  append_element(out, "Code", facts.code);
  append_element(out, "Message", facts.message);
  if (!facts.resource.empty()) append_element(out, "Resource", facts.resource);
  append_element(out, "RequestId", facts.request_id);
  return out + "</Error>";
}

// The query protocols say AccessDenied; JSON services name the exception.
std::string_view json_code(std::string_view code) {
  return code == "AccessDenied" ? "AccessDeniedException" : code;
}

std::string json_body(const ErrorFacts& facts) {
  json::Writer writer;
  writer.begin_object();
  writer.key("__type").string(json_code(facts.code));
  writer.key("message").string(facts.message);
  writer.key("Message").string(facts.message);
  writer.end_object();
  return std::move(writer).take();
}

std::string rest_json_body(const ErrorFacts& facts) {
  json::Writer writer;
  writer.begin_object();
  writer.key("message").string(facts.message);
  writer.key("Message").string(facts.message);
  writer.key("code").string(json_code(facts.code));
  writer.end_object();
  return std::move(writer).take();
}

void append_cbor_text(std::string& out, std::string_view text) {
  const std::size_t size = text.size();
  if (size < 24) {
    out += static_cast<char>(0x60 | size);
  } else if (size < 0x100) {
    out += '\x78';
    out += static_cast<char>(size);
  } else {
    out += '\x7A';
    for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(size >> shift & 0xFF);
  }
  out += text;
}

std::string cbor_body(const ErrorFacts& facts) {
  std::string out = "\xA2";
  append_cbor_text(out, "__type");
  append_cbor_text(out, json_code(facts.code));
  append_cbor_text(out, "message");
  append_cbor_text(out, facts.message);
  return out;
}

int usual_status(const ErrorFacts& facts) {
  const bool json = facts.protocol == Protocol::Json10 || facts.protocol == Protocol::Json11 ||
                    facts.protocol == Protocol::RpcV2Cbor;
  if (facts.code == "AccessDenied" || facts.code == "AccessDeniedException") {
    // The JSON protocols answer every client error with 400.
    return json ? 400 : 403;
  }
  if (facts.code == "InternalFailure" || facts.code == "InternalError") return 500;
  if (facts.code == "ServiceUnavailable" || facts.code == "SlowDown") return 503;
  if (facts.code == "SignatureDoesNotMatch" || facts.code == "InvalidAccessKeyId" ||
      facts.code == "InvalidClientTokenId" || facts.code == "RequestTimeTooSkewed")
    return json ? 400 : 403;
  return 400;
}

}  // namespace

ErrorForm error_form(const ErrorFacts& facts) {
  ErrorForm form;
  form.status = facts.status != 0 ? facts.status : usual_status(facts);
  std::string_view type = "text/xml";
  std::string_view id_header = "x-amzn-RequestId";
  switch (facts.protocol) {
    case Protocol::Query:
      form.body = query_body(facts);
      break;
    case Protocol::Ec2:
      form.body = ec2_body(facts);
      break;
    case Protocol::RestXml:
      // S3 writes a bare error; the other rest-xml services wrap it as the query protocol does.
      if (facts.service == "s3" || facts.service.empty()) {
        form.body = s3_body(facts);
        type = "application/xml";
        id_header = "x-amz-request-id";
      } else {
        form.body = query_body(facts);
      }
      break;
    case Protocol::Json10:
    case Protocol::Json11:
      form.body = json_body(facts);
      type = facts.protocol == Protocol::Json10 ? "application/x-amz-json-1.0"
                                                : "application/x-amz-json-1.1";
      break;
    case Protocol::RestJson:
      form.body = rest_json_body(facts);
      type = "application/json";
      break;
    case Protocol::RpcV2Cbor:
      form.body = cbor_body(facts);
      type = "application/cbor";
      form.fields.push_back({"smithy-protocol", "rpc-v2-cbor"});
      break;
  }
  if (facts.protocol == Protocol::RestJson || facts.protocol == Protocol::Json10 ||
      facts.protocol == Protocol::Json11)
    form.fields.push_back({"x-amzn-ErrorType", std::string(json_code(facts.code))});
  // Services that once spoke the query protocol: their clients look for the old code here.
  if (facts.service == "sqs" && facts.protocol != Protocol::Query)
    form.fields.push_back({"x-amzn-query-error", std::string(facts.code) + ";Sender"});
  form.fields.push_back({std::string(id_header), std::string(facts.request_id)});
  form.fields.push_back({"content-type", std::string(type)});
  if (facts.head_request) form.body.clear();
  form.fields.push_back({"content-length", std::to_string(form.body.size())});
  return form;
}

}  // namespace remit::aws
