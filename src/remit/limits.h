#pragma once

// How often a remit may be used: so many calls, so many AWS writes, in any window of the given
// length. A window slides: at no moment have more than `count` happened within the last `per`.
// Counts live in memory and start anew with the gateway.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace remit::rules {

struct Remit;

// "120/min": 1 to 100,000 per s, min, h or day.
struct Limit {
  std::uint32_t count = 0;
  std::chrono::seconds per{0};
  bool operator==(const Limit&) const = default;
};
Result<Limit> parse_limit(std::string_view text);
std::string to_string(const Limit& limit);  // "120/min"

using SteadyTime = std::chrono::steady_clock::time_point;

// One sliding window. Remembers at most `count` moments (8 bytes each).
class Window {
 public:
  explicit Window(Limit limit);
  // Takes one if there is room and answers nullopt; otherwise takes nothing and answers how long
  // it is until there will be room.
  std::optional<std::chrono::milliseconds> take(SteadyTime now);

 private:
  Limit limit_;
  std::vector<SteadyTime> moments_;  // a ring once full
  std::size_t oldest_ = 0;
};

// The windows of all remits of one gateway, by remit name and limit: a reloaded configuration keeps
// the counts of the limits that it left unchanged. Not for use by two threads at once.
class RateLimits {
 public:
  // One tool call of the remit. LimitExceeded: "remit read-invoices allows 120 calls/min; room
  // again in 12 s".
  Result<> take_call(const Remit& remit, SteadyTime now);
  // One AWS request whose access level is Write, Permissions management or Tagging.
  Result<> take_write(const Remit& remit, SteadyTime now);

 private:
  struct Entry {
    Limit limit;
    Window window;
  };
  Result<> take(const std::string& name, std::string_view what, const std::optional<Limit>& limit,
                SteadyTime now);
  std::map<std::string, Entry> entries_;  // "name/calls", "name/writes"
};

}  // namespace remit::rules
