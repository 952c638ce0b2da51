// Any bytes: reading ends, within its limits, without a throw; what was read is a tree whose maps
// have distinct keys, and reading it again gives the same.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "remit/yaml.h"

namespace {

using remit::rules::yaml::Entry;
using remit::rules::yaml::Kind;
using remit::rules::yaml::Limits;
using remit::rules::yaml::Node;
using remit::rules::yaml::Tree;

constexpr Limits kLimits{
    .max_bytes = 1 << 16, .max_depth = 32, .max_nodes = 5'000, .max_aliases = 64};

std::size_t check(const Node& node, std::size_t depth) {
  REMIT_CHECK(depth <= kLimits.max_depth + 1);
  std::size_t nodes = 1;
  for (const Node& item : node.items) nodes += check(item, depth + 1);
  for (const Entry& entry : node.entries) {
    REMIT_CHECK(node.find(entry.key) == &entry);
    nodes += check(entry.value, depth + 1);
  }
  REMIT_CHECK(node.kind == Kind::Sequence || node.items.empty());
  REMIT_CHECK(node.kind == Kind::Map || node.entries.empty());
  return nodes;
}

bool same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.quoted != b.quoted) return false;
  if (a.items.size() != b.items.size() || a.entries.size() != b.entries.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same(a.items[i], b.items[i])) return false;
  for (std::size_t i = 0; i < a.entries.size(); ++i)
    if (a.entries[i].key != b.entries[i].key || !same(a.entries[i].value, b.entries[i].value))
      return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Tree tree = remit::rules::yaml::read(text, kLimits);
  REMIT_CHECK(check(tree.root, 1) <= kLimits.max_nodes + 1);
  REMIT_CHECK(!tree.cut_short || !tree.faults.empty());
  const Tree again = remit::rules::yaml::read(text, kLimits);
  REMIT_CHECK(same(tree.root, again.root) && tree.faults.size() == again.faults.size());
  return 0;
}
