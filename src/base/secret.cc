#include "base/secret.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <utility>

namespace remit {

namespace {

std::size_t whole_pages(std::size_t size) {
  static const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + kPage - 1) / kPage * kPage;
}

}  // namespace

Secret::Secret(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t size = whole_pages(bytes.size());
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  // Best effort both: RLIMIT_MEMLOCK may be small, and an old kernel may not know the advice.
  ::mlock(pages, size);
  ::madvise(pages, size, MADV_DONTDUMP);
  ::madvise(pages, size, MADV_WIPEONFORK);
  bytes_ = static_cast<char*>(pages);
  size_ = bytes.size();
  mapped_ = size;
  std::memcpy(bytes_, bytes.data(), bytes.size());
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::exchange(other.bytes_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() noexcept {
  if (bytes_ == nullptr) return;
  OPENSSL_cleanse(bytes_, size_);
  ::munmap(bytes_, mapped_);
  bytes_ = nullptr;
  size_ = mapped_ = 0;
}

bool Secret::equals(std::string_view other) const {
  return other.size() == size_ && CRYPTO_memcmp(other.data(), bytes_, size_) == 0;
}

// glibc's, which fills with the widest registers there are: OPENSSL_cleanse() goes by eight bytes.
void wipe(void* bytes, std::size_t size) noexcept {
  if (size != 0) ::explicit_bzero(bytes, size);
}

}  // namespace remit
