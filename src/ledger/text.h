#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace remit::ledger {

std::string iso8601(TimePoint time);      // "2026-11-21T15:30:00.123Z"
std::string time_of_day(TimePoint time);  // "15:30:00.123", UTC

// `text` for a terminal: control characters, which could move the cursor or hide words, as \xNN.
std::string printable(std::string_view text);

}  // namespace remit::ledger
