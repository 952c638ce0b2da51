#pragma once

// How much a peer of HTTP/2 may ask for that costs it nothing: PING, SETTINGS, PRIORITY, resets,
// empty DATA (CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2025-8671). A purse: honest work fills
// it, time fills it, such frames empty it.

#include <algorithm>
#include <chrono>

namespace remit::net {

class Http2Calm {
 public:
  static constexpr double kFull = 1000;
  static constexpr double kPerSecond = 50;

  using Instant = std::chrono::steady_clock::time_point;
  explicit Http2Calm(Instant now) : last_(now) {}

  // False: the purse is empty, and the peer is to be sent away.
  bool spend(double cost, Instant now) {
    left_ += std::chrono::duration<double>(now - last_).count() * kPerSecond;
    last_ = now;
    left_ = std::min(left_, kFull) - cost;
    return left_ >= 0;
  }
  void earn(double reward) { left_ = std::min(left_ + reward, kFull); }

 private:
  double left_ = kFull;
  Instant last_;
};

}  // namespace remit::net
