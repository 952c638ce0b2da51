#pragma once

#include <chrono>

namespace remit {

using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

// Time is passed in, never read: rooms ask the Clock they were given.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;                                 // the wall clock, UTC
  virtual std::chrono::steady_clock::time_point steady() const = 0;  // never jumps
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
};

}  // namespace remit
