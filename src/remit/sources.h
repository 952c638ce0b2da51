#pragma once

// From the configuration to what the AWS room asks for: where the base credentials come from, which
// STS endpoint is asked, and the AssumeRole request of a plan.

#include <string>

#include "aws/base_credentials.h"
#include "aws/sts.h"
#include "remit/session.h"

namespace remit::rules {

// The custom endpoint for STS: by its host, by its name, or the one for everything; empty when the
// regional one of AWS is meant.
std::string sts_endpoint(const Config& config);

aws::BaseOptions base_options(const Config& config);

aws::AssumeRoleRequest assume_role_request(const SessionPlan& plan);

}  // namespace remit::rules
