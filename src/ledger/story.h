#pragma once

// A ledger in words, for people. Nothing here decides; unknown kinds and members are shown as they
// are.

#include <span>
#include <string>

#include "ledger/record.h"

namespace remit::ledger {

// One record as a sentence, without its number and time: for `list` and `follow`.
std::string sentence(const Entry& entry);

// The whole story of one call, several lines. `entries` are its records in their order, not empty.
std::string story(std::span<const Entry> entries);

}  // namespace remit::ledger
