#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.h"

namespace remit::json::detail {

// Reads one text into a Tree. RapidJSON's SAX reader judges the grammar and the encoding; this layer
// adds what it lets pass or does not tell: exact places, duplicate keys, lone low surrogates, limits.
class Builder {
 public:
  explicit Builder(Limits limits);
  ~Builder();
  std::expected<void, ParseError> build(std::string_view text, Tree& tree);

 private:
  struct Handler;
  struct Reader;

  Limits limits_;
  std::vector<std::uint32_t> open_;  // nodes of the arrays and objects that are not yet closed
  std::vector<std::pair<std::string_view, std::uint32_t>> keys_;  // scratch of the duplicate check
  std::unique_ptr<Reader> reader_;
};

std::string_view string_of(const Tree& tree, const Node& node);

}  // namespace remit::json::detail
