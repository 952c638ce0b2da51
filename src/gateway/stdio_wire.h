#pragma once

// The agent on our standard input and output. Nothing else may write there: standard output is
// moved away first and its number given to standard error, so that a stray print cannot break the
// protocol.

#include <memory>

#include "base/result.h"
#include "gateway/front.h"

namespace remit::gateway {

Result<std::unique_ptr<Wire>> make_stdio_wire(net::Loop& loop);

// Any two descriptors; takes both over. They may be the same kinds of file that a shell gives us:
// pipes, sockets, terminals, plain files.
std::unique_ptr<Wire> make_wire(net::Loop& loop, int input, int output);

}  // namespace remit::gateway
