#include "net/deadline.h"

#include <utility>

namespace remit::net {

Deadline::Deadline(DeadlineSweep& sweep, std::function<void()> passed)
    : sweep_(sweep), passed_(std::move(passed)) {
  sweep_.link(*this);
}

Deadline::~Deadline() { sweep_.unlink(*this); }

void Deadline::arm(std::chrono::milliseconds limit) { at_ = sweep_.now_ + limit + sweep_.tick_; }

DeadlineSweep::DeadlineSweep(Loop& loop, std::chrono::milliseconds tick)
    : timer_(loop), tick_(tick), now_(std::chrono::steady_clock::now()) {}

DeadlineSweep::~DeadlineSweep() { timer_.cancel(); }

void DeadlineSweep::link(Deadline& deadline) {
  deadline.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &deadline;
  first_ = &deadline;
  if (!running_) {
    now_ = std::chrono::steady_clock::now();
    start();
  }
}

void DeadlineSweep::unlink(Deadline& deadline) {
  if (cursor_ == &deadline) cursor_ = deadline.next_;
  if (deadline.previous_ != nullptr) deadline.previous_->next_ = deadline.next_;
  if (deadline.next_ != nullptr) deadline.next_->previous_ = deadline.previous_;
  if (first_ == &deadline) first_ = deadline.next_;
  // An idle sweep would keep the loop from running out of work.
  if (first_ == nullptr) {
    running_ = false;
    timer_.cancel();
  }
}

void DeadlineSweep::start() {
  running_ = true;
  timer_.expires_after(tick_);
  // A wait that has ended is not cancelled any more: its handler may run after we are gone.
  timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](const auto& ec) {
    if (ec || alive.expired()) return;
    sweep();
  });
}

void DeadlineSweep::sweep() {
  now_ = std::chrono::steady_clock::now();
  cursor_ = first_;
  while (cursor_ != nullptr) {
    Deadline& deadline = *cursor_;
    cursor_ = deadline.next_;
    if (deadline.at_ > now_) continue;
    deadline.disarm();
    deadline.passed_();
  }
  if (running_) start();
}

}  // namespace remit::net
