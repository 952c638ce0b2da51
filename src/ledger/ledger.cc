#include "ledger/ledger.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ledger/batch.h"
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

// Gathers records and commits them together. Whoever set writing_ owns the batch and the store
// until it clears it; with Durability::Disk that goes from the owner's thread, which commits, to
// the ledger's, which syncs.
class GroupCommit final : public Ledger {
 public:
  GroupCommit(Options options, Store store, Post post)
      : options_(std::move(options)), post_(std::move(post)), store_(std::move(store)) {
    thread_ = std::thread([this] { run(); });
    keeper_thread_ = std::thread([this] { keep_log_short(); });
  }

  ~GroupCommit() override {
    {
      const std::lock_guard lock(mutex_);
      keeper_stopping_ = true;
    }
    keeper_wake_.notify_one();
    keeper_thread_.join();  // before the other thread, which it may wait for
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void append(Record record, Completion done) override {
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
    post_turn();
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

  // Under mutex_.
  void post_turn() {
    if (std::exchange(turn_posted_, true)) return;
    post_([this, alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired()) end_turn();
    });
  }

  // The thread takes the queue. Under mutex_.
  void hand_over() {
    handed_over_ = true;
    wake_thread();
  }

  void wake_thread() {
    if (std::exchange(waiting_, false)) wake_.notify_one();
  }

  // The keeper's thread waits for a long log, or for the end of what is being written. Under
  // mutex_.
  void wake_keeper() { keeper_wake_.notify_one(); }

  // `pages` are in the log. Under mutex_.
  void watch_log(int pages) {
    log_pages_ = pages;
    if (pages >= long_log_ && !std::exchange(checkpoint_due_, true)) wake_keeper();
  }

  // Under mutex_.
  void done_writing() {
    writing_ = false;
    if (claiming_) wake_keeper();
  }

  // A record on its own is committed at once. Where several come, a few turns more gather more of
  // them, as long as each brings some. Under mutex_.
  bool more_may_come() {
    constexpr int kMostTurns = 6;
    const std::size_t before = std::exchange(gathered_, queue_.size());
    const bool more = queue_.size() > std::max<std::size_t>(before, 1) && ++turns_ < kMostTurns;
    if (!more) {
      gathered_ = 0;
      turns_ = 0;
    }
    return more;
  }

  // On the owner's thread: commits what was appended since the last commit, unless that could
  // block.
  void end_turn() {
    std::unique_lock lock(mutex_);
    turn_posted_ = false;
    // Whoever is at it looks again after.
    if (queue_.empty() || writing_ || handed_over_ || claiming_) return;
    if (more_may_come()) return post_turn();
    if (!store_ || failure_) return hand_over();
    take(batch_);
    writing_ = true;
    lock.unlock();
    list_records();
    auto written = store_->try_append(records_.records(), appended_);
    if (written && *written == Store::Attempt::Busy) return give_back(lock);
    std::optional<Error> failure;
    if (!written) failure = failed(std::move(written).error());
    const int log_pages = store_ ? store_->log_pages() : 0;
    if (!failure && options_.durability == Durability::Disk) {
      lock.lock();
      watch_log(log_pages);
      sync_due_ = true;
      return wake_thread();
    }
    auto answers = answers_to(batch_, failure);
    batch_.clear();
    lock.lock();
    done_writing();
    note(std::move(failure));
    watch_log(log_pages);
    if (!queue_.empty()) post_turn();  // appended by another thread while we wrote
    if (answers_posted_ != 0) return post_answers(std::move(answers));  // theirs come first
    lock.unlock();
    answers();
  }

  // Another gateway is writing: its lock is the thread's to wait for.
  void give_back(std::unique_lock<std::mutex>& lock) {
    lock.lock();
    for (const Pending& pending : batch_) queued_bytes_ += cost_of(pending.record);
    queue_.insert(queue_.begin(), std::make_move_iterator(batch_.begin()),
                  std::make_move_iterator(batch_.end()));
    batch_.clear();
    done_writing();
    hand_over();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (wait_for_work(lock)) {
      if (sync_due_) sync(lock);
      const bool ours = std::exchange(handed_over_, false) || stopping_;
      if (!ours || queue_.empty() || writing_ || claiming_) continue;
      take(batch_);
      writing_ = true;
      lock.unlock();
      auto failure = write();
      const int log_pages = store_ ? store_->log_pages() : 0;
      auto answers = answers_to(batch_, failure);
      batch_.clear();
      lock.lock();
      done_writing();
      note(std::move(failure));
      watch_log(log_pages);
      post_answers(std::move(answers));  // locked, so that no later append is answered before
      if (!queue_.empty()) post_turn();
    }
  }

  // Ends what end_turn() began.
  void sync(std::unique_lock<std::mutex>& lock) {
    sync_due_ = false;
    lock.unlock();
    std::optional<Error> failure;
    if (auto synced = store_->sync(); !synced) failure = failed(std::move(synced).error());
    auto answers = answers_to(batch_, failure);
    batch_.clear();
    lock.lock();
    done_writing();
    note(std::move(failure));
    post_answers(std::move(answers));
    if (!queue_.empty()) post_turn();
  }

  // False when everything is written and the owner wants to go.
  bool wait_for_work(std::unique_lock<std::mutex>& lock) {
    while (!sync_due_ && !handed_over_ && !stopping_) {
      waiting_ = true;
      wake_.wait(lock);
    }
    waiting_ = false;
    return !stopping_ || sync_due_ || !queue_.empty();
  }

  // On the keeper's thread.
  void keep_log_short() {
    std::unique_lock lock(mutex_);
    while (true) {
      keeper_wake_.wait(lock, [this] { return checkpoint_due_ || keeper_stopping_; });
      if (keeper_stopping_) return;
      shorten_log(lock);
      checkpoint_due_ = false;
    }
  }

  // A reader in the way or a disk in trouble: the log grows on, and is tried again when it has
  // grown as much again.
  void shorten_log(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    if (!keeper_) {
      if (auto opened = LogKeeper::open(options_)) keeper_.emplace(*std::move(opened));
    }
    bool good = keeper_ && copy_most();
    lock.lock();
    if (good) {
      claiming_ = true;
      keeper_wake_.wait(lock, [this] { return !writing_; });
      claiming_ = false;
      writing_ = true;  // the others leave the queue to us
      lock.unlock();
      good = keeper_->restart().has_value();
      lock.lock();
      writing_ = false;
      if (!queue_.empty()) post_turn();
    }
    if (!good) keeper_.reset();
    long_log_ = (good ? 0 : log_pages_) + options_.checkpoint_pages;
  }

  // While the owner's thread goes on to append. What was appended in the meantime is copied in
  // turn, until so little is left that nobody notices the wait for it. When more comes than the
  // pauses allow to copy, it is copied without; when more comes than the disk can take, the rest
  // has to wait for it.
  bool copy_most() {
    constexpr std::int64_t kLittle = 128;  // pages
    std::int64_t copied = 0;
    std::int64_t most = std::int64_t{2} * options_.checkpoint_pages;  // to be copied with pauses
    while (true) {
      const std::int64_t left = log_pages() - copied;
      if (copied != 0 && left <= kLittle) return true;
      const auto found = keeper_->copy(left <= most);
      if (!found) return false;
      if (left > most) return true;
      copied = *found;
      most = left / 2;
    }
  }

  std::int64_t log_pages() {
    const std::lock_guard lock(mutex_);
    return log_pages_;
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

  void list_records() {
    records_.clear();
    for (const Pending& pending : batch_) records_.add(pending.record);
  }

  std::optional<Error> write() {
    list_records();
    if (!store_) {
      // A file that vanished is not made anew: a person must see that the record was broken.
      auto reopened = Store::open(options_, Store::IfAbsent::Refuse);
      if (!reopened) return failed(std::move(reopened).error());
      store_.emplace(*std::move(reopened));
    }
    auto written = store_->append(records_.records(), appended_);
    if (written && options_.durability == Durability::Disk) written = store_->sync();
    if (written) return std::nullopt;
    return failed(std::move(written).error());
  }

  Error failed(Error error) {
    store_.reset();
    return Error{error.code, fmt::format("the ledger at {} cannot write: {}; calls stop until it "
                                         "can again",
                                         options_.path.string(), error.message)};
  }

  // Under mutex_.
  void note(std::optional<Error> failure) {
    failure_ = std::move(failure);
    if (failure_) retry_at_ = Steady::now() + options_.retry_after;
  }

  std::move_only_function<void()> answers_to(std::vector<Pending>& batch,
                                             const std::optional<Error>& failure) const {
    std::vector<std::pair<Completion, Result<Appended>>> results;
    results.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      results.emplace_back(
          std::move(batch[i].done),
          failure ? Result<Appended>(std::unexpected(*failure)) : records_.of(i, appended_));
    }
    return [results = std::move(results)]() mutable {
      for (auto& [done, result] : results) done(std::move(result));
    };
  }

  // Under mutex_.
  void post_answers(std::move_only_function<void()> answers) {
    ++answers_posted_;
    post_([this, alive = std::weak_ptr<int>(alive_), answers = std::move(answers)]() mutable {
      if (alive.expired()) return;
      {
        const std::lock_guard lock(mutex_);
        --answers_posted_;
      }
      answers();
    });
  }

  const Options options_;
  const Post post_;
  // Of the owner's thread: expired tells posted functions that the ledger is gone.
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);

  // Of the thread that set writing_.
  std::optional<Store> store_;
  std::vector<Pending> batch_;
  Batch records_;  // what is written of batch_
  std::vector<Appended> appended_;

  std::optional<LogKeeper> keeper_;  // of the keeper's thread

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable keeper_wake_;
  std::vector<Pending> queue_;  // under mutex_, as all below
  std::size_t queued_bytes_ = 0;
  std::optional<Error> failure_;  // of the last batch
  Steady::time_point retry_at_;
  std::size_t answers_posted_ = 0;  // and not run yet
  bool turn_posted_ = false;
  std::size_t gathered_ = 0;  // records when more_may_come() looked last
  int turns_ = 0;             // that these have waited
  bool handed_over_ = false;
  bool sync_due_ = false;
  bool checkpoint_due_ = false;
  int log_pages_ = 0;  // after our last commit
  int long_log_ = options_.checkpoint_pages;
  bool claiming_ = false;  // the keeper's thread waits for what is being written
  bool writing_ = false;
  bool waiting_ = false;
  bool stopping_ = false;
  bool keeper_stopping_ = false;

  std::thread thread_;         // syncs, and commits what could block
  std::thread keeper_thread_;  // brings the log into the file
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
