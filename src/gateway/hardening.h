#pragma once

// What the gateway's process does to itself before it holds a credential: no core files, nobody of
// the same user may attach to it or read its memory, no death by a closed pipe. Linux only (prctl).

#include <string>

#include "base/result.h"

namespace remit::gateway {

void harden_process();

// A directory for the private files of lanes, below $XDG_RUNTIME_DIR or the system's temporary one.
// Directories of gateways that were killed are removed: they hold placeholders only.
std::string runtime_directory();
void remove_stale_directories(const std::string& below);

}  // namespace remit::gateway
