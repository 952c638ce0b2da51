#pragma once

// Changing a few places of a JSON text that otherwise goes on byte for byte: numbers keep their
// digits, unknown members stay, nothing is re-serialised.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace remit::mcp {

// Edits of one value's text. Edits must not overlap; they may be given in any order, insertions at
// one place keep the order in which they were given.
class Splice {
 public:
  explicit Splice(json::Value whole) : whole_(whole) {}

  void replace(json::Value inner, std::string_view json);
  // Sets object[key]: replaces the value that is there or adds the member at the end.
  void set(json::Value object, std::string_view key, std::string_view json);
  void append(json::Value array, std::string_view json);
  std::string take() const;

 private:
  struct Edit {
    std::size_t at;      // offset in the document's text
    std::size_t length;  // of what goes
    std::size_t order;
    std::string text;
  };
  void insert_before_end(json::Value container, std::string text);

  json::Value whole_;
  std::vector<Edit> edits_;
  std::vector<std::size_t> grown_;  // empty containers that have got a first member already
};

// `params` of tools/call on its way to an upstream: the upstream's own name of the tool and, where
// the caller asked for progress, the gateway's token.
std::string forward_call_params(json::Value params, std::string_view tool,
                                std::optional<std::int64_t> progress_token);

// A tool's result on its way to the agent: `texts` are appended to its content, the receipt (a JSON
// text) stands in `_meta` as "remit/receipt", whatever the upstream wrote there itself.
std::string finish_tool_result(json::Value result, std::span<const std::string> texts,
                               std::string_view receipt);

}  // namespace remit::mcp
