#pragma once

// Random policies and requests over small alphabets, so that they often meet.

#include <random>
#include <string>
#include <vector>

#include "iam/reference_for_tests.h"

namespace remit::iam::reference {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

 private:
  std::mt19937_64 random_;
};

std::string random_statement(Dice& dice, bool principal);
std::string random_document(Dice& dice, bool principal);
Policies random_policies(Dice& dice);
Request random_request(Dice& dice);

// The same question in the form of the batch.
std::string batch_line(const Policies& policies, const Request& request);

}  // namespace remit::iam::reference
