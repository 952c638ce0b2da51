#include "ledger/batch.h"

#include <string>

namespace remit::ledger {
namespace {

constexpr std::int32_t kMostRequests = 256;
constexpr std::size_t kLargestBody = 32 << 10;

// The four runs of members of a body that may share (see Record::Parts).
struct Members {
  explicit Members(const Record& record) {
    const std::string_view body = record.body;
    const Record::Parts& parts = record.parts;
    own = body.substr(1, parts.own - 1);
    common = body.substr(parts.own + 1, parts.common - parts.own - 1);
    own_too = body.substr(parts.common + 1, parts.own_too - parts.common - 1);
    common_too = body.substr(parts.own_too + 1, body.size() - parts.own_too - 2);
  }
  std::string_view own, common, own_too, common_too;
};

void append_request(std::string& body, const Members& members) {
  body.append("{").append(members.own).append(",").append(members.own_too).append("}");
}

}  // namespace

void Batch::clear() {
  places_.clear();
  records_.clear();
  last_ = nullptr;
  used_ = 0;
}

bool Batch::last_takes(const Record& record) const {
  if (last_ == nullptr || record.parts.own == 0 || last_->parts.own == 0) return false;
  if (requests_ >= kMostRequests || records_.back()->body.size() > kLargestBody) return false;
  if (last_->kind != record.kind || last_->call != record.call) return false;
  const Members a(*last_), b(record);
  return a.common == b.common && a.common_too == b.common_too;
}

void Batch::add(const Record& record) {
  if (last_takes(record)) return share(record);
  (void)records();  // ends the one before
  places_.push_back({static_cast<std::uint32_t>(records_.size()), -1});
  records_.push_back(&record);
  last_ = &record;
  requests_ = 1;
}

void Batch::share(const Record& record) {
  if (requests_ == 1) {
    if (used_ == shared_.size()) shared_.push_back(std::make_unique<Record>());
    Record& shared = *shared_[used_++];
    shared.kind = last_->kind;
    shared.time = last_->time;
    shared.call = last_->call;
    const Members first(*last_);
    shared.body.assign("{").append(first.common).append(",\"requests\":[");
    append_request(shared.body, first);
    places_.back().request = 0;
    records_.back() = &shared;
  }
  std::string& body = shared_[used_ - 1]->body;
  body += ',';
  append_request(body, Members(record));
  places_.push_back({static_cast<std::uint32_t>(records_.size() - 1), requests_++});
}

std::span<const Record* const> Batch::records() {
  if (last_ != nullptr && requests_ > 1) {
    shared_[used_ - 1]->body.append("],").append(Members(*last_).common_too).append("}");
  }
  last_ = nullptr;
  return records_;
}

Appended Batch::of(std::size_t index, std::span<const Appended> written) const {
  Appended appended = written[places_[index].record];
  appended.request = places_[index].request;
  return appended;
}

}  // namespace remit::ledger
