// Prints an AccessDenied in every protocol's form, one JSON object a line, for
// tools/catalogue/error_forms.py, which reads them with botocore's own parsers.
#include <cstdio>

#include "aws/error_form.h"
#include "base/encoding.h"
#include "json/writer.h"

int main() {
  using namespace remit;  // NOLINT: a test program
  struct Form {
    aws::Protocol protocol;
    const char* service;
    const char* operation;
  };
  const Form forms[] = {{aws::Protocol::Query, "iam", "ListUsers"},
                        {aws::Protocol::Query, "sqs", "ListQueues"},
                        {aws::Protocol::Ec2, "ec2", "DescribeInstances"},
                        {aws::Protocol::Json10, "dynamodb", "ListTables"},
                        {aws::Protocol::Json10, "sqs", "ListQueues"},
                        {aws::Protocol::Json11, "secretsmanager", "ListSecrets"},
                        {aws::Protocol::RestJson, "lambda", "ListFunctions"},
                        {aws::Protocol::RestXml, "s3", "GetObject"},
                        {aws::Protocol::RestXml, "route53", "ListHostedZones"},
                        {aws::Protocol::RpcV2Cbor, "cloudwatch", "ListMetrics"}};
  for (const Form& form : forms) {
    aws::ErrorFacts facts;
    facts.protocol = form.protocol;
    facts.service = form.service;
    facts.message = "refused by <remit> & \"its\" policy \xC3\xA4";
    facts.request_id = "remit-0001";
    const aws::ErrorForm made = aws::error_form(facts);
    json::Writer writer;
    writer.begin_object();
    writer.key("protocol").string(aws::name_of(form.protocol));
    writer.key("service").string(form.service);
    writer.key("operation").string(form.operation);
    writer.key("status").integer(made.status);
    writer.key("headers").begin_object();
    for (const http::Field& field : made.fields)
      writer.key(lower_ascii(field.name)).string(field.value);
    writer.end_object();
    writer.key("body_b64").string(base64(made.body));
    writer.end_object();
    std::printf("%s\n", std::move(writer).take().c_str());
  }
  return 0;
}
