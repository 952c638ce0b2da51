#pragma once

namespace remit {

// Ends the process: a fact that our own code guarantees does not hold. Never reachable by input.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace remit

#define REMIT_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::remit::check_failed(#condition, __FILE__, __LINE__))

#define REMIT_LIFETIMEBOUND [[clang::lifetimebound]]
