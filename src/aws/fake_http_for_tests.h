#pragma once

// A network of tests: answers in order, and what was asked.

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "net/client.h"
#include "net/task.h"

namespace remit::aws::fake {

struct Asked {
  std::string url;
  std::string method;
  http::Fields fields;
  std::string body;
};

inline net::Response answer(int status, std::string body, http::Fields fields = {}) {
  net::Response response;
  response.head.status = status;
  response.head.fields = std::move(fields);
  response.body = std::move(body);
  return response;
}

class Http final : public net::HttpClient {
 public:
  std::deque<Result<net::Response>> answers;
  std::vector<Asked> asked;
  net::Event* gate = nullptr;  // when set, requests wait for it

  net::Task<Result<net::Response>> request(std::string url, std::string method, http::Fields fields,
                                           std::string body,
                                           std::chrono::milliseconds /*timeout*/) override {
    Asked asked_now{std::move(url), std::move(method), std::move(fields), std::move(body)};
    asked.push_back(std::move(asked_now));
    if (gate != nullptr) co_await gate->wait();
    if (answers.empty()) co_return fail(ErrorCode::Unavailable, "nothing is listening");
    Result<net::Response> next = std::move(answers.front());
    answers.pop_front();
    co_return next;
  }
};

class SetClock final : public Clock {
 public:
  TimePoint time{};
  TimePoint now() const override { return time; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(time.time_since_epoch());
  }
};

class FixedRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    for (std::byte& b : out) b = std::byte{0x2A};
  }
};

// Runs one task to its end on the loop.
template <class T>
net::Task<> keep(net::Task<T> task, std::optional<T>* result) {
  result->emplace(co_await std::move(task));
}
template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> result;
  net::spawn(loop, keep(std::move(task), &result));
  loop.restart();
  loop.run();
  return std::move(*result);
}

}  // namespace remit::aws::fake
