#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace remit {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "remit: bug: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace remit
