#pragma once

// Deadlines without a timer for each operation: every connection owns one entry, arming it writes
// one number, and a sweep of all entries, four times a second, finds those that have passed.

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "net/task.h"

namespace remit::net {

class DeadlineSweep;

// One deadline, armed and disarmed as its owner goes on. Unlinks itself when destroyed.
class Deadline {
 public:
  // `passed` runs from the sweep, once for each arming.
  Deadline(DeadlineSweep& sweep, std::function<void()> passed);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  // Late by up to two ticks, never early.
  void arm(std::chrono::milliseconds limit);
  void disarm() { at_ = kNever; }

 private:
  friend class DeadlineSweep;
  static constexpr auto kNever = std::chrono::steady_clock::time_point::max();

  DeadlineSweep& sweep_;
  std::function<void()> passed_;
  std::chrono::steady_clock::time_point at_ = kNever;
  Deadline* next_ = nullptr;
  Deadline* previous_ = nullptr;
};

// Must outlive its deadlines. The loop has work for as long as any deadline exists.
class DeadlineSweep {
 public:
  explicit DeadlineSweep(Loop& loop,
                         std::chrono::milliseconds tick = std::chrono::milliseconds(250));
  DeadlineSweep(const DeadlineSweep&) = delete;
  DeadlineSweep& operator=(const DeadlineSweep&) = delete;
  ~DeadlineSweep();

 private:
  friend class Deadline;
  void link(Deadline& deadline);
  void unlink(Deadline& deadline);
  void start();
  void sweep();

  Timer timer_;
  std::chrono::milliseconds tick_;
  std::chrono::steady_clock::time_point now_;  // as of the last tick: close enough, and free
  Deadline* first_ = nullptr;
  Deadline* cursor_ = nullptr;  // the next one of a sweep in progress: unlink() moves it on
  bool running_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace remit::net
