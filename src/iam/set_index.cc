#include "iam/set_index.h"

#include <algorithm>
#include <tuple>

#include "iam/policy_set.h"
#include "iam/wildcard.h"

namespace remit::iam {
namespace {

// Eight bytes as a number that sorts as they do; what is missing counts as zero.
std::uint64_t sort_key(std::string_view text) {
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    key = key << 8U | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  }
  return key;
}

// One way into a statement: an action, and a head of one of its resource patterns.
struct Way {
  std::uint64_t hash = 0;
  std::string_view action;  // of the policy's pool; empty for wildcards
  bool allow = false;
  bool headed = false;
  std::string_view head;
  bool open = false;
  StatementRef ref;
};

struct Head {
  std::string_view text;
  bool open = false;
};

// The literal text a pattern begins with.
Head head_of(const CompiledPolicy& policy, const Pattern& pattern) {
  const auto text = policy.text(pattern.text);
  switch (pattern.form) {
    case PatternForm::Any:
      return {{}, true};
    case PatternForm::Literal:
      return {text, false};
    case PatternForm::Prefix:
      return {text, true};
    default:
      break;
  }
  const auto code = std::ranges::find_if(
      text, [](char c) { return static_cast<unsigned char>(c) >= kFirstCode; });
  return {text.substr(0, static_cast<std::size_t>(code - text.begin())), true};
}

// The heads of a statement's resources; empty when any resource may concern it.
void heads_of(const CompiledPolicy& policy, const Statement& statement, std::vector<Head>& out) {
  out.clear();
  if (!statement.has_resource || statement.not_resource) return;
  for (const auto& pattern : policy.slice(policy.patterns, statement.resources)) {
    out.push_back(head_of(policy, pattern));
    if (out.back().open && out.back().text.empty()) return out.clear();
  }
}

class Builder {
 public:
  explicit Builder(SetIndex& out) : out_(out) {}

  void policy(std::uint32_t number, const CompiledPolicy& policy) {
    policy_ = &policy;
    out_.service_mask |= policy.service_mask;
    for (const auto statement : policy.general) add(general_, 0, {}, {number, statement, 0});
    for (const auto& service : policy.services) {
      for (const auto& exact : policy.slice(policy.exact, service.exact)) {
        add(actions_, exact.hash, policy.text(policy.actions[exact.action].full),
            {number, exact.statement, 0});
      }
      for (std::uint32_t i = 0; i < service.wild.count; ++i) {
        const auto wild = service.wild.first + i;
        add(services_, service.hash, {}, {number, policy.wild[wild].statement, wild});
      }
    }
  }

  void finish() {
    groups(actions_, out_.actions);
    groups(services_, out_.services);
    std::vector<SetGroup> general;
    groups(general_, general);
    if (!general.empty()) out_.general = general.front();
  }

 private:
  void add(std::vector<Way>& to, std::uint64_t hash, std::string_view action, StatementRef ref) {
    const auto& statement = policy_->statements[ref.statement];
    Way way{hash, action, !statement.deny, false, {}, false, ref};
    heads_of(*policy_, statement, heads_);
    // A statement that names no resource at all (an empty array) concerns none.
    const bool none =
        statement.has_resource && !statement.not_resource && statement.resources.count == 0;
    if (none) return;
    if (heads_.empty()) return to.push_back(way);
    way.headed = true;
    for (const auto& head : heads_) {
      way.head = head.text;
      way.open = head.open;
      to.push_back(way);
    }
  }

  void groups(std::vector<Way>& ways, std::vector<SetGroup>& out) {
    const auto key = [](const Way& w) {
      return std::tie(w.hash, w.action, w.allow, w.headed, w.head, w.open, w.ref);
    };
    std::ranges::sort(ways, {}, key);
    const auto same = std::ranges::unique(ways, {}, key);
    ways.erase(same.begin(), same.end());
    for (std::size_t i = 0; i < ways.size();) {
      std::size_t end = i;
      while (end < ways.size() && ways[end].hash == ways[i].hash &&
             ways[end].action == ways[i].action) {
        ++end;
      }
      group(std::span(ways).subspan(i, end - i), out.emplace_back());
      i = end;
    }
  }

