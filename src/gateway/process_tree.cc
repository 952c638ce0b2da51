#include "gateway/process_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace remit::gateway {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxProcesses = 4096;

// What the kernel lists of a folder; nothing when it is gone or not ours to see.
std::vector<fs::path> entries(const std::string& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    found.push_back(at->path());
  }
  return found;
}

bool holds(pid_t pid, std::string_view link) {
  return std::ranges::any_of(entries(fmt::format("/proc/{}/fd", pid)), [link](const auto& entry) {
    std::error_code ignored;
    return fs::read_symlink(entry, ignored).native() == link;
  });
}

void add_children(pid_t pid, std::vector<pid_t>& all) {
  for (const auto& task : entries(fmt::format("/proc/{}/task", pid))) {
    std::ifstream children(task / "children");
    for (pid_t child = 0; children >> child;) all.push_back(child);
  }
}

bool find_once(pid_t root, std::string_view link) {
  std::vector<pid_t> all{root};
  for (std::size_t next = 0; next < all.size() && next < kMaxProcesses; ++next) {
    if (holds(all[next], link)) return true;
    add_children(all[next], all);
  }
  return false;
}

}  // namespace

bool tree_holds_socket(pid_t root, std::uint32_t inode) {
  if (root <= 0 || inode == 0) return false;
  const std::string link = fmt::format("socket:[{}]", inode);
  // A process whose parent ends while we look has moved to a place that was already seen.
  return find_once(root, link) || find_once(root, link);
}

}  // namespace remit::gateway
