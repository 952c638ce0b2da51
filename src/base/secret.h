#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/check.h"

namespace remit {

// A value that must not reach a log, an error, the ledger or a core file by accident.
//
// It has no formatter, no stream operator and no comparison: the only way to the bytes is
// expose(), which is easy to search for in review. The bytes live in one buffer of their own,
// kept out of core dumps and of swap where the system lets us, and are wiped when the owner goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // A second owner of the same bytes, made on purpose.
  Secret clone() const { return Secret(expose()); }

  std::string_view expose() const REMIT_LIFETIMEBOUND { return {bytes_, size_}; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Takes time that depends on the lengths only.
  bool equals(std::string_view other) const;

 private:
  void wipe() noexcept;

  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
};

// Wipes `size` bytes in a way that the optimiser keeps: for scratch buffers that held a secret.
void wipe(void* bytes, std::size_t size) noexcept;

}  // namespace remit