  void group(std::span<const Way> ways, SetGroup& out) {
    out.hash = ways.front().hash;
    out.name = keep(ways.front().action);
    const auto denies =
        static_cast<std::size_t>(std::ranges::find(ways, true, &Way::allow) - ways.begin());
    side(ways.first(denies), out.deny);
    side(ways.subspan(denies), out.allow);
  }

  void side(std::span<const Way> ways, SetSide& out) {
    const auto always =
        static_cast<std::size_t>(std::ranges::find(ways, true, &Way::headed) - ways.begin());
    out.always = refs(ways.first(always));
    ways = ways.subspan(always);
    if (ways.empty()) return;
    const auto first = ways.front().head;
    const auto last = ways.back().head;
    const auto differ = std::ranges::mismatch(first, last);
    out.common = keep(first.substr(0, static_cast<std::size_t>(differ.in1 - first.begin())));
    out.headed.first = static_cast<std::uint32_t>(out_.refs.size());
    out.heads.first = static_cast<std::uint32_t>(out_.heads.size());
    for (std::size_t i = 0; i < ways.size();) {
      std::size_t open = i;
      while (open < ways.size() && ways[open].head == ways[i].head && !ways[open].open) ++open;
      std::size_t end = open;
      while (end < ways.size() && ways[end].head == ways[i].head) ++end;
      ResourceHead head;
      head.key = sort_key(ways[i].head.substr(out.common.size));
      head.text = keep(ways[i].head);
      head.whole = refs(ways.subspan(i, open - i));
      head.open = refs(ways.subspan(open, end - open));
      head.parent = parent_of(out.heads, ways[i].head);
      out_.heads.push_back(head);
      ++out.heads.count;
      i = end;
    }
    out.headed.count = static_cast<std::uint32_t>(out_.refs.size()) - out.headed.first;
  }

  // Sorted texts: what `text` begins with is the one before it, or one that that one begins with.
  std::uint32_t parent_of(Range heads, std::string_view text) const {
    auto at =
        heads.count == 0 ? ResourceHead::kNone : static_cast<std::uint32_t>(out_.heads.size()) - 1;
    while (at != ResourceHead::kNone && !text.starts_with(out_.text(out_.heads[at].text))) {
      at = out_.heads[at].parent;
    }
    return at;
  }

  Range refs(std::span<const Way> ways) {
    const Range out{static_cast<std::uint32_t>(out_.refs.size()),
                    static_cast<std::uint32_t>(ways.size())};
    for (const auto& way : ways) out_.refs.push_back(way.ref);
    return out;
  }

  Text keep(std::string_view text) {
    const Text kept{static_cast<std::uint32_t>(out_.pool.size()),
                    static_cast<std::uint32_t>(text.size())};
    out_.pool.append(text);
    return kept;
  }

  SetIndex& out_;
  const CompiledPolicy* policy_ = nullptr;
  std::vector<Way> general_, actions_, services_;
  std::vector<Head> heads_;
};

}  // namespace

SetIndex::SetIndex(std::span<const Policy* const> all) : policies(all.begin(), all.end()) {
  Builder builder(*this);
  for (std::uint32_t i = 0; i < policies.size(); ++i) builder.policy(i, policies[i]->compiled());
  builder.finish();
}

std::uint32_t SetIndex::last_not_after(const SetSide& side, std::string_view resource) const {
  const auto common = text(side.common);
  if (!resource.starts_with(common)) {
    // No head can be what the resource begins with.
    return ResourceHead::kNone;
  }
  const auto key = sort_key(resource.substr(common.size()));
  std::uint32_t low = side.heads.first;
  for (std::uint32_t count = side.heads.count; count > 0;) {
    const auto half = count / 2;
    const auto& head = heads[low + half];
    const bool after = head.key != key ? head.key > key : text(head.text) > resource;
    low = after ? low : low + half + 1;
    count = after ? half : count - half - 1;
  }
  return low == side.heads.first ? ResourceHead::kNone : low - 1;
}

PolicySet::PolicySet(std::span<const Policy* const> policies)
    : index_(std::make_unique<const SetIndex>(policies)) {}
PolicySet::PolicySet(PolicySet&&) noexcept = default;
PolicySet& PolicySet::operator=(PolicySet&&) noexcept = default;
PolicySet::~PolicySet() = default;

std::span<const Policy* const> PolicySet::policies() const { return index_->policies; }

}  // namespace remit::iam
