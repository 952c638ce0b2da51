#pragma once

// The listener behind a MetadataDoor. Internal to src/gateway/egress.

#include <memory>

#include "gateway/egress/credential_endpoint.h"
#include "gateway/egress/service.h"
#include "gateway/metadata_door.h"
#include "net/channel.h"

namespace remit::gateway {

Result<std::unique_ptr<MetadataDoor>> open_metadata_door(std::shared_ptr<EgressService> service,
                                                         std::shared_ptr<Lane> lane,
                                                         MayAsk may_ask);

// Records the answer if it is a refusal, sends it, and wipes it. `told`: what the record may show
// of the request.
net::Task<> send_credentials(EgressService& service, net::ServerConnection& client,
                             CredentialAnswer answer, http::RequestHead told);

}  // namespace remit::gateway
