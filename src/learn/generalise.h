#pragma once

// From the resources that were seen to the patterns that stand for them. A pattern is made only
// where several resources have a common beginning that ends at a separator, below a name that was
// seen itself: never over all buckets, tables or functions of an account.

#include <cstddef>
#include <string>
#include <vector>

namespace remit::learn {

struct Wildcards {
  std::size_t from = 3;  // so many neighbours become one pattern; 0: never
};

// Sorted; every one of `arns` is covered by an answer, and nothing else was asked for.
std::vector<std::string> generalise(std::vector<std::string> arns, const Wildcards& wildcards);

}  // namespace remit::learn
