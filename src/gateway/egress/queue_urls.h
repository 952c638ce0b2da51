#pragma once

// SQS hands out the URL of a queue, and some clients (JavaScript) then talk to its host and to no
// other. In endpoint mode that host is this listener: in answers the URL is made ours, in requests
// AWS's again. Internal to src/gateway/egress.

#include <string>
#include <string_view>

#include "aws/identify.h"

namespace remit::gateway {

// Whether the answer holds URLs of queues.
bool gives_queue_urls(const aws::Identified& identified);

// `text` with every http(s)://HOST/ACCOUNT/ that stands at the beginning of a JSON string or an XML
// element made BASE/ACCOUNT/. `base` is "http://127.0.0.1:4711".
std::string with_queue_base(std::string_view text, std::string_view base);

// The other way: of the member QueueUrl, when it begins with `own`. False: it does not.
bool restore_queue_base(std::string& text, std::string_view own, std::string_view base);

}  // namespace remit::gateway
