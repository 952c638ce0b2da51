#pragma once

// Where in AWS a request would have an effect, besides what its signature and its ARNs say: for the
// pins of a remit (docs/configuration.md, `regions` and `accounts`). Internal to src/aws.

#include "aws/call.h"
#include "aws/identify.h"

namespace remit::aws {

// Adds what this reading of the request names: the region of the host; members of the input such as
// SourceRegion, LocationConstraint or TargetAccountId, wherever the protocol puts them. Nothing is
// looked up: a name of a member and the form of its value decide, so that a new operation is not
// missed. A value that is a region or an account only by accident is taken for one.
void add_places(const Call& call, Places& places);

}  // namespace remit::aws
