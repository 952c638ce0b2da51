// The supervisor as a small program of its own, which the gateway carries in itself
// (supervisor_program.h). Nothing but libc, linked statically.
#include "gateway/supervisor.h"

int main(int argc, char** argv) { return remit::gateway::supervise(argc - 1, argv + 1); }
