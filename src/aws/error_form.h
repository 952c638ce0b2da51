#pragma once

// Errors in each AWS protocol's own form, so that an SDK raises the exception it raises when AWS
// itself says no.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization and its
// siblings for each protocol.

#include <string>
#include <string_view>

#include "aws/catalogue.h"
#include "net/http.h"

namespace remit::aws {

struct ErrorFacts {
  Protocol protocol = Protocol::RestXml;
  std::string_view service;  // botocore's name; "s3" and "ec2" have forms of their own
  std::string_view code = "AccessDenied";  // as the query protocols say it
  std::string_view message;                // for the agent: no secret
  std::string_view request_id;
  std::string_view resource;  // S3 names the path; may be empty
  int status = 0;             // 0: what AWS uses for that code in that protocol
  bool head_request = false;  // an answer to HEAD has no body
};

struct ErrorForm {
  int status = 403;
  http::Fields fields;  // content-type, content-length, request id, error type; no Date
  std::string body;
};

ErrorForm error_form(const ErrorFacts& facts);

}  // namespace remit::aws
