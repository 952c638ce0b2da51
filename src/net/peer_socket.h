#pragma once

// The socket at the other end of a connection, when it is on this machine: whose it is, and whether
// a process still holds it. TCP does not say; the kernel does (sock_diag(7)). Linux and IPv4 only:
// elsewhere the answer is "not known".

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace remit::net {

struct PeerSocket {
  uid_t user = 0;           // who made it
  std::uint32_t inode = 0;  // what the links in /proc/PID/fd call it: "socket:[inode]"
};

// Empty when it is on another machine, when no process holds it any more, and when that cannot be
// told.
std::optional<PeerSocket> peer_socket(int fd);

}  // namespace remit::net
