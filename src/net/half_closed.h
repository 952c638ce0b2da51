#pragma once

// A peer that will send nothing more: does it still wait for what we send? TCP does not say; on the
// same machine the kernel does. Linux only: elsewhere the answer is "no".

namespace remit::net {

// Whether the socket at the other end of `fd` is on this machine and a process still holds it open.
// False also when that cannot be told.
bool peer_is_still_held(int fd);

}  // namespace remit::net
