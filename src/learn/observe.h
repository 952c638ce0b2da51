#pragma once

// What tools really asked of AWS, read back from the ledger: the decisions of egress, each with the
// tool call that it belongs to.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "json/json.h"
#include "ledger/record.h"

namespace remit::ledger {
class Reader;
}

namespace remit::learn {

// One question to IAM, as it was decided on.
struct Asked {
  std::string action;
  std::vector<std::string> resources;
  bool resource_unknown = false;  // there was one that the request did not tell
  // Condition keys and values that the request determined; only with `ledger.observe`.
  std::map<std::string, std::vector<std::string>> context;
  auto operator<=>(const Asked&) const = default;
};

// In texts of `Asked`, where the value of a bound argument stood: one character of Unicode's
// private use for each argument, so that nothing splits it or takes it for a wildcard.
class Arguments {
 public:
  // The text with a mark for each value that is a whole segment of it, between `:` and `/`.
  std::string mark(std::string_view text, const std::map<std::string, std::string>& bound);
  // "${arg:bucket}" for each mark.
  std::string restore(std::string_view text) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

struct Observed {
  Asked asked;
  std::size_t times = 0;
  bool refused = false;
  std::string reason;  // of the refusal, one of them
};

// All that was seen of one tool.
struct ToolUse {
  std::string upstream;
  std::string tool;   // empty: the upstream's startup
  std::string remit;  // of the last call
  std::string role;
  std::size_t calls = 0;
  std::size_t requests = 0;
  std::size_t resources_left_out = 0;  // requests that named more resources than a record holds
  bool with_context = false;           // condition keys were recorded
  TimePoint first{};
  TimePoint last{};
  std::vector<Observed> observed;  // each question once, sorted
  Arguments arguments;             // of the marks in it
};

struct Filter {
  std::string upstream;  // empty: all
  std::string tool;
  TimePoint since{};
  // By the name of a remit, the arguments that its session has today: only those are looked for.
  std::map<std::string, std::vector<std::string>, std::less<>> arguments;
};

class Observations {
 public:
  explicit Observations(Filter filter) : filter_(std::move(filter)) {}
  // In the order of the ledger. Records of other kinds, and such as cannot be read, are passed by.
  void add(const ledger::Entry& entry);
  std::vector<ToolUse> take() &&;

 private:
  struct Call {
    std::string upstream, tool, remit, role;
    std::map<std::string, std::string> bound;
  };
  struct Gathered {
    ToolUse use;
    std::map<std::pair<Asked, bool>, Observed> questions;
  };
  void decided(const ledger::Entry& entry, bool startup);
  void minted(const ledger::Entry& entry);
  // One request of a decision's record, and why it was refused.
  static void note(Gathered& gathered, const Call& call, json::Value request,
                   const std::optional<std::string>& refusal);

  Filter filter_;
  std::map<std::string, Call, std::less<>> calls_;
  std::map<std::pair<std::string, std::string>, Gathered> tools_;
  std::map<std::string, std::pair<std::string, std::string>> counted_;  // calls already counted
};

Result<std::vector<ToolUse>> observe(ledger::Reader& reader, Filter filter);

}  // namespace remit::learn
