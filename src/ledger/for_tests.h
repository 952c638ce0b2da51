#pragma once

// What the ledger's tests, its benchmark and the program they kill share.

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "ledger/ledger.h"

namespace remit::ledger {

// A stand-in for the event loop: runs what was posted on the thread that asks.
class TestLoop {
 public:
  Post post() {
    return [this](std::move_only_function<void()> work) {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(work));
      wake_.notify_one();
    };
  }

  // Waits for at least one posted function, runs all there are.
  void run_some() {
    std::vector<std::move_only_function<void()>> work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !posted_.empty(); });
      std::swap(work, posted_);
    }
    for (auto& function : work) function();
  }

  // Appends one record and waits for its completion.
  Result<Appended> append(Ledger& ledger, Record record) {
    std::optional<Result<Appended>> answer;
    ledger.append(std::move(record), [&](Result<Appended> result) { answer = std::move(result); });
    while (!answer) run_some();
    return *std::move(answer);
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::move_only_function<void()>> posted_;
};

inline Record sample_record(std::int64_t number, std::string_view body = {}) {
  Record record;
  record.kind = Kind::AwsDecided;
  record.time = TimePoint(std::chrono::milliseconds(1'795'000'000'000 + number));
  record.call = "call-" + std::to_string(1'000'000'000 + number / 4);
  record.body = body.empty() ? "{\"number\":" + std::to_string(number) + "}" : std::string(body);
  return record;
}

// A folder of its own, mode 0700, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "remit-ledger-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path path() const { return path_; }
  std::filesystem::path ledger() const { return path_ / "ledger.db"; }

 private:
  std::filesystem::path path_;
};

}  // namespace remit::ledger
