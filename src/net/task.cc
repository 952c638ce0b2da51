#include "net/task.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

namespace remit::net {

void spawn(Executor executor, Task<> task) {
  boost::asio::co_spawn(executor, std::move(task), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
}

void spawn(Loop& loop, Task<> task) { spawn(loop.get_executor(), std::move(task)); }

Task<> sleep_for(std::chrono::milliseconds duration) {
  Timer timer(co_await boost::asio::this_coro::executor, duration);
  [[maybe_unused]] auto [ec] = co_await timer.async_wait(kAwait);
}

void Event::set() {
  set_ = true;
  for (Timer* waiter : waiters_) waiter->cancel();
}

Task<> Event::wait() { co_await wait_until(Timer::time_point::max()); }

Task<bool> Event::wait_for(std::chrono::milliseconds limit) {
  return wait_until(std::chrono::steady_clock::now() + limit);
}

Task<bool> Event::wait_until(std::chrono::steady_clock::time_point end) {
  if (set_) co_return true;
  // One timer a waiter: set() cancels it, its time passing ends the wait.
  Timer timer(co_await boost::asio::this_coro::executor, end);
  waiters_.push_back(&timer);
  [[maybe_unused]] auto [ec] = co_await timer.async_wait(kAwait);
  std::erase(waiters_, &timer);
  co_return set_;
}

}  // namespace remit::net
