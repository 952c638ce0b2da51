#include "gateway/lane.h"

#include <utility>

#include "base/check.h"

namespace remit::gateway {

Placeholder make_placeholder(Random& random) {
  return {.access_key_id = "AKIAREMIT" + random.base32(11),
          .secret_access_key = Secret(random.base32(40)),
          .proxy_token = Secret(random.base32(32)),
          .credential_token = Secret(random.base32(32))};
}

void Lane::put_in_force(std::shared_ptr<Call> call) {
  REMIT_CHECK(in_force_ == nullptr);
  in_force_ = std::move(call);
}

void Lane::clear() {
  if (auto call = std::exchange(in_force_, nullptr)) call->end();
}

void LaneTable::add(std::shared_ptr<Lane> lane) {
  std::string id = lane->placeholder().access_key_id;
  lanes_.insert_or_assign(std::move(id), std::move(lane));
}

void LaneTable::remove(std::string_view access_key_id) {
  const auto it = lanes_.find(access_key_id);
  if (it == lanes_.end()) return;
  auto lane = std::move(it->second);
  lanes_.erase(it);
  lane->clear();
}

std::shared_ptr<Lane> LaneTable::by_access_key(std::string_view access_key_id) const {
  const auto it = lanes_.find(access_key_id);
  return it == lanes_.end() ? nullptr : it->second;
}

std::shared_ptr<Lane> LaneTable::by_proxy_credentials(std::string_view user,
                                                      std::string_view token) const {
  auto lane = by_access_key(user);
  if (!lane || !lane->placeholder().proxy_token.equals(token)) return nullptr;
  return lane;
}

std::size_t LaneTable::end_calls(const std::function<bool(const CallFacts& facts)>& fits) {
  std::size_t count = 0;
  for (const auto& [id, lane] : lanes_) {
    const auto call = lane->in_force();
    if (!call || call->over() || !fits(call->facts())) continue;
    call->end();
    ++count;
  }
  return count;
}

std::shared_ptr<Lane> LaneTable::by_credential_token(std::string_view token) const {
  std::shared_ptr<Lane> found;
  for (const auto& [id, lane] : lanes_) {
    const Secret& its = lane->placeholder().credential_token;
    if (!its.empty() && its.equals(token)) found = lane;
  }
  return found;
}

}  // namespace remit::gateway
