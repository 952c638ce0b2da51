#pragma once

// What a client asks STS for, read back from its request (query protocol) into the form that Remit
// sends itself. The request has been identified before (aws/identify.h), so each parameter stands
// once; what Remit does not know is refused here, never passed on.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html

#include <string>
#include <string_view>

#include "aws/sts.h"
#include "base/result.h"

namespace remit::aws {

struct StsRequest {
  std::string action;  // "AssumeRole"
  std::string name;    // GetFederationToken only
  // What the three have in common, and what AssumeRole has besides.
  AssumeRoleRequest role;
};

// `target` is the request's (a GET has the parameters there; what begins with X-Amz- is of the
// signature), `form` its body. InvalidInput: a parameter that is malformed, unknown, or twice.
Result<StsRequest> read_sts_request(std::string_view target, std::string_view form);

}  // namespace remit::aws
