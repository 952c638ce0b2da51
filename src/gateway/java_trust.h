#pragma once

// The certificates that a Java program trusts beside nothing else: Java reads no PEM file named by
// a variable, only a key store of its own, named by -Djavax.net.ssl.trustStore.

#include <string>
#include <string_view>

#include "base/result.h"

namespace remit::gateway {

// The store's password: it guards nothing, Java only checks by it that the file is whole.
inline constexpr std::string_view kJavaTrustPassword = "changeit";

// A key store of the form JKS that every Java reads, with the certificates of `pem` as trusted.
// InvalidInput when `pem` holds something else.
Result<std::string> java_trust_store(std::string_view pem);

}  // namespace remit::gateway
