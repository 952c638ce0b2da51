#pragma once

// The JSON that credential_process programs, container endpoints and the instance metadata service
// answer with.

#include <string>

#include "aws/credentials.h"
#include "base/result.h"

namespace remit::aws {

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
Result<Credentials> read_process_answer(std::string json);
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
Result<Credentials> read_container_answer(std::string json);
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
Result<Credentials> read_instance_answer(std::string json);

}  // namespace remit::aws
