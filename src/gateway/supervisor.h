#pragma once

// A tiny process between the gateway and each upstream process, so that nothing an upstream started
// survives the gateway, however the gateway ends: the kernel closes the control socket even after
// SIGKILL, the supervisor sees that and kills all of its descendants. It is a subreaper, so
// children that detach themselves (fork twice, setsid) become its own children and are found.
//
// Not defended: a process of the same user that kills the supervisor itself with SIGKILL. Its own
// parent-death signal still ends the upstream's first process then, but not that one's children.
//
// The supervisor inherits no memory of the gateway: it is a small program of its own, and this file
// needs nothing but libc. How it is started: supervisor_program.h. Linux only (prctl, signalfd,
// /proc).

#include <cstdint>

namespace remit::gateway {

inline constexpr int kSupervisorControl = 3;  // descriptor of the control socket
// The program's name; the kernel keeps 15 characters of it ("remit-supervise" in ps and top).
inline constexpr const char* kSupervisorName = "remit-supervise-lane";
inline constexpr const char* kSupervisorVerb = "supervise-lane";  // of the big program

// Reports of the supervisor, 5 bytes each: kind, then a number in the machine's byte order.
enum class Report : char {
  Started = 'S',  // process id
  Failed = 'F',   // errno of exec
  Ended = 'X',    // wait status of the upstream's first process
};
// Orders to the supervisor, one byte each. End of file means Kill.
enum class Order : char { Terminate = 'T', Kill = 'K' };

// Runs argv[0..argc) under supervision; the exit code of the supervisor's process. Descriptors
// 0 to 2 are the upstream's, those above the control socket are closed. argv must end with a null
// pointer.
int supervise(int argc, char** argv);

}  // namespace remit::gateway
