#pragma once

// The event loop and its coroutines. One loop a thread; nothing of a loop is touched by another
// thread, except post().
//
// Rules (clang-19 and Asio 1.81):
//  - parameters of a coroutine are values, or references to objects whose owner awaits it;
//  - no aggregate and no capturing lambda is made inside an expression that awaits: name it first;
//  - no capturing lambda is a coroutine: pass state as parameters.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "base/result.h"

namespace remit::net {

using Loop = boost::asio::io_context;

// What a Loop is made with: its descriptors belong to the thread that runs it and need no locks.
// post() from other threads stays safe.
// https://www.boost.org/doc/libs/1_81_0/doc/html/boost_asio/overview/core/concurrency_hint.html
inline constexpr int kOneThread = BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO;

using Executor = Loop::executor_type;

template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

// The completion token of every Asio operation in this house: `auto [ec, n] = co_await
// socket.async_read_some(buffer, net::kAwait);`. Never throws.
inline constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable_t<Executor>{});

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

// Starts `task` on the loop, on its own. An exception that leaves it ends the process: errors are
// values, so it can only be a bug or exhausted memory.
void spawn(Loop& loop, Task<> task);
void spawn(Executor executor, Task<> task);

// Runs `work` on the loop's thread, later. May be called from any thread.
inline void post(Loop& loop, std::function<void()> work) {
  boost::asio::post(loop, std::move(work));
}

// Waits. Returns early when the awaiting task is cancelled.
Task<> sleep_for(std::chrono::milliseconds duration);

// Something to wait for: many may wait; set() wakes all, and later waits return at once until
// reset(). Must outlive its waiters. For one loop's thread.
class Event {
 public:
  Event() = default;
  explicit Event(Loop&) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set();
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  // Also returns, with the event not set, when the awaiting task is cancelled.
  Task<> wait();
  // False when `limit` passed first.
  Task<bool> wait_for(std::chrono::milliseconds limit);

 private:
  Task<bool> wait_until(std::chrono::steady_clock::time_point end);

  std::vector<Timer*> waiters_;
  bool set_ = false;
};

}  // namespace remit::net
