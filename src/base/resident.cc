#include "base/resident.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <span>

namespace remit {
namespace {

// Of a mapping that cannot be written to, MADV_DONTNEED only drops references to pages of the file.
int forget_pages_of(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
    const std::uintptr_t end =
        (object->dlpi_addr + part.p_vaddr + part.p_memsz + page - 1) & ~(page - 1);
    // Advice: whatever does not follow it only stays in memory.
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void forget_pages_of_start() { ::dl_iterate_phdr(forget_pages_of, nullptr); }

}  // namespace remit
