#include "ledger/ledger.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ledger/store.h"

namespace remit::ledger {
namespace {

using Steady = std::chrono::steady_clock;

struct Pending {
  Record record;
  Completion done;
};

std::size_t cost_of(const Record& record) {
  return sizeof(Pending) + record.call.size() + record.body.size();
}

// The queue between any thread and the one that writes.
class GroupCommit final : public Ledger {
 public:
  GroupCommit(Options options, Store store, Post post)
      : options_(std::move(options)), post_(std::move(post)), store_(std::move(store)) {
    thread_ = std::thread([this] { run(); });
  }

  ~GroupCommit() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void append(Record record, Completion done) override {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      const std::size_t cost = cost_of(record);
      if (auto refusal = refusal_now(cost)) {
        post_([done = std::move(done), error = *std::move(refusal)]() mutable {
          done(std::unexpected(std::move(error)));
        });
        return;
      }
      queued_bytes_ += cost;
      queue_.push_back({std::move(record), std::move(done)});
      wake = std::exchange(waiting_, false);
    }
    if (wake) wake_.notify_one();
  }

 private:
  // Why a record cannot even be queued. Under mutex_.
  std::optional<Error> refusal_now(std::size_t cost) const {
    if (queue_.size() >= options_.max_queued ||
        (queued_bytes_ + cost > options_.max_queued_bytes && !queue_.empty())) {
      return Error{ErrorCode::LimitExceeded, fmt::format("the ledger at {} is behind by {} records",
                                                         options_.path.string(), queue_.size())};
    }
    // One attempt at a time finds out whether writing works again; what comes with it waits for it.
    const bool attempting = writing_ || !queue_.empty();
    if (failure_ && !attempting && Steady::now() < retry_at_) return failure_;
    return std::nullopt;
  }

  void run() {
    std::unique_lock lock(mutex_);
    std::vector<Pending> batch;
    while (wait_for_records(lock)) {
      take(batch);
      writing_ = true;
      lock.unlock();
      std::optional<Error> failure = write(batch);
      auto answers = answers_to(batch, failure);
      batch.clear();
      last_commit_ = Steady::now();
      lock.lock();
      writing_ = false;
      failure_ = std::move(failure);
      if (failure_) retry_at_ = last_commit_ + options_.retry_after;
      post_(std::move(answers));  // locked, so that no later append is answered before
    }
  }

  // False when everything is written and the owner wants to go.
  bool wait_for_records(std::unique_lock<std::mutex>& lock) {
    while (queue_.empty() && !stopping_) {
      waiting_ = true;
      wake_.wait(lock);
    }
    waiting_ = false;
    if (queue_.empty()) return false;
    const auto gathered = last_commit_ + options_.gather;
    if (options_.durability == Durability::Process && Steady::now() < gathered && !stopping_) {
      lock.unlock();
      std::this_thread::sleep_until(gathered);
      lock.lock();
    }
    return true;
  }

  void take(std::vector<Pending>& batch) {
    constexpr std::size_t kMostInOneCommit = 8192;  // so that other gateways get their turn
    if (queue_.size() <= kMostInOneCommit) {
      std::swap(batch, queue_);
      queued_bytes_ = 0;
      return;
    }
    const auto end = queue_.begin() + kMostInOneCommit;
    for (auto pending = queue_.begin(); pending != end; ++pending) {
      queued_bytes_ -= cost_of(pending->record);
      batch.push_back(std::move(*pending));
    }
    queue_.erase(queue_.begin(), end);
  }

  std::optional<Error> write(const std::vector<Pending>& batch) {
    records_.clear();
    for (const Pending& pending : batch) records_.push_back(&pending.record);
    Result<> written;
    if (!store_) {
      // A file that vanished is not made anew: a person must see that the record was broken.
      auto reopened = Store::open(options_, Store::IfAbsent::Refuse);
      if (reopened) {
        store_.emplace(*std::move(reopened));
      } else {
        written = std::unexpected(std::move(reopened).error());
      }
    }
    if (store_) written = store_->append(records_, appended_);
    if (written) return std::nullopt;
    store_.reset();
    return Error{written.error().code,
                 fmt::format("the ledger at {} cannot write: {}; calls stop until it can again",
                             options_.path.string(), written.error().message)};
  }

  std::move_only_function<void()> answers_to(std::vector<Pending>& batch,
                                             const std::optional<Error>& failure) const {
    std::vector<std::pair<Completion, Result<Appended>>> results;
    results.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      results.emplace_back(
          std::move(batch[i].done),
          failure ? Result<Appended>(std::unexpected(*failure)) : Result<Appended>(appended_[i]));
    }
    return [results = std::move(results)]() mutable {
      for (auto& [done, result] : results) done(std::move(result));
    };
  }

  const Options options_;
  const Post post_;

  // Of the thread.
  std::optional<Store> store_;
  std::vector<const Record*> records_;
  std::vector<Appended> appended_;
  Steady::time_point last_commit_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Pending> queue_;  // under mutex_, as all below
  std::size_t queued_bytes_ = 0;
  std::optional<Error> failure_;  // of the last batch
  Steady::time_point retry_at_;
  bool writing_ = false;
  bool waiting_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Ledger>> open(Options options, Post post) {
  REMIT_TRY(Store store, Store::open(options, Store::IfAbsent::Create));
  return std::make_unique<GroupCommit>(std::move(options), std::move(store), std::move(post));
}

std::filesystem::path default_path() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return std::filesystem::path(state) / "remit" / "ledger.db";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "/" : home) / ".local/state/remit/ledger.db";
}

}  // namespace remit::ledger
