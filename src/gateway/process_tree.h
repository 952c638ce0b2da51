#pragma once

// Which process is at the other end of a loopback connection: whether it is one of those that a
// lane started. Linux only (/proc).

#include <sys/types.h>

#include <cstdint>

namespace remit::gateway {

// Whether `root` or one of its descendants holds the socket with this inode open. False also when
// that cannot be told: the process ended meanwhile, or hides its descriptors (PR_SET_DUMPABLE).
bool tree_holds_socket(pid_t root, std::uint32_t inode);

}  // namespace remit::gateway
