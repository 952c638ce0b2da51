#include "gateway/call.h"

#include <algorithm>
#include <utility>

namespace remit::gateway {

void Call::refused(Refusal refusal) {
  if (parent_) return parent_->refused(std::move(refusal));
  ++refusal_count_;
  if (refusals_.size() < kMaxKept) refusals_.push_back(std::move(refusal));
}

void Call::answered(std::string_view action, int status, std::string_view request_id) {
  if (parent_) return parent_->answered(action, status, request_id);
  ++answer_count_;
  if (answers_.size() >= kMaxKept) return;
  answers_.push_back({std::string(action), status, std::string(request_id)});
}

void Call::remark(std::string sentence) {
  if (parent_) return parent_->remark(std::move(sentence));
  if (remarks_.size() >= kMaxKept || std::ranges::find(remarks_, sentence) != remarks_.end())
    return;
  remarks_.push_back(std::move(sentence));
}

Call::Token Call::when_over(std::function<void()> cut) {
  if (parent_) return parent_->when_over(std::move(cut));
  const Token token = next_token_++;
  if (over_) {
    cut();
    return token;
  }
  cuts_.emplace_back(token, std::move(cut));
  return token;
}

void Call::forget(Token token) {
  if (parent_) return parent_->forget(token);
  for (auto cut = cuts_.rbegin(); cut != cuts_.rend(); ++cut) {
    if (cut->first != token) continue;
    std::swap(*cut, cuts_.back());
    cuts_.pop_back();
    return;
  }
}

void Call::end() {
  if (over_) return;
  over_ = true;
  // A cut may forget itself or others: take them out first.
  auto cuts = std::exchange(cuts_, {});
  for (auto& [token, cut] : cuts) cut();
}

}  // namespace remit::gateway
