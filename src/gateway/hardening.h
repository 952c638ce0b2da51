#pragma once

// What the gateway's process does to itself before it holds a credential: no core files, nobody of
// the same user may attach to it or read its memory, no death by a closed pipe. Linux only (prctl).

#include <string>

#include "base/result.h"

namespace remit::gateway {

void harden_process();

// Where the private directories of lanes are made: the temporary directory. Not $XDG_RUNTIME_DIR,
// which is small and often mounted noexec, and upstreams have their HOME and TMPDIR there.
// Directories of gateways that were killed are removed: they hold placeholders only.
std::string runtime_directory();
void remove_stale_directories(const std::string& below);

}  // namespace remit::gateway
